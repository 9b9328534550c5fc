/*
 * Calls every function of hooks.def through the agent, over whatever allocator is behind it, and holds each
 * against the segment: counted once, gone when freed, the tag out of the program's reach, contents kept.
 *
 * A name in hooks.def without a `call_NAME` here does not compile.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>

#include "../harness.h"
#include "../reader.h"

#define HOOK(group, result, name, parameters) static result(*f_##name) parameters;
#include "../../hooks.def"
#undef HOOK

static struct reader reader;
static struct totals before;
#define IS_GLIBC (reader.header.allocator_kind == EDL_ALLOCATOR_GLIBC_INLINE)

static void expect(const char *what, int line, uint64_t allocs, uint64_t bytes, uint64_t frees, uint64_t freed) {
  struct totals now = reader_all(&reader);
  uint64_t got[4] = {now.allocs - before.allocs, now.bytes - before.bytes, now.frees - before.frees,
                     now.freed_bytes - before.freed_bytes};
  uint64_t want[4] = {allocs, bytes, frees, freed};
  for (int i = 0; i < 4; i++)
    if (got[i] != want[i])
      test_fail(__FILE__, line, "%s: %s is %llu, not %llu", what,
                (const char *const[]){"allocs", "bytes", "frees", "freed bytes"}[i],
                (unsigned long long)got[i], (unsigned long long)want[i]);
  before = now;
}
#define EXPECT(what, ...) expect(what, __LINE__, __VA_ARGS__)

static void begin(void) { before = reader_all(&reader); }

/* All that malloc_usable_size promises is overwritten: the tag must lie behind it. */
static void use_all(void *p, size_t n, int line) {
  if (!p) {
    test_fail(__FILE__, line, "no memory");
    return;
  }
  size_t usable = f_malloc_usable_size(p);
  if (usable < n) test_fail(__FILE__, line, "usable size %zu of %zu bytes", usable, n);
  memset(p, 0xa5, usable);
  if (f_malloc_usable_size(p) != usable) test_fail(__FILE__, line, "usable size changed by writing it full");
}
#define USE_ALL(p, n) use_all(p, n, __LINE__)

static bool is_zero(const unsigned char *p, size_t n) {
  while (n && p[n - 1] == 0) n--;
  return n == 0;
}

static const size_t sizes[] = {0, 1, 8, 15, 16, 24, 40, 100, 1000, 4096, 40000, 65519, 65527, 65528, 65535, 65536, 300000};
#define EACH_SIZE for (size_t i_ = 0, n = 0; i_ < sizeof sizes / sizeof *sizes && (n = sizes[i_], true); i_++)

/* --- shapes ------------------------------------------------------------------------------------- */

