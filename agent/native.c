/*
 * Native entry points of jemalloc, tcmalloc and mimalloc. A block of ours that were freed through an entry
 * point we don't know would keep a live tag for ever: a false leak. Without such an allocator behind us
 * they fall back to the C functions, which a program that asks for them by a weak reference can live with.
 */
#include "next.h"
#include "track.h"

#define CALLER ((uintptr_t)__builtin_return_address(0))
#define OR(name, other) (edl_next.name ? edl_next.name : edl_next.other)

void *edl_resize(void *(*next)(void *, size_t), void *p, size_t n, uintptr_t caller);

static inline void ready(void) {
  if (edl_unlikely(atomic_load_explicit(&edl.mode, memory_order_relaxed) == EDL_BOOT_NONE)) edl_boot();
}

static inline void gone(void *p, void (*next)(void *)) {
  if (p == NULL) return;
  edl_untrack(p);
  if (!edl_is_bootstrap(p)) next(p);
}

static inline __attribute__((always_inline)) void *zeroed(void *(*next)(size_t, size_t), size_t count,
                                                          size_t size, uintptr_t caller) {
  size_t n;
  bool big = __builtin_mul_overflow(count, size, &n) || n >= EDL_BIG_BLOCK_BYTES;
  return edl_track(big ? next(count, size) : next(1, n + 8), n, caller);
}

/* --- jemalloc ------------------------------------------------------------------------------------ */

EDL_EXPORT void *mallocx(size_t n, int flags) {
  ready();
  void *p = edl_next.mallocx ? edl_next.mallocx(edl_request(n), flags) : edl_next.malloc(edl_request(n));
  return edl_track(p, n, CALLER);
}
EDL_EXPORT void *rallocx(void *p, size_t n, int flags) {
  ready();
  if (!edl_next.rallocx) return edl_resize(edl_next.realloc, p, n, CALLER);
  struct edl_was was;
  edl_untag(p, &was);
  void *q = edl_next.rallocx(p, edl_request(n), flags);
  if (!q) {
    edl_retag(p, &was);
    return NULL;
  }
  edl_count_gone(&was);
  return edl_track_slow(q, n, CALLER);
}
/* Resizes in place or not at all: what it returns is the real size, from which the tag's room goes off. */
EDL_EXPORT size_t xallocx(void *p, size_t n, size_t extra, int flags) {
  ready();
  if (!edl_next.xallocx) return edl_usable(p);
  struct edl_was was;
  edl_untag(p, &was);
  size_t before = edl_next.malloc_usable_size(p);
  size_t real = edl_next.xallocx(p, edl_request(n), extra, flags);
  if (real == before || !was.field) {
    edl_retag(p, &was);
    return edl_usable(p);
  }
  edl_count_gone(&was);
  edl_track_slow(p, n + 8 <= real || real >= EDL_BIG_BLOCK_BYTES ? n : real - 8, CALLER);
  return edl_usable(p);
}
EDL_EXPORT size_t sallocx(const void *p, int flags) {
  (void)flags;
  return edl_usable((void *)p);
}
EDL_EXPORT void dallocx(void *p, int flags) {
  ready();
  if (!edl_next.dallocx) {
    gone(p, edl_next.free);
    return;
  }
  edl_untrack(p);
  edl_next.dallocx(p, flags);
}
EDL_EXPORT void sdallocx(void *p, size_t n, int flags) {
  (void)n;
  ready();
  if (!edl_next.dallocx) {
    gone(p, edl_next.free);
    return;
  }
  edl_untrack(p);
  edl_next.dallocx(p, flags);
}
EDL_EXPORT size_t nallocx(size_t n, int flags) {
  ready();
  return edl_next.nallocx ? edl_next.nallocx(n, flags) : n;
}

/* --- shapes that tcmalloc and mimalloc share ------------------------------------------------------ */

#define NATIVE_MALLOC(name, other)                                    \
  EDL_EXPORT void *name(size_t n) {                                   \
    ready();                                                          \
    return edl_track(OR(name, other)(edl_request(n)), n, CALLER);     \
  }
#define NATIVE_NOTHROW(name)                                                       \
  EDL_EXPORT void *name(size_t n, const void *nothrow) {                           \
    ready();                                                                       \
    size_t size = edl_request(n);                                                  \
    void *p = edl_next.name ? edl_next.name(size, nothrow) : edl_next.malloc(size); \
    return edl_track(p, n, CALLER);                                                \
  }
