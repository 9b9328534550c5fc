/* The launcher's life: one loop over the host's requests, the children's ends and the signals we are sent. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

#include "launch.h"

static struct {
  struct inherited inherited;
  char **arguments; /* of the whole command, as we got them; the host names the target's by index */
  int argument_count;
  int control_fd, signal_fd;
  pid_t host, target; /* 0 before the start and after the end */
  bool target_started, target_stopped, host_ended;
  int target_status, host_status;
  bool end_asked;
  int end_status;  /* -1: as the target ended */
  int presses;     /* of Ctrl-C while the target lived */
  int late_signals; /* that ask us to end although only the report is missing */
} run = {.end_status = -1};

static const int HANDLED[] = {SIGCHLD, SIGINT,  SIGQUIT, SIGTERM, SIGHUP,  SIGUSR1,
                              SIGUSR2, SIGWINCH, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE};

static bool is_ignored(int number) {
  struct sigaction action;
  return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* From here on signals are read from a descriptor; those that were ignored stay ignored, as in the target. */
static int open_signals(void) {
  run.inherited.child_signal_ignored = is_ignored(SIGCHLD);
  signal(SIGCHLD, SIG_DFL); /* ignored, the kernel would reap our children itself */
  sigset_t handled;
  sigemptyset(&handled);
  for (size_t i = 0; i < sizeof HANDLED / sizeof *HANDLED; i++) sigaddset(&handled, HANDLED[i]);
  sigprocmask(SIG_BLOCK, &handled, &run.inherited.mask);
  int fd = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
  return fd;
}

/* Moves a descriptor out of 0 to 2, where it would be taken for a stream the user had closed. */
static int above_streams(int fd) {
  if (fd < 0 || fd > STDERR_FILENO) return fd;
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  close(fd);
  return moved;
}

/* True when a signal of the terminal has reached the target already, since it went to its group. */
static bool target_shares_group(void) {
  return getpgid(run.target) == getpgrp();
}

static void to_target(int number) {
  if (run.target > 0) kill(run.target, number);
}

static void reap_target(int status) {
  if (WIFSTOPPED(status)) {
    run.target_stopped = true;
    say("stopped\n");
    stop_by(WSTOPSIG(status));
  } else if (WIFCONTINUED(status)) {
    run.target_stopped = false;
    say("continued\n");
  } else {
    run.target = 0;
    run.target_status = status;
    if (WIFEXITED(status)) say("exited %d\n", WEXITSTATUS(status));
    else say("killed %d\n", WTERMSIG(status));
  }
}

static void reap_host(int status) {
  if (!WIFEXITED(status) && !WIFSIGNALED(status)) return;
  run.host = 0;
  run.host_ended = true;
  run.host_status = status;
  if (run.target_started && !run.end_asked)
    dprintf(STDERR_FILENO, "edleak: The host has ended by itself: the program is unwatched from here on\n");
}

static void reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
    if (pid == run.target) reap_target(status);
    else if (pid == run.host) reap_host(status);
  }
}

