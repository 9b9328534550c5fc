/*
 * Native entry points of jemalloc, tcmalloc and mimalloc. A block of ours that were freed through an entry
 * point we don't know would keep a live tag for ever: a false leak.
 *
 * Three cases: the function belongs to the object that has malloc, and is tracked; it belongs to an
 * allocator beside that one, whose blocks are none of ours, and passes unchanged; it belongs to nobody, and
 * the C functions stand in, which a program that asks for it by a weak reference can live with.
 */
#include "track.h"

/* Flags of jemalloc's functions. */
#define LG_ALIGN_MASK 63
#define ZERO 64

static inline __attribute__((always_inline)) void *zeroed(void *(*next)(size_t, size_t), size_t count,
                                                          size_t size, uintptr_t caller) {
  size_t n;
  bool big = __builtin_mul_overflow(count, size, &n) || n >= EDL_BIG_BLOCK_BYTES;
  return edl_track(big ? next(count, size) : next(1, n + 8), n, caller);
}

/* As edl_resize by plain realloc, and what the block has grown by is zero. */
static void *resize_zeroed(void *p, size_t n, uintptr_t caller) {
  size_t old = p ? edl_usable(p) : 0;
  char *q = edl_resize(edl_next.realloc, p, n, caller);
  if (q && n > old) __builtin_memset(q + old, 0, n - old);
  return q;
}

/* What of the size that an allocator rounds a request to is left for the program. */
static size_t room(size_t real, size_t n) {
  if (real < n + 8) return n;
  return real - 8 - n < EDL_SLACK_IN_WORD ? real - 8 : real - 16;
}

/* --- jemalloc ------------------------------------------------------------------------------------ */

static void *plain_mallocx(size_t n, int flags) {
  size_t alignment = (size_t)1 << (flags & LG_ALIGN_MASK);
  if (alignment <= 16) return flags & ZERO ? edl_next.calloc(1, edl_request(n)) : edl_next.malloc(edl_request(n));
  void *p = edl_next.memalign(alignment, edl_request(n));
  if (p && flags & ZERO) __builtin_memset(p, 0, n);
  return p;
}

EDL_EXPORT void *mallocx(size_t n, int flags) {
  if (EDL_PASSES(mallocx)) return edl_next.mallocx(n, flags);
  void *p = edl_kin.mallocx ? edl_kin.mallocx(edl_request(n), flags) : plain_mallocx(n, flags);
  return edl_track(p, n, CALLER);
}
EDL_EXPORT void *rallocx(void *p, size_t n, int flags) {
  if (EDL_PASSES(rallocx)) return edl_next.rallocx(p, n, flags);
  if (!edl_kin.rallocx)
    return flags & ZERO ? resize_zeroed(p, n, CALLER) : edl_resize(edl_next.realloc, p, n, CALLER);
  struct edl_was was;
  edl_untag(p, &was);
  void *q = edl_kin.rallocx(p, edl_request(n), flags);
  if (!q) {
    edl_retag(p, &was);
    return NULL;
  }
  edl_count_gone(&was);
  return edl_track_slow(q, n, CALLER);
}
/* Resizes in place or not at all: what it returns is the real size, from which the tag's room goes off. */
EDL_EXPORT size_t xallocx(void *p, size_t n, size_t extra, int flags) {
  if (EDL_PASSES(xallocx)) return edl_next.xallocx(p, n, extra, flags);
  if (!edl_kin.xallocx) return edl_usable(p);
  struct edl_was was;
  edl_untag(p, &was);
  size_t before = edl_next.malloc_usable_size(p);
  size_t real = edl_kin.xallocx(p, edl_request(n), extra, flags);
  if (real == before || !was.field) {
    edl_retag(p, &was);
    return edl_usable(p);
  }
  edl_count_gone(&was);
  edl_track_slow(p, n + 8 <= real || real >= EDL_BIG_BLOCK_BYTES ? n : real - 8, CALLER);
  return edl_usable(p);
}
EDL_EXPORT size_t sallocx(const void *p, int flags) {
  if (EDL_PASSES(sallocx)) return edl_next.sallocx(p, flags);
  return edl_usable((void *)p);
}
EDL_EXPORT void dallocx(void *p, int flags) {
  if (EDL_PASSES(dallocx)) {
    edl_next.dallocx(p, flags);
    return;
  }
  if (!edl_kin.dallocx) {
    edl_release(p, edl_next.free);
    return;
  }
  edl_untrack(p);
  edl_kin.dallocx(p, flags);
  EDL_NO_JUMP();
}
EDL_EXPORT void sdallocx(void *p, size_t n, int flags) {
  if (EDL_PASSES(sdallocx)) {
    edl_next.sdallocx(p, n, flags);
    return;
  }
  if (!edl_kin.dallocx) {
    edl_release(p, edl_next.free);
    return;
  }
  edl_untrack(p);
  edl_kin.dallocx(p, flags);
  EDL_NO_JUMP();
}
/* A program may use all of what this promises: so much less than the allocator's answer as the tag takes. */
EDL_EXPORT size_t nallocx(size_t n, int flags) {
  if (EDL_PASSES(nallocx)) return edl_next.nallocx(n, flags);
  return edl_kin.nallocx ? room(edl_kin.nallocx(edl_request(n), flags), n) : n;
}

