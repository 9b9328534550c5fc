/*
 * The micro-benchmarks: `micro SCENARIO PAIRS` makes that many malloc+free pairs and prints CPU nanoseconds per pair.
 *
 *   one     one size, one call site, freed at once
 *   lifo    16 sizes, freed in reverse order
 *   lifo2   the same in two threads
 *   sites   512 call sites in turn
 *   churn   100 000 live blocks of 16 to 515 bytes, replaced at random
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long pairs;
static volatile size_t sizes[16] = {16, 24, 32, 48, 64, 80, 96, 128, 24, 40, 56, 100, 200, 300, 33, 72};

static void one(void) {
  for (long i = 0; i < pairs; i++) {
    void *volatile p = malloc(40);
    free(p);
  }
}

static void *lifo(void *unused) {
  void *volatile held[16];
  for (long i = 0; i < pairs / 16; i++) {
    for (int j = 0; j < 16; j++) held[j] = malloc(sizes[j]);
    for (int j = 15; j >= 0; j--) free(held[j]);
  }
  return unused;
}

static void lifo2(void) {
  pthread_t other;
  pairs /= 2;
  pthread_create(&other, NULL, lifo, NULL);
  lifo(NULL);
  pthread_join(other, NULL);
  pairs *= 2;
}

#define SITE(n)                        \
  case n: {                            \
    void *volatile p = malloc(32 + n); \
    free(p);                           \
    break;                             \
  }
#define SITES8(n) SITE(n) SITE(n + 1) SITE(n + 2) SITE(n + 3) SITE(n + 4) SITE(n + 5) SITE(n + 6) SITE(n + 7)
#define SITES64(n) \
  SITES8(n) SITES8(n + 8) SITES8(n + 16) SITES8(n + 24) SITES8(n + 32) SITES8(n + 40) SITES8(n + 48) SITES8(n + 56)

static void sites(void) {
  for (long i = 0; i < pairs; i++) switch (i & 511) {
      SITES64(0) SITES64(64) SITES64(128) SITES64(192) SITES64(256) SITES64(320) SITES64(384) SITES64(448)
    }
}

static void churn(void) {
  enum { LIVE = 100000 };
  static void *live[LIVE];
  uint64_t x = 88172645463325252u;
  for (long i = 0; i < pairs; i++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    void **place = &live[x % LIVE];
    free(*place);
    *place = malloc(16 + (x >> 32) % 500);
  }
  for (int i = 0; i < LIVE; i++) free(live[i]);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  pairs = atol(argv[2]);
  struct timespec a, b;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
  if (strcmp(argv[1], "one") == 0) one();
  else if (strcmp(argv[1], "lifo") == 0) lifo(NULL);
  else if (strcmp(argv[1], "lifo2") == 0) lifo2();
  else if (strcmp(argv[1], "sites") == 0) sites();
  else if (strcmp(argv[1], "churn") == 0) churn();
  else return 2;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
  double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
  printf("%.3f\n", ns / (double)pairs);
  return 0;
}
