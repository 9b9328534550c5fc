/*
 * The agent: counts every allocation of the process it is preloaded into, per allocer, exactly.
 *
 * Nouns: an *allocer* is an allocation point; its *field* is its id + 1 (0 is "none"). A *tag* is the word
 * behind a block that names its allocer. A *line* holds the counters of one (shard, allocer); a *shard* is
 * the set of lines that one thread writes. A *latch* fixes the generation a thread counts in. The *segment*
 * is the shared file all of it lies in. *Evidence* is what is known of frees of older blocks.
 *
 * Guarantees, in this order:
 *  1. The target behaves as without us: results, errno, output, signals, descriptors, death.
 *  2. Never: a thread, a socket, the watched heap, abort, output, a lock, waiting for another thread;
 *     never an address, a size or an index taken from the segment.
 *  3. Exact at quiescence over threads, signal handlers and cross-thread frees. What is lost is counted.
 *  4. Bounded: ceilings of the segment, 16 bytes of thread-local storage, <= 512 bytes of stack in a hook.
 *  5. Fail open: whatever is missing, the target runs on, unseen.
 *
 * Order inside a hook (signals, fork and kill may cut anywhere):
 *   malloc  real call, count, write tag, return
 *   free    load tag, wipe it, count, real call
 *   realloc wipe, real call, then undo (failure) or count a free and an allocation and tag
 * A cross-thread free needs no barrier of ours: the program's own hand-over orders tag and free.
 *
 * The agent reads five things from the segment and believes none of them: the control word (self-checking),
 * slotOfGen (masked to 0..63), sliceOfGen (only subtracted), whether a lease was ever held, and the
 * latch word of a shard (a count and two generation ids, used as values only).
 */
#ifndef EDL_AGENT_H
#define EDL_AGENT_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gen/abi.h"

#define edl_likely(x) __builtin_expect(!!(x), 1)
#define edl_unlikely(x) __builtin_expect(!!(x), 0)
#define EDL_NOINLINE __attribute__((noinline))
#define EDL_EXPORT __attribute__((visibility("default")))

/*
 * What is latched, in one word that no signal can tear: bits 52-63 the generation, below them the address
 * of the shard's lines (biased by one line: indexed by field) at the phase in use.
 */
typedef uint64_t edl_latched;
#define EDL_LATCHED_GEN_SHIFT EDL_TAG_GENERATION_SHIFT
#define EDL_GEN_MASK 0xfffu

static inline uint32_t edl_latched_gen(edl_latched latched) {
  return (uint32_t)(latched >> EDL_LATCHED_GEN_SHIFT);
}
/* Four counters of the phase in use: allocs, bytes, frees, freed bytes. */
static inline uint64_t *edl_latched_counters(edl_latched latched, uint32_t field) {
  uintptr_t lines = (uintptr_t)(latched << EDL_GENERATION_ID_BITS >> EDL_GENERATION_ID_BITS);
  return (uint64_t *)(lines + (uintptr_t)field * sizeof(struct edl_line));
}

/*
 * What the fast path needs of a shard. Private memory that reads as zeros in a forked child: then `seen`
 * matches no control word (the secret key is mixed in: not even a forged one) and the slow path is taken.
 */
struct edl_hot {
  uint64_t seen;              /* control word that `latched` was made from ^ key; 0 for none */
  edl_latched latched;
  struct edl_site *sites;     /* call sites of the latched generation */
  struct edl_site_table *table; /* of the shard, both parities */
  uint64_t pad[4];
};
_Static_assert(sizeof(struct edl_hot) == 64, "one cache line per shard");

/* The whole of the agent's thread-local storage. */
struct edl_self {
  struct edl_hot *hot; /* &edl_cold until the thread has a shard of its own */
  uint16_t shared;     /* 1: no shard of its own, now or ever */
  uint16_t cpu;        /* which shared shard */
  uint16_t cpu_events; /* events until the cpu is looked up again */
  uint16_t unused;
};
_Static_assert(sizeof(struct edl_self) <= 64, "promise of agent.h");
extern _Thread_local struct edl_self edl_self __attribute__((tls_model("initial-exec")));
extern struct edl_hot edl_cold;

