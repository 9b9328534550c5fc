/* Frees of older blocks: by birth slot and age, exact between threads, and dated wrongly rather than lost without room. */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "../harness.h"
#include "../../agent.h"
#include "../../counters.h"
#include "fakes.h"

static struct edl_line lines[4];
static uint8_t *slots;
static uint32_t *slices;

/* A turn that counts in lines of the test's own, in this generation. */
static struct edl_turn turn_in(uint32_t generation) {
  return (struct edl_turn){.latched = (uint64_t)generation << EDL_LATCHED_GEN_SHIFT | (uintptr_t)(lines - 1), .shared = 1};
}

static struct edl_evidence *evidence_of(uint32_t field) {
  uint32_t index = edl.allocer[field - 1].evidence;
  return index ? &edl.evidence[index - 1] : NULL;
}

static uint32_t new_field(void) {
  static uintptr_t key = 0x1000;
  key += 16;
  return edl_allocer_find(&key, 1);
}

/* The host's maps: generation g in slot g / 2, born at slice 3 g. */
static void write_maps(void) {
  slots = (uint8_t *)edl.segment + EDL_SLOT_OF_GEN_OFFSET;
  slices = (uint32_t *)(edl.segment + EDL_SLICE_OF_GEN_OFFSET);
  mprotect(slots, EDL_SHARDS_OFFSET - EDL_SLOT_OF_GEN_OFFSET, PROT_READ | PROT_WRITE);
  for (uint32_t g = 0; g < 4096; g++) {
    slots[g] = (uint8_t)(g / 2); /* beyond 63 as well: masked by the agent */
    slices[g] = 3 * g;
  }
}

static void by_slot_and_age(void) {
  uint32_t field = new_field();
  struct edl_turn turn = turn_in(100);
  CHECK(evidence_of(field) == NULL);
  for (uint32_t g = 0; g < 100; g++) edl_free_older(&turn, field, g, 1000 + g);
  const struct edl_evidence *e = evidence_of(field);
  CHECK(e != NULL);
  CHECK_EQUAL(e->allocer, field - 1);
  uint32_t ages[EDL_AGE_BUCKETS] = {0};
  for (uint32_t g = 0; g < 100; g++) {
    CHECK_EQUAL(e->freed_blocks[g / 2], 2);
    CHECK_EQUAL(e->freed_bytes[g / 2], 2000 + 4 * (g / 2) + 1);
    uint32_t age = 300 - 3 * g, bucket = 0;
    while (age >> bucket) bucket++;
    ages[bucket]++;
  }
  for (unsigned b = 0; b < EDL_AGE_BUCKETS; b++) CHECK_EQUAL(e->age_frees[b], ages[b]);
  CHECK_EQUAL(e->old_frees, 100);
  CHECK_EQUAL(e->old_freed_bytes, 100 * 1000 + 99 * 100 / 2);
}

/* A tag may claim a generation that lies ahead, a map may say anything: no index leaves its array. */
static void hostile_maps(void) {
  uint32_t field = new_field();
  memset(slots, 0xff, 4096);
  slices[7] = UINT32_MAX;
  slices[8] = 0;
  struct edl_turn turn = turn_in(8);
  edl_free_older(&turn, field, 7, 5);
  turn = turn_in(7);
  edl_free_older(&turn, field, 8, 5);
  edl_free_older(&turn, field, 4095, 5);
  const struct edl_evidence *e = evidence_of(field);
  CHECK_EQUAL(e->freed_blocks[63], 3);
  uint64_t ages = 0;
  for (unsigned b = 0; b < EDL_AGE_BUCKETS; b++) ages += e->age_frees[b];
  CHECK_EQUAL(ages, 3);
  write_maps();
}

#define THREADS 6
#define FREES 4000
static uint32_t shared_fields[8];
static pthread_barrier_t together;
static void *free_many(void *arg) {
  struct edl_turn turn = turn_in(50);
  pthread_barrier_wait(&together);
  for (uint32_t i = 0; i < FREES; i++) edl_free_older(&turn, shared_fields[i % 8], (i + (uint32_t)(uintptr_t)arg) % 50, 3);
  return NULL;
}

/* All begin with an allocer that has no record yet: one of them makes it, nobody's free is lost. */
static void exact_between_threads(void) {
  pthread_t threads[THREADS];
  pthread_barrier_init(&together, NULL, THREADS);
  for (int i = 0; i < 8; i++) shared_fields[i] = new_field();
  for (uintptr_t t = 0; t < THREADS; t++) pthread_create(&threads[t], NULL, free_many, (void *)t);
  for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
  for (int i = 0; i < 8; i++) {
    const struct edl_evidence *e = evidence_of(shared_fields[i]);
    uint64_t blocks = 0, bytes = 0;
    for (int slot = 0; slot < EDL_BIRTH_SLOTS; slot++) blocks += e->freed_blocks[slot], bytes += e->freed_bytes[slot];
    CHECK_EQUAL(e->old_frees, THREADS * FREES / 8);
    CHECK_EQUAL(blocks, e->old_frees);
    CHECK_EQUAL(bytes, 3 * blocks);
    CHECK_EQUAL(e->old_freed_bytes, bytes);
  }
  CHECK_EQUAL(edl.header->losses[EDL_LOSS_MISDATED_FREES], 0);
}

static void overruns_are_counted(void) {
  uint32_t field = new_field();
  edl_count_overrun(field);
  edl_count_overrun(field);
  CHECK_EQUAL(edl.allocer[field - 1].overruns, 2);
}

/* Last: nothing grows afterwards. */
static void without_room(void) {
  uint32_t field = 2;
  while (evidence_of(field)) field++;
  memset(lines, 0, sizeof lines);
  struct edl_turn turn = turn_in(5);
  fake_failure(SYS_madvise, ENOSPC, 0);
  edl_free_older(&turn, field, 4, 70);
  edl_free_older(&turn, field, 4, 70);
  fake_failure(0, 0, 0);
  CHECK_EQUAL(edl.header->losses[EDL_LOSS_MISDATED_FREES], 2);
  CHECK_EQUAL(lines[field - 1].frees0, 2);
  CHECK_EQUAL(lines[field - 1].freed_bytes0, 140);
  CHECK(evidence_of(field) == NULL);
}

int main(int argc, char **argv) {
  test.prefix = argc > 1 ? argv[1] : NULL;
  if (!fake_start()) {
    test_line("not ok %s: no start\n", argv[0]);
    return 1;
  }
  uint32_t spare = new_field(); /* without a record, for the last case */
  write_maps();
  RUN(by_slot_and_age);
  RUN(hostile_maps);
  RUN(exact_between_threads);
  RUN(overruns_are_counted);
  RUN(without_room);
  return spare == 2 ? test_end() : 1;
}