/* The core-dumping ones: we don't die of them ourselves, that would write a second core. */
static bool dumps_core(int number) {
  static const int numbers[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS,
                                SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (numbers[i] == number) return true;
  return false;
}

static _Noreturn void end_as_target(void) {
  if (WIFEXITED(run.target_status)) exit(WEXITSTATUS(run.target_status));
  int number = WTERMSIG(run.target_status);
  /* The second and third Ctrl-C are ours to translate: for the caller it stays an interrupt. */
  bool escalated = run.presses > 1 && (number == SIGTERM || number == SIGKILL);
  if (escalated) number = SIGINT;
  if (dumps_core(number)) exit(128 + number);
  die_of(number);
}

static _Noreturn void end_as_host(void) {
  if (WIFEXITED(run.host_status)) exit(WEXITSTATUS(run.host_status));
  dprintf(STDERR_FILENO, "edleak: Node ended by signal %d before the program was started\n",
          WTERMSIG(run.host_status));
  exit(125);
}

static void end_host(void) {
  /* It has written and renamed everything before it says "end"; its exit handlers would only reset a
     terminal that the target may have changed on purpose. */
  if (run.host > 0) kill(run.host, SIGKILL);
  while (run.host > 0 && waitpid(run.host, NULL, 0) < 0 && errno == EINTR) continue;
  run.host = 0;
}

/* Ends the launcher when nothing is left to wait for. */
static void end_if_done(void) {
  if (run.target > 0) return;
  if (!run.target_started) {
    if (run.host_ended) end_as_host();
    return;
  }
  if (run.end_asked) {
    end_host();
    if (run.end_status >= 0) exit(run.end_status);
  } else if (!run.host_ended) {
    return;
  }
  end_as_target();
}

static void say_terminal(void) {
  struct termios state;
  struct winsize size = {0};
  if (tcgetattr(STDERR_FILENO, &state) != 0) {
    say("terminal none 0\n");
    return;
  }
  ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
  say("terminal %s %d\n", state.c_lflag & ICANON ? "cooked" : "raw", size.ws_col);
}

/* Node has no getxattr; what counts is only that there is something exec might grant. */
static void say_capabilities(const char *path) {
  char some[64];
  say("capabilities %s\n", getxattr(path, "security.capability", some, sizeof some) > 0 ? "yes" : "no");
}

static void start(int index) {
  if (run.target_started || index <= 0 || index >= run.argument_count) return;
  int why = start_target(run.arguments + index, &run.inherited, &run.target);
  if (why != 0) {
    if (run.target > 0) waitpid(run.target, NULL, 0);
    run.target = 0;
    say("failed %d\n", why);
    return;
  }
  run.target_started = true;
  say("started %d\n", (int)run.target);
  release_descriptors(run.control_fd, run.signal_fd);
}

/* What must end can't stay stopped: a signal waits until the process goes on. */
static void end_target(int number) {
  to_target(number);
  if (run.target_stopped) to_target(SIGCONT);
}

static void on_request(char *line) {
  char *data = strchr(line, ' ');
  if (data != NULL) *data++ = '\0';
  if (strcmp(line, "preload") == 0 && data != NULL) preload(data);
  else if (strcmp(line, "set") == 0 && data != NULL) putenv(strdup(data));
  else if (strcmp(line, "start") == 0 && data != NULL) start(atoi(data));
  else if (strcmp(line, "kill") == 0 && data != NULL) end_target(atoi(data));
  else if (strcmp(line, "capabilities") == 0 && data != NULL) say_capabilities(data);
  else if (strcmp(line, "terminal") == 0) say_terminal();
  else if (strcmp(line, "end") == 0) {
    run.end_asked = true;
    run.end_status = data == NULL ? -1 : atoi(data) & 0xff;
  }
}

/* For people only, and they may come by the thousand: not worth a place among lines that wait. */
static void say_signal(int number) {
  if (!lines_wait()) say("signal %d\n", number);
}

/* Ctrl-C: the program has it already; the second asks in earnest, the third doesn't ask. */
static void on_key_press(void) {
  run.presses++;
  if (run.presses == 1 && !target_shares_group()) to_target(SIGINT);
  if (run.presses == 2) end_target(SIGTERM);
  if (run.presses >= 3) end_target(SIGKILL);
  say_signal(SIGINT);
}

static void on_signal_while_running(int number, bool from_terminal) {
  if (number == SIGINT && from_terminal) {
    on_key_press();
  } else if (number == SIGCONT) {
    reap(); /* `fg` continues the whole group: perhaps it runs already */
    if (run.target_stopped) to_target(SIGCONT);
  } else if (!from_terminal || !target_shares_group()) {
    to_target(number);
    say_signal(number);
  }
}

static void on_signal_before_start(int number) {
  if (number == SIGTSTP || number == SIGTTIN || number == SIGTTOU) stop_by(number);
  if (number != SIGINT && number != SIGTERM && number != SIGHUP && number != SIGQUIT) return;
  end_host();
  if (dumps_core(number)) exit(128 + number);
  die_of(number);
}

/* The target has ended, its report is being made: nothing is lost by one signal, and nobody is kept by two. */
static void on_signal_after_end(int number) {
  if (number != SIGINT && number != SIGTERM && number != SIGQUIT) return;
  say("hurry\n");
  if (++run.late_signals >= 2) run.end_asked = true;
}

static void on_signals(void) {
  struct signalfd_siginfo info;
  while (read(run.signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
    int number = (int)info.ssi_signo;
    reap();
    if (number == SIGCHLD || number == SIGPIPE) continue; /* SIGPIPE: nobody reads our own words */
    if (run.target > 0) on_signal_while_running(number, info.ssi_code == SI_KERNEL);
    else if (run.target_started) on_signal_after_end(number);
    else on_signal_before_start(number);
  }
}

static _Noreturn void serve(void) {
  struct pollfd watched[2] = {{.fd = run.signal_fd, .events = POLLIN}, {.fd = run.control_fd, .events = POLLIN}};
  for (;;) {
    end_if_done();
    watched[1].events = (short)(POLLIN | (lines_wait() ? POLLOUT : 0));
    if (poll(watched, 2, -1) < 0 && errno != EINTR) exit(125);
    if (watched[0].revents != 0) on_signals();
    if ((watched[1].revents & POLLOUT) != 0) send_lines();
    if ((watched[1].revents & ~POLLOUT) != 0 && !read_lines(on_request)) watched[1].fd = -1;
  }
}

/* Undoes the changes of the environment that a variable holds, and removes it. */
static bool undo_changes(const char *variable) {
  const char *value = getenv(variable);
  char *changes = strdup(value == NULL ? "" : value);
  unsetenv(variable);
  bool ok = changes != NULL && apply_environment_difference(changes);
  free(changes);
  return ok;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "--environment-of") == 0) return print_environment_difference(argv[2]);
  if (argc < 6 || strcmp(argv[1], "--host") != 0 || !undo_changes(argv[2])) {
    dprintf(STDERR_FILENO, "edleak: The launcher is started by bin/edleak\n");
    return 125;
  }
  int ends[2];
  run.signal_fd = above_streams(open_signals());
  if (run.signal_fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    dprintf(STDERR_FILENO, "edleak: Cannot start the host: %s\n", strerror(errno));
    return 125;
  }
  run.control_fd = above_streams(ends[0]);
  int host_fd = above_streams(ends[1]);
  run.arguments = argv;
  run.argument_count = argc;
  link_open(run.control_fd);
  run.host = start_host(argv + 4, argv[3], host_fd);
  if (run.host < 0) {
    dprintf(STDERR_FILENO, "edleak: Cannot start the host: %s\n", strerror(errno));
    return 125;
  }
  close(host_fd);
  serve();
}
