/*
 * An allocator whose every function may be interrupted by a signal handler that allocates: size classes,
 * free lists of one compare-and-swap (the head carries a count against reuse), nothing else shared.
 *
 * With LIKE_GLIBC it has glibc's chunk header in front of a block and glibc's mark, so that the agent
 * takes its fast path, which reads that header in line.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARENA ((size_t)256 << 20)
#define UNIT 64
#define CLASSES 20 /* chunks are powers of two, from a unit on */

struct chunk {
  uint32_t next; /* in units, while free */
  uint32_t class;
  size_t word; /* glibc's: size of the chunk, and that the one before is in use */
};

static char arena[ARENA] __attribute__((aligned(4096)));
static _Atomic size_t used = UNIT; /* unit 0 is nobody's */
static _Atomic uint64_t heads[CLASSES]; /* count << 32 | unit of the first free chunk */

static struct chunk *chunk_at(uint64_t head) { return (struct chunk *)(arena + (uint32_t)head * (size_t)UNIT); }

static struct chunk *take(unsigned class) {
  uint64_t head = atomic_load(&heads[class]);
  while ((uint32_t)head != 0) {
    uint64_t next = ((head >> 32) + 1) << 32 | __atomic_load_n(&chunk_at(head)->next, __ATOMIC_RELAXED);
    if (atomic_compare_exchange_weak(&heads[class], &head, next)) return chunk_at(head);
  }
  size_t bytes = (size_t)UNIT << class, at = atomic_fetch_add(&used, bytes);
  if (at + bytes > ARENA) return NULL;
  struct chunk *c = (struct chunk *)(arena + at);
  c->class = class;
  return c;
}

/* A block begins 16 bytes into its chunk; glibc's size of a chunk is 8 more than is usable, and a multiple of 16. */
static size_t usable(unsigned class) { return ((size_t)UNIT << class) - 24; }

void *malloc(size_t n) {
  unsigned class = 0;
  while (class < CLASSES && usable(class) < n) class++;
  struct chunk *c = class < CLASSES ? take(class) : NULL;
  if (!c) {
    errno = ENOMEM;
    return NULL;
  }
  c->word = (usable(class) + 8) | 1;
  return c + 1;
}

void free(void *p) {
  if (!p) return;
  struct chunk *c = (struct chunk *)p - 1;
  uint64_t head = atomic_load(&heads[c->class]), mine;
  do {
    __atomic_store_n(&c->next, (uint32_t)head, __ATOMIC_RELAXED);
    mine = ((head >> 32) + 1) << 32 | (uint32_t)(((char *)c - arena) / UNIT);
  } while (!atomic_compare_exchange_weak(&heads[c->class], &head, mine));
}

size_t malloc_usable_size(void *p) { return p ? usable(((struct chunk *)p - 1)->class) : 0; }

void *calloc(size_t count, size_t size) {
  size_t n;
  if (__builtin_mul_overflow(count, size, &n)) n = SIZE_MAX;
  void *p = malloc(n);
  return p ? memset(p, 0, n) : NULL;
}

void *realloc(void *p, size_t n) {
  if (p && n == 0) {
    free(p);
    return NULL;
  }
  size_t old = malloc_usable_size(p);
  if (p && n <= old && n > old / 2) return p;
  void *q = malloc(n);
  if (q && p) {
    memcpy(q, p, old < n ? old : n);
    free(p);
  }
  return q;
}

/* Not needed by the tests; here so that nobody else's block is freed by us. */
void *memalign(size_t alignment, size_t n) { return alignment <= 16 ? malloc(n) : NULL; }
void *aligned_alloc(size_t alignment, size_t n) { return memalign(alignment, n); }
int posix_memalign(void **out, size_t alignment, size_t n) {
  void *p = memalign(alignment, n);
  if (p) *out = p;
  return p ? 0 : ENOMEM;
}

#ifdef LIKE_GLIBC
const char *gnu_get_libc_version(void) { return "a test's"; }
#endif
