/*
 * Frees of blocks that are older than the generation in which they are freed: the evidence record.
 *
 * Each such block was alive when the generation last changed, so there are few of them: a shared record
 * per allocer with atomic adds costs less than 64 shards with a gigabyte of counters.
 */
#include <sys/mman.h>

#include "agent.h"
#include "counters.h"
#include "sys.h"

static _Atomic uint32_t *index_of; /* by id: 1 + index of the record, 0 none; private */
static _Atomic uint32_t issued;

static struct edl_evidence *record_make(uint32_t id) {
  if (atomic_load(&issued) >= edl.max_allocers) return NULL; /* and never wraps */
  uint32_t mine = atomic_fetch_add(&issued, 1);
  if (mine >= edl.max_allocers) return NULL;
  size_t at = (size_t)((char *)&edl.evidence[mine] - edl.segment);
  if (!edl_segment_reserve(at, sizeof(struct edl_evidence))) return NULL;
  edl.evidence[mine].allocer = id;
  uint32_t expected = 0;
  if (!atomic_compare_exchange_strong(&index_of[id], &expected, mine + 1))
    return &edl.evidence[expected - 1]; /* another thread made one: ours stays unused */
  __atomic_store_n(&edl.allocer[id].evidence, mine + 1, __ATOMIC_RELEASE);
  uint32_t *shown = &edl.header->evidence_issued;
  uint32_t current = __atomic_load_n(shown, __ATOMIC_RELAXED);
  while (current < mine + 1 && !__atomic_compare_exchange_n(shown, &current, mine + 1, true,
                                                            __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
  }
  return &edl.evidence[mine];
}

static struct edl_evidence *record_of(uint32_t id) {
  uint32_t index = atomic_load_explicit(&index_of[id], memory_order_acquire);
  return index ? &edl.evidence[index - 1] : record_make(id);
}

static unsigned age_bucket(uint32_t born, uint32_t now) {
  int32_t age = (int32_t)(now - born);
  if (age <= 0) return 0;
  unsigned bucket = 32 - (unsigned)__builtin_clz((unsigned)age);
  return bucket < EDL_AGE_BUCKETS ? bucket : EDL_AGE_BUCKETS - 1;
}

#define ADD(counter, amount) __atomic_fetch_add(&(counter), (amount), __ATOMIC_RELAXED)

EDL_NOINLINE void edl_free_older(const struct edl_turn *turn, uint32_t field, uint32_t generation,
                                 size_t n) {
  uint32_t id = field - 1;
  struct edl_evidence *e = record_of(id);
  if (!e) {
    edl_lost(EDL_LOSS_MISDATED_FREES);
    edl_count_free(turn, field, n);
    return;
  }
  /* Readable: the host writes the maps before it opens a generation, and one is open by now. */
  const uint8_t *slots = (const uint8_t *)edl.segment + EDL_SLOT_OF_GEN_OFFSET;
  const uint32_t *slices = (const uint32_t *)(edl.segment + EDL_SLICE_OF_GEN_OFFSET);
  unsigned slot = __atomic_load_n(&slots[generation], __ATOMIC_RELAXED) % EDL_BIRTH_SLOTS;
  uint32_t born = __atomic_load_n(&slices[generation], __ATOMIC_RELAXED);
  uint32_t now = __atomic_load_n(&slices[edl_latched_gen(turn->latched)], __ATOMIC_RELAXED);
  ADD(e->freed_blocks[slot], 1);
  ADD(e->freed_bytes[slot], n);
  ADD(e->age_frees[age_bucket(born, now)], 1);
  ADD(e->old_frees, 1);
  ADD(e->old_freed_bytes, n);
}

void edl_count_overrun(uint32_t field) { ADD(edl.allocer[field - 1].overruns, 1); }

bool edl_evidence_boot(void) {
  index_of = edl_mmap(NULL, edl.max_allocers * sizeof *index_of, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  return index_of != NULL;
}
