/* How each function of hooks.def is called: one `call_NAME` for every name, made of the shapes in every-hook.c. */

CALL_MALLOC(malloc, f_free)
CALL_CALLOC(calloc, f_free)
CALL_REALLOC(realloc, f_free)
static void *reallocarray_of(void *p, size_t n) { return n % 4 ? f_reallocarray(p, n, 1) : f_reallocarray(p, n / 4, 4); }
static void call_reallocarray(void) {
  resize_all(reallocarray_of, f_free, false);
  void *p = f_malloc(10);
  begin();
  errno = 0;
  CHECK(f_reallocarray(p, SIZE_MAX / 2, 3) == NULL);
  if (IS_GLIBC) CHECK_EQUAL(errno, ENOMEM);
  EXPECT("overflow", 0, 0, 0, 0);
  f_free(p);
}
CALL_FREE(free, f_malloc(n), f_free(p))
CALL_FREE(cfree, f_malloc(n), f_cfree(p))
CALL_FREE(free_sized, f_malloc(n), f_free_sized(p, n))
CALL_FREE(free_aligned_sized, f_memalign(64, n), f_free_aligned_sized(p, 64, n))
CALL_ALIGNED(memalign, f_memalign(a, n), n, f_free(p))
CALL_ALIGNED(aligned_alloc, f_aligned_alloc(a, bytes), (n + a - 1) / a * a, f_free(p))
CALL_POSIX(posix_memalign)
#define WHOLE_PAGES ((n + 4095) / 4096 * 4096)
static void *valloc_of(size_t a, size_t n) { return a == 4096 ? f_valloc(n) : f_memalign(a, n); }
CALL_ALIGNED(valloc, valloc_of(a, n), n, f_free(p))
static void *pvalloc_of(size_t a, size_t n) { return a == 4096 ? f_pvalloc(n) : f_memalign(a, n); }
CALL_ALIGNED(pvalloc_tracked, pvalloc_of(a, n), a == 4096 ? WHOLE_PAGES : n, f_free(p))
/* jemalloc has none: the block is of another heap, and can only be lost. */
static void call_pvalloc(void) {
  if (!strstr(reader.header.allocator, "jemalloc")) {
    call_pvalloc_tracked();
    return;
  }
  begin();
  CHECK(IS_ALIGNED(f_pvalloc(100), 4096));
  EXPECT("pvalloc of another heap", 0, 0, 0, 0);
}
CALL_USABLE(malloc_usable_size, f_malloc_usable_size(p))

/* glibc's names are of another heap than malloc when the allocator behind the agent has not taken them over. */
#define IS_FOREIGN (reader.header.coverage_flags & EDL_COVERAGE_FOREIGN_LIBC_MALLOC)
#define CALL_GLIBC(name, call)                    \
  static void call_##name(void) {                 \
    if (!IS_FOREIGN) {                            \
      call_##name##_tracked();                    \
      return;                                     \
    }                                             \
    begin();                                      \
    void *p = NULL;                               \
    call;                                         \
    CHECK(p != NULL);                             \
    memset(p, 1, 100);                            \
    f___libc_free(p);                             \
    EXPECT(#name " of another heap", 0, 0, 0, 0); \
  }
