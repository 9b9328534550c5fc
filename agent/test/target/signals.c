/*
 * 100 000 signals whose handler allocates, resizes and frees, over an allocator that can take it
 * (library/safe-malloc.c); generations opened all the while.
 *
 *   signals own|shared LABEL [COUNT]   on shards of their own, or on shared ones
 *
 * On x86-64 the processor single-steps, so that the handler may act before any instruction of a hook.
 * Elsewhere a timer interrupts where it will.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include "steps.h"
#include "storm.h"

#define WORKERS 2
#define TICK 200
#define GENERATIONS 40
#define HELD 64
#define CROWD 50 /* more than there are shards of one's own */

static struct books books[WORKERS];
static struct block *held[WORKERS][2][HELD]; /* by the loop, by the handler */
static uint64_t signals_wanted = 100000;
static _Atomic uint64_t signals_taken, signals_in_hooks;
static _Atomic bool ended;
static sem_t ticks;
static __thread struct books *own;
static __thread struct block **own_held;
static __thread uint64_t handler_random;
static __thread uint32_t rarity; /* the handler acts at one instruction out of so many: it must not always be first */
static struct births births;
static struct reader reader;

/* Replaces a held block by a new one, or resizes it: everything that a hook does. */
static void exchange(struct block **slots, enum site site, uint64_t *random) {
  uint32_t r = storm_random(random);
  struct block **slot = &slots[r % HELD];
  if (r % 100 == 7) site = SITE_BIG;
  if (*slot && r % 5 == 0) {
    *slot = storm_resize(own, *slot, sizeof(struct block) + r % 300);
    return;
  }
  if (*slot) storm_drop(own, *slot);
  *slot = r % 3 ? storm_make(own, site, site == SITE_BIG ? 65536 + r % 999 : sizeof(struct block) + r % 200) : NULL;
}

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  bool in_hook = is_in_agent(context);
  uint32_t r = storm_random(&handler_random);
  if (r % (in_hook ? rarity : 16 * rarity)) return; /* outside: the allocator's and our own code */
  exchange(own_held + HELD, r >> 16 & 1 ? SITE_HANDLER : r >> 17 & 1 ? SITE_MALLOC : SITE_CALLOC, &handler_random);
  if (in_hook) atomic_fetch_add(&signals_in_hooks, 1);
  if (atomic_fetch_add(&signals_taken, 1) % TICK == 0) sem_post(&ticks);
}

/* --- how signals come ------------------------------------------------------------------------------ */

#if HAVE_STEPS
#define SIGNAL SIGTRAP
static void signals_begin(void) {}
static void signals_end(void) {}
#else
#define SIGNAL SIGUSR1
static void signals_begin(void) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNAL};
  event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
  struct itimerspec often = {{0, 20000}, {0, 20000}};
  timer_t timer;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &often, NULL) != 0) _exit(6);
}
static void signals_end(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGNAL);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
}
#endif

static void *work(void *arg) {
  uint64_t random = (uintptr_t)arg;
  own = arg;
  own_held = held[own - books][0];
  handler_random = ~random;
  signals_begin();
  while (!atomic_load(&ended)) {
    rarity = (uint32_t[]){1, 1, 8, 64}[storm_random(&random) % 4];
    step_on();
    exchange(own_held, random >> 40 & 1 ? SITE_MALLOC : SITE_CALLOC, &random);
    step_off();
    atomic_fetch_add(&own->operations, 1);
  }
  signals_end();
  return NULL;
}

static pthread_barrier_t crowd_here, crowd_may_go;
static void *stand_in_the_crowd(void *arg) {
  free(malloc(10));
  pthread_barrier_wait(&crowd_here);
  pthread_barrier_wait(&crowd_may_go);
  return arg;
}

/* A hook is over before the next but one generation opens: each thread has got on since the last one. */
static bool all_got_on(uint64_t *since) {
  for (int w = 0; w < WORKERS; w++)
    if (books[w].operations < since[w] + 2) return false;
  for (int w = 0; w < WORKERS; w++) since[w] = books[w].operations;
  return true;
}

static void storm(void) {
  pthread_t workers[WORKERS];
  uint32_t generation = 0;
  uint64_t since[WORKERS] = {0};
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGNAL, &action, NULL);
  for (size_t w = 0; w < WORKERS; w++) CHECK(pthread_create(&workers[w], NULL, work, &books[w]) == 0);
  while (atomic_load(&signals_taken) < signals_wanted) {
    sem_wait(&ticks);
    if (generation + 1 >= GENERATIONS || !all_got_on(since)) continue;
    reader_slice(&reader, &births);
    reader_open_generation(&reader, ++generation);
  }
  ended = true;
  for (size_t w = 0; w < WORKERS; w++) pthread_join(workers[w], NULL);
  CHECK(generation >= signals_wanted / 5000);
  CHECK(signals_in_hooks >= (SIGNAL == SIGTRAP ? signals_wanted / 2 : 1));
  storm_compare(&reader, books, WORKERS, &births, generation + 1, &held[0][0][0], WORKERS * 2 * HELD);
}

static void on_shards_of_their_own(void) { storm(); }

static void on_shared_shards(void) {
  static pthread_t crowd[CROWD];
  pthread_barrier_init(&crowd_here, NULL, CROWD + 1);
  pthread_barrier_init(&crowd_may_go, NULL, CROWD + 1);
  for (int i = 0; i < CROWD; i++) CHECK(pthread_create(&crowd[i], NULL, stand_in_the_crowd, NULL) == 0);
  pthread_barrier_wait(&crowd_here);
  storm();
  pthread_barrier_wait(&crowd_may_go);
  for (int i = 0; i < CROWD; i++) pthread_join(crowd[i], NULL);
}

int main(int argc, char **argv) {
  test.prefix = argc > 2 ? argv[2] : NULL;
  if (!storm_begin(&reader)) return 2;
  if (argc > 3) signals_wanted = strtoull(argv[3], NULL, 10);
  sem_init(&ticks, 0, 0);
  if (argc > 1 && strcmp(argv[1], "shared") == 0) RUN(on_shared_shards);
  else RUN(on_shards_of_their_own);
  return test_end();
}
