/* The table of big blocks against a plain model, when full, and between threads. */
#include "../../bigblocks.h"

#include <pthread.h>

#include "../harness.h"
#include "fakes.h"

static uint64_t state = 1;
static uint32_t next_random(uint64_t *from) {
  *from = *from * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*from >> 33);
}

#define KEYS 3000
#define THREADS 6
#ifdef __SANITIZE_THREAD__
#define PER_THREAD 200
#else
#define PER_THREAD 3000
#endif
static const void *address(uint32_t i) { return (const void *)(UINT64_C(0x7f0000010010) + (uint64_t)i * 4096); }

/* Puts, takes and misses in random order: tombstones everywhere, same keys again and again. */
static void agrees_with_a_model(void) {
  static struct edl_big model[KEYS];
  for (int step = 0; step < 100 * PER_THREAD; step++) {
    uint32_t i = next_random(&state) % KEYS;
    struct edl_big got = {0, 0, 0};
    CHECK_EQUAL(edl_big_has(address(i)), model[i].field != 0);
    if (model[i].field == 0) {
      CHECK(!edl_big_take(address(i), &got));
      model[i] = (struct edl_big){next_random(&state) * UINT64_C(4097), 1 + i, next_random(&state) & 0xfff};
      CHECK(edl_big_put(address(i), model[i]));
    } else if (next_random(&state) % 2) {
      CHECK(edl_big_take(address(i), &got));
      CHECK(got.n == model[i].n && got.field == model[i].field && got.gen == model[i].gen);
      model[i].field = 0;
    }
  }
  for (uint32_t i = 0; i < KEYS; i++) {
    struct edl_big got;
    CHECK_EQUAL(edl_big_take(address(i), &got), model[i].field != 0);
  }
}

static void refuses_when_full(void) {
  static uint8_t held[4 * EDL_MAX_BIG_BLOCKS];
  uint32_t count = sizeof held, put = 0, taken = 0;
  for (uint32_t i = 0; i < count; i++) put += held[i] = edl_big_put(address(i), (struct edl_big){i, i + 1, 1});
  CHECK(put >= EDL_MAX_BIG_BLOCKS * 9 / 10 && put <= EDL_MAX_BIG_BLOCKS);
  for (uint32_t i = 0; i < count; i++) {
    struct edl_big got = {0, 0, 0};
    CHECK_EQUAL(edl_big_take(address(i), &got), held[i]);
    if (held[i]) CHECK_EQUAL(got.n, i);
    taken += held[i];
  }
  CHECK_EQUAL(taken, put);
  CHECK(edl_big_put(address(7), (struct edl_big){1, 1, 1})); /* and has room again */
  struct edl_big got;
  CHECK(edl_big_take(address(7), &got));
}

static pthread_barrier_t together;

/* Each thread has its own addresses; the slots are everybody's, and soon nothing but tombstones. */
static void *churn(void *arg) {
  uint64_t own = (uintptr_t)arg + 99;
  pthread_barrier_wait(&together);
  for (int step = 0; step < PER_THREAD; step++) {
    uint32_t first = (uint32_t)(uintptr_t)arg * 1000, n = 1 + next_random(&own) % 200;
    for (uint32_t i = first; i < first + n; i += 7)
      if (!edl_big_put(address(i), (struct edl_big){i, i + 1, 3})) return "not put";
    for (uint32_t i = first; i < first + n; i += 7) {
      struct edl_big got = {0, 0, 0};
      if (!edl_big_take(address(i), &got) || got.n != i || got.field != i + 1) return "not the same";
    }
  }
  return NULL;
}

static void threads_do_not_mix(void) {
  pthread_t threads[THREADS];
  const char *complaint = NULL;
  pthread_barrier_init(&together, NULL, THREADS);
  for (uintptr_t t = 0; t < THREADS; t++) pthread_create(&threads[t], NULL, churn, (void *)t);
  for (unsigned t = 0; t < THREADS; t++) {
    void *result;
    pthread_join(threads[t], &result);
    if (result) complaint = result;
  }
  if (complaint) FAIL("%s", complaint);
}

/* A block goes from hand to hand by a queue that the program itself orders: put by one, taken by the other. */
static _Atomic uint32_t handed;
static void *take_other(void *arg) {
  (void)arg;
  for (uint32_t i = 1; i <= 20000; i++) {
    while (atomic_load_explicit(&handed, memory_order_acquire) < i) sched_yield();
    struct edl_big got = {0, 0, 0};
    if (!edl_big_take(address(i % 50), &got) || got.n != i) return "lost on the way";
    atomic_store_explicit(&handed, 0, memory_order_release);
  }
  return NULL;
}

static void hand_over(void) {
  pthread_t other;
  void *complaint;
  pthread_create(&other, NULL, take_other, NULL);
  for (uint32_t i = 1; i <= 20000; i++) {
    while (atomic_load_explicit(&handed, memory_order_acquire) != 0) sched_yield();
    if (!edl_big_put(address(i % 50), (struct edl_big){i, 1, 1})) break;
    atomic_store_explicit(&handed, i, memory_order_release);
  }
  pthread_join(other, &complaint);
  if (complaint) FAIL("%s", (char *)complaint);
}

int main(int argc, char **argv) {
  test.prefix = argc > 1 ? argv[1] : NULL;
  edl.max_allocers = EDL_MAX_ALLOCERS;
  if (!edl_big_boot()) return 1;
  RUN(agrees_with_a_model);
  RUN(refuses_when_full);
  RUN(threads_do_not_mix);
  RUN(hand_over);
  return test_end();
}