#define call___libc_malloc call___libc_malloc_tracked
CALL_MALLOC(__libc_malloc, f___libc_free)
#undef call___libc_malloc
CALL_GLIBC(__libc_malloc, p = f___libc_malloc(100))
#define call___libc_calloc call___libc_calloc_tracked
CALL_CALLOC(__libc_calloc, f___libc_free)
#undef call___libc_calloc
CALL_GLIBC(__libc_calloc, p = f___libc_calloc(10, 10))
#define call___libc_realloc call___libc_realloc_tracked
CALL_REALLOC(__libc_realloc, f___libc_free)
#undef call___libc_realloc
CALL_GLIBC(__libc_realloc, p = f___libc_realloc(f___libc_malloc(10), 100))
static void call___libc_free_tracked(void) {
  call___libc_malloc_tracked();
  f___libc_free(NULL);
}
CALL_GLIBC(__libc_free, p = f___libc_malloc(100))
static void call___libc_cfree_tracked(void) {
  begin();
  ALLOCATES(f___libc_malloc(100), 100, f___libc_cfree);
}
CALL_GLIBC(__libc_cfree, f___libc_cfree(f___libc_malloc(1)); p = f___libc_malloc(100))
CALL_ALIGNED(__libc_memalign_tracked, f___libc_memalign(a, n), n, f___libc_free(p))
CALL_GLIBC(__libc_memalign, p = f___libc_memalign(64, 100))
static void *libc_valloc_of(size_t a, size_t n) { return a == 4096 ? f___libc_valloc(n) : f___libc_memalign(a, n); }
CALL_ALIGNED(__libc_valloc_tracked, libc_valloc_of(a, n), n, f___libc_free(p))
CALL_GLIBC(__libc_valloc, p = f___libc_valloc(100))
static void *libc_pvalloc_of(size_t a, size_t n) { return a == 4096 ? f___libc_pvalloc(n) : f___libc_memalign(a, n); }
CALL_ALIGNED(__libc_pvalloc_tracked, libc_pvalloc_of(a, n), a == 4096 ? WHOLE_PAGES : n, f___libc_free(p))
CALL_GLIBC(__libc_pvalloc, p = f___libc_pvalloc(100))
static void *f___posix_memalign_of(size_t a, size_t n) {
  void *p = NULL;
  return f___posix_memalign(&p, a, n) == 0 ? p : NULL;
}
CALL_ALIGNED(__posix_memalign_tracked, f___posix_memalign_of(a, n), n, f_free(p))
static void call___posix_memalign(void) {
  call___posix_memalign_tracked(); /* glibc has no such name: posix_memalign stands in */
}

/* The standard operators are not linked into a C program: those of the allocator, or malloc's memory. */
#define NOTHROW "n" /* any address will do for the reference to std::nothrow */
CALL_MALLOC(_Znwm, f__ZdlPv)
CALL_MALLOC(_Znam, f__ZdaPv)
static void *new_nothrow(size_t n) { return f__ZnwmRKSt9nothrow_t(n, NOTHROW); }
static void *new_array_nothrow(size_t n) { return f__ZnamRKSt9nothrow_t(n, NOTHROW); }
#define CALL_NEW(name, call, release)  \
  static void call_##name(void) {      \
    begin();                           \
    EACH_SIZE {                        \
      ALLOCATES(call, n, release);     \
    }                                  \
    CHECK(!test.failed);               \
  }
CALL_NEW(_ZnwmRKSt9nothrow_t, new_nothrow(n), f__ZdlPv)
CALL_NEW(_ZnamRKSt9nothrow_t, new_array_nothrow(n), f__ZdaPv)
CALL_ALIGNED(_ZnwmSt11align_val_t, f__ZnwmSt11align_val_t(n, a), n, f__ZdlPvSt11align_val_t(p, a))
CALL_ALIGNED(_ZnamSt11align_val_t, f__ZnamSt11align_val_t(n, a), n, f__ZdaPvSt11align_val_t(p, a))
CALL_ALIGNED(_ZnwmSt11align_val_tRKSt9nothrow_t, f__ZnwmSt11align_val_tRKSt9nothrow_t(n, a, NOTHROW), n,
             f__ZdlPvSt11align_val_t(p, a))
CALL_ALIGNED(_ZnamSt11align_val_tRKSt9nothrow_t, f__ZnamSt11align_val_tRKSt9nothrow_t(n, a, NOTHROW), n,
             f__ZdaPvSt11align_val_t(p, a))
