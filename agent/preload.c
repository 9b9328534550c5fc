/*
 * The exported functions of C's allocation interface. Each has the same shape: the real call with room
 * for a tag, then tracking with the caller's address; no logic beyond that.
 */
#include <errno.h>

#include "track.h"

EDL_EXPORT void *malloc(size_t n) { return edl_track(edl_next.malloc(edl_request(n)), n, CALLER); }

EDL_EXPORT void free(void *p) {
  if (edl_unlikely(p == NULL)) return;
  edl_untrack(p);
  edl_next.free(p);
}

static inline __attribute__((always_inline)) void *zeroed(void *(*next)(size_t, size_t), size_t count,
                                                          size_t size, uintptr_t caller) {
  size_t n;
  if (__builtin_mul_overflow(count, size, &n)) return next(count, size); /* fails, and says so */
  void *p = n < EDL_BIG_BLOCK_BYTES ? next(1, n + 8) : next(count, size);
  return edl_track(p, n, caller);
}

EDL_EXPORT void *calloc(size_t count, size_t size) {
  return zeroed(edl_next.calloc, count, size, CALLER);
}

/* The old block's mark goes first: afterwards its bytes may belong to somebody, and 8 stale ones would sit
 * in the middle of a grown block. A failure puts it back and counts nothing. */
void *edl_resize(void *(*next)(void *, size_t), void *p, size_t n, uintptr_t caller) {
  struct edl_was was;
  if (p == NULL) return edl_track(next(NULL, edl_request(n)), n, caller);
  if (edl_is_own_call(caller)) return next(p, n);
  if (edl_unlikely(edl_is_bootstrap(p))) {
    void *moved = edl_track(edl_next.malloc(edl_request(n)), n, caller);
    size_t old = edl_usable(p);
    if (moved) __builtin_memcpy(moved, p, old < n ? old : n);
    return moved;
  }
  edl_untag(p, &was);
  void *q = next(p, n == 0 ? 0 : edl_request(n)); /* 0 means free to some allocators: pass it on */
  if (q == NULL && n != 0) {
    edl_retag(p, &was);
    return NULL;
  }
  edl_count_gone(&was);
  return edl_track_slow(q, n, caller);
}

EDL_EXPORT void *realloc(void *p, size_t n) { return edl_resize(edl_next.realloc, p, n, CALLER); }

/* As realloc, with the error of an allocator's own reallocarray; the C library's would come back to our realloc. */
static void *resize_array(void *p, size_t n) {
  void *q = edl_next.reallocarray(p, 1, n);
  EDL_NO_JUMP();
  return q;
}

EDL_EXPORT void *reallocarray(void *p, size_t count, size_t size) {
  size_t n;
  if (__builtin_mul_overflow(count, size, &n))
    return edl_next.reallocarray ? edl_next.reallocarray(p, count, size) : edl_next.malloc(SIZE_MAX);
  bool own = edl.allocator_bytes != 0 && edl_kin.reallocarray;
  return edl_resize(own ? resize_array : edl_next.realloc, p, n, CALLER);
}

EDL_EXPORT void cfree(void *p) {
  if (p == NULL) return;
  edl_untrack(p);
  edl_next.free(p);
}
EDL_EXPORT void free_sized(void *p, size_t n) {
  (void)n;
  if (p == NULL) return;
  edl_untrack(p);
  edl_next.free(p);
}
EDL_EXPORT void free_aligned_sized(void *p, size_t alignment, size_t n) {
  (void)alignment;
  (void)n;
  if (p == NULL) return;
  edl_untrack(p);
  edl_next.free(p);
}

/* What comes from another heap than malloc's passes unchanged. Not all of these have a stub. */
#define PASSES(name) (edl_ready(), edl_unlikely(edl_kin.name == NULL) || edl_is_own_call(CALLER))

EDL_EXPORT void *memalign(size_t alignment, size_t n) {
  if (PASSES(memalign)) return edl_next.memalign(alignment, n);
  return edl_track(edl_next.memalign(alignment, edl_request(n)), n, CALLER);
}

/* Some allocators refuse a size that is no multiple of the alignment: keep it one when it is. */
static size_t aligned_request(size_t alignment, size_t n) {
  if (edl.inline_chunks || n >= EDL_BIG_BLOCK_BYTES || alignment <= 8) return edl_request(n);
  return n % alignment == 0 ? n + alignment : n + 8;
}

EDL_EXPORT void *aligned_alloc(size_t alignment, size_t n) {
  if (PASSES(aligned_alloc)) return edl_next.aligned_alloc(alignment, n);
  return edl_track(edl_next.aligned_alloc(alignment, aligned_request(alignment, n)), n, CALLER);
}

/* `out` is written exactly when the real function writes, also with an error. */
int edl_posix_memalign(int (*next)(void **, size_t, size_t), void **out, size_t alignment, size_t n,
                       uintptr_t caller) {
  void *untouched = &untouched, *p = untouched;
  int error = next(&p, alignment, edl_request(n));
  if (error == 0) *out = edl_track(p, n, caller);
  else if (p != untouched) *out = p;
  return error;
}

EDL_EXPORT int posix_memalign(void **out, size_t alignment, size_t n) {
  if (PASSES(posix_memalign)) return edl_next.posix_memalign(out, alignment, n);
  return edl_posix_memalign(edl_next.posix_memalign, out, alignment, n, CALLER);
}

EDL_EXPORT void *valloc(size_t n) {
  if (PASSES(valloc)) return edl_next.valloc ? edl_next.valloc(n) : edl_next.memalign(EDL_PAGE_BYTES, n);
  return edl_track(edl_next.valloc(edl_request(n)), n, CALLER);
}

/* pvalloc hands out whole pages, all of which the program may use. */
EDL_EXPORT void *pvalloc(size_t n) {
  if (PASSES(pvalloc) || !edl_kin.memalign)
    return edl_next.pvalloc ? edl_next.pvalloc(n) : edl_next.memalign(EDL_PAGE_BYTES, edl_whole_pages(n));
  if (n >= EDL_BIG_BLOCK_BYTES) return edl_track(edl_next.pvalloc(n), edl_whole_pages(n), CALLER);
  size_t whole = edl_whole_pages(n);
  return edl_track(edl_next.memalign(EDL_PAGE_BYTES, edl_request(whole)), whole, CALLER);
}

EDL_EXPORT size_t malloc_usable_size(void *p) {
  return edl_is_own_call(CALLER) ? edl_next.malloc_usable_size(p) : edl_usable(p);
}
