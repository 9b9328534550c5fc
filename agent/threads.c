/*
 * Gives a thread its turn to count: a counter shard of its own while there are any, a shared one otherwise,
 * and the generation it counts in (latch).
 *
 * Exclusive shard: its owner alone writes lines and latch. Shared shard: locked adds; the latch moves
 * on only while nobody is inside the phase that would be re-used, so that tag and counter of a block
 * always name the same generation.
 */
#include "agent.h"
#include "allocers.h"
#include "libc.h"
#include "sys.h"

#define LATCH_COUNT_SHIFT 24
#define CPU_REFRESH_EVENTS 256
#define SHARED_TRIES 4
/* Lines of exclusive shards may occupy this much; threads beyond share. */
#define EXCLUSIVE_LINES_BYTES (16u << 20)

_Thread_local struct edl_self edl_self = {.hot = &edl_cold};
struct edl_hot edl_cold;

/* Thread id of the owner, 0 when free. Private: a copy of it in the segment is for readers only. */
static _Atomic uint32_t owners[EDL_SHARDS];
/* Threads inside each phase of a shared shard. */
static struct {
  _Alignas(64) _Atomic uint32_t users[2];
} inside[EDL_SHARDS];

static int exit_key = -1;

static inline _Atomic uint64_t *latch_of(unsigned shard) {
  return (_Atomic uint64_t *)&edl.shard[shard].latch;
}
static inline unsigned phase_of(uint64_t latch) { return (latch >> LATCH_COUNT_SHIFT) & 1; }
static inline uint32_t gen_of(uint64_t latch, unsigned phase) {
  return (uint32_t)(latch >> (phase * EDL_GENERATION_ID_BITS)) & EDL_GEN_MASK;
}
/* Lines of the shard at the phase in use, and its generation. */
static inline edl_latched latched_of(unsigned shard, uint64_t latch) {
  unsigned phase = phase_of(latch);
  struct edl_line *lines = edl.lines + (size_t)shard * edl.max_allocers - 1;
  uintptr_t at = (uintptr_t)lines + phase * (sizeof(struct edl_line) / 2);
  return (edl_latched)gen_of(latch, phase) << EDL_LATCHED_GEN_SHIFT | at;
}
static inline uint64_t latch_next(uint64_t latch, uint32_t gen) {
  unsigned phase = phase_of(latch) ^ 1;
  uint64_t count = (latch >> LATCH_COUNT_SHIFT) + 1;
  uint64_t other = gen_of(latch, phase ^ 1);
  uint64_t gens = phase ? (uint64_t)gen << EDL_GENERATION_ID_BITS | other
                        : other << EDL_GENERATION_ID_BITS | gen;
  return count << LATCH_COUNT_SHIFT | gens;
}

/* The control word as the host last wrote it, or 0 when its halves disagree. */
static uint64_t control_read(void) {
  uint64_t word = atomic_load_explicit(edl.control, memory_order_acquire);
  return (uint32_t)word == ~(uint32_t)(word >> 32) ? word : 0;
}

/* --- exclusive shards --------------------------------------------------------------------------- */

static bool shard_is_dead(uint32_t tid) {
  return edl_sys2(SYS_tkill, tid, 0) == -3 /* ESRCH */;
}

static bool budget_allows_another(void) {
  unsigned held = 0;
  for (unsigned s = 0; s < edl.exclusive; s++)
    held += atomic_load_explicit(&owners[s], memory_order_relaxed) != 0;
  uint64_t bytes = (uint64_t)(held + 1) * atomic_load(&edl.issued) * sizeof(struct edl_line);
  return bytes <= EXCLUSIVE_LINES_BYTES;
}

/* A free shard, else that of a thread that died without saying so. A re-used thread id only makes a
 * dead owner look alive, which is safe. */
static int shard_claim(uint32_t tid) {
  for (int reclaim = 0; reclaim < 2; reclaim++) {
    for (unsigned s = 0; s < edl.exclusive; s++) {
      uint32_t owner = atomic_load_explicit(&owners[s], memory_order_relaxed);
      if (owner != 0 && !(reclaim && shard_is_dead(owner))) continue;
      if (!atomic_compare_exchange_strong(&owners[s], &owner, tid)) continue;
      if (edl_shard_reserve(s)) return (int)s;
      atomic_store(&owners[s], 0);
      return -1;
    }
  }
  return -1;
}

