/*
 * The target of the fault sweep: does everything that lets the agent grow, and says at its end what a
 * bare run says. It is its own host where there is a segment, and complains when the counts are wrong
 * without a loss. RESULT names a file for what bare runs can't know: "seen" or "unseen", calls, losses. FILL
 * names a file that grows until its file system is full, before anything else happens.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../reader.h"

__attribute__((weak)) uint32_t edl_fault_calls(void);

static struct reader reader;
static void *kept[100];
static uint64_t made, dropped;

#define ONE kept[made] = malloc(made % 50 + 1), made++;
#define TEN ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE
/* More call sites than the first reservation holds; in a section of their own, so that they can be told from others. */
extern const char __start_many_sites_code[], __stop_many_sites_code[];
__attribute__((noinline, section("many_sites_code"))) static void many_sites(void) {
  TEN TEN TEN TEN TEN TEN TEN
}

static void *in_a_thread(void *arg) {
  void *p = malloc(100), *q = malloc(100000);
  memset(p, 1, 100);
  q = realloc(q, 200000);
  free(q);
  free(p);
  return arg;
}

/* Takes what room the file system of this path still has. */
static void fill(const char *path) {
  static char block[4096];
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  while (fd >= 0 && write(fd, block, sizeof block) == (ssize_t)sizeof block) {
  }
  if (fd >= 0) close(fd);
}

static int open_descriptors(void) {
  DIR *d = opendir("/proc/self/fd");
  int n = 0;
  while (d && readdir(d)) n++;
  if (d) closedir(d);
  return n;
}

static bool is_counted_right(struct totals *sum) {
  *sum = (struct totals){0};
  reader_refresh(&reader);
  for (uint32_t id = 0; id < reader.header.allocers_issued; id++) {
    if (reader_record(&reader, id).key[0] - (uintptr_t)__start_many_sites_code >=
        (size_t)(__stop_many_sites_code - __start_many_sites_code))
      continue;
    struct totals t = reader_allocer(&reader, id);
    sum->allocs += t.allocs;
    sum->frees += t.frees;
  }
  return sum->allocs == made && sum->frees == dropped;
}

static unsigned long long lost_events(void) {
  unsigned long long lost = 0;
  for (int i = 0; i < 16; i++) lost += reader.header.losses[i];
  return lost;
}

static void say_result(bool seen) {
  const char *path = getenv("RESULT");
  char text[100];
  int n = snprintf(text, sizeof text, "%s %u %llu", seen ? "seen" : "unseen", edl_fault_calls ? edl_fault_calls() : 0,
                   seen ? lost_events() : 0);
  int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
  if (fd >= 0 && write(fd, text, (size_t)n) != n) _exit(9);
  if (fd >= 0) close(fd);
}

int main(void) {
  printf("begin, %d descriptors\n", open_descriptors()); /* stdout's buffer is made here */
  bool seen = reader_open(&reader, getpid());
  if (getenv("FILL")) fill(getenv("FILL"));
  many_sites();
  for (uint32_t generation = 1; generation <= 2; generation++) {
    if (seen) reader_open_generation(&reader, generation);
    for (int i = 0; i < 20; i++, dropped++) free(kept[dropped]);
    pthread_t threads[2];
    for (int t = 0; t < 2; t++) pthread_create(&threads[t], NULL, in_a_thread, NULL);
    for (int t = 0; t < 2; t++) pthread_join(threads[t], NULL);
  }
  int filled = 0;
  for (uint64_t i = dropped; i < made; i++) filled += kept[i] != NULL;
  struct totals sum;
  bool right = !seen || is_counted_right(&sum);
  if (!right && lost_events() == 0)
    printf("miscounted: %llu allocs, %llu frees, %llu made, %llu dropped\n", (unsigned long long)sum.allocs,
           (unsigned long long)sum.frees, (unsigned long long)made, (unsigned long long)dropped);
  if (seen) reader_close(&reader);
  printf("end, %d blocks, %d descriptors\n", filled, open_descriptors());
  say_result(seen);
  return 4;
}