/* --- shapes that tcmalloc and mimalloc share ------------------------------------------------------ */

#define NATIVE_MALLOC(name, other)                                \
  EDL_EXPORT void *name(size_t n) {                               \
    if (EDL_PASSES(name)) return edl_next.name(n);                    \
    return edl_track(EDL_KIN_OR(name, other)(edl_request(n)), n, CALLER); \
  }
#define NATIVE_NOTHROW(name)                                                    \
  EDL_EXPORT void *name(size_t n, const void *nothrow) {                        \
    if (EDL_PASSES(name)) return edl_next.name(n, nothrow);                         \
    size_t size = edl_request(n);                                               \
    void *p = edl_kin.name ? edl_kin.name(size, nothrow) : edl_next.malloc(size); \
    return edl_track(p, n, CALLER);                                             \
  }
#define NATIVE_ALIGNED(name)                                                                      \
  EDL_EXPORT void *name(size_t n, size_t alignment) {                                             \
    if (EDL_PASSES(name)) return edl_next.name(n, alignment);                                         \
    size_t size = edl_request(n);                                                                 \
    void *p = edl_kin.name ? edl_kin.name(size, alignment) : edl_next.memalign(alignment, size);  \
    return edl_track(p, n, CALLER);                                                               \
  }
#define NATIVE_ALIGNED_NOTHROW(name)                                                                      \
  EDL_EXPORT void *name(size_t n, size_t alignment, const void *nothrow) {                                \
    if (EDL_PASSES(name)) return edl_next.name(n, alignment, nothrow);                                        \
    size_t size = edl_request(n);                                                                         \
    void *p = edl_kin.name ? edl_kin.name(size, alignment, nothrow) : edl_next.memalign(alignment, size); \
    return edl_track(p, n, CALLER);                                                                       \
  }
#define NATIVE_CALLOC(name)                               \
  EDL_EXPORT void *name(size_t count, size_t size) {      \
    if (EDL_PASSES(name)) return edl_next.name(count, size);  \
    return zeroed(EDL_KIN_OR(name, calloc), count, size, CALLER); \
  }
#define NATIVE_REALLOC(name)                            \
  EDL_EXPORT void *name(void *p, size_t n) {            \
    if (EDL_PASSES(name)) return edl_next.name(p, n);       \
    return edl_resize(EDL_KIN_OR(name, realloc), p, n, CALLER); \
  }
#define NATIVE_MEMALIGN(name)                                                   \
  EDL_EXPORT void *name(size_t alignment, size_t n) {                           \
    if (EDL_PASSES(name)) return edl_next.name(alignment, n);                       \
    return edl_track(EDL_KIN_OR(name, memalign)(alignment, edl_request(n)), n, CALLER); \
  }
#define NATIVE_POSIX(name)                                                                              \
  EDL_EXPORT int name(void **out, size_t alignment, size_t n) {                                         \
    if (EDL_PASSES(name)) return edl_next.name(out, alignment, n);                                      \
    return edl_posix_memalign(EDL_KIN_OR(name, posix_memalign), out, alignment, n, CALLER);             \
  }
/* Frees: sized and aligned forms go to the plain one of the same allocator. */
#define NATIVE_FREE(name, plain, parameters, arguments) \
  EDL_EXPORT void name parameters {                     \
    if (EDL_PASSES(name)) edl_next.name arguments;          \
    else edl_release(p, EDL_KIN_OR(plain, free));                      \
  }

/* --- tcmalloc ------------------------------------------------------------------------------------ */