enum edl_mode { EDL_BOOT_NONE, EDL_BOOTING, EDL_LIVE, EDL_OFF };

/* Private state of the process; the first line is what the fast path reads. */
struct edl_agent {
  const _Atomic uint64_t *fast_control; /* as control, or a word that never matches: no fast path */
  const _Atomic uint64_t *control; /* in the segment; a word that never matches until then */
  uint64_t key;                    /* secret of the tags */
  _Atomic uint32_t issued;         /* allocer ids in use; a field is valid when field - 1 < issued */
  uint32_t inline_chunks;          /* the usable size may be read from glibc's chunk header */
  _Atomic uint32_t mode;           /* enum edl_mode */
  uintptr_t allocator_start;       /* where calls are the allocator's own; empty over glibc's */
  size_t allocator_bytes;
  uintptr_t agent_start; /* our own range */
  size_t agent_bytes;
  uint32_t max_allocers, shards, exclusive, max_modules;
  char *segment;                   /* base of the mapping */
  size_t segment_bytes;
  struct edl_hot *hot;             /* one per shard, in the page that fork wipes */
  const _Atomic uint32_t *alive;   /* in the same page: 0 in a forked child */
  struct edl_header *header;
  struct edl_shard *shard;
  struct edl_module *module;
  struct edl_allocer *allocer;
  struct edl_evidence *evidence;
  struct edl_line *lines;
};
extern struct edl_agent edl __attribute__((aligned(64)));

/* A thread's turn to count one event; begun after, ended before anything of the real allocator. */
struct edl_turn {
  edl_latched latched;    /* 0: don't count */
  struct edl_site *sites; /* NULL on a shared shard */
  uint32_t shared;        /* 1 + index of the shared shard, 0 on an own one */
  uint32_t phase;         /* of a shared shard */
};

/* True when this thread has latched what the host last wrote: the test of the fast path. */
static inline bool edl_turn_is_current(const struct edl_hot *hot) {
  return (atomic_load_explicit(edl.control, memory_order_relaxed) ^ edl.key) == hot->seen;
}

/* threads.c */
void edl_turn_begin(struct edl_turn *turn);
void edl_turn_end(const struct edl_turn *turn);
bool edl_threads_boot(void);
void edl_threads_forget(void);

/* allocers.c: field of the allocer with this key, made if need be; never 0. */
uint32_t edl_allocer_find(const uintptr_t *key, unsigned depth);
uint32_t edl_allocer_of(const struct edl_turn *turn, uintptr_t caller);
bool edl_allocers_boot(void);

/* evidence.c: a block of an earlier generation is freed. */
void edl_free_older(const struct edl_turn *turn, uint32_t field, uint32_t generation, size_t n);
void edl_count_overrun(uint32_t field);
bool edl_evidence_boot(void);

/* segment.c */
bool edl_segment_boot(void);
bool edl_segment_reserve(size_t offset, size_t bytes);
bool edl_shard_reserve(unsigned shard);
bool edl_allocers_reserve(uint32_t count);
void edl_lost(enum edl_loss reason);
void edl_segment_abandon(void);
void edl_segment_forget(void);
void edl_segment_end(void);

/* modules.c: 1 + index of the module that holds this address, 0 when it is not known. */
uint32_t edl_module_of(uintptr_t address);
void edl_modules_boot(void);

/* fork.c */
bool edl_fork_boot(void);
void edl_fork_child(void);
void edl_fork_register(void);

/* boot.c */
void edl_boot(void);
bool edl_is_bootstrap(const void *p);

/* A call that the allocator makes by a name which it exports itself: its own business, the outer call is
 * tracked. When it jumps to its last call, the return address is the one in our outer hook. */
static inline bool edl_is_own_call(uintptr_t caller) {
  return edl_unlikely(edl.allocator_bytes != 0) && (caller - edl.allocator_start < edl.allocator_bytes ||
                                                    caller - edl.agent_start < edl.agent_bytes);
}

/* For hooks without a stub: the real functions are known afterwards. */
static inline void edl_ready(void) {
  if (edl_unlikely(atomic_load_explicit(&edl.mode, memory_order_relaxed) == EDL_BOOT_NONE)) edl_boot();
}

#endif