#define NATIVE_ALIGNED(name)                                                             \
  EDL_EXPORT void *name(size_t n, size_t alignment) {                                    \
    ready();                                                                             \
    size_t size = edl_request(n);                                                        \
    void *p = edl_next.name ? edl_next.name(size, alignment) : edl_next.memalign(alignment, size); \
    return edl_track(p, n, CALLER);                                                      \
  }
#define NATIVE_ALIGNED_NOTHROW(name)                                         \
  EDL_EXPORT void *name(size_t n, size_t alignment, const void *nothrow) {   \
    ready();                                                                 \
    size_t size = edl_request(n);                                            \
    void *p = edl_next.name ? edl_next.name(size, alignment, nothrow)        \
                            : edl_next.memalign(alignment, size);            \
    return edl_track(p, n, CALLER);                                          \
  }
#define NATIVE_CALLOC(name)                                    \
  EDL_EXPORT void *name(size_t count, size_t size) {           \
    ready();                                                   \
    return zeroed(OR(name, calloc), count, size, CALLER);      \
  }
#define NATIVE_REALLOC(name)                                   \
  EDL_EXPORT void *name(void *p, size_t n) {                   \
    ready();                                                   \
    return edl_resize(OR(name, realloc), p, n, CALLER);        \
  }
#define NATIVE_MEMALIGN(name)                                                          \
  EDL_EXPORT void *name(size_t alignment, size_t n) {                                  \
    ready();                                                                           \
    return edl_track(OR(name, memalign)(alignment, edl_request(n)), n, CALLER);        \
  }
#define NATIVE_POSIX(name)                                                             \
  EDL_EXPORT int name(void **out, size_t alignment, size_t n) {                        \
    ready();                                                                           \
    void *p = NULL;                                                                    \
    int error = OR(name, posix_memalign)(&p, alignment, edl_request(n));               \
    if (error == 0) *out = edl_track(p, n, CALLER);                                    \
    return error;                                                                      \
  }
/* Frees: sized and aligned forms go to the plain one of the same allocator. */
#define NATIVE_FREE(name, plain, ...)           \
  EDL_EXPORT void name(void *p, ##__VA_ARGS__) { \
    ready();                                    \
    gone(p, OR(plain, free));                   \
  }
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* --- tcmalloc ------------------------------------------------------------------------------------ */

NATIVE_MALLOC(tc_malloc, malloc)
NATIVE_MALLOC(tc_malloc_skip_new_handler, malloc)
NATIVE_CALLOC(tc_calloc)
NATIVE_REALLOC(tc_realloc)
NATIVE_MEMALIGN(tc_memalign)
NATIVE_POSIX(tc_posix_memalign)
NATIVE_MALLOC(tc_valloc, valloc)
EDL_EXPORT void *tc_pvalloc(size_t n) {
  ready();
  size_t whole = (n + EDL_PAGE_BYTES - 1) & ~(size_t)(EDL_PAGE_BYTES - 1);
  if (n >= EDL_BIG_BLOCK_BYTES) return edl_track(OR(tc_pvalloc, pvalloc)(n), n, CALLER);
  return edl_track(OR(tc_memalign, memalign)(EDL_PAGE_BYTES, edl_request(whole)), whole, CALLER);
}
EDL_EXPORT size_t tc_malloc_size(void *p) { return edl_usable(p); }
NATIVE_MALLOC(tc_new, malloc)
NATIVE_MALLOC(tc_newarray, malloc)
NATIVE_NOTHROW(tc_new_nothrow)
NATIVE_NOTHROW(tc_newarray_nothrow)
NATIVE_ALIGNED(tc_new_aligned)
NATIVE_ALIGNED(tc_newarray_aligned)
NATIVE_ALIGNED_NOTHROW(tc_new_aligned_nothrow)
NATIVE_ALIGNED_NOTHROW(tc_newarray_aligned_nothrow)
NATIVE_FREE(tc_free, tc_free)
NATIVE_FREE(tc_cfree, tc_free)
NATIVE_FREE(tc_free_sized, tc_free, size_t n)
NATIVE_FREE(tc_delete, tc_delete)
NATIVE_FREE(tc_deletearray, tc_deletearray)
NATIVE_FREE(tc_delete_sized, tc_delete, size_t n)
NATIVE_FREE(tc_deletearray_sized, tc_deletearray, size_t n)
NATIVE_FREE(tc_delete_nothrow, tc_delete, const void *nothrow)
NATIVE_FREE(tc_deletearray_nothrow, tc_deletearray, const void *nothrow)
NATIVE_FREE(tc_delete_aligned, tc_delete, size_t alignment)
NATIVE_FREE(tc_deletearray_aligned, tc_deletearray, size_t alignment)
NATIVE_FREE(tc_delete_sized_aligned, tc_delete, size_t n, size_t alignment)
NATIVE_FREE(tc_deletearray_sized_aligned, tc_deletearray, size_t n, size_t alignment)
NATIVE_FREE(tc_delete_aligned_nothrow, tc_delete, size_t alignment, const void *nothrow)
NATIVE_FREE(tc_deletearray_aligned_nothrow, tc_deletearray, size_t alignment, const void *nothrow)

