/*
 * operator new and delete.
 *
 * When the next operator new is the standard library's (or there is none yet), the memory comes from the next
 * malloc, charged to our caller; only if that fails does the real operator run: it retries, calls the
 * new_handler, throws. When it belongs to another allocator it is called with room for a tag; it may
 * throw through us (-fexceptions). Deletes always hand on to an unsized form: a sized one would
 * name a size class that the tag has changed.
 */
#include "next.h"
#include "track.h"

#define CALLER ((uintptr_t)__builtin_return_address(0))

static bool standard_new = true;

void edl_cxx_boot(bool standard) { standard_new = standard; }

static inline void ready(void) {
  if (edl_unlikely(atomic_load_explicit(&edl.mode, memory_order_relaxed) == EDL_BOOT_NONE)) edl_boot();
}

/* Plain forms: `again` is the real operator with its own arguments and the size it shall allocate. */
#define PLAIN_NEW(n, caller, real, again)                                 \
  ready();                                                                \
  if (edl_likely(standard_new)) {                                         \
    void *p = edl_next.malloc(edl_request(n));                            \
    if (edl_likely(p != NULL) || !(real)) return edl_track(p, n, caller); \
  }                                                                       \
  size_t size = edl_request(n);                                           \
  return edl_track(again, n, caller)

#define ALIGNED_NEW(n, alignment, caller, real, again)                    \
  ready();                                                                \
  if (edl_likely(standard_new)) {                                         \
    void *p = edl_next.memalign(alignment, edl_request(n));               \
    if (edl_likely(p != NULL) || !(real)) return edl_track(p, n, caller); \
  }                                                                       \
  size_t size = edl_request(n);                                           \
  return edl_track(again, n, caller)

EDL_EXPORT void *_Znwm(size_t n) {
  PLAIN_NEW(n, CALLER, edl_next._Znwm, edl_next._Znwm(size));
}
EDL_EXPORT void *_Znam(size_t n) {
  PLAIN_NEW(n, CALLER, edl_next._Znam, edl_next._Znam(size));
}
EDL_EXPORT void *_ZnwmRKSt9nothrow_t(size_t n, const void *nothrow) {
  PLAIN_NEW(n, CALLER, edl_next._ZnwmRKSt9nothrow_t, edl_next._ZnwmRKSt9nothrow_t(size, nothrow));
}
EDL_EXPORT void *_ZnamRKSt9nothrow_t(size_t n, const void *nothrow) {
  PLAIN_NEW(n, CALLER, edl_next._ZnamRKSt9nothrow_t, edl_next._ZnamRKSt9nothrow_t(size, nothrow));
}
EDL_EXPORT void *_ZnwmSt11align_val_t(size_t n, size_t alignment) {
  ALIGNED_NEW(n, alignment, CALLER, edl_next._ZnwmSt11align_val_t,
              edl_next._ZnwmSt11align_val_t(size, alignment));
}
EDL_EXPORT void *_ZnamSt11align_val_t(size_t n, size_t alignment) {
  ALIGNED_NEW(n, alignment, CALLER, edl_next._ZnamSt11align_val_t,
              edl_next._ZnamSt11align_val_t(size, alignment));
}
EDL_EXPORT void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t n, size_t alignment, const void *nothrow) {
  ALIGNED_NEW(n, alignment, CALLER, edl_next._ZnwmSt11align_val_tRKSt9nothrow_t,
              edl_next._ZnwmSt11align_val_tRKSt9nothrow_t(size, alignment, nothrow));
}
EDL_EXPORT void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t n, size_t alignment, const void *nothrow) {
  ALIGNED_NEW(n, alignment, CALLER, edl_next._ZnamSt11align_val_tRKSt9nothrow_t,
              edl_next._ZnamSt11align_val_tRKSt9nothrow_t(size, alignment, nothrow));
}

static inline __attribute__((always_inline)) void gone(void *p, void (*other)(void *)) {
  if (edl_unlikely(p == NULL)) return;
  ready();
  edl_untrack(p);
  if (edl_likely(standard_new) || !other) edl_next.free(p);
  else if (!edl_is_bootstrap(p)) other(p);
}

EDL_EXPORT void _ZdlPv(void *p) { gone(p, edl_next._ZdlPv); }
EDL_EXPORT void _ZdaPv(void *p) { gone(p, edl_next._ZdaPv); }
EDL_EXPORT void _ZdlPvRKSt9nothrow_t(void *p, const void *nothrow) {
  (void)nothrow;
  gone(p, edl_next._ZdlPv);
}
EDL_EXPORT void _ZdaPvRKSt9nothrow_t(void *p, const void *nothrow) {
  (void)nothrow;
  gone(p, edl_next._ZdaPv);
}
EDL_EXPORT void _ZdlPvm(void *p, size_t n) {
  (void)n;
  gone(p, edl_next._ZdlPv);
}
EDL_EXPORT void _ZdaPvm(void *p, size_t n) {
  (void)n;
  gone(p, edl_next._ZdaPv);
}

static inline __attribute__((always_inline)) void gone_aligned(void *p, size_t alignment,
                                                               void (*other)(void *, size_t)) {
  if (edl_unlikely(p == NULL)) return;
  ready();
  edl_untrack(p);
  if (edl_likely(standard_new) || !other) edl_next.free(p);
  else other(p, alignment);
}

EDL_EXPORT void _ZdlPvSt11align_val_t(void *p, size_t alignment) {
  gone_aligned(p, alignment, edl_next._ZdlPvSt11align_val_t);
}
EDL_EXPORT void _ZdaPvSt11align_val_t(void *p, size_t alignment) {
  gone_aligned(p, alignment, edl_next._ZdaPvSt11align_val_t);
}
EDL_EXPORT void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *p, size_t alignment, const void *nothrow) {
  (void)nothrow;
  gone_aligned(p, alignment, edl_next._ZdlPvSt11align_val_t);
}
EDL_EXPORT void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *p, size_t alignment, const void *nothrow) {
  (void)nothrow;
  gone_aligned(p, alignment, edl_next._ZdaPvSt11align_val_t);
}
EDL_EXPORT void _ZdlPvmSt11align_val_t(void *p, size_t n, size_t alignment) {
  (void)n;
  gone_aligned(p, alignment, edl_next._ZdlPvSt11align_val_t);
}
EDL_EXPORT void _ZdaPvmSt11align_val_t(void *p, size_t n, size_t alignment) {
  (void)n;
  gone_aligned(p, alignment, edl_next._ZdaPvSt11align_val_t);
}