#define ALLOCATES(call, n, release)   \
  do {                                \
    void *p = call;                   \
    EXPECT(#call, 1, n, 0, 0);        \
    USE_ALL(p, n);                    \
    release(p);                       \
    EXPECT(#release, 0, 0, 1, n);     \
  } while (0)

#define CALL_MALLOC(name, release)      \
  static void call_##name(void) {       \
    begin();                            \
    EACH_SIZE {                         \
      ALLOCATES(f_##name(n), n, release); \
    }                                   \
    CHECK(!test.failed);                \
  }

/* Zeroed also where a block lay before that was full of something else. */
#define CALL_CALLOC(name, release)                       \
  static void call_##name(void) {                        \
    begin();                                             \
    EACH_SIZE {                                          \
      ALLOCATES(f_malloc(n), n, f_free);                 \
      void *z = f_##name(n, 1);                          \
      EXPECT(#name, 1, n, 0, 0);                         \
      CHECK(z != NULL);                                  \
      CHECK(is_zero(z, n));                              \
      USE_ALL(z, n);                                     \
      release(z);                                        \
      EXPECT(#name " freed", 0, 0, 1, n);                \
    }                                                    \
    errno = 0;                                           \
    CHECK(f_##name(SIZE_MAX / 2, 3) == NULL);            \
    if (IS_GLIBC) CHECK_EQUAL(errno, ENOMEM);            \
    EXPECT(#name " overflow", 0, 0, 0, 0);               \
    CHECK(!test.failed);                                 \
  }

/* A block that can't be resized stays as it is. */
static void resize_fails(void *(*resize)(void *, size_t), void (*release)(void *)) {
  unsigned char *p = resize(NULL, 100);
  EXPECT("from nothing", 1, 100, 0, 0);
  memset(p, 7, 100);
  CHECK(resize(p, SIZE_MAX - 4096) == NULL);
  EXPECT("failed", 0, 0, 0, 0);
  CHECK(p[0] == 7 && p[99] == 7);
  release(p);
  EXPECT("released", 0, 0, 1, 100);
}

/* Every transition of sizes keeps what fits, and counts one block gone and one come. */
static void resize_all(void *(*resize)(void *, size_t), void (*release)(void *), bool zeroes) {
  begin();
  EACH_SIZE {
    for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
      size_t m = sizes[j] ? sizes[j] : 1;
      unsigned char *p = resize(NULL, n);
      EXPECT("from nothing", 1, n, 0, 0);
      CHECK(p != NULL);
      if (zeroes) memset(p, 0, f_malloc_usable_size(p)); /* or the part behind n would be anything */
      for (size_t k = 0; k < n; k++) p[k] = (unsigned char)(k * 7 + 1);
      unsigned char *q = resize(p, m);
      EXPECT("resized", 1, m, 1, n);
      CHECK(q != NULL);
      for (size_t k = 0; k < n && k < m; k++) CHECK(q[k] == (unsigned char)(k * 7 + 1));
      if (zeroes && m > n) CHECK(is_zero(q + n, m - n));
      USE_ALL(q, m);
      release(q);
      EXPECT("released", 0, 0, 1, m);
    }
  }
}
#define CALL_REALLOC(name, release)             \
  static void call_##name(void) {                       \
    resize_all(f_##name, release, false);               \
    if (!test.failed) resize_fails(f_##name, release);  \
  }

#define IS_ALIGNED(p, a) (((uintptr_t)(p) & ((a)-1)) == 0)
static const size_t alignments[] = {8, 16, 32, 64, 4096, 65536, 1 << 20};
#define EACH_ALIGNMENT for (size_t a_ = 0, a = 0; a_ < sizeof alignments / sizeof *alignments && (a = alignments[a_], true); a_++)

#define CALL_ALIGNED(name, call, size, release)        \
  static void call_##name(void) {                      \
    begin();                                           \
    EACH_ALIGNMENT EACH_SIZE {                         \
      size_t bytes = size;                             \
      void *p = call;                                  \
      EXPECT(#name, 1, bytes, 0, 0);                   \
      CHECK(p != NULL);                                \
      CHECK(IS_ALIGNED(p, a));                         \
      USE_ALL(p, bytes);                               \
      release;                                         \
      EXPECT(#name " freed", 0, 0, 1, bytes);          \
    }                                                  \
    CHECK(!test.failed);                               \
  }

#define CALL_POSIX(name)                                                \
  static void *name##_of(size_t a, size_t n) {                          \
    void *p = NULL;                                                     \
    return f_##name(&p, a, n) == 0 ? p : NULL;                          \
  }                                                                     \
  CALL_ALIGNED(name##_values, name##_of(a, n), n, f_free(p))            \
  static void call_##name(void) {                                       \
    void *p = (void *)77;                                               \
    errno = 5;                                                          \
    CHECK_EQUAL(f_##name(&p, 24, 100), EINVAL);                         \
    CHECK_EQUAL(f_##name(&p, 4, 100), EINVAL);                          \
    CHECK_EQUAL(f_##name(&p, 4096, SIZE_MAX - 4096), ENOMEM);           \
    CHECK(p == (void *)77 || !IS_GLIBC);                                            \
    call_##name##_values();                                             \
  }

#define CALL_FREE(name, allocate, call) \
  static void call_##name(void) {       \
    begin();                            \
    EACH_SIZE {                         \
      void *p = allocate;               \
      EXPECT(#allocate, 1, n, 0, 0);    \
      USE_ALL(p, n);                    \
      call;                             \
      EXPECT(#name, 0, 0, 1, n);        \
    }                                   \
    void *p = NULL;                     \
    size_t n = 0;                       \
    (void)n;                            \
    call;                               \
    EXPECT(#name " of nothing", 0, 0, 0, 0); \
    CHECK(!test.failed);                \
  }

#define CALL_USABLE(name, call)               \
  static void call_##name(void) {             \
    EACH_SIZE {                               \
      void *p = f_malloc(n);                  \
      size_t usable = call;                   \
      CHECK(usable >= n);                     \
      CHECK_EQUAL(usable, f_malloc_usable_size(p)); \
      USE_ALL(p, n);                          \
      f_free(p);                              \
    }                                         \
  }

#include "every-hook.h"

/* --- all of them -------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  void (*call)(void);
  void *slot;
} hooks[] = {
#define HOOK(group, result, name, parameters) {#name, call_##name, &f_##name},
#include "../../hooks.def"
#undef HOOK
};

/* tcmalloc knows no sizes before its own constructor has run: what was allocated until then is lost. */
static uint64_t losses_at_start[16];
static void nothing_lost(void) {
  reader_refresh(&reader);
  for (int reason = 0; reason < 16; reason++)
    if (reader.header.losses[reason] != losses_at_start[reason])
      FAIL("loss %d: %llu", reason, (unsigned long long)reader.header.losses[reason]);
}

int main(int argc, char **argv) {
  test.prefix = argc > 1 ? argv[1] : NULL;
  if (!reader_open(&reader, getpid())) {
    test_line("not ok %s: no segment\n", argv[0]);
    return 1;
  }
  memcpy(losses_at_start, reader.header.losses, sizeof losses_at_start);
  for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
    void *at = dlsym(RTLD_DEFAULT, hooks[i].name);
    Dl_info info;
    memcpy(hooks[i].slot, &at, sizeof at);
    if (at && dladdr(at, &info) && strstr(info.dli_fname, "libedleak")) continue;
    test_line("not ok %s: is not the agent's\n", hooks[i].name);
    return 1;
  }
  for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) test_run(hooks[i].name, hooks[i].call);
  RUN(nothing_lost);
  return test_end();
}
