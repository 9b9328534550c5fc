/*
 * glibc's own names for the allocation functions, which some programs call past malloc.
 *
 * When another allocator has taken malloc over but not these, their blocks are of another kind than those
 * that malloc_usable_size understands: they pass unseen (coverage says so).
 */
#include "next.h"
#include "track.h"

#define CALLER ((uintptr_t)__builtin_return_address(0))
#define OR(name, other) (edl_next.name ? edl_next.name : edl_next.other)

void *edl_resize(void *(*next)(void *, size_t), void *p, size_t n, uintptr_t caller);

static bool foreign;

void edl_glibc_boot(bool is_foreign) { foreign = is_foreign; }

static inline bool passes(void) {
  edl_ready();
  return foreign;
}

EDL_EXPORT void *__libc_malloc(size_t n) {
  if (passes()) return edl_next.__libc_malloc(n);
  return edl_track(OR(__libc_malloc, malloc)(edl_request(n)), n, CALLER);
}
EDL_EXPORT void *__libc_calloc(size_t count, size_t size) {
  if (passes()) return OR(__libc_calloc, calloc)(count, size);
  size_t n;
  bool big = __builtin_mul_overflow(count, size, &n) || n >= EDL_BIG_BLOCK_BYTES;
  void *p = big ? OR(__libc_calloc, calloc)(count, size) : OR(__libc_calloc, calloc)(1, n + 8);
  return edl_track(p, n, CALLER);
}
EDL_EXPORT void *__libc_realloc(void *p, size_t n) {
  if (passes()) return OR(__libc_realloc, realloc)(p, n);
  return edl_resize(OR(__libc_realloc, realloc), p, n, CALLER);
}
static inline void gone(void *p, void (*next)(void *)) {
  if (p == NULL) return;
  if (!passes()) edl_untrack(p);
  if (!edl_is_bootstrap(p)) next(p);
}
EDL_EXPORT void __libc_free(void *p) { gone(p, OR(__libc_free, free)); }
EDL_EXPORT void __libc_cfree(void *p) { gone(p, OR(__libc_free, free)); }
EDL_EXPORT void *__libc_memalign(size_t alignment, size_t n) {
  if (passes()) return OR(__libc_memalign, memalign)(alignment, n);
  return edl_track(OR(__libc_memalign, memalign)(alignment, edl_request(n)), n, CALLER);
}
EDL_EXPORT void *__libc_valloc(size_t n) {
  if (passes()) return OR(__libc_valloc, valloc)(n);
  return edl_track(OR(__libc_valloc, valloc)(edl_request(n)), n, CALLER);
}
EDL_EXPORT void *__libc_pvalloc(size_t n) {
  if (passes()) return OR(__libc_pvalloc, pvalloc)(n);
  size_t whole = (n + EDL_PAGE_BYTES - 1) & ~(size_t)(EDL_PAGE_BYTES - 1);
  if (n >= EDL_BIG_BLOCK_BYTES) return edl_track(OR(__libc_pvalloc, pvalloc)(n), n, CALLER);
  return edl_track(OR(__libc_memalign, memalign)(EDL_PAGE_BYTES, edl_request(whole)), whole, CALLER);
}
EDL_EXPORT int __posix_memalign(void **out, size_t alignment, size_t n) {
  if (passes()) return OR(__posix_memalign, posix_memalign)(out, alignment, n);
  void *p = NULL;
  int error = OR(__posix_memalign, posix_memalign)(&p, alignment, edl_request(n));
  if (error == 0) *out = edl_track(p, n, CALLER);
  return error;
}