CALL_FREE(_ZdlPv, f__Znwm(n), f__ZdlPv(p))
CALL_FREE(_ZdaPv, f__Znam(n), f__ZdaPv(p))
CALL_FREE(_ZdlPvRKSt9nothrow_t, f__Znwm(n), f__ZdlPvRKSt9nothrow_t(p, NOTHROW))
CALL_FREE(_ZdaPvRKSt9nothrow_t, f__Znam(n), f__ZdaPvRKSt9nothrow_t(p, NOTHROW))
CALL_FREE(_ZdlPvm, f__Znwm(n), f__ZdlPvm(p, n))
CALL_FREE(_ZdaPvm, f__Znam(n), f__ZdaPvm(p, n))
#define NEW_64 f__ZnwmSt11align_val_t(n, 64)
#define NEW_ARRAY_64 f__ZnamSt11align_val_t(n, 64)
CALL_FREE(_ZdlPvSt11align_val_t, NEW_64, f__ZdlPvSt11align_val_t(p, 64))
CALL_FREE(_ZdaPvSt11align_val_t, NEW_ARRAY_64, f__ZdaPvSt11align_val_t(p, 64))
CALL_FREE(_ZdlPvSt11align_val_tRKSt9nothrow_t, NEW_64, f__ZdlPvSt11align_val_tRKSt9nothrow_t(p, 64, NOTHROW))
CALL_FREE(_ZdaPvSt11align_val_tRKSt9nothrow_t, NEW_ARRAY_64, f__ZdaPvSt11align_val_tRKSt9nothrow_t(p, 64, NOTHROW))
CALL_FREE(_ZdlPvmSt11align_val_t, NEW_64, f__ZdlPvmSt11align_val_t(p, n, 64))
CALL_FREE(_ZdaPvmSt11align_val_t, NEW_ARRAY_64, f__ZdaPvmSt11align_val_t(p, n, 64))

/* jemalloc: sizes from 1, a null pointer is nobody's. */
#define ALIGN(a) __builtin_ctzl(a)
#define ZERO 64
#define AT_LEAST_1 (n ? n : 1)
CALL_ALIGNED(mallocx, f_mallocx(bytes, ALIGN(a)), AT_LEAST_1, f_dallocx(p, 0))
static void *rallocx_of(void *p, size_t n) {
  return p ? f_rallocx(p, n ? n : 1, 0) : f_malloc(n);
}
static void *rallocx_zero_of(void *p, size_t n) {
  return p ? f_rallocx(p, n ? n : 1, ZERO) : f_calloc(1, n);
}
static void call_rallocx(void) {
  resize_all(rallocx_of, f_free, false);
  if (!test.failed) resize_all(rallocx_zero_of, f_free, true);
}
/* In place or not at all: the answer is what may be used. */
static void call_xallocx(void) {
  begin();
  EACH_SIZE {
    for (size_t extra = 0; extra <= 4096; extra += 2048) {
      size_t bytes = AT_LEAST_1;
      unsigned char *p = f_malloc(bytes);
      USE_ALL(p, bytes);
      size_t was = f_malloc_usable_size(p), is = f_xallocx(p, bytes * 2, extra, 0);
      CHECK_EQUAL(is, f_malloc_usable_size(p));
      CHECK(is >= bytes && (is >= was || is >= bytes * 2));
      for (size_t k = 0; k < bytes; k++) CHECK(p[k] == 0xa5);
      USE_ALL(p, bytes);
      f_free(p);
    }
  }
  struct totals now = reader_all(&reader);
  CHECK_EQUAL(now.allocs - before.allocs, now.frees - before.frees);
  CHECK_EQUAL(now.bytes - before.bytes, now.freed_bytes - before.freed_bytes);
}
CALL_USABLE(sallocx, f_sallocx(p, 0))
static void call_dallocx(void) {
  begin();
  ALLOCATES(f_mallocx(100, ZERO), 100, f_free);
  void *p = f_malloc(200);
  f_dallocx(p, 0);
  EXPECT("dallocx", 1, 200, 1, 200);
}
static void call_sdallocx(void) {
  begin();
  EACH_SIZE {
    size_t bytes = AT_LEAST_1;
    void *p = f_mallocx(bytes, 0);
    USE_ALL(p, bytes);
    f_sdallocx(p, bytes, 0);
    EXPECT("sdallocx", 1, bytes, 1, bytes);
  }
}
/* All of what is promised may be used. */
static void call_nallocx(void) {
  begin();
  for (size_t n = 1; n < 70000; n += n < 2000 ? 1 : 997) {
    size_t promised = f_nallocx(n, 0);
    CHECK(promised >= n);
    void *p = f_malloc(n);
    CHECK(f_malloc_usable_size(p) >= promised);
    memset(p, 1, promised);
    f_free(p);
    p = f_malloc(promised);
    memset(p, 1, promised);
    f_free(p);
  }
  struct totals now = reader_all(&reader);
  CHECK_EQUAL(now.allocs - before.allocs, now.frees - before.frees);
  CHECK_EQUAL(reader_loss(&reader, EDL_LOSS_UNKNOWN_FREES), 0);
}

