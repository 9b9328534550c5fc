/*
 * Forks while other threads are busy, and in signal handlers that land anywhere in hooks: the child lives as bare, also
 * when it goes on in the interrupted hook; the parent's books agree.
 *
 *   fork-load threads LABEL   8 busy threads, each forks now and then, 200 times in all
 *   fork-load handler LABEL   a handler forks, over an allocator that can take it (library/safe-malloc.c)
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "steps.h"
#include "storm.h"

#define THREADS 8
#define FORKS 25 /* of each thread */
#define BETWEEN 400

static struct reader reader;
static struct births births;
static struct books books[THREADS];
static _Atomic unsigned bad_ends;

static void end_of(pid_t child) {
  int status;
  if (child <= 0 || waitpid(child, &status, __WALL) != child || status != 0) atomic_fetch_add(&bad_ends, 1);
}

static void one_operation(struct books *own, uint64_t *random) {
  struct block *block = storm_make(own, SITE_MALLOC, storm_size(random, SITE_MALLOC));
  if (storm_random(random) % 2 == 0) block = storm_resize(own, block, storm_size(random, SITE_MALLOC));
  storm_drop(own, block);
}

static void *fork_now_and_then(void *arg) {
  struct books *own = arg;
  uint64_t random = (uintptr_t)arg;
  for (int i = 0; i < FORKS; i++) {
    for (int k = 0; k < BETWEEN; k++) one_operation(own, &random);
    pid_t child = fork();
    if (child == 0) {
      for (int k = 0; k < 50; k++) one_operation(own, &random);
      _exit(0);
    }
    end_of(child);
  }
  return NULL;
}

static void busy_threads_fork(void) {
  pthread_t threads[THREADS];
  for (size_t t = 0; t < THREADS; t++) CHECK(pthread_create(&threads[t], NULL, fork_now_and_then, &books[t]) == 0);
  for (size_t t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
  CHECK_EQUAL(bad_ends, 0);
  storm_compare(&reader, books, THREADS, &births, 1, NULL, 0);
}

#if HAVE_STEPS
static volatile sig_atomic_t steps, fork_at, in_child;

/* Of the steps in the agent's code, at every STRIDEth the handler forks, and the child returns into what was interrupted. */
#define STRIDE 12
static void on_step(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  if (in_child || !is_in_agent(context) || steps++ % STRIDE != fork_at) return;
  pid_t child = fork();
  if (child != 0) {
    end_of(child);
    return;
  }
  in_child = 1;
  stop_steps(context);
}

static int steps_of_one_operation(uint64_t *random) {
  steps = 0;
  step_on();
  one_operation(&books[0], random);
  step_off();
  return steps;
}

/* A fork at every instruction of an operation, one after the other. */
static void handlers_fork(void) {
  uint64_t random = 7, same = 7;
  struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
  sigaction(SIGTRAP, &action, NULL);
  fork_at = -1;
  for (int i = 0; i < 5; i++) steps_of_one_operation(&random); /* sites are known: the fast path */
  int length = steps_of_one_operation(&random);
  CHECK(length >= 60);
  for (fork_at = 0; fork_at < STRIDE; fork_at++) {
    steps_of_one_operation(&random);
    if (in_child) {
      one_operation(&books[0], &same); /* and goes on as a child does */
      _exit(0);
    }
    if (bad_ends) FAIL("a child of a fork at step %d + n * %d died", (int)fork_at, STRIDE);
  }
  storm_compare(&reader, books, 1, &births, 1, NULL, 0);
}
#else
static void handlers_fork(void) { SKIP("needs x86-64's single steps"); }
#endif

int main(int argc, char **argv) {
  test.prefix = argc > 2 ? argv[2] : "fork";
  if (!storm_begin(&reader)) return 2;
  if (argc > 1 && strcmp(argv[1], "handler") == 0) RUN(handlers_fork);
  else RUN(busy_threads_fork);
  return test_end();
}
