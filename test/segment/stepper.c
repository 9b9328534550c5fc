/*
 * A target that does what it is told, one line of standard input at a time, and answers "ok" when it is
 * done: "<thread> a|b <slot> <bytes>" allocates at one of two places, "<thread> r <slot> <bytes>" reallocates,
 * "<thread> f <slot>" frees. Uses nothing of libc that allocates.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 3
#define SLOTS 4096

static void *slots[SLOTS];

struct order {
  char what;
  unsigned slot, bytes;
};

static int orders[THREADS][2], answers[THREADS][2];

__attribute__((noinline)) static void place_a(unsigned slot, size_t bytes) {
  slots[slot] = malloc(bytes);
}

__attribute__((noinline)) static void place_b(unsigned slot, size_t bytes) {
  slots[slot] = calloc(1, bytes);
}

__attribute__((noinline)) static void place_r(unsigned slot, size_t bytes) {
  slots[slot] = realloc(slots[slot], bytes);
}

static void carry_out(struct order order) {
  if (order.what == 'a') place_a(order.slot, order.bytes);
  if (order.what == 'b') place_b(order.slot, order.bytes);
  if (order.what == 'r') place_r(order.slot, order.bytes);
  if (order.what == 'f') free(slots[order.slot]);
}

static void *thread_main(void *argument) {
  int *mine = argument;
  struct order order;
  while (read(orders[*mine][0], &order, sizeof order) == sizeof order) {
    carry_out(order);
    if (write(answers[*mine][1], "k", 1) != 1) break;
  }
  return NULL;
}

/* A line without the buffers of stdio. */
static int read_line(char *line, int room) {
  int n = 0;
  while (n < room - 1 && read(0, line + n, 1) == 1)
    if (line[n++] == '\n') break;
  line[n] = 0;
  return n;
}

int main(void) {
  static int names[THREADS] = {0, 1, 2};
  for (int i = 1; i < THREADS; i++) {
    pthread_t thread;
    if (pipe(orders[i]) != 0 || pipe(answers[i]) != 0) return 1;
    if (pthread_create(&thread, NULL, thread_main, &names[i]) != 0) return 1;
  }
  char line[128];
  do {
    if (write(1, "ok\n", 3) != 3) return 1;
    if (read_line(line, sizeof line) == 0) break;
    unsigned thread = 0;
    struct order order = {0};
    if (sscanf(line, "%u %c %u %u", &thread, &order.what, &order.slot, &order.bytes) < 3) return 2;
    if (thread >= THREADS || order.slot >= SLOTS) return 2;
    char answer;
    if (thread == 0) carry_out(order);
    else if (write(orders[thread][1], &order, sizeof order) != sizeof order || read(answers[thread][0], &answer, 1) != 1)
      return 3;
  } while (1);
  return 0;
}
