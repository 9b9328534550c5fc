/* A malloc of its own without malloc_usable_size: nobody can say how big its blocks are, so none may be tagged. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static char arena[64 << 20] __attribute__((aligned(16)));
static size_t used;

void *malloc(size_t n) {
  size_t whole = (n + 31) & ~(size_t)15;
  if (n > sizeof arena || whole > sizeof arena - used) {
    errno = ENOMEM;
    return NULL;
  }
  char *p = arena + used + 16;
  memset(p - 16, 0x5a, 8);
  memcpy(p - 8, &n, sizeof n);
  used += whole;
  return p;
}
void free(void *p) { (void)p; }
void *calloc(size_t count, size_t size) {
  void *p = size && count > SIZE_MAX / size ? NULL : malloc(count * size); /* through the loader, as many do */
  return p ? memset(p, 0, count * size) : NULL;
}
void *realloc(void *p, size_t n) {
  void *q = malloc(n);
  size_t old;
  if (q && p) {
    memcpy(&old, (char *)p - 8, sizeof old);
    memcpy(q, p, old < n ? old : n);
  }
  return q;
}
