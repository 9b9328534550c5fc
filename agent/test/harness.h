/*
 * A C test: cases by name, one line each ("ok NAME", "not ok NAME: why", "skip NAME: why").
 * A failed check says where and ends its case; threads report through their return value.
 */
#ifndef EDL_TEST_HARNESS_H
#define EDL_TEST_HARNESS_H
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Weak, so that all files of a program share one. */
__attribute__((weak)) struct test_state {
  const char *prefix, *name;
  char why[256];
  bool failed, skipped;
  int failures;
} test;

/* Output goes straight to the descriptor: stdio would allocate inside what is being counted. */
static inline void test_line(const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (n >= (int)sizeof text) n = sizeof text - 1;
  if (write(STDOUT_FILENO, text, (size_t)n) != n) _exit(3);
}

static inline void test_fail(const char *file, int line, const char *format, ...) {
  if (test.failed) return;
  test.failed = true;
  int n = snprintf(test.why, sizeof test.why, "%s:%d: ", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line);
  va_list args;
  va_start(args, format);
  vsnprintf(test.why + n, sizeof test.why - (size_t)n, format, args);
  va_end(args);
}

#define FAIL(...)                               \
  do {                                          \
    test_fail(__FILE__, __LINE__, __VA_ARGS__); \
    return;                                     \
  } while (0)
#define CHECK(condition) \
  do {                   \
    if (!(condition)) FAIL("%s", #condition); \
  } while (0)
#define CHECK_EQUAL(actual, expected)                                                              \
  do {                                                                                             \
    long long a_ = (long long)(actual), e_ = (long long)(expected);                                \
    if (a_ != e_) FAIL("%s is %lld (%#llx), not %s = %lld", #actual, a_, a_, #expected, e_);       \
  } while (0)
#define SKIP(why_)                                                \
  do {                                                            \
    test.skipped = true;                                          \
    snprintf(test.why, sizeof test.why, "%s", why_);              \
    return;                                                       \
  } while (0)

#define RUN(function) test_run(#function, function)
static inline void test_run(const char *name, void (*function)(void)) {
  test.failed = test.skipped = false;
  test.name = name;
  function();
  const char *prefix = test.prefix ? test.prefix : "", *slash = test.prefix ? ": " : "";
  if (test.failed) test_line("not ok %s%s%s: %s\n", prefix, slash, name, test.why);
  else if (test.skipped) test_line("skip %s%s%s: %s\n", prefix, slash, name, test.why);
  else test_line("ok %s%s%s\n", prefix, slash, name);
  test.failures += test.failed;
}

static inline int test_end(void) { return test.failures != 0; }

#endif