static void shard_publish(unsigned s, uint32_t tid, uint32_t kind) {
  __atomic_store_n(&edl.shard[s].tid, tid, __ATOMIC_RELAXED);
  __atomic_store_n(&edl.shard[s].kind, kind, __ATOMIC_RELEASE);
}

EDL_NOINLINE static void shard_acquire(void) {
  uint32_t tid = (uint32_t)edl_sys0(SYS_gettid);
  int s = budget_allows_another() ? shard_claim(tid) : -1;
  if (s < 0) {
    edl_self.shared = 1;
    return;
  }
  if (edl_self.hot != &edl_cold) { /* a signal handler of this thread was faster */
    atomic_store(&owners[s], 0);
    return;
  }
  shard_publish((unsigned)s, tid, EDL_SHARD_EXCLUSIVE);
  struct edl_hot *hot = &edl.hot[s];
  hot->seen = 0;
  unsigned parity = phase_of(atomic_load(latch_of((unsigned)s)));
  edl_sites_clear(hot->table, parity); /* of the shard's former owner */
  hot->sites = hot->table->sites[parity];
  hot->latched = latched_of((unsigned)s, atomic_load(latch_of((unsigned)s)));
  atomic_signal_fence(memory_order_seq_cst);
  edl_self.hot = hot;
  if (exit_key >= 0) edl_libc.pthread_setspecific((unsigned)exit_key, hot);
}

/* The thread ends: its shard goes to the next one; what it still does is counted on a shared shard. */
static void thread_exit(void *value) {
  struct edl_hot *hot = value;
  if (atomic_load(&edl.mode) != EDL_LIVE || atomic_load(edl.alive) == 0 || hot != edl_self.hot) return;
  edl_self.shared = 1;
  atomic_signal_fence(memory_order_seq_cst);
  edl_self.hot = &edl_cold;
  unsigned s = (unsigned)(hot - edl.hot);
  hot->seen = 0;
  __atomic_store_n(&edl.shard[s].tid, 0, __ATOMIC_RELAXED);
  atomic_store_explicit(&owners[s], 0, memory_order_release); /* pairs with the claim of the next owner */
}

/* Brings the thread to the current generation. A signal handler may do the same in between: the
 * compare-and-swap on the latch makes one of the two count, and the latch never goes back to the control
 * word that was read first. The sites of the new parity are emptied before it: they are of the
 * generation before last, which nobody uses any more. */
static void latch_own(struct edl_hot *hot, uint64_t control) {
  unsigned shard = (unsigned)(hot - edl.hot);
  _Atomic uint64_t *latch = latch_of(shard);
  uint32_t gen = (uint32_t)control & EDL_GEN_MASK;
  uint64_t current = atomic_load_explicit(latch, memory_order_relaxed);
  for (int tries = 0; tries < 4 && gen_of(current, phase_of(current)) < gen; tries++) {
    uint64_t next = latch_next(current, gen);
    edl_sites_clear(hot->table, phase_of(next));
    if (atomic_compare_exchange_strong_explicit(latch, &current, next, memory_order_release,
                                                memory_order_relaxed))
      current = next;
  }
  hot->latched = latched_of(shard, current);
  hot->sites = hot->table->sites[phase_of(current)];
  atomic_signal_fence(memory_order_seq_cst);
  hot->seen = control ^ edl.key;
}

/* --- shared shards ------------------------------------------------------------------------------ */

static unsigned shared_pick(void) {
  unsigned count = edl.shards - edl.exclusive;
  if (edl_self.cpu_events == 0) {
    uint32_t cpu = 0;
    edl_sys3(SYS_getcpu, &cpu, 0, 0);
    edl_self.cpu = (uint16_t)cpu;
    edl_self.cpu_events = CPU_REFRESH_EVENTS;
  }
  edl_self.cpu_events--;
  return edl.exclusive + edl_self.cpu % count;
}

static bool shared_ready(unsigned s) {
  if (atomic_load_explicit(&owners[s], memory_order_acquire)) return true;
  if (!edl_shard_reserve(s)) return false;
  shard_publish(s, 0, EDL_SHARD_SHARED);
  atomic_store_explicit(&owners[s], 1, memory_order_release); /* pairs with the load above */
  return true;
}

/* Enters the phase in use, moving the latch on when the generation has changed and the other phase is
 * empty. Bounded: whoever loses too often counts in the phase it is in, under that phase's generation. */
