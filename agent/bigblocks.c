/* The table of big blocks: open addressing, slots re-used by compare-and-swap, bounded probes. */
#include "bigblocks.h"

#include <sys/mman.h>

#include "sys.h"

#define PROBES 128
/* Values of a key that are no address. */
#define EMPTY 0u
#define GONE 1u
#define MAKING 2u

struct slot {
  _Atomic uintptr_t key;
  _Atomic uint64_t n;
  _Atomic uint64_t owner; /* field | gen << 32 */
};

static struct slot *slots;
static uint32_t mask;

static uint32_t home(const void *block) {
  uint64_t h = ((uintptr_t)block >> 4) * UINT64_C(0x9e3779b97f4a7c15);
  return (uint32_t)(h >> 40) & mask;
}

bool edl_big_put(const void *block, struct edl_big what) {
  uint32_t at = home(block);
  for (unsigned probe = 0; probe < PROBES; probe++, at = (at + 1) & mask) {
    struct slot *s = &slots[at];
    uintptr_t key = atomic_load_explicit(&s->key, memory_order_relaxed);
    if (key > GONE) continue;
    if (!atomic_compare_exchange_strong(&s->key, &key, MAKING)) continue;
    atomic_store_explicit(&s->n, what.n, memory_order_relaxed);
    atomic_store_explicit(&s->owner, what.field | (uint64_t)what.gen << 32, memory_order_relaxed);
    atomic_store_explicit(&s->key, (uintptr_t)block, memory_order_release); /* pairs with find */
    return true;
  }
  return false;
}

static struct slot *find(const void *block) {
  uint32_t at = home(block);
  for (unsigned probe = 0; probe < PROBES; probe++, at = (at + 1) & mask) {
    uintptr_t key = atomic_load_explicit(&slots[at].key, memory_order_acquire);
    if (key == (uintptr_t)block) return &slots[at];
    if (key == EMPTY) return NULL;
  }
  return NULL;
}

bool edl_big_take(const void *block, struct edl_big *what) {
  struct slot *s = slots ? find(block) : NULL;
  if (!s) return false;
  uint64_t owner = atomic_load_explicit(&s->owner, memory_order_relaxed);
  what->n = atomic_load_explicit(&s->n, memory_order_relaxed);
  what->field = (uint32_t)owner;
  what->gen = (uint32_t)(owner >> 32);
  /* Never back to EMPTY: another key may have been placed behind this slot meanwhile. */
  atomic_store_explicit(&s->key, GONE, memory_order_release);
  return true;
}

bool edl_big_has(const void *block) { return slots && find(block) != NULL; }

bool edl_big_boot(void) {
  uint32_t count = EDL_MAX_BIG_BLOCKS;
  while (count > 256 && count > edl.max_allocers * 4) count /= 2;
  slots = edl_mmap(NULL, count * sizeof *slots, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  mask = count - 1;
  return slots != NULL;
}
