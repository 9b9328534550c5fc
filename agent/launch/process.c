/* Starting the two processes, and ending as one of them ended. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

/* Closes all descriptors from 3 up but two (-1 for none). */
static void close_all_but(int kept1, int kept2) {
  int low = kept1 < kept2 ? kept1 : kept2;
  int high = kept1 < kept2 ? kept2 : kept1;
#ifdef SYS_close_range
  unsigned from = 3;
  bool done = true;
  for (int i = 0; i < 2; i++) {
    int kept = i == 0 ? low : high;
    if (kept < (int)from) continue;
    if (kept > (int)from && syscall(SYS_close_range, from, kept - 1, 0) != 0) done = false;
    from = (unsigned)kept + 1;
  }
  if (done && syscall(SYS_close_range, from, UINT32_MAX, 0) == 0) return;
#endif
  DIR *open_files = opendir("/proc/self/fd");
  if (open_files == NULL) return;
  for (struct dirent *entry; (entry = readdir(open_files)) != NULL;) {
    int fd = atoi(entry->d_name);
    if (fd >= 3 && fd != low && fd != high && fd != dirfd(open_files)) close(fd);
  }
  closedir(open_files);
}

static void null_device_as(int fd, int flags) {
  int null_fd = open("/dev/null", flags);
  if (null_fd < 0 || null_fd == fd) return;
  dup2(null_fd, fd);
  close(null_fd);
}

void release_descriptors(int kept1, int kept2) {
  null_device_as(STDIN_FILENO, O_RDONLY);
  null_device_as(STDOUT_FILENO, O_WRONLY);
  close_all_but(kept1, kept2);
}

/* A limit meant for the target (ulimit -v, -f ...) must not stop the host, which needs more. */
static void raise_soft_limits(void) {
  static const int resources[] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_CPU, RLIMIT_NOFILE, RLIMIT_NPROC};
  for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
    struct rlimit limit;
    if (getrlimit(resources[i], &limit) != 0) continue;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(resources[i], &limit);
  }
}

static _Noreturn void become_host(char **argv, const char *command, int control_fd) {
  /* Own session: no signal of the terminal reaches the host, and it may write there at any time. */
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  raise_soft_limits();
  null_device_as(STDIN_FILENO, O_RDONLY);
  fcntl(control_fd, F_SETFD, 0);
  close_all_but(control_fd, -1);
  execve(argv[0], argv, host_environment(command, control_fd));
  dprintf(STDERR_FILENO, "edleak: Cannot start Node (\"%s\"): %s\n", argv[0], strerror(errno));
  _exit(125);
}

pid_t start_host(char **argv, const char *command, int control_fd) {
  pid_t pid = fork();
  if (pid == 0) become_host(argv, command, control_fd);
  return pid;
}

static _Noreturn void become_target(char **argv, const struct inherited *inherited, int failure_fd) {
  signal(SIGCHLD, inherited->child_signal_ignored ? SIG_IGN : SIG_DFL);
  sigprocmask(SIG_SETMASK, &inherited->mask, NULL);
  execvp(argv[0], argv);
  int why = errno;
  (void)!write(failure_fd, &why, sizeof why);
  _exit(127);
}

int start_target(char **argv, const struct inherited *inherited, pid_t *pid) {
  /* The pipe closes itself at exec; what comes out of it before is the errno of a failed exec. */
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  *pid = fork();
  if (*pid == 0) become_target(argv, inherited, ends[1]);
  int why = *pid < 0 ? errno : 0;
  close(ends[1]);
  int told;
  if (*pid > 0 && read(ends[0], &told, sizeof told) == (ssize_t)sizeof told) why = told;
  close(ends[0]);
  return why;
}

static void unblock(int number) {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  sigprocmask(SIG_UNBLOCK, &one, NULL);
}

_Noreturn void die_of(int number) {
  signal(number, SIG_DFL);
  kill(getpid(), number);
  unblock(number);
  /* Still here: process 1 of a container, which no default action ends. */
  _exit(128 + number);
}

void stop_by(int number) {
  sigset_t before;
  sigprocmask(SIG_BLOCK, NULL, &before);
  kill(getpid(), number);
  if (number != SIGSTOP) unblock(number);
  sigprocmask(SIG_SETMASK, &before, NULL);
}
