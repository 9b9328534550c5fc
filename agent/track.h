/*
 * What a hook does around the real call: ask for 8 bytes more, count and tag what came back, count and
 * untag what goes.
 *
 * Fast path of an allocation, when the thread has latched the current generation, the caller is in its
 * site cache and glibc's chunk header may be read: 6 loads, 3 branches, 2 adds to memory, 1 store, no call.
 * Everything else is in track.c, out of line.
 */
#ifndef EDL_TRACK_H
#define EDL_TRACK_H
#include "agent.h"
#include "allocers.h"
#include "counters.h"
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

/* track.c */
void *edl_track_slow(void *block, size_t n, uintptr_t caller);
void edl_untrack_slow(void *block);
size_t edl_usable(void *block);

/* What a block was before it was untracked; lets a failed realloc undo. */
struct edl_was {
  size_t n;
  uint64_t tag;  /* 0: it was not tagged */
  char *tag_at;
  uint32_t field; /* 0: not tracked */
  uint32_t gen;
};
/* Takes the tag (or table entry) off without counting. */
void edl_untag(void *block, struct edl_was *was);
void edl_retag(void *block, const struct edl_was *was);
void edl_count_gone(const struct edl_was *was);

/* A block of n bytes came from the real allocator for `caller`: counts and tags it. */
static inline __attribute__((always_inline)) void *edl_track(void *block, size_t n, uintptr_t caller) {
  const struct edl_hot *hot = edl_self.hot;
  if (edl_likely(block != NULL) && edl_likely(edl.inline_chunks) && edl_likely(edl_turn_is_current(hot))) {
    size_t word = edl_chunk_word(block);
    uint32_t latched = hot->latched;
    uint64_t entry = *edl_cache_slot(hot->cache, caller);
    if (edl_likely(edl_chunk_small(word)) && edl_likely(edl_cache_hit(entry, caller))) {
      uint32_t field = (uint32_t)entry & 0xffffffu;
      uint64_t *counters = edl_phase(hot->lines, field, latched);
      edl_counter_add(&counters[0], 1);
      edl_counter_add(&counters[1], n);
      edl_tag_write(block, edl_chunk_usable(word), n, field, latched & EDL_GEN_MASK, edl.key);
      return block;
    }
  }
  return edl_track_slow(block, n, caller);
}

/* A block is about to go to the real free: counts it and wipes its tag. */
static inline __attribute__((always_inline)) void edl_untrack(void *block) {
  const struct edl_hot *hot = edl_self.hot;
  if (edl_likely(edl.inline_chunks) && edl_likely(edl_turn_is_current(hot)) &&
      edl_likely(((uintptr_t)block & 15) == 0)) {
    size_t word = edl_chunk_word(block);
    if (edl_likely(edl_chunk_small(word))) {
      size_t usable = edl_chunk_usable(word);
      char *at = (char *)block + usable - 8;
      uint64_t tag = edl_tag_load(at);
      uint32_t latched = hot->latched;
      if (edl_likely(edl_tag_damage(at, tag, edl.key) == 0) &&
          edl_likely(edl_tag_field_ok(tag, atomic_load_explicit(&edl.issued, memory_order_relaxed))) &&
          edl_likely(edl_tag_gen(tag) == (latched & EDL_GEN_MASK))) {
        edl_tag_store(at, 0);
        uint64_t *counters = edl_phase(hot->lines, edl_tag_field(tag), latched);
        edl_counter_add(&counters[2], 1);
        edl_counter_add(&counters[3], edl_tag_size(at, tag, usable));
        return;
      }
    }
  }
  edl_untrack_slow(block);
}

#endif