NATIVE_MALLOC(tc_malloc, malloc)
NATIVE_MALLOC(tc_malloc_skip_new_handler, malloc)
NATIVE_CALLOC(tc_calloc)
NATIVE_REALLOC(tc_realloc)
NATIVE_MEMALIGN(tc_memalign)
NATIVE_POSIX(tc_posix_memalign)
NATIVE_MALLOC(tc_valloc, valloc)
EDL_EXPORT void *tc_pvalloc(size_t n) {
  if (EDL_PASSES(tc_pvalloc)) return edl_next.tc_pvalloc(n);
  size_t whole = edl_whole_pages(n);
  if (n >= EDL_BIG_BLOCK_BYTES && edl_kin.tc_pvalloc) return edl_track(edl_kin.tc_pvalloc(n), edl_whole_pages(n), CALLER);
  return edl_track(EDL_KIN_OR(tc_memalign, memalign)(EDL_PAGE_BYTES, edl_request(whole)), whole, CALLER);
}
EDL_EXPORT size_t tc_malloc_size(void *p) {
  return EDL_PASSES(tc_malloc_size) ? edl_next.tc_malloc_size(p) : edl_usable(p);
}
NATIVE_MALLOC(tc_new, malloc)
NATIVE_MALLOC(tc_newarray, malloc)
NATIVE_NOTHROW(tc_new_nothrow)
NATIVE_NOTHROW(tc_newarray_nothrow)
NATIVE_ALIGNED(tc_new_aligned)
NATIVE_ALIGNED(tc_newarray_aligned)
NATIVE_ALIGNED_NOTHROW(tc_new_aligned_nothrow)
NATIVE_ALIGNED_NOTHROW(tc_newarray_aligned_nothrow)

#define P void *p
#define SIZE size_t n
#define ALIGNMENT size_t alignment
#define NOTHROW const void *nothrow
NATIVE_FREE(tc_free, tc_free, (P), (p))
NATIVE_FREE(tc_cfree, tc_free, (P), (p))
NATIVE_FREE(tc_free_sized, tc_free, (P, SIZE), (p, n))
NATIVE_FREE(tc_delete, tc_delete, (P), (p))
NATIVE_FREE(tc_deletearray, tc_deletearray, (P), (p))
NATIVE_FREE(tc_delete_sized, tc_delete, (P, SIZE), (p, n))
NATIVE_FREE(tc_deletearray_sized, tc_deletearray, (P, SIZE), (p, n))
NATIVE_FREE(tc_delete_nothrow, tc_delete, (P, NOTHROW), (p, nothrow))
NATIVE_FREE(tc_deletearray_nothrow, tc_deletearray, (P, NOTHROW), (p, nothrow))
NATIVE_FREE(tc_delete_aligned, tc_delete, (P, ALIGNMENT), (p, alignment))
NATIVE_FREE(tc_deletearray_aligned, tc_deletearray, (P, ALIGNMENT), (p, alignment))
NATIVE_FREE(tc_delete_sized_aligned, tc_delete, (P, SIZE, ALIGNMENT), (p, n, alignment))
NATIVE_FREE(tc_deletearray_sized_aligned, tc_deletearray, (P, SIZE, ALIGNMENT), (p, n, alignment))
NATIVE_FREE(tc_delete_aligned_nothrow, tc_delete, (P, ALIGNMENT, NOTHROW), (p, alignment, nothrow))
NATIVE_FREE(tc_deletearray_aligned_nothrow, tc_deletearray, (P, ALIGNMENT, NOTHROW), (p, alignment, nothrow))

/* --- mimalloc ------------------------------------------------------------------------------------ */

