/*
 * Wrong frees and writes past the end, one a run: `deaths NAME`. A bare run lives or dies in some way, and so
 * must one with the agent. Sizes are such that 8 bytes more make no larger chunk: glibc's words differ by it.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *volatile hidden; /* from the compiler's warnings */
static void release(void *p) {
  hidden = p;
  free(hidden);
}
static void *take(size_t n) {
  hidden = malloc(n);
  return hidden;
}

static char global[4096] __attribute__((aligned(16)));

static void stack_pointer(void) {
  char local[256];
  memset(local, 0, sizeof local);
  release(local + 64);
}
static void stack_pointer_small_chunk(void) {
  size_t local[64] __attribute__((aligned(16))) = {0};
  local[15] = 0x41; /* looks like a chunk of 64 bytes */
  release(&local[16]);
}
static void global_pointer(void) { release(global + 128); }
static void global_pointer_mmapped(void) {
  size_t size = 0x1002;
  memcpy(global + 120, &size, sizeof size);
  release(global + 128);
}
static void interior_pointer(void) { release((char *)take(1020) + 160); }
static void misaligned_pointer(void) { release((char *)take(1020) + 1); }
static void misaligned_by_8(void) { release((char *)take(1020) + 8); }
static void misaligned_realloc(void) { hidden = realloc((char *)take(1020) + 8, 10); }
static void realloc_interior(void) { hidden = realloc((char *)take(1020) + 160, 100); }
static void realloc_stack(void) {
  char local[256];
  memset(local, 0, sizeof local);
  hidden = local + 64;
  hidden = realloc(hidden, 1000);
}
static void double_free_small(void) {
  void *p = take(40);
  release(p);
  release(p);
}
static void double_free_fastbin(void) {
  void *p[10];
  for (int i = 0; i < 10; i++) p[i] = take(40);
  for (int i = 0; i < 10; i++) release(p[i]);
  release(p[9]);
}
static void double_free_large(void) {
  void *p = take(3000), *q = take(3000);
  release(p);
  release(p);
  release(q);
}
static void double_free_big(void) {
  void *p = take(100000), *q = take(100);
  release(p);
  release(p);
  release(q);
}
static void double_free_mmapped(void) {
  void *p = take(10 << 20);
  release(p);
  release(p);
}
static void realloc_after_free(void) {
  void *p = take(2000), *q = take(2000);
  release(p);
  hidden = realloc(p, 4000);
  release(q);
}
static void page_of_mmap(void) {
  char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  release(p + 4096);
}
static void null_page(void) { release((void *)16); }
static void size_of_next_overwritten(void) {
  char *p = take(40), *q = take(40), *r = take(40);
  memset(p, 'x', 64); /* into the header of q, far past the tag as well */
  release(q);
  release(p);
  release(r);
}

/* Off by one: harmless on its own, since glibc rounds up; with the agent it meets the tag. */
static void off_by_one(size_t n, char with) {
  char *blocks[1000];
  for (int i = 0; i < 1000; i++) {
    blocks[i] = take(n);
    memset(blocks[i], 'y', n);
    blocks[i][n] = with;
  }
  int wrong = 0;
  for (int i = 0; i < 1000; i++) {
    for (size_t k = 0; k < n; k++) wrong += blocks[i][k] != 'y';
    if (i % 3 == 0) blocks[i] = realloc(blocks[i], n + 100);
    for (size_t k = 0; k < n; k++) wrong += blocks[i][k] != 'y';
  }
  for (int i = 0; i < 1000; i++) release(blocks[i]);
  printf("wrong %d\n", wrong);
}
static void off_by_one_zero(void) { off_by_one(16, 0); }
static void off_by_one_ff(void) { off_by_one(32, (char)0xff); }
static void off_by_one_odd(void) { off_by_one(29, 'q'); }
static void off_by_eight(void) {
  for (int i = 0; i < 1000; i++) {
    char *p = take(16);
    memset(p, 'z', 24); /* all that glibc would have given */
    if (i % 2) p = realloc(p, 200);
    release(p);
  }
  puts("lived");
}

#define DEATH(name) {#name, name}
static const struct {
  const char *name;
  void (*run)(void);
} deaths[] = {DEATH(stack_pointer), DEATH(stack_pointer_small_chunk), DEATH(global_pointer),
              DEATH(global_pointer_mmapped), DEATH(interior_pointer), DEATH(misaligned_pointer),
              DEATH(misaligned_by_8), DEATH(misaligned_realloc), DEATH(realloc_interior), DEATH(realloc_stack),
              DEATH(double_free_small), DEATH(double_free_fastbin), DEATH(double_free_large),
              DEATH(double_free_big), DEATH(double_free_mmapped), DEATH(realloc_after_free), DEATH(page_of_mmap),
              DEATH(null_page), DEATH(size_of_next_overwritten), DEATH(off_by_one_zero), DEATH(off_by_one_ff),
              DEATH(off_by_one_odd), DEATH(off_by_eight)};

/* Without a name: prints the names. */
int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  release(take(24));
  for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++) {
    if (argc < 2) puts(deaths[i].name);
    else if (strcmp(argv[1], deaths[i].name) == 0) deaths[i].run();
  }
  return 0;
}
