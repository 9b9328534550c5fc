/* Uses an allocator beside malloc, which has names that the agent knows, but not malloc (library/beside.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *mi_malloc(size_t n);
void *mi_realloc(void *p, size_t n);
void mi_free(void *p);
size_t mi_usable_size(const void *p);
void *mallocx(size_t n, int flags);
void sdallocx(void *p, size_t n, int flags);
void *tc_malloc(size_t n);
void tc_free(void *p);
int beside_live(void);

int main(void) {
  for (size_t n = 1; n < 100000; n = n * 2 + 3) {
    char *p = mi_malloc(n), *q = mallocx(n, 0), *r = tc_malloc(n), *s = malloc(n);
    memset(p, 1, n), memset(q, 2, n), memset(r, 3, n), memset(s, 4, n);
    p = mi_realloc(p, n * 2);
    printf("%zu: usable %zu, %d %d %d %d\n", n, mi_usable_size(p), p[n - 1], q[n - 1], r[n - 1], s[n - 1]);
    mi_free(p), sdallocx(q, n, 0), tc_free(r), free(s);
  }
  printf("live %d\n", beside_live());
  return 0;
}