static uint64_t shared_enter(unsigned s, uint64_t control) {
  _Atomic uint64_t *latch = latch_of(s);
  for (int tries = 0;; tries++) {
    uint64_t current = atomic_load(latch);
    unsigned phase = phase_of(current);
    uint32_t gen = control ? (uint32_t)control & EDL_GEN_MASK : gen_of(current, phase);
    atomic_fetch_add(&inside[s].users[phase], 1);
    if (atomic_load(latch) != current && tries < SHARED_TRIES) {
      atomic_fetch_sub(&inside[s].users[phase], 1);
      continue;
    }
    if (gen_of(current, phase) >= gen || tries >= SHARED_TRIES) return current;
    if (atomic_load(&inside[s].users[phase ^ 1]) != 0) return current;
    uint64_t next = latch_next(current, gen);
    atomic_compare_exchange_strong(latch, &current, next);
    atomic_fetch_sub(&inside[s].users[phase], 1);
  }
}

static void shared_begin(struct edl_turn *turn, uint64_t control) {
  unsigned s = shared_pick();
  if (!shared_ready(s)) {
    s = edl.exclusive;
    if (!shared_ready(s)) {
      edl_lost(EDL_LOSS_NO_SHARD);
      return;
    }
  }
  uint64_t latch = shared_enter(s, control);
  turn->latched = latched_of(s, latch);
  turn->phase = phase_of(latch);
  turn->shared = 1 + s;
}

/* --- the turn ----------------------------------------------------------------------------------- */

/* `sites` and `latched` of one turn must be of one generation: a signal may change both in between. */
static void turn_take(struct edl_turn *turn, const struct edl_hot *hot) {
  do {
    turn->latched = hot->latched;
    atomic_signal_fence(memory_order_seq_cst);
    turn->sites = hot->sites;
    atomic_signal_fence(memory_order_seq_cst);
  } while (turn->latched != *(volatile const edl_latched *)&hot->latched);
}

EDL_NOINLINE static void turn_begin_slow(struct edl_turn *turn) {
  if (atomic_load_explicit(&edl.mode, memory_order_acquire) != EDL_LIVE) {
    if (atomic_load(&edl.mode) == EDL_BOOT_NONE) edl_boot();
    if (atomic_load_explicit(&edl.mode, memory_order_acquire) != EDL_LIVE) return;
  }
  if (atomic_load_explicit(edl.alive, memory_order_relaxed) == 0) {
    edl_fork_child();
    return;
  }
  uint64_t control = control_read();
  if (edl_self.hot == &edl_cold && !edl_self.shared) shard_acquire();
  if (edl_self.hot == &edl_cold) {
    shared_begin(turn, control);
    return;
  }
  struct edl_hot *hot = edl_self.hot;
  if (control != 0 && (control ^ edl.key) != hot->seen) latch_own(hot, control);
  turn_take(turn, hot);
}

void edl_turn_begin(struct edl_turn *turn) {
  *turn = (struct edl_turn){0};
  struct edl_hot *hot = edl_self.hot;
  if (edl_likely(edl_turn_is_current(hot))) {
    turn_take(turn, hot);
    return;
  }
  turn_begin_slow(turn);
}

void edl_turn_end(const struct edl_turn *turn) {
  if (edl_unlikely(turn->shared != 0)) {
    atomic_fetch_sub(&inside[turn->shared - 1].users[turn->phase], 1);
  }
}

/* In a forked child: a hook that a signal handler interrupted to fork still needs what was wiped. `seen`
 * stays zero, so no further hook takes the fast path. */
void edl_threads_forget(void) {
  struct edl_hot *hot = edl_self.hot;
  if (hot == &edl_cold) return;
  unsigned shard = (unsigned)(hot - edl.hot);
  uint64_t latch = atomic_load(latch_of(shard));
  hot->table = edl_sites_of(shard);
  hot->sites = hot->table->sites[phase_of(latch)];
  hot->latched = latched_of(shard, latch);
}

/* One shared shard has its lines from the start and whenever ids grow: when there is no room for more, new
 * threads go there. */
bool edl_threads_boot(void) {
  unsigned key;
  if (edl_libc.pthread_key_create && edl_libc.pthread_setspecific &&
      edl_libc.pthread_key_create(&key, thread_exit) == 0)
    exit_key = (int)key;
  return shared_ready(edl.exclusive);
}
