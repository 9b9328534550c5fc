/*
 * What a hook does around the real call: ask for 8 bytes more, count and tag what came back, count and
 * untag what goes.
 *
 * Fast path of an allocation, when the thread has latched the current generation, the caller is in its
 * table of sites and glibc's chunk header may be read: 10 loads, 5 branches, 2 adds to memory, 1 store.
 * Everything else is in track.c, out of line.
 */
#ifndef EDL_TRACK_H
#define EDL_TRACK_H
#include "agent.h"
#include "allocers.h"
#include "counters.h"
#include "next.h"
#include "tag.h"

/* glibc's chunk header, the word before a block: size, a multiple of 16, with three flag bits. */
#define EDL_CHUNK_FLAGS ((size_t)7)
#define EDL_CHUNK_MMAPPED ((size_t)2)
#define EDL_CHUNK_MIN 32u

static inline size_t edl_chunk_word(const void *block) { return ((const size_t *)block)[-1]; }

/* True for chunks from 32 bytes to below 64 KiB that aren't mmapped: one rotation moves the mmapped bit
 * where it makes the number huge. */
static inline bool edl_chunk_small(size_t word) {
  size_t x = word & ~(size_t)5;
  size_t turned = x >> 4 | x << 60;
  return turned - EDL_CHUNK_MIN / 16 < (EDL_BIG_BLOCK_BYTES - EDL_CHUNK_MIN) / 16;
}

static inline size_t edl_chunk_usable(size_t word) { return (word & ~EDL_CHUNK_FLAGS) - 8; }

/* What to ask the real allocator for. Requests that would overflow are big, so they pass unchanged. */
static inline size_t edl_request(size_t n) { return n < EDL_BIG_BLOCK_BYTES ? n + 8 : n; }

/* What pvalloc gives for a request: whole pages, all of which the program may use. */
static inline size_t edl_whole_pages(size_t n) {
  size_t whole = (n + EDL_PAGE_BYTES - 1) & ~(size_t)(EDL_PAGE_BYTES - 1);
  return whole < n ? n : whole; /* impossible requests stay so */
}

/* As edl_turn_is_current, and glibc's chunk headers may be read. */
static inline bool edl_fast_is_current(const struct edl_hot *hot) {
  return (atomic_load_explicit(edl.fast_control, memory_order_relaxed) ^ edl.key) == hot->seen;
}

/*
 * For hooks by other names than malloc's: looks the real functions up, and is true when the function must pass
 * unchanged, because another object than malloc's has it or because the allocator itself calls it.
 */
#define EDL_PASSES(name) \
  (edl_ready(), edl_unlikely(edl_next.name != NULL && (edl_kin.name == NULL || edl_is_own_call(CALLER))))
#define EDL_KIN_OR(name, other) (edl_kin.name ? edl_kin.name : edl_next.other)
#define CALLER ((uintptr_t)__builtin_return_address(0))

/* Keeps our frame under a call: the allocator's own calls are known by it (edl_is_own_call). */
#define EDL_NO_JUMP() __asm__ volatile("" ::: "memory")

/* track.c */
void *edl_track_slow(void *block, size_t n, uintptr_t caller);
void edl_untrack_slow(void *block, uintptr_t caller);
size_t edl_usable(void *block);

/* preload.c: realloc and posix_memalign by the function given, for `caller`. */
void *edl_resize(void *(*next)(void *, size_t), void *p, size_t n, uintptr_t caller);
int edl_posix_memalign(int (*next)(void **, size_t, size_t), void **out, size_t alignment, size_t n,
                       uintptr_t caller);

/* What a block was before it was untracked; lets a failed realloc undo. */
struct edl_was {
  size_t n;
  uint64_t tag;  /* 0: it was not tagged */
  char *tag_at;
  uint32_t field; /* 0: not tracked */
  uint32_t gen : EDL_GENERATION_ID_BITS;
  uint32_t overrun : 1; /* the first byte behind the block was overwritten */
};
/* Takes the tag (or table entry) off without counting. */
void edl_untag(void *block, struct edl_was *was);
void edl_retag(void *block, const struct edl_was *was);
void edl_count_gone(const struct edl_was *was);

/* A block of n bytes came from the real allocator for `caller`: counts and tags it. */
static inline __attribute__((always_inline)) void *edl_track(void *block, size_t n, uintptr_t caller) {
  const struct edl_hot *hot = edl_self.hot;
  if (edl_likely(block != NULL) && edl_likely(edl_fast_is_current(hot))) {
    struct edl_site *site = edl_site_place(hot->sites, caller);
    size_t word = edl_chunk_word(block);
    if (edl_likely(atomic_load_explicit(&site->caller, memory_order_relaxed) == caller) &&
        edl_likely(edl_chunk_small(word))) {
      uint64_t *counters = site->counters;
      edl_counter_add(&counters[0], 1);
      edl_counter_add(&counters[1], n);
      edl_tag_write(block, edl_chunk_usable(word), n, site->tag_base);
      return block;
    }
  }
  return edl_track_slow(block, n, caller);
}

/* A block is about to go to the real free: counts it and wipes its tag. */
static inline __attribute__((always_inline)) void edl_untrack(void *block) {
  const struct edl_hot *hot = edl_self.hot;
  if (edl_likely(edl_fast_is_current(hot)) && edl_likely(((uintptr_t)block & 15) == 0)) {
    size_t word = edl_chunk_word(block);
    if (edl_likely(edl_chunk_small(word))) {
      size_t usable = edl_chunk_usable(word);
      char *at = (char *)block + usable - 8;
      uint64_t tag = edl_tag_load(at) ^ edl_tag_address(at);
      edl_latched latched = hot->latched;
      if (edl_likely(edl_tag_damage(tag, edl.key) == 0) &&
          edl_likely(edl_tag_field_ok(tag, atomic_load_explicit(&edl.issued, memory_order_relaxed))) &&
          edl_likely((tag ^ latched) >> EDL_TAG_GENERATION_SHIFT == 0)) {
        edl_tag_store(at, 0);
        uint64_t *counters = edl_latched_counters(latched, edl_tag_field(tag));
        edl_counter_add(&counters[2], 1);
        edl_counter_add(&counters[3], edl_tag_size(at, tag, usable));
        return;
      }
    }
  }
  uintptr_t caller = CALLER;
  __asm__("" : "+r"(caller)); /* read here, not on the fast path */
  edl_untrack_slow(block, caller);
}

/* A free by the allocator's own function. */
static inline __attribute__((always_inline)) void edl_release(void *p, void (*next)(void *)) {
  if (p == NULL) return;
  edl_untrack(p);
  if (!edl_is_bootstrap(p)) next(p);
  EDL_NO_JUMP();
}

#endif