/* The small forms assert a small size, which a tag could exceed: the general form does the same. */
EDL_EXPORT void *mi_zalloc(size_t n) {
  if (EDL_PASSES(mi_zalloc)) return edl_next.mi_zalloc(n);
  return zeroed(EDL_KIN_OR(mi_calloc, calloc), 1, n, CALLER);
}
EDL_EXPORT void *mi_zalloc_small(size_t n) {
  if (EDL_PASSES(mi_zalloc_small)) return edl_next.mi_zalloc_small(n);
  return zeroed(EDL_KIN_OR(mi_calloc, calloc), 1, n, CALLER);
}
EDL_EXPORT void *mi_malloc_small(size_t n) {
  if (EDL_PASSES(mi_malloc_small)) return edl_next.mi_malloc_small(n);
  return edl_track(EDL_KIN_OR(mi_malloc, malloc)(edl_request(n)), n, CALLER);
}
NATIVE_MALLOC(mi_malloc, malloc)
NATIVE_CALLOC(mi_calloc)
/* A product that overflows is the real function's to refuse, in its own way. */
#define OVERFLOW(name, ...) (edl_kin.name ? edl_kin.name(__VA_ARGS__) : edl_next.malloc(SIZE_MAX))
EDL_EXPORT void *mi_mallocn(size_t count, size_t size) {
  if (EDL_PASSES(mi_mallocn)) return edl_next.mi_mallocn(count, size);
  size_t n;
  if (__builtin_mul_overflow(count, size, &n)) return OVERFLOW(mi_mallocn, count, size);
  return edl_track(EDL_KIN_OR(mi_malloc, malloc)(edl_request(n)), n, CALLER);
}
NATIVE_REALLOC(mi_realloc)
EDL_EXPORT void *mi_rezalloc(void *p, size_t n) {
  if (EDL_PASSES(mi_rezalloc)) return edl_next.mi_rezalloc(p, n);
  return edl_kin.mi_rezalloc ? edl_resize(edl_kin.mi_rezalloc, p, n, CALLER) : resize_zeroed(p, n, CALLER);
}
EDL_EXPORT void *mi_reallocf(void *p, size_t n) {
  if (EDL_PASSES(mi_reallocf)) return edl_next.mi_reallocf(p, n);
  void *q = edl_resize(EDL_KIN_OR(mi_realloc, realloc), p, n, CALLER);
  if (!q && p && n) edl_release(p, EDL_KIN_OR(mi_free, free));
  return q;
}
EDL_EXPORT void *mi_reallocn(void *p, size_t count, size_t size) {
  if (EDL_PASSES(mi_reallocn)) return edl_next.mi_reallocn(p, count, size);
  size_t n;
  if (__builtin_mul_overflow(count, size, &n)) return OVERFLOW(mi_reallocn, p, count, size);
  return edl_resize(EDL_KIN_OR(mi_realloc, realloc), p, n, CALLER);
}
EDL_EXPORT void *mi_reallocarray(void *p, size_t count, size_t size) {
  if (EDL_PASSES(mi_reallocarray)) return edl_next.mi_reallocarray(p, count, size);
  size_t n;
  if (__builtin_mul_overflow(count, size, &n)) return OVERFLOW(mi_reallocarray, p, count, size);
  return edl_resize(EDL_KIN_OR(mi_realloc, realloc), p, n, CALLER);
}
EDL_EXPORT void *mi_recalloc(void *p, size_t count, size_t size) {
  if (EDL_PASSES(mi_recalloc)) return edl_next.mi_recalloc(p, count, size);
  size_t n;
  if (__builtin_mul_overflow(count, size, &n)) return OVERFLOW(mi_recalloc, p, count, size);
  return edl_kin.mi_rezalloc ? edl_resize(edl_kin.mi_rezalloc, p, n, CALLER) : resize_zeroed(p, n, CALLER);
}
NATIVE_FREE(mi_free, mi_free, (P), (p))
NATIVE_FREE(mi_cfree, mi_free, (P), (p))
NATIVE_FREE(mi_free_size, mi_free, (P, SIZE), (p, n))
NATIVE_FREE(mi_free_size_aligned, mi_free, (P, SIZE, ALIGNMENT), (p, n, alignment))
NATIVE_FREE(mi_free_aligned, mi_free, (P, ALIGNMENT), (p, alignment))

#define NATIVE_USABLE(name)                                               \
  EDL_EXPORT size_t name(const void *p) {                                 \
    return EDL_PASSES(name) ? edl_next.name(p) : edl_usable((void *)p);       \
  }
NATIVE_USABLE(mi_usable_size)
NATIVE_USABLE(mi_malloc_usable_size)
NATIVE_USABLE(mi_malloc_size)

NATIVE_ALIGNED(mi_malloc_aligned)
EDL_EXPORT void *mi_zalloc_aligned(size_t n, size_t alignment) {
  if (EDL_PASSES(mi_zalloc_aligned)) return edl_next.mi_zalloc_aligned(n, alignment);
  size_t size = edl_request(n);
  void *p = edl_kin.mi_zalloc_aligned ? edl_kin.mi_zalloc_aligned(size, alignment)
                                      : edl_next.memalign(alignment, size);
  if (p && !edl_kin.mi_zalloc_aligned) __builtin_memset(p, 0, n);
  return edl_track(p, n, CALLER);
}
NATIVE_MEMALIGN(mi_memalign)
NATIVE_MEMALIGN(mi_aligned_alloc)
NATIVE_POSIX(mi_posix_memalign)
NATIVE_MALLOC(mi_new, malloc)
NATIVE_MALLOC(mi_new_nothrow, malloc)
NATIVE_ALIGNED(mi_new_aligned)
NATIVE_ALIGNED(mi_new_aligned_nothrow)
