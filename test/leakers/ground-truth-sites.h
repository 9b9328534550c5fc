// The call sites of the ground-truth program: one function each, which makes exactly one allocation call.
#pragma once

#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <new>

/** How a block must be given back. */
enum class Release { kFree, kDelete, kDeleteArray, kDeleteAligned, kDeleteArrayAligned };

/**
 * The sites that make a new block: name, release, call. In the call, n is the size and a the alignment.
 * A size is a multiple of 4, except at the sites that allow any.
 */
#define NEW_SITES(X)                                                             \
  X(at_malloc_one, kFree, malloc(n))                                             \
  X(at_malloc_two, kFree, malloc(n))                                             \
  X(at_malloc_any, kFree, malloc(n + n % 7))                                     \
  X(at_malloc_zero, kFree, malloc(n - n))                                        \
  X(at_malloc_big, kFree, malloc(n))                                             \
  X(at_calloc, kFree, calloc(1, n))                                              \
  X(at_calloc_many, kFree, calloc(n / 4, 4))                                     \
  X(at_realloc_null, kFree, realloc(nullptr, n))                                 \
  X(at_reallocarray_null, kFree, reallocarray(nullptr, n / 4, 4))                \
  X(at_memalign, kFree, memalign(a, n))                                          \
  X(at_aligned_alloc, kFree, aligned_alloc(a, (n + a - 1) / a * a))              \
  X(at_posix_memalign, kFree, (posix_memalign(&out, a, n) == 0 ? out : nullptr)) \
  X(at_valloc, kFree, valloc(n))                                                 \
  X(at_pvalloc, kFree, pvalloc(n))                                               \
  X(at_new, kDelete, ::operator new(n))                                          \
  X(at_new_other, kDelete, ::operator new(n))                                    \
  X(at_new_nothrow, kDelete, ::operator new(n, std::nothrow))                    \
  X(at_new_array, kDeleteArray, ::operator new[](n))                             \
  X(at_new_array_nothrow, kDeleteArray, ::operator new[](n, std::nothrow))       \
  X(at_new_aligned, kDeleteAligned, ::operator new(n, std::align_val_t(a)))      \
  X(at_new_array_aligned, kDeleteArrayAligned, ::operator new[](n, std::align_val_t(a)))

/** The sites that change a block p of `free`'s family to size n. */
#define REALLOC_SITES(X)                    \
  X(at_realloc_grow, realloc(p, n))         \
  X(at_realloc_shrink, realloc(p, n))       \
  X(at_realloc_border, realloc(p, n))       \
  X(at_realloc_nothing, realloc(p, n))      \
  X(at_realloc_impossible, realloc(p, n))   \
  X(at_reallocarray, reallocarray(p, n / 4, 4))

/** Sites that are reached in special circumstances only: signal handlers and the end of a thread. */
#define SPECIAL_SITES(X)                       \
  X(at_signal_malloc, kFree, malloc(n))        \
  X(at_signal_new, kDelete, ::operator new(n)) \
  X(at_thread_end, kFree, malloc(n))

enum Site {
#define X(name, ...) name##_id,
  NEW_SITES(X) REALLOC_SITES(X) SPECIAL_SITES(X)
#undef X
      kSites
};

// noipa keeps functions with the same body apart; the barrier keeps the call from being a tail jump,
// whose return address would be the caller's.
#define SITE extern "C" __attribute__((noipa, used)) void *
#define KEEP(pointer) __asm__ volatile("" : "+r"(pointer) : : "memory")

#define X(name, release, call)              \
  SITE name(size_t n, size_t a) {           \
    void *out = nullptr;                    \
    (void)a, (void)out;                     \
    void *made = call;                      \
    KEEP(made);                             \
    return made;                            \
  }
NEW_SITES(X)
SPECIAL_SITES(X)
#undef X
#define X(name, call)                       \
  SITE name(void *p, size_t n) {            \
    void *made = call;                      \
    KEEP(made);                             \
    return made;                            \
  }
REALLOC_SITES(X)
#undef X

struct NewSite {
  Site id;
  Release release;
  void *(*make)(size_t n, size_t a);
};

constexpr NewSite kNewSites[] = {
#define X(name, release, call) {name##_id, Release::release, name},
    NEW_SITES(X)
#undef X
};

constexpr const char *kSiteNames[kSites] = {
#define X(name, ...) #name,
    NEW_SITES(X) REALLOC_SITES(X) SPECIAL_SITES(X)
#undef X
};

/** The size a site really asks for when it is called with n and a. */
inline size_t AskedFor(Site site, size_t n, size_t a) {
  switch (site) {
    case at_malloc_any_id: return n + n % 7;
    case at_malloc_zero_id: return 0;
    case at_aligned_alloc_id: return (n + a - 1) / a * a;
    case at_pvalloc_id: return (n + 4095) / 4096 * 4096;  // by its definition: whole pages, all for the program
    default: return n;
  }
}

/** Gives a block back by one of the ways that its family allows; `way` is any number. */
inline void GiveBack(void *p, size_t n, size_t a, Release release, unsigned way) {
  const auto alignment = std::align_val_t(a);
  switch (release) {
    case Release::kFree: return free(p);
    case Release::kDelete:
      if (way % 3 == 0) return ::operator delete(p);
      return way % 3 == 1 ? ::operator delete(p, n) : ::operator delete(p, std::nothrow);
    case Release::kDeleteArray: return way % 2 == 0 ? ::operator delete[](p) : ::operator delete[](p, n);
    case Release::kDeleteAligned:
      return way % 2 == 0 ? ::operator delete(p, alignment) : ::operator delete(p, n, alignment);
    case Release::kDeleteArrayAligned:
      return way % 2 == 0 ? ::operator delete[](p, alignment) : ::operator delete[](p, n, alignment);
  }
}
