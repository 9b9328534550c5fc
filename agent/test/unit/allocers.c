/* The table of allocers: many threads, same and different return addresses, ids unique and none wasted. */
#include <pthread.h>

#include "../harness.h"
#include "../../agent.h"
#include "fakes.h"

#define THREADS 8
#define SHARED 400 /* keys that every thread asks for */
#define OWN 100    /* keys that one thread asks for */

static uint32_t fields[THREADS][SHARED + OWN];
static pthread_barrier_t together;

static uintptr_t key_of(unsigned thread, unsigned i) {
  return i < SHARED ? 0x400000 + i * 5 : UINT64_C(0x7f0000000000) + thread * 0x10000 + i * 7;
}

static void *ask(void *arg) {
  unsigned thread = (unsigned)(uintptr_t)arg;
  pthread_barrier_wait(&together);
  for (unsigned round = 0; round < 2; round++)
    for (unsigned i = 0; i < SHARED + OWN; i++) {
      uintptr_t key = key_of(thread, i);
      uint32_t field = edl_allocer_find(&key, 1);
      if (round && field != fields[thread][i]) return "an allocer changed";
      fields[thread][i] = field;
    }
  return NULL;
}

static void ids_are_unique(void) {
  static uint8_t used[EDL_MAX_ALLOCERS + 2];
  pthread_t threads[THREADS];
  const char *complaint = NULL;
  uint32_t before = edl.issued;
  pthread_barrier_init(&together, NULL, THREADS);
  for (uintptr_t t = 0; t < THREADS; t++) pthread_create(&threads[t], NULL, ask, (void *)t);
  for (unsigned t = 0; t < THREADS; t++) {
    void *result;
    pthread_join(threads[t], &result);
    if (result) complaint = result;
  }
  if (complaint) FAIL("%s", complaint);
  for (unsigned t = 0; t < THREADS; t++)
    for (unsigned i = 0; i < SHARED + OWN; i++) {
      uint32_t field = fields[t][i];
      CHECK(field >= 2 && field - 1 < edl.issued);
      if (i < SHARED) CHECK_EQUAL(field, fields[0][i]);
      else CHECK(!used[field]++);
      if (i >= SHARED) continue;
      CHECK(t > 0 || !used[field]++);
    }
  /* Ids that lost a race are used again: at most one a thread may be left over. */
  uint32_t issued = edl.issued - before;
  CHECK(issued >= SHARED + THREADS * OWN && issued <= SHARED + THREADS * OWN + THREADS);
}

static void records_are_complete(void) {
  for (unsigned t = 0; t < THREADS; t++)
    for (unsigned i = 0; i < SHARED + OWN; i++) {
      const struct edl_allocer *record = &edl.allocer[fields[t][i] - 1];
      CHECK_EQUAL(record->key[0], key_of(t, i));
      CHECK_EQUAL(record->key[1], 0);
      CHECK_EQUAL(record->depth, 1);
    }
  CHECK(edl.header->allocers_issued <= edl.issued);
  for (unsigned t = 0; t < THREADS; t++) CHECK(fields[t][SHARED] <= edl.header->allocers_issued);
}

static void keys_of_all_depths(void) {
  uint32_t found[4];
  for (unsigned depth = 1; depth <= 4; depth++) {
    uintptr_t key[4] = {1, 2, 3, 4};
    found[depth - 1] = edl_allocer_find(key, depth);
    for (unsigned d = 1; d < depth; d++) CHECK(found[d - 1] != found[depth - 1]);
    CHECK_EQUAL(edl_allocer_find(key, depth), found[depth - 1]);
    CHECK_EQUAL(edl.allocer[found[depth - 1] - 1].depth, depth);
  }
}

static void the_own_code_has_a_module(void) {
  uintptr_t here = (uintptr_t)the_own_code_has_a_module + 4;
  const struct edl_allocer *record = &edl.allocer[edl_allocer_find(&here, 1) - 1];
  CHECK(record->module != 0);
  const struct edl_module *module = &edl.module[record->module - 1];
  CHECK(here >= module->start && here < module->end);
  CHECK(module->flags & EDL_MODULE_EXECUTABLE);
  CHECK(module->path_bytes > 0 && module->path[0] == '/');
}

/* Beyond the ceiling: counted as unattributed, and what was there before is still found. */
static void a_full_table_is_unattributed(void) {
  uint64_t lost = edl.header->losses[EDL_LOSS_UNATTRIBUTED];
  unsigned refused = 0;
  for (uint32_t i = 0; i < edl.max_allocers + 500; i++) {
    uintptr_t key = UINT64_C(0x100000000) + i * 3;
    refused += edl_allocer_find(&key, 1) == 1;
  }
  CHECK(refused >= 500);
  CHECK_EQUAL(edl.header->losses[EDL_LOSS_UNATTRIBUTED] - lost, refused);
  CHECK_EQUAL(edl.issued, edl.max_allocers);
  for (unsigned i = 0; i < SHARED; i++) {
    uintptr_t key = key_of(0, i);
    CHECK_EQUAL(edl_allocer_find(&key, 1), fields[0][i]);
  }
}

int main(int argc, char **argv) {
  test.prefix = argc > 1 ? argv[1] : NULL;
  if (!fake_start()) {
    test_line("not ok %s: no start\n", argv[0]);
    return 1;
  }
  RUN(ids_are_unique);
  RUN(records_are_complete);
  RUN(keys_of_all_depths);
  RUN(the_own_code_has_a_module);
  RUN(a_full_table_is_unattributed);
  return test_end();
}
