/*
 * Every way to make a child: it never changes its parent's segment and stops counting; the parent goes on exactly.
 *
 * The parent holds still while a child works, so its segment must stay the same, byte for byte.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "storm.h"

extern char **environ;
__attribute__((weak)) pid_t _Fork(void); /* glibc from 2.34 on */

static struct reader reader;
static struct books books[1];
static struct block *kept[20];
static unsigned char *before, *after; /* copies of the segment, without its holes */
static size_t copied;

/* All pages that hold anything; a child's page would show as a difference, too. */
static void copy_segment(unsigned char *to) {
  copied = 0;
  reader_refresh(&reader);
  for (off_t at = 0; (at = lseek(reader.fd, at, SEEK_DATA)) >= 0;) {
    off_t end = lseek(reader.fd, at, SEEK_HOLE);
    if (pread(reader.fd, to + copied, (size_t)(end - at), at) != end - at) _exit(7);
    copied += (size_t)(end - at);
    at = end;
  }
}

/* What a child does: everything that would count, on blocks of its own and of its parent. */
static void child_works(void) {
  for (int i = 0; i < 300; i++) {
    struct block *block = storm_make(books, i % 5, 40 + (size_t)i * 300);
    block = storm_resize(books, block, 100);
    storm_drop(books, block);
  }
  for (int i = 0; i < 10; i++) kept[i] = storm_resize(books, kept[i], 3000);
  for (int i = 0; i < 20; i++) storm_drop(books, kept[i]);
  char *p = malloc(16);
  p[16] = 1; /* an overrun that must not be counted in the parent's record */
  p = realloc(p, 500);
  free(p);
}

static void expect_untouched(pid_t child) {
  int status;
  CHECK(child > 0);
  CHECK(waitpid(child, &status, __WALL) == child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) FAIL("the child ended with %#x", status);
  copy_segment(after);
  CHECK(memcmp(before, after, copied) == 0);
}

/* The parent's own books still agree, after some more events. */
static void expect_exact(void) {
  struct totals t = {0};
  for (int i = 0; i < 50; i++) storm_drop(books, storm_make(books, SITE_MALLOC, 64));
  t = reader_all(&reader);
  uint64_t allocs = 0, frees = 0;
  for (int site = 0; site < SITES; site++) allocs += books->allocs[site], frees += books->frees[site];
  static uint64_t others; /* of the C library: known from the first time on */
  if (!others) others = t.allocs - allocs - (t.frees - frees);
  CHECK_EQUAL(t.allocs - t.frees - others, allocs - frees);
}

#define IN_CHILD(make)                        \
  do {                                        \
    copy_segment(before);                     \
    pid_t child_ = make;                      \
    if (child_ == 0) {                        \
      child_works();                          \
      _exit(0);                               \
    }                                         \
    expect_untouched(child_);                 \
    if (!test.failed) expect_exact();         \
  } while (0)

static pid_t raw_clone(unsigned long flags) {
#if defined(__x86_64__)
  return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);
#else
  return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, 0, NULL);
#endif
}

static void by_fork(void) { IN_CHILD(fork()); }
static void by__Fork(void) {
  if (!_Fork) SKIP("the C library has no _Fork");
  IN_CHILD(_Fork());
}
static void by_raw_clone(void) { IN_CHILD(raw_clone(0)); }

/* The first event is the free, or the resize, of a block that was overrun: counted by nobody. */
static void first_event_is_an_overrun(void) {
  for (int way = 0; way < 2; way++) {
    char *p = malloc(16);
    p[16] = 1;
    copy_segment(before);
    pid_t child = raw_clone(0);
    if (child == 0) {
      if (way) free(p);
      else free(realloc(p, 100));
      _exit(0);
    }
    expect_untouched(child);
    p[16] = 0;
    free(p);
  }
}

static void a_child_that_ends_by_exit(void) {
  copy_segment(before);
  pid_t child = raw_clone(0);
  if (child == 0) exit(0); /* destructors run: they must not remove the parent's file */
  expect_untouched(child);
  char name[600];
  snprintf(name, sizeof name, "/proc/self/fd/%d", reader.fd);
  char target[600] = "";
  CHECK(readlink(name, target, sizeof target - 1) > 0);
  CHECK(!strstr(target, "(deleted)"));
}

static void *child_thread_works(void *arg) {
  child_works();
  return arg;
}

