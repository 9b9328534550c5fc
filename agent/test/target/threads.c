/*
 * More threads than shards, blocks freed by others than made them, threads that end while others begin, frees after the
 * agent's own thread-exit handler, generations opened all the while: at the end all books agree.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>

#include "storm.h"

#define THREADS 90
#define LIVES 2 /* each place is taken by that many threads, one after the other */
#define OPERATIONS 1200 /* of each life */
#define TICK 400
#define GENERATIONS 60
#define SLOTS 4096

static struct books books[THREADS];
static _Atomic(struct block *) exchange[SLOTS];
static struct block *live[SLOTS];
static struct births births;
static struct reader reader;
static sem_t ticks, turns;
static pthread_barrier_t all_here;
static pthread_key_t late_key;

/* Odd while an operation runs: a generation opens only when those of the one before last are over. */
static uint64_t tick_of(struct books *own) { return atomic_fetch_add(&own->operations, 1) / 2; }

/* Runs after the agent's handler of the same kind, since its key is younger: on a shared shard. */
static void late(void *arg) {
  struct books *own = arg;
  tick_of(own);
  for (int i = 0; i < 3; i++) {
    storm_drop(own, storm_make(own, SITE_MALLOC, 40));
    struct block *other = atomic_exchange(&exchange[(size_t)i], storm_make(own, SITE_CALLOC, 50));
    if (other) storm_drop(own, other);
  }
  tick_of(own);
}

static void wait_for_operations(void) {
  for (size_t t = 0; t < THREADS; t++) {
    uint64_t seen = atomic_load(&books[t].operations);
    while (seen % 2 && atomic_load(&books[t].operations) == seen) sched_yield();
  }
}

static void one_operation(struct books *own, uint64_t *random) {
  uint32_t r = storm_random(random);
  enum site site = r % 400 == 0 ? SITE_BIG : r % 4;
  struct block *block = storm_make(own, site, storm_size(random, site));
  if (r % 8 == 1) block = storm_resize(own, block, storm_size(random, r % 256 == 1 ? SITE_BIG : SITE_MALLOC));
  if (r % 3 == 0) {
    storm_drop(own, block);
    return;
  }
  struct block *other = atomic_exchange(&exchange[storm_random(random) % SLOTS], block);
  if (other && r % 16 == 2) {
    other = storm_resize(own, other, storm_size(random, SITE_MALLOC));
    other = atomic_exchange(&exchange[storm_random(random) % SLOTS], other);
  }
  if (other) storm_drop(own, other);
}

static void *live_a_life(void *arg) {
  struct books *own = arg;
  uint64_t random = (uintptr_t)own * 7 + own->operations;
  bool first_life = own->operations == 0;
  pthread_setspecific(late_key, own);
  for (int i = 0; i < OPERATIONS; i++) {
    tick_of(own);
    one_operation(own, &random);
    tick_of(own);
    if (i == 0 && first_life) pthread_barrier_wait(&all_here);
    if (i % TICK != 0) continue;
    sem_post(&ticks); /* the host must get its turn on a busy machine, too */
    sem_wait(&turns);
  }
  return NULL;
}

static void *live_lives(void *arg) {
  for (int life = 0; life < LIVES; life++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, live_a_life, arg) != 0) _exit(6);
    pthread_join(thread, NULL);
  }
  return NULL;
}

static void books_agree(void) {
  static pthread_t threads[THREADS];
  uint32_t generation = 0;
  for (size_t t = 0; t < THREADS; t++) CHECK(pthread_create(&threads[t], NULL, live_lives, &books[t]) == 0);
  for (int tick = 0; tick < THREADS * LIVES * OPERATIONS / TICK; tick++) {
    sem_wait(&ticks);
    if (tick % 7 == 0 && generation + 1 < GENERATIONS) {
      wait_for_operations();
      reader_slice(&reader, &births);
      reader_open_generation(&reader, ++generation);
    }
    sem_post(&turns);
  }
  for (size_t t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
  CHECK(generation >= GENERATIONS / 2);
  for (size_t i = 0; i < SLOTS; i++) {
    live[i] = exchange[i];
    if (!live[i] || live[i]->size < 65528) continue;
    storm_drop(&books[0], live[i]); /* has no tag to be compared */
    live[i] = NULL;
  }
  storm_compare(&reader, books, THREADS, &births, generation + 1, live, SLOTS);
}

/* The storm was one: old frees, shared shards, several generations in the tags. */
static void it_was_a_storm(void) {
  uint64_t old = 0;
  reader_refresh(&reader);
  for (uint32_t id = 0; id < reader.header.allocers_issued; id++) old += reader_evidence(&reader, id).old_frees;
  CHECK(old > THREADS * OPERATIONS / 100);
}

int main(int argc, char **argv) {
  test.prefix = argc > 1 ? argv[1] : NULL;
  if (!storm_begin(&reader)) return 2;
  pthread_key_create(&late_key, late);
  sem_init(&ticks, 0, 0);
  sem_init(&turns, 0, 0);
  pthread_barrier_init(&all_here, NULL, THREADS);
  RUN(books_agree);
  RUN(it_was_a_storm);
  return test_end();
}
