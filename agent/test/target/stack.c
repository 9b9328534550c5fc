/*
 * Prints how many bytes of stack allocations take, one after the other, measured on painted stacks. With the agent it is its own
 * host, so that the rare ways are taken too. `stack seen` says whether there is an agent.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "../reader.h"

#define ROOM 65536
static struct reader reader;
static ucontext_t here, there;
static void (*volatile action)(void);
static void *volatile block, *volatile old_block;

static void run_action(void) { action(); }

static void nothing(void) {}
static void make_small(void) { block = malloc(100); }
static void make_small_elsewhere(void) { block = malloc(101); }
static void make_zeroed(void) { block = calloc(10, 10); }
static void make_aligned(void) { block = aligned_alloc(64, 128); }
static void make_big(void) { block = malloc(100000); }
static void resize_to_small(void) { block = realloc(block, 50); }
static void resize_to_big(void) { block = realloc(block, 200000); }
static void drop(void) {
  free(block);
  block = NULL;
}
static void drop_old(void) { free(old_block); }

/* Runs it on a stack that is painted anew; the depth it reached. */
static size_t depth_of(void (*function)(void)) {
  static unsigned char *stack;
  if (!stack) stack = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(stack, 0xa5, ROOM);
  action = function;
  getcontext(&there);
  there.uc_stack.ss_sp = stack;
  there.uc_stack.ss_size = ROOM;
  there.uc_link = &here;
  makecontext(&there, run_action, 0);
  swapcontext(&here, &there);
  size_t untouched = 0;
  while (untouched < ROOM && stack[untouched] == 0xa5) untouched++;
  return ROOM - untouched;
}

static size_t depths[200];
static unsigned measured;
static void measure(void (*function)(void)) {
  static size_t empty;
  if (!empty) empty = depth_of(nothing);
  depths[measured++] = depth_of(function) - empty;
}

static void measure_all(void) {
  measure(make_small);
  measure(drop);
  measure(make_zeroed);
  measure(resize_to_big);
  measure(resize_to_small);
  measure(drop);
  measure(make_aligned);
  measure(drop);
  measure(make_big);
  measure(resize_to_big);
  measure(drop);
}

/* A thread's first event acquires a shard. */
static void *in_a_thread(void *arg) {
  measure(make_small_elsewhere);
  measure(drop);
  return arg;
}

int main(int argc, char **argv) {
  free(malloc(1)); /* the C library's own start is none of ours */
  free(malloc(100000));
  bool seen = reader_open(&reader, getpid());
  if (argc > 1 && strcmp(argv[1], "seen") == 0) {
    puts(seen ? "seen" : "unseen");
    return 0;
  }
  measure_all(); /* allocers are made */
  measure_all(); /* and known */
  old_block = malloc(77);
  for (uint32_t generation = 1; generation < 4; generation++) {
    if (seen) reader_open_generation(&reader, generation);
    measure(drop_old); /* of an older generation, whose latch is new */
    old_block = malloc(77);
    measure_all();
  }
  pthread_t thread;
  pthread_create(&thread, NULL, in_a_thread, NULL);
  pthread_join(thread, NULL);
  for (unsigned i = 0; i < measured; i++) printf("%zu\n", depths[i]);
  return 0;
}
