/* An allocator that leaves malloc alone: blocks of a static arena, the size in a word before each. */
#include <stddef.h>
#include <string.h>

static char arena[8 << 20] __attribute__((aligned(16)));
static size_t used;
static int live;

static void *take(size_t n) {
  size_t whole = (n + 31) & ~(size_t)15;
  if (whole > sizeof arena - used) return NULL;
  char *p = arena + used + 16;
  *(size_t *)(p - 16) = n; /* where glibc has the size: something that looks like nothing */
  *(size_t *)(p - 8) = 0x31;
  used += whole;
  live++;
  return p;
}
static void drop(void *p) { live -= p != NULL; }

void *mi_malloc(size_t n) { return take(n); }
void *mi_realloc(void *p, size_t n) {
  void *q = take(n);
  size_t old = p ? *(size_t *)((char *)p - 16) : 0;
  if (q && p) memcpy(q, p, old < n ? old : n);
  drop(p);
  return q;
}
void mi_free(void *p) { drop(p); }
size_t mi_usable_size(const void *p) { return *(const size_t *)((const char *)p - 16); }
void *mallocx(size_t n, int flags) { return flags ? NULL : take(n); }
void sdallocx(void *p, size_t n, int flags) {
  if (*(size_t *)((char *)p - 16) == n && flags == 0) drop(p);
}
void *tc_malloc(size_t n) { return take(n); }
void tc_free(void *p) { drop(p); }
int beside_live(void) { return live; }