static void a_child_with_threads(void) {
  copy_segment(before);
  pid_t child = fork();
  if (child == 0) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, child_thread_works, NULL) != 0 || pthread_join(thread, NULL) != 0) _exit(1);
    _exit(0);
  }
  expect_untouched(child);
}

/* The thread that forks isn't the main one, and returns from its function in the child: its exit handlers run. */
static _Atomic pid_t forked;
static void *fork_and_return(void *arg) {
  free(malloc(10));
  pid_t child = arg ? raw_clone(0) : fork();
  if (child != 0) forked = child;
  return NULL;
}
static void a_thread_that_ends_in_the_child(void) {
  for (uintptr_t raw = 0; raw < 2; raw++) {
    pthread_t thread;
    copy_segment(before);
    pthread_create(&thread, NULL, fork_and_return, (void *)raw);
    pthread_join(thread, NULL);
    int status;
    CHECK(waitpid(forked, &status, 0) == forked);
    CHECK(WIFEXITED(status));
  }
  expect_exact();
}

static void grandchildren(void) {
  copy_segment(before);
  pid_t child = fork();
  if (child == 0) {
    child_works();
    int status;
    pid_t grandchild = fork();
    if (grandchild == 0) {
      free(malloc(100));
      _exit(0);
    }
    _exit(waitpid(grandchild, &status, 0) == grandchild && status == 0 ? 0 : 1);
  }
  expect_untouched(child);
}

/* Shares the memory: its events are the parent's. */
static void by_vfork(void) {
  pid_t child = vfork();
  if (child == 0) {
    storm_drop(books, storm_make(books, SITE_MALLOC, 99));
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  expect_exact();
}

static void by_vfork_and_exec(void) {
  for (volatile int i = 0; i < 5; i++) {
    pid_t child = vfork();
    if (child == 0) {
      execl("/bin/true", "true", (char *)NULL);
      _exit(1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
  }
  expect_exact();
}

static void by_posix_spawn(void) {
  pid_t child;
  int status;
  CHECK(posix_spawn(&child, "/bin/true", NULL, NULL, (char *[]){"true", NULL}, environ) == 0);
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  expect_exact();
}

static void by_system_and_popen(void) {
  CHECK(system("true") == 0);
  FILE *f = popen("echo hello", "r");
  char word[10] = "";
  CHECK(f && fscanf(f, "%9s", word) == 1 && strcmp(word, "hello") == 0);
  CHECK(pclose(f) == 0);
  expect_exact();
}

static void by_daemon(void) {
  int pipe_of[2];
  char done = 0;
  CHECK(pipe(pipe_of) == 0);
  copy_segment(before);
  pid_t child = fork();
  if (child == 0) {
    if (daemon(1, 1) != 0) _exit(1);
    child_works();
    _exit(write(pipe_of[1], "x", 1) != 1);
  }
  close(pipe_of[1]);
  CHECK(read(pipe_of[0], &done, 1) == 1); /* the daemon has done its work */
  close(pipe_of[0]);
  expect_untouched(child);
}

/* In the child all of the segment is private: nothing of the file is mapped there any more. */
static void the_child_lets_go(void) {
  copy_segment(before);
  pid_t child = fork();
  if (child == 0) {
    free(malloc(1));
    char line[1000];
    FILE *maps = fopen("/proc/self/maps", "r");
    int found = 0;
    while (maps && fgets(line, sizeof line, maps)) found += strstr(line, getenv("EDLEAK_DIR")) != NULL;
    _exit(found != 0);
  }
  expect_untouched(child);
}

int main(int argc, char **argv) {
  test.prefix = argc > 1 ? argv[1] : "fork";
  if (!storm_begin(&reader)) return 2;
  size_t room = reader.header.file_bytes;
  before = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  after = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  for (int i = 0; i < 20; i++) kept[i] = storm_make(books, i % 5, 40);
  RUN(by_fork);
  RUN(by__Fork);
  RUN(by_raw_clone);
  RUN(first_event_is_an_overrun);
  RUN(a_child_that_ends_by_exit);
  RUN(a_child_with_threads);
  RUN(a_thread_that_ends_in_the_child);
  RUN(grandchildren);
  RUN(by_vfork);
  RUN(by_vfork_and_exec);
  RUN(by_posix_spawn);
  RUN(by_system_and_popen);
  RUN(by_daemon);
  RUN(the_child_lets_go);
  return test_end();
}