CALL_MALLOC(tc_malloc, f_tc_free)
CALL_MALLOC(tc_malloc_skip_new_handler, f_tc_free)
CALL_CALLOC(tc_calloc, f_tc_free)
CALL_REALLOC(tc_realloc, f_tc_free)
CALL_FREE(tc_free, f_tc_malloc(n), f_tc_free(p))
CALL_FREE(tc_free_sized, f_tc_malloc(n), f_tc_free_sized(p, n))
CALL_FREE(tc_cfree, f_tc_malloc(n), f_tc_cfree(p))
CALL_ALIGNED(tc_memalign, f_tc_memalign(a, n), n, f_tc_free(p))
CALL_POSIX(tc_posix_memalign)
static void *tc_valloc_of(size_t a, size_t n) { return a == 4096 ? f_tc_valloc(n) : f_tc_memalign(a, n); }
CALL_ALIGNED(tc_valloc, tc_valloc_of(a, n), n, f_tc_free(p))
static void *tc_pvalloc_of(size_t a, size_t n) { return a == 4096 ? f_tc_pvalloc(n) : f_tc_memalign(a, n); }
CALL_ALIGNED(tc_pvalloc, tc_pvalloc_of(a, n), a == 4096 ? WHOLE_PAGES : n, f_tc_free(p))
CALL_USABLE(tc_malloc_size, f_tc_malloc_size(p))
CALL_MALLOC(tc_new, f_tc_delete)
CALL_MALLOC(tc_newarray, f_tc_deletearray)
CALL_NEW(tc_new_nothrow, f_tc_new_nothrow(n, NOTHROW), f_tc_delete)
CALL_NEW(tc_newarray_nothrow, f_tc_newarray_nothrow(n, NOTHROW), f_tc_deletearray)
CALL_ALIGNED(tc_new_aligned, f_tc_new_aligned(n, a), n, f_tc_delete_aligned(p, a))
CALL_ALIGNED(tc_newarray_aligned, f_tc_newarray_aligned(n, a), n, f_tc_deletearray_aligned(p, a))
CALL_ALIGNED(tc_new_aligned_nothrow, f_tc_new_aligned_nothrow(n, a, NOTHROW), n, f_tc_delete_aligned(p, a))
CALL_ALIGNED(tc_newarray_aligned_nothrow, f_tc_newarray_aligned_nothrow(n, a, NOTHROW), n, f_tc_deletearray_aligned(p, a))
CALL_FREE(tc_delete, f_tc_new(n), f_tc_delete(p))
CALL_FREE(tc_deletearray, f_tc_newarray(n), f_tc_deletearray(p))
CALL_FREE(tc_delete_sized, f_tc_new(n), f_tc_delete_sized(p, n))
CALL_FREE(tc_deletearray_sized, f_tc_newarray(n), f_tc_deletearray_sized(p, n))
CALL_FREE(tc_delete_nothrow, f_tc_new(n), f_tc_delete_nothrow(p, NOTHROW))
CALL_FREE(tc_deletearray_nothrow, f_tc_newarray(n), f_tc_deletearray_nothrow(p, NOTHROW))
CALL_FREE(tc_delete_aligned, f_tc_new_aligned(n, 64), f_tc_delete_aligned(p, 64))
CALL_FREE(tc_deletearray_aligned, f_tc_newarray_aligned(n, 64), f_tc_deletearray_aligned(p, 64))
CALL_FREE(tc_delete_sized_aligned, f_tc_new_aligned(n, 64), f_tc_delete_sized_aligned(p, n, 64))
CALL_FREE(tc_deletearray_sized_aligned, f_tc_newarray_aligned(n, 64), f_tc_deletearray_sized_aligned(p, n, 64))
CALL_FREE(tc_delete_aligned_nothrow, f_tc_new_aligned(n, 64), f_tc_delete_aligned_nothrow(p, 64, NOTHROW))
CALL_FREE(tc_deletearray_aligned_nothrow, f_tc_newarray_aligned(n, 64), f_tc_deletearray_aligned_nothrow(p, 64, NOTHROW))

