/*
 * glibc's own names for the allocation functions, which some programs call past malloc.
 *
 * When another allocator has taken malloc over but not these, their blocks are of another kind than those
 * that malloc_usable_size understands: they pass unseen (coverage says so).
 */
#include "track.h"

EDL_EXPORT void *__libc_malloc(size_t n) {
  if (EDL_PASSES(__libc_malloc)) return edl_next.__libc_malloc(n);
  return edl_track(EDL_KIN_OR(__libc_malloc, malloc)(edl_request(n)), n, CALLER);
}
EDL_EXPORT void *__libc_calloc(size_t count, size_t size) {
  if (EDL_PASSES(__libc_calloc)) return edl_next.__libc_calloc(count, size);
  size_t n;
  bool big = __builtin_mul_overflow(count, size, &n) || n >= EDL_BIG_BLOCK_BYTES;
  void *(*next)(size_t, size_t) = EDL_KIN_OR(__libc_calloc, calloc);
  return edl_track(big ? next(count, size) : next(1, n + 8), n, CALLER);
}
EDL_EXPORT void *__libc_realloc(void *p, size_t n) {
  if (EDL_PASSES(__libc_realloc)) return edl_next.__libc_realloc(p, n);
  return edl_resize(EDL_KIN_OR(__libc_realloc, realloc), p, n, CALLER);
}
EDL_EXPORT void __libc_free(void *p) {
  if (EDL_PASSES(__libc_free)) edl_next.__libc_free(p);
  else edl_release(p, EDL_KIN_OR(__libc_free, free));
}
EDL_EXPORT void __libc_cfree(void *p) {
  if (EDL_PASSES(__libc_free)) edl_next.__libc_free(p);
  else edl_release(p, EDL_KIN_OR(__libc_free, free));
}
EDL_EXPORT void *__libc_memalign(size_t alignment, size_t n) {
  if (EDL_PASSES(__libc_memalign)) return edl_next.__libc_memalign(alignment, n);
  return edl_track(EDL_KIN_OR(__libc_memalign, memalign)(alignment, edl_request(n)), n, CALLER);
}
EDL_EXPORT void *__libc_valloc(size_t n) {
  if (EDL_PASSES(__libc_valloc)) return edl_next.__libc_valloc(n);
  return edl_track(EDL_KIN_OR(__libc_valloc, valloc)(edl_request(n)), n, CALLER);
}
EDL_EXPORT void *__libc_pvalloc(size_t n) {
  if (EDL_PASSES(__libc_pvalloc)) return edl_next.__libc_pvalloc(n);
  if (n >= EDL_BIG_BLOCK_BYTES && edl_kin.__libc_pvalloc)
    return edl_track(edl_kin.__libc_pvalloc(n), edl_whole_pages(n), CALLER);
  size_t whole = edl_whole_pages(n);
  return edl_track(EDL_KIN_OR(__libc_memalign, memalign)(EDL_PAGE_BYTES, edl_request(whole)), whole, CALLER);
}
EDL_EXPORT int __posix_memalign(void **out, size_t alignment, size_t n) {
  if (EDL_PASSES(__posix_memalign)) return edl_next.__posix_memalign(out, alignment, n);
  return edl_posix_memalign(EDL_KIN_OR(__posix_memalign, posix_memalign), out, alignment, n, CALLER);
}
