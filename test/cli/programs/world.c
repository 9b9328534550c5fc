/*
 * Prints everything a program inherits, one line each: limits, signals, descriptors, groups, terminal, umask,
 * arguments, environment and the rest. Two starts are alike when their lines are.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

/* Highest descriptor looked at; tests use numbers below it. */
enum { DESCRIPTORS = 512 };

static void limits(void) {
  for (int resource = 0; resource < 16; resource++) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) continue;
    printf("limit %d: %llx %llx\n", resource, (unsigned long long)limit.rlim_cur,
           (unsigned long long)limit.rlim_max);
  }
}

static void status_lines(void) {
  static const char *const names[] = {"SigBlk:", "SigIgn:", "Seccomp:", "NoNewPrivs:", "CapEff:", "Cpus_allowed:"};
  char line[4096];
  FILE *status = fopen("/proc/self/status", "re");
  while (status != NULL && fgets(line, sizeof line, status) != NULL)
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
      if (strncmp(line, names[i], strlen(names[i])) == 0) fputs(line, stdout);
  if (status != NULL) fclose(status);
}

/* Numbers of pipes and the like differ from start to start; that they are the same kind must not. */
static void descriptor(int fd) {
  char name[64];
  char target[4096];
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(name, target, sizeof target - 1);
  target[length < 0 ? 0 : length] = '\0';
  char *number = strchr(target, '[');
  if (number != NULL) *number = '\0';
  printf("descriptor %d: %s flags %x %x offset %lld\n", fd, target, fcntl(fd, F_GETFD), fcntl(fd, F_GETFL),
         (long long)lseek(fd, 0, SEEK_CUR));
}

static void terminal(int fd) {
  struct termios state;
  if (tcgetattr(fd, &state) != 0) return;
  printf("terminal %d: %s %x %x %x %x foreground %d\n", fd, ttyname(fd), state.c_iflag, state.c_oflag,
         state.c_cflag, state.c_lflag, tcgetpgrp(fd) == getpgrp());
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void environment(void) {
  size_t count = 0;
  while (environ[count] != NULL) count++;
  qsort(environ, count, sizeof *environ, by_text);
  /* The test's own variable differs by design. */
  for (size_t i = 0; i < count; i++)
    if (strncmp(environ[i], "SHELL_PID=", 10) != 0) printf("variable %s\n", environ[i]);
}

int main(int argc, char **argv) {
  /* Printed at the end by one write: the stream itself is one of the descriptors looked at. */
  static char everything[1 << 20];
  setvbuf(stdout, everything, _IOFBF, sizeof everything);
  for (int fd = 0; fd < DESCRIPTORS; fd++)
    if (fcntl(fd, F_GETFD) >= 0) descriptor(fd);
  limits();
  status_lines();
  for (int fd = 0; fd < 3; fd++) terminal(fd);
  const char *shell = getenv("SHELL_PID");
  int shell_pid = shell == NULL ? 0 : atoi(shell);
  printf("group of the shell: %d, its session: %d\n", getpgrp() == getpgid(shell_pid),
         getsid(0) == getsid(shell_pid));
  mode_t mask = umask(0);
  printf("umask %o\n", mask);
  printf("nice %d policy %d\n", getpriority(PRIO_PROCESS, 0), sched_getscheduler(0));
  char *folder = getcwd(NULL, 0);
  printf("folder %s\n", folder == NULL ? "none" : folder);
  int death = 0;
  prctl(PR_GET_PDEATHSIG, &death);
  printf("dumpable %d death signal %d timer slack %d subreaper ", prctl(PR_GET_DUMPABLE), death,
         prctl(PR_GET_TIMERSLACK));
  int subreaper = 0;
  prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
  printf("%d personality %x\n", subreaper, (unsigned)personality(0xffffffff));
  for (int i = 0; i < argc; i++) printf("argument %d: %s\n", i, argv[i]);
  environment();
  return 0;
}
