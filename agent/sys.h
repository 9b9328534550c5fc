/*
 * System calls of the agent, made directly: errno is never touched, nothing of libc is needed, and a
 * test build (EDL_FAULTS) can make the Nth of them fail.
 *
 * Results are the kernel's: a value, or a negative error number.
 */
#ifndef EDL_SYS_H
#define EDL_SYS_H
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#ifdef EDL_FAULTS
/* Negative error number that this call must return instead of being made, or 0. In test/faults.c. */
long edl_fault(long number);
#define EDL_TRY_FAULT(number)        \
  do {                               \
    long fault_ = edl_fault(number); \
    if (fault_) return fault_;       \
  } while (0)
#else
#define EDL_TRY_FAULT(number) (void)0
#endif

static inline long edl_sys6(long n, long a, long b, long c, long d, long e, long f) {
  EDL_TRY_FAULT(n);
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
#else
#error "edleak supports x86-64 and aarch64"
#endif
}

#define edl_sys0(n) edl_sys6((n), 0, 0, 0, 0, 0, 0)
#define edl_sys1(n, a) edl_sys6((n), (long)(a), 0, 0, 0, 0, 0)
#define edl_sys2(n, a, b) edl_sys6((n), (long)(a), (long)(b), 0, 0, 0, 0)
#define edl_sys3(n, a, b, c) edl_sys6((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define edl_sys4(n, a, b, c, d) edl_sys6((n), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

static inline void *edl_mmap(void *at, size_t bytes, int protection, int flags, int fd) {
  long result = edl_sys6(SYS_mmap, (long)at, (long)bytes, protection, flags, fd, 0);
  return result < 0 && result > -4096 ? NULL : (void *)result;
}

#endif
