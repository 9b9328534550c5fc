/*
 * Corners of the environment, one a run: `corners NAME [ARGUMENT]`. Prints what happened; compared with a bare run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Small, resized and big blocks; new sites, so that the agent has to grow. */
static int work(void) {
  int bad = 0;
  for (int i = 0; i < 50; i++) {
    char *p = malloc(10 + (size_t)i), *q = calloc(3, 100), *r = malloc(70000);
    if (!p || !q || !r) return -1;
    memset(p, i, 10);
    p = realloc(p, 5000);
    bad += p[9] != i || q[299] != 0;
    memset(r, 1, 70000);
    r = realloc(r, 200000);
    bad += r[69999] != 1;
    free(p), free(q), free(r);
  }
  return bad;
}

static void *work_in_a_thread(void *arg) {
  char *p = malloc(100);
  p = realloc(p, 80000);
  memset(p, 1, 80000);
  free(p);
  return (void *)(intptr_t)(arg ? work() : 0);
}

/* Threads with the smallest stack there is. */
static void small_threads(const char *argument) {
  pthread_attr_t attributes;
  pthread_t threads[60];
  intptr_t bad = 0;
  (void)argument;
  pthread_attr_init(&attributes);
  if (pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) != 0) puts("no such stack");
  for (int round = 0; round < 3; round++) {
    int started = 0;
    for (int t = 0; t < 60; t++) started += pthread_create(&threads[t], &attributes, work_in_a_thread, "") == 0;
    for (int t = 0; t < started; t++) {
      void *result;
      pthread_join(threads[t], &result);
      bad += (intptr_t)result;
    }
    printf("%d threads, bad %d\n", started, (int)bad);
  }
}

static volatile sig_atomic_t handled;
static void handle(int number) {
  (void)number;
  char *p = malloc(50);
  p = realloc(p, 90000);
  free(p);
  handled++;
}

/* A signal stack that has room for the frame and for what malloc itself takes, not for much more. */
static void small_signal_stack(const char *argument) {
  size_t frame = getauxval(51 /* AT_MINSIGSTKSZ */);
  size_t size = (frame > 2048 ? frame : 2048) + 2048;
  char *room = mmap(NULL, 65536 + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  (void)argument;
  size = (size + 4095) & ~(size_t)4095;
  mprotect(room, 61440, PROT_NONE); /* below it */
  stack_t stack = {.ss_sp = room + 61440, .ss_size = size};
  struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
  printf("%d\n", sigaltstack(&stack, NULL));
  sigaction(SIGUSR1, &action, NULL);
  for (int i = 0; i < 5; i++) raise(SIGUSR1);
  printf("handled %d, %d\n", (int)handled, work());
}

static long status_kb(const char *name) {
  char line[200];
  long kb = -1;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f))
    if (strncmp(line, name, strlen(name)) == 0) kb = atol(line + strlen(name) + 1);
  if (f) fclose(f);
  return kb;
}

/* All memory locked, now and later: what the agent has only reserved must not become memory. */
static void locked_memory(const char *argument) {
  long before = status_kb("VmRSS:");
  (void)argument;
  int result = mlockall(MCL_CURRENT | MCL_FUTURE);
  int bad = work();
  printf("mlockall %d, bad %d, %s\n", result, bad, status_kb("VmRSS:") - before < 24 << 10 ? "small" : "big");
}

/* Descriptors are as they were: what is opened next gets the lowest numbers. */
static void closed_streams(const char *path) {
  int a = open("/dev/null", O_RDONLY), b = open("/dev/null", O_RDONLY), c = open("/dev/null", O_RDONLY);
  int bad = work(), d = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dprintf(d, "descriptors %d %d %d %d, bad %d\n", a, b, c, d, bad);
}

static void in_a_chroot(const char *path) {
  int result = chroot(path);
  printf("chroot %d, bad %d\n", result, work());
}

static void another_user(const char *argument) {
  int result = setgid((gid_t)atoi(argument)) | setuid((uid_t)atoi(argument));
  printf("setuid %d, %d, bad %d\n", result, (int)geteuid(), work());
}

static void a_new_image(const char *argument) {
  if (argument) execl("/proc/self/exe", "corners", "a_new_image", (char *)NULL);
  printf("bad %d\n", work());
}

static void ends_by_signal(const char *argument) {
  printf("bad %d\n", work());
  fflush(stdout);
  raise(atoi(argument));
}

static void ends_by_quick_exit(const char *argument) {
  (void)argument;
  printf("bad %d\n", work());
  fflush(stdout);
  quick_exit(6);
}

#define CORNER(name) {#name, name}
static const struct {
  const char *name;
  void (*run)(const char *argument);
} corners[] = {CORNER(small_threads), CORNER(small_signal_stack), CORNER(locked_memory),    CORNER(closed_streams),
               CORNER(in_a_chroot),   CORNER(another_user),       CORNER(a_new_image),      CORNER(ends_by_signal),
               CORNER(ends_by_quick_exit)};

int main(int argc, char **argv) {
  for (size_t i = 0; argc > 1 && i < sizeof corners / sizeof *corners; i++)
    if (strcmp(argv[1], corners[i].name) == 0) corners[i].run(argc > 2 ? argv[2] : NULL);
  return 0;
}
