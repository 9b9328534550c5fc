/*
 * An independent count of allocations, to check the agent's against: preloaded alone, it writes the number of
 * successful allocations to EDLEAK_BENCH_COUNT.PID through a shared mapping. No attribution, no frees.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t fallback;
static uint64_t *total = &fallback;

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void *(*real_memalign)(size_t, size_t);

__attribute__((constructor)) static void begin(void) {
  const char *prefix = getenv("EDLEAK_BENCH_COUNT");
  char path[512];
  if (!prefix) return;
  snprintf(path, sizeof path, "%s.%d", prefix, (int)getpid());
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, 4096) != 0) return;
  uint64_t *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (map == MAP_FAILED) return;
  *map += fallback;
  total = map;
}

static void *counted(void *p) {
  if (p) __atomic_fetch_add(total, 1, __ATOMIC_RELAXED);
  return p;
}

void *malloc(size_t n) {
  if (!real_malloc) real_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
  return counted(real_malloc(n));
}
void *calloc(size_t a, size_t b) {
  if (!real_calloc) real_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
  return counted(real_calloc(a, b));
}
void *realloc(void *p, size_t n) {
  if (!real_realloc) real_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
  return counted(real_realloc(p, n));
}
void *memalign(size_t a, size_t n) {
  if (!real_memalign) real_memalign = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "memalign");
  return counted(real_memalign(a, n));
}
void *aligned_alloc(size_t a, size_t n) { return memalign(a, n); }
int posix_memalign(void **out, size_t a, size_t n) {
  static int (*real)(void **, size_t, size_t);
  if (!real) real = (int (*)(void **, size_t, size_t))dlsym(RTLD_NEXT, "posix_memalign");
  int error = real(out, a, n);
  if (error == 0) counted(*out);
  return error;
}
