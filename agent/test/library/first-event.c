/* Calls one allocation function in a constructor, before anything else was allocated: FIRST_EVENT says which. */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((weak)) void *_Znwm(size_t n);
__attribute__((weak)) void _ZdlPv(void *p);

__attribute__((constructor)) static void first(void) {
  const char *name = getenv("FIRST_EVENT");
  void *p = NULL;
  int is_new = 0;
  if (!name) return;
  if (!strcmp(name, "malloc")) p = malloc(100);
  if (!strcmp(name, "calloc")) p = calloc(10, 10);
  if (!strcmp(name, "realloc")) p = realloc(NULL, 100);
  if (!strcmp(name, "reallocarray")) p = reallocarray(NULL, 10, 10);
  if (!strcmp(name, "free")) free(NULL);
  if (!strcmp(name, "memalign")) p = memalign(64, 100);
  if (!strcmp(name, "aligned_alloc")) p = aligned_alloc(64, 128);
  if (!strcmp(name, "posix_memalign") && posix_memalign(&p, 64, 100)) _exit(9);
  if (!strcmp(name, "valloc")) p = valloc(100);
  if (!strcmp(name, "pvalloc")) p = pvalloc(70000);
  if (!strcmp(name, "malloc_usable_size")) printf("%zu\n", malloc_usable_size(NULL));
  if (!strcmp(name, "new") && _Znwm) p = _Znwm(100), is_new = 1;
  if (p) memset(p, 1, 100);
  if (is_new && _ZdlPv) _ZdlPv(p);
  else free(p);
}