/* --- mimalloc ------------------------------------------------------------------------------------ */

/* The small forms assert a small size, which a tag could exceed: the general form does the same. */
EDL_EXPORT void *mi_zalloc(size_t n) {
  ready();
  return zeroed(OR(mi_calloc, calloc), 1, n, CALLER);
}
EDL_EXPORT void *mi_zalloc_small(size_t n) {
  ready();
  return zeroed(OR(mi_calloc, calloc), 1, n, CALLER);
}
EDL_EXPORT void *mi_malloc_small(size_t n) {
  ready();
  return edl_track(OR(mi_malloc, malloc)(edl_request(n)), n, CALLER);
}
NATIVE_MALLOC(mi_malloc, malloc)
NATIVE_CALLOC(mi_calloc)
EDL_EXPORT void *mi_mallocn(size_t count, size_t size) {
  ready();
  size_t n;
  if (__builtin_mul_overflow(count, size, &n)) n = SIZE_MAX;
  return edl_track(OR(mi_malloc, malloc)(edl_request(n)), n, CALLER);
}
NATIVE_REALLOC(mi_realloc)
NATIVE_REALLOC(mi_rezalloc)
EDL_EXPORT void *mi_reallocf(void *p, size_t n) {
  ready();
  void *q = edl_resize(OR(mi_realloc, realloc), p, n, CALLER);
  if (!q && p && n) gone(p, OR(mi_free, free));
  return q;
}
EDL_EXPORT void *mi_reallocn(void *p, size_t count, size_t size) {
  ready();
  size_t n;
  if (__builtin_mul_overflow(count, size, &n)) return NULL;
  return edl_resize(OR(mi_realloc, realloc), p, n, CALLER);
}
EDL_EXPORT void *mi_reallocarray(void *p, size_t count, size_t size) {
  ready();
  size_t n;
  if (__builtin_mul_overflow(count, size, &n)) return OR(mi_malloc, malloc)(SIZE_MAX);
  return edl_resize(OR(mi_realloc, realloc), p, n, CALLER);
}
EDL_EXPORT void *mi_recalloc(void *p, size_t count, size_t size) {
  ready();
  size_t n;
  if (__builtin_mul_overflow(count, size, &n)) return NULL;
  return edl_resize(OR(mi_rezalloc, realloc), p, n, CALLER);
}
NATIVE_FREE(mi_free, mi_free)
NATIVE_FREE(mi_cfree, mi_free)
NATIVE_FREE(mi_free_size, mi_free, size_t n)
NATIVE_FREE(mi_free_size_aligned, mi_free, size_t n, size_t alignment)
NATIVE_FREE(mi_free_aligned, mi_free, size_t alignment)
EDL_EXPORT size_t mi_usable_size(const void *p) { return edl_usable((void *)p); }
EDL_EXPORT size_t mi_malloc_usable_size(const void *p) { return edl_usable((void *)p); }
EDL_EXPORT size_t mi_malloc_size(const void *p) { return edl_usable((void *)p); }
NATIVE_ALIGNED(mi_malloc_aligned)
EDL_EXPORT void *mi_zalloc_aligned(size_t n, size_t alignment) {
  ready();
  size_t size = edl_request(n);
  void *p = edl_next.mi_zalloc_aligned ? edl_next.mi_zalloc_aligned(size, alignment)
                                       : edl_next.memalign(alignment, size);
  if (p && !edl_next.mi_zalloc_aligned) __builtin_memset(p, 0, n);
  return edl_track(p, n, CALLER);
}
NATIVE_MEMALIGN(mi_memalign)
NATIVE_MEMALIGN(mi_aligned_alloc)
NATIVE_POSIX(mi_posix_memalign)
NATIVE_MALLOC(mi_new, malloc)
NATIVE_MALLOC(mi_new_nothrow, malloc)
NATIVE_ALIGNED(mi_new_aligned)
NATIVE_ALIGNED(mi_new_aligned_nothrow)