#define CALL_ZALLOC(name)                     \
  static void *name##_of(size_t count, size_t size) { \
    size_t n;                                 \
    if (!__builtin_mul_overflow(count, size, &n)) return f_##name(n); \
    errno = ENOMEM;                           \
    return NULL;                              \
  }                                           \
  static void *(*f_##name##_of)(size_t, size_t) = name##_of;
CALL_MALLOC(mi_malloc, f_mi_free)
CALL_ZALLOC(mi_zalloc)
CALL_CALLOC(mi_zalloc_of, f_mi_free)
static void call_mi_zalloc(void) { call_mi_zalloc_of(); }
CALL_MALLOC(mi_malloc_small, f_mi_free)
CALL_ZALLOC(mi_zalloc_small)
CALL_CALLOC(mi_zalloc_small_of, f_mi_free)
static void call_mi_zalloc_small(void) { call_mi_zalloc_small_of(); }
CALL_CALLOC(mi_calloc, f_mi_free)
CALL_NEW(mi_mallocn, f_mi_mallocn(n, 1), f_mi_free)
CALL_REALLOC(mi_realloc, f_mi_free)
static void call_mi_reallocf_kept(void) { resize_all(f_mi_reallocf, f_mi_free, false); }
static void call_mi_reallocf(void) {
  call_mi_reallocf_kept();
  begin();
  void *p = f_mi_malloc(100);
  CHECK(f_mi_reallocf(p, SIZE_MAX - 4096) == NULL);
  EXPECT("reallocf that fails", 1, 100, 1, 100);
}
static void *mi_reallocn_of(void *p, size_t n) { return f_mi_reallocn(p, n, 1); }
static void call_mi_reallocn(void) { resize_all(mi_reallocn_of, f_mi_free, false); }
static void *mi_reallocarray_of(void *p, size_t n) { return f_mi_reallocarray(p, n, 1); }
static void call_mi_reallocarray(void) { resize_all(mi_reallocarray_of, f_mi_free, false); }
static void call_mi_rezalloc(void) { resize_all(f_mi_rezalloc, f_mi_free, true); }
static void *mi_recalloc_of(void *p, size_t n) { return f_mi_recalloc(p, n, 1); }
static void call_mi_recalloc(void) { resize_all(mi_recalloc_of, f_mi_free, true); }
CALL_FREE(mi_free, f_mi_malloc(n), f_mi_free(p))
CALL_FREE(mi_cfree, f_mi_malloc(n), f_mi_cfree(p))
CALL_FREE(mi_free_size, f_mi_malloc(n), f_mi_free_size(p, n))
CALL_FREE(mi_free_size_aligned, f_mi_malloc_aligned(n, 64), f_mi_free_size_aligned(p, n, 64))
CALL_FREE(mi_free_aligned, f_mi_malloc_aligned(n, 64), f_mi_free_aligned(p, 64))
CALL_USABLE(mi_usable_size, f_mi_usable_size(p))
CALL_USABLE(mi_malloc_usable_size, f_mi_malloc_usable_size(p))
CALL_USABLE(mi_malloc_size, f_mi_malloc_size(p))
CALL_ALIGNED(mi_malloc_aligned, f_mi_malloc_aligned(n, a), n, f_mi_free(p))
static void *mi_zalloc_aligned_of(size_t n, size_t a) {
  void *p = f_mi_zalloc_aligned(n, a);
  return p && is_zero(p, n) ? p : NULL;
}
CALL_ALIGNED(mi_zalloc_aligned, mi_zalloc_aligned_of(n, a), n, f_mi_free(p))
CALL_ALIGNED(mi_memalign, f_mi_memalign(a, n), n, f_mi_free(p))
CALL_ALIGNED(mi_aligned_alloc, f_mi_aligned_alloc(a, bytes), (n + a - 1) / a * a, f_mi_free(p))
CALL_POSIX(mi_posix_memalign)
CALL_MALLOC(mi_new, f_mi_free)
CALL_MALLOC(mi_new_nothrow, f_mi_free)
CALL_ALIGNED(mi_new_aligned, f_mi_new_aligned(n, a), n, f_mi_free(p))
CALL_ALIGNED(mi_new_aligned_nothrow, f_mi_new_aligned_nothrow(n, a), n, f_mi_free(p))
