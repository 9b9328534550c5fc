/* Call sites with books, and their comparison with the segment: see target/storm.h. */
#define _GNU_SOURCE
#include "target/storm.h"

#include <malloc.h>

#define KEEP_FRAME() __asm__ volatile("" ::: "memory") /* or the call would become a jump, and our caller the site */
#define SITE __attribute__((noinline, aligned(128)))

SITE static void *site_malloc(size_t n) {
  void *p = malloc(n);
  KEEP_FRAME();
  return p;
}
SITE static void *site_calloc(size_t n) {
  void *p = calloc(1, n);
  KEEP_FRAME();
  return p;
}
SITE static void *site_realloc(void *p, size_t n) {
  p = realloc(p, n);
  KEEP_FRAME();
  return p;
}
SITE static void *site_aligned(size_t n) {
  void *p = memalign(64, n);
  KEEP_FRAME();
  return p;
}
SITE static void *site_big(size_t n) {
  void *p = malloc(n);
  KEEP_FRAME();
  return p;
}
SITE static void *site_handler(size_t n) {
  void *p = malloc(n);
  KEEP_FRAME();
  return p;
}
static const void *const code[SITES] = {(void *)site_malloc,  (void *)site_calloc, (void *)site_realloc,
                                        (void *)site_aligned, (void *)site_big,    (void *)site_handler};

static void book(struct books *books, struct block *block, enum site site, size_t n) {
  block->site = site;
  block->size = (uint32_t)n;
  atomic_fetch_add(&books->allocs[site], 1);
  atomic_fetch_add(&books->bytes[site], n);
}

struct block *storm_make(struct books *books, enum site site, size_t n) {
  struct block *block = site == SITE_CALLOC    ? site_calloc(n)
                        : site == SITE_REALLOC ? site_realloc(NULL, n)
                        : site == SITE_ALIGNED ? site_aligned(n)
                        : site == SITE_BIG     ? site_big(n)
                        : site == SITE_HANDLER ? site_handler(n)
                                               : site_malloc(n);
  if (!block) _exit(5);
  book(books, block, site, n);
  return block;
}

static void book_gone(struct books *books, const struct block *block) {
  atomic_fetch_add(&books->frees[block->site], 1);
  atomic_fetch_add(&books->freed[block->site], block->size);
}

struct block *storm_resize(struct books *books, struct block *block, size_t n) {
  struct block before = *block;
  block = site_realloc(block, n);
  if (!block) _exit(5);
  book_gone(books, &before);
  book(books, block, SITE_REALLOC, n);
  return block;
}

void storm_drop(struct books *books, struct block *block) {
  book_gone(books, block);
  free(block);
}

uint32_t storm_random(uint64_t *random) {
  *random = *random * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*random >> 33);
}

size_t storm_size(uint64_t *random, enum site site) {
  uint32_t r = storm_random(random);
  return site == SITE_BIG ? 65536 + r % 60000 : sizeof(struct block) + r % (r % 16 ? 200 : 5000);
}

static void compare_site(struct reader *r, int id, enum site site, const struct books *books, size_t count) {
  struct totals want = {0}, got = reader_allocer(r, (uint32_t)id);
  for (size_t t = 0; t < count; t++) {
    want.allocs += books[t].allocs[site];
    want.bytes += books[t].bytes[site];
    want.frees += books[t].frees[site];
    want.freed_bytes += books[t].freed[site];
  }
  CHECK_EQUAL(got.allocs, want.allocs);
  CHECK_EQUAL(got.bytes, want.bytes);
  CHECK_EQUAL(got.frees, want.frees);
  CHECK_EQUAL(got.freed_bytes, want.freed_bytes);
}

/* Births by generation against totals, and survivors against the generations that the live blocks' tags name. */
static void compare_generations(struct reader *r, int id, const struct births *births, uint32_t generations,
                                const uint32_t *tagged) {
  struct edl_evidence evidence = reader_evidence(r, (uint32_t)id);
  struct totals totals = reader_allocer(r, (uint32_t)id);
  uint64_t born = 0, young_frees = 0, ages = 0;
  for (uint32_t g = 0; g < generations; g++) {
    born += births->allocs[id][g];
    young_frees += births->frees[id][g];
    int64_t survivors = (int64_t)(births->allocs[id][g] - births->frees[id][g] - evidence.freed_blocks[g]);
    if (tagged && survivors != tagged[g])
      FAIL("allocer %d generation %u: %lld survivors, %u tags", id, g, (long long)survivors, tagged[g]);
    if (survivors < 0) FAIL("allocer %d generation %u: %lld survivors", id, g, (long long)survivors);
  }
  for (int b = 0; b < EDL_AGE_BUCKETS; b++) ages += evidence.age_frees[b];
  CHECK_EQUAL(born, totals.allocs);
  CHECK_EQUAL(young_frees + evidence.old_frees, totals.frees);
  CHECK_EQUAL(ages, evidence.old_frees);
}

static uint64_t lost_before[16];

bool storm_begin(struct reader *r) {
  free(malloc(1));
  if (!reader_open(r, getpid())) return false;
  memcpy(lost_before, r->header.losses, sizeof lost_before);
  return true;
}

void storm_compare(struct reader *r, const struct books *books, size_t count, struct births *births,
                   uint32_t generations, struct block *const *live, size_t live_count) {
  static uint32_t tagged[SITES][READER_GENERATIONS];
  reader_slice(r, births);
  CHECK_EQUAL(births->unstable, 0);
  for (size_t i = 0; i < live_count; i++) {
    if (!live[i] || live[i]->site == SITE_BIG) continue;
    struct tag_seen tag = reader_tag(live[i]);
    if (tag.field == 0 || tag.generation >= READER_GENERATIONS) FAIL("a live block without a tag");
    tagged[live[i]->site][tag.generation]++;
  }
  for (int site = 0; site < SITES && !test.failed; site++) {
    int id = reader_find(r, code[site], 128);
    if (id < 0) {
      for (size_t t = 0; t < count; t++)
        if (books[t].allocs[site]) FAIL("no allocer for site %d", site);
      continue;
    }
    compare_site(r, id, site, books, count);
    if (!test.failed) compare_generations(r, id, births, generations, site == SITE_BIG ? NULL : tagged[site]);
  }
  for (int reason = 0; reason < 16; reason++)
    if (r->header.losses[reason] != lost_before[reason])
      FAIL("loss %d: %llu", reason, (unsigned long long)r->header.losses[reason]);
}
