/* Prints what the C allocation functions answer: results, errors, errno, alignment, contents. Compared with a bare run. */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile size_t huge = SIZE_MAX; /* the compiler must not know better */

#define SAY(call)                                               \
  do {                                                          \
    errno = 77;                                                 \
    void *p_ = call;                                            \
    printf("%s: %s, errno %d\n", #call, p_ ? "memory" : "NULL", errno); \
    free(p_);                                                   \
  } while (0)

static void errors(void) {
  SAY(malloc(0));
  SAY(malloc(1));
  SAY(malloc(huge));
  SAY(malloc(huge - 7));
  SAY(malloc(huge - 8));
  SAY(malloc(huge - 16));
  SAY(malloc(huge / 2));
  SAY(malloc(huge / 2 + 1));
  SAY(calloc(0, 0));
  SAY(calloc(0, huge));
  SAY(calloc(huge, 0));
  SAY(calloc(huge, huge));
  SAY(calloc(huge / 2 + 1, 2));
  SAY(calloc(1, huge));
  SAY(realloc(NULL, 0));
  SAY(realloc(NULL, huge));
  SAY(reallocarray(NULL, huge, 2));
  SAY(reallocarray(NULL, huge / 4, 4));
  SAY(reallocarray(NULL, 0, 7));
  SAY(memalign(0, 10));
  SAY(memalign(3, 10));
  SAY(memalign(huge, 10));
  SAY(memalign(64, huge));
  SAY(aligned_alloc(64, 64));
  SAY(aligned_alloc(64, 10));
  SAY(aligned_alloc(48, 96));
  SAY(aligned_alloc(0, 96));
  SAY(valloc(huge));
  SAY(pvalloc(huge));
  SAY(pvalloc(huge - 4096));
  SAY(pvalloc(0));
  printf("usable of nothing %zu\n", malloc_usable_size(NULL));
}

static void posix_errors(void) {
  const size_t alignments[] = {0, 1, 4, 7, 8, 24, 64, 4096, SIZE_MAX / 2 + 1};
  for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++)
    for (int big = 0; big < 2; big++) {
      void *p = (void *)123;
      errno = 77;
      int error = posix_memalign(&p, alignments[i], big ? huge - 64 : 100);
      printf("posix_memalign %zu %s: %d, errno %d, %s\n", alignments[i], big ? "huge" : "100", error, errno,
             p == (void *)123 ? "out untouched" : "out set");
      if (error == 0) free(p);
    }
}

static void resize_to_nothing(void) {
  const size_t sizes[] = {1, 100, 65528, 65536, 200000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    char *p = malloc(sizes[i]);
    errno = 77;
    char *q = realloc(p, 0);
    printf("realloc(%zu, 0): %s, errno %d\n", sizes[i], q ? "memory" : "NULL", errno);
    p = malloc(sizes[i]);
    memset(p, 'x', sizes[i]);
    q = realloc(p, huge);
    printf("realloc(%zu, huge): %s, errno %d, kept %d\n", sizes[i], q ? "memory" : "NULL", errno,
           p[0] == 'x' && p[sizes[i] - 1] == 'x');
    q = reallocarray(p, huge, huge);
    printf("reallocarray(%zu, huge): %s, errno %d, kept %d\n", sizes[i], q ? "memory" : "NULL", errno,
           p[0] == 'x' && p[sizes[i] - 1] == 'x');
    free(p);
  }
}

/* A success leaves errno as it was, whatever path the agent takes: new sites, big blocks, first events. */
static void errno_kept(void) {
  int changed = 0;
  for (size_t n = 0; n < 200000; n = n * 3 / 2 + 1) {
    errno = 77;
    void *p = malloc(n), *q = calloc(n, 1), *r = memalign(64, n), *s = NULL;
    changed += posix_memalign(&s, 64, n) != 0;
    p = realloc(p, n * 2 + 1);
    p = realloc(p, n / 2 + 1);
    free(p), free(q), free(r), free(s);
    changed += errno != 77;
  }
  printf("errno changed %d times\n", changed);
}

static void contents(void) {
  int wrong = 0;
  for (size_t from = 1; from < 300000; from = from * 2 + 7)
    for (size_t to = 1; to < 300000; to = to * 2 + 11) {
      unsigned char *p = malloc(from);
      for (size_t i = 0; i < from; i++) p[i] = (unsigned char)(i * 13 + from);
      p = realloc(p, to);
      for (size_t i = 0; i < from && i < to; i++) wrong += p[i] != (unsigned char)(i * 13 + from);
      memset(p, 0xee, malloc_usable_size(p));
      free(p);
      unsigned char *z = calloc(to, 1);
      for (size_t i = 0; i < to; i++) wrong += z[i] != 0;
      free(z);
    }
  printf("wrong bytes %d\n", wrong);
}

int main(void) {
  free(malloc(100)); /* an allocator's own start may set errno */
  free(malloc(100000));
  free(NULL);
  errors();
  posix_errors();
  resize_to_nothing();
  errno_kept();
  contents();
  return 7;
}
