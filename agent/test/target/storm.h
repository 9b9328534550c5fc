/*
 * What the storms share: call sites that keep their own books, blocks that know who made them, and the
 * comparison of books, segment and tags when everything stands still.
 */
#ifndef EDL_TEST_STORM_H
#define EDL_TEST_STORM_H
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "../harness.h"
#include "../reader.h"

enum site { SITE_MALLOC, SITE_CALLOC, SITE_REALLOC, SITE_ALIGNED, SITE_BIG, SITE_HANDLER, SITES };

/* Books of one thread; its signal handlers write into them as well, so by single additions. */
struct books {
  _Atomic uint64_t allocs[SITES], bytes[SITES], frees[SITES], freed[SITES];
  _Atomic uint64_t operations;
} __attribute__((aligned(64)));

/* Every block begins with this. */
struct block {
  uint32_t site, size;
};

struct block *storm_make(struct books *books, enum site site, size_t n);
struct block *storm_resize(struct books *books, struct block *block, size_t n);
void storm_drop(struct books *books, struct block *block);

/* A size for this site, out of a thread's own random numbers. */
size_t storm_size(uint64_t *random, enum site site);
uint32_t storm_random(uint64_t *random);

/* Opens the segment of this process; what was lost until then (tcmalloc's start) is none of the storm's. */
bool storm_begin(struct reader *r);

/* Compares: `books` of all threads with the segment, births with survivors, survivors with the tags of `live`. */
void storm_compare(struct reader *r, const struct books *books, size_t count, struct births *births,
                   uint32_t generations, struct block *const *live, size_t live_count);

#endif
