/*
 * operator new and delete.
 *
 * Standard ones: the memory comes from the next malloc, charged to our caller; only if that fails, the real
 * operator runs: it retries (through our malloc, which tracks), calls the new_handler, throws through
 * us (-fexceptions). Those of the allocator behind us are called with room for a tag. Deletes hand on to
 * an unsized form: a sized one would name a size class that the tag has changed.
 *
 * Custom ones pass through unchanged, all of them: the standard new[] calls the program's operator new, so
 * none may be short-circuited, and their blocks may come from anywhere. What they take from malloc is seen there.
 */
#include "track.h"


static enum edl_operators operators; /* unknown until the start */

void edl_cxx_boot(enum edl_operators found) { operators = found; }

/* The real operator; when the library that has it was loaded after the start, it is looked up now. */
#define REAL(name) (edl_next.name ? edl_next.name : (__typeof__(edl_next.name))edl_find_late(#name))

/* `memory` is how a standard operator gets it; `arguments` are the operator's own, with the size called n. */
#define OPERATOR_NEW(name, memory, parameters, arguments)                       \
  static EDL_NOINLINE void *name##_real parameters {                            \
    __typeof__(edl_next.name) real = REAL(name);                                \
    return real ? real arguments : NULL;                                        \
  }                                                                             \
  static EDL_NOINLINE void *name##_kin parameters {                             \
    n = edl_request(n);                                                         \
    return edl_kin.name arguments;                                              \
  }                                                                             \
  EDL_EXPORT void *name parameters {                                            \
    if (edl_unlikely(operators != EDL_OPERATORS_STANDARD)) {                    \
      edl_ready();                                                              \
      if (operators == EDL_OPERATORS_CUSTOM) return name##_real arguments;      \
      if (edl_kin.name) return edl_track(name##_kin arguments, n, CALLER);  \
    }                                                                           \
    void *p = memory;                                                           \
    if (edl_likely(p != NULL)) return edl_track(p, n, CALLER);                  \
    return name##_real arguments;                                               \
  }

/* The standard operators refuse what is no power of two. */
static inline void *aligned(size_t alignment, size_t n) {
  bool valid = alignment != 0 && (alignment & (alignment - 1)) == 0 && edl_kin.memalign != NULL;
  return valid ? edl_next.memalign(alignment, edl_request(n)) : NULL;
}
#define PLAIN edl_next.malloc(edl_request(n))
#define ALIGNED aligned(alignment, n)

OPERATOR_NEW(_Znwm, PLAIN, (size_t n), (n))
OPERATOR_NEW(_Znam, PLAIN, (size_t n), (n))
OPERATOR_NEW(_ZnwmRKSt9nothrow_t, PLAIN, (size_t n, const void *nothrow), (n, nothrow))
OPERATOR_NEW(_ZnamRKSt9nothrow_t, PLAIN, (size_t n, const void *nothrow), (n, nothrow))
OPERATOR_NEW(_ZnwmSt11align_val_t, ALIGNED, (size_t n, size_t alignment), (n, alignment))
OPERATOR_NEW(_ZnamSt11align_val_t, ALIGNED, (size_t n, size_t alignment), (n, alignment))
OPERATOR_NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, ALIGNED,
             (size_t n, size_t alignment, const void *nothrow), (n, alignment, nothrow))
OPERATOR_NEW(_ZnamSt11align_val_tRKSt9nothrow_t, ALIGNED,
             (size_t n, size_t alignment, const void *nothrow), (n, alignment, nothrow))

/* `unsized` is the form that the allocator's own block goes to. */
#define OPERATOR_DELETE(name, parameters, arguments, unsized, unsized_arguments) \
  static inline __attribute__((always_inline)) void name##_other parameters {    \
    __typeof__(edl_next.name) real = REAL(name);                                 \
    if (operators == EDL_OPERATORS_CUSTOM && real) {                             \
      real arguments;                                                            \
      return;                                                                    \
    }                                                                            \
    if (p == NULL) return;                                                       \
    edl_untrack(p);                                                              \
    if (edl_is_bootstrap(p)) return;                                             \
    if (edl_kin.unsized) edl_kin.unsized unsized_arguments;                      \
    else edl_next.free(p);                                                       \
    EDL_NO_JUMP();                                                               \
  }                                                                              \
  EDL_EXPORT void name parameters {                                              \
    if (edl_unlikely(operators != EDL_OPERATORS_STANDARD)) {                     \
      edl_ready();                                                               \
      if (operators != EDL_OPERATORS_STANDARD) {                                 \
        name##_other arguments;                                                  \
        return;                                                                  \
      }                                                                          \
    }                                                                            \
    if (edl_unlikely(p == NULL)) return;                                         \
    edl_untrack(p);                                                              \
    edl_next.free(p);                                                            \
  }

OPERATOR_DELETE(_ZdlPv, (void *p), (p), _ZdlPv, (p))
OPERATOR_DELETE(_ZdaPv, (void *p), (p), _ZdaPv, (p))
OPERATOR_DELETE(_ZdlPvRKSt9nothrow_t, (void *p, const void *nothrow), (p, nothrow), _ZdlPv, (p))
OPERATOR_DELETE(_ZdaPvRKSt9nothrow_t, (void *p, const void *nothrow), (p, nothrow), _ZdaPv, (p))
OPERATOR_DELETE(_ZdlPvm, (void *p, size_t n), (p, n), _ZdlPv, (p))
OPERATOR_DELETE(_ZdaPvm, (void *p, size_t n), (p, n), _ZdaPv, (p))
OPERATOR_DELETE(_ZdlPvSt11align_val_t, (void *p, size_t alignment), (p, alignment),
                _ZdlPvSt11align_val_t, (p, alignment))
OPERATOR_DELETE(_ZdaPvSt11align_val_t, (void *p, size_t alignment), (p, alignment),
                _ZdaPvSt11align_val_t, (p, alignment))
OPERATOR_DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t alignment, const void *nothrow),
                (p, alignment, nothrow), _ZdlPvSt11align_val_t, (p, alignment))
OPERATOR_DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t alignment, const void *nothrow),
                (p, alignment, nothrow), _ZdaPvSt11align_val_t, (p, alignment))
OPERATOR_DELETE(_ZdlPvmSt11align_val_t, (void *p, size_t n, size_t alignment), (p, n, alignment),
                _ZdlPvSt11align_val_t, (p, alignment))
OPERATOR_DELETE(_ZdaPvmSt11align_val_t, (void *p, size_t n, size_t alignment), (p, n, alignment),
                _ZdaPvSt11align_val_t, (p, alignment))
