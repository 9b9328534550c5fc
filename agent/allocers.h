/* The site cache: a thread's own memory of return address -> field; the look-up of the fast path. */
#ifndef EDL_ALLOCERS_H
#define EDL_ALLOCERS_H
#include "agent.h"

#define EDL_ADDRESS_BITS (64 - EDL_CACHE_TAG_SHIFT + EDL_CACHE_BITS)

static inline uint64_t *edl_cache_slot(uint64_t *cache, uintptr_t caller) {
  return &cache[(caller ^ (caller >> EDL_CACHE_BITS)) & (EDL_CACHE_ENTRIES - 1)];
}

/* Bits 24-26 are zero: room for marks that send an event to the slow path. */
static inline uint64_t edl_cache_entry(uintptr_t caller, uint32_t field) {
  return (uint64_t)(caller >> EDL_CACHE_BITS) << EDL_CACHE_TAG_SHIFT | field;
}

static inline bool edl_cache_hit(uint64_t entry, uintptr_t caller) {
  return entry >> 24 == (uint64_t)(caller >> EDL_CACHE_BITS) << (EDL_CACHE_TAG_SHIFT - 24);
}

#endif
