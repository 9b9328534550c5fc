/*
 * edleak-launch: the process that a user sees as `edleak run`, between the shell stub and Node.
 *
 *   bin/edleak (sh) --exec--> edleak-launch --fork--> Node, "the host": its own session, its own stdio
 *                                   |
 *                                   +--fork, on the host's word--> the target
 *
 * The target is forked from a process that Node has never run in, so everything a program inherits
 * (limits, ignored and blocked signals, descriptors, terminal, argv and environ byte by byte) is there
 * without being recorded and put back; docs/decisions/0003-launcher.md has the alternatives.
 *
 * Guarantees:
 * 1. The target differs from a bare start in the environment variables that the host names, and in its parent.
 * 2. The launcher ends as the target ended, also when the host crashed: the host can't take the target down.
 * 3. It holds no descriptor of the target but stderr while the target runs.
 * 4. Only the launcher sends signals to the target, and only before it has reaped it: never to a reused pid.
 *
 * The stub hands over what its shell did to the environment in the variable that follows `--host`: as an argument it
 * would be there for everybody to read, and it has values of variables.
 *
 * Host and launcher talk in lines of words over a socket, `EDLEAK_CONTROL` in the host's environment.
 *   host:     preload PATH | set NAME=VALUE | start ARGUMENT-INDEX | kill SIGNAL | terminal
 *             capabilities PATH | end [STATUS]
 *   launcher: started PID | failed ERRNO | stopped | continued | exited STATUS | killed SIGNAL
 *             signal SIGNAL | hurry | terminal none|cooked|raw COLUMNS | capabilities yes|no
 */
#ifndef EDL_LAUNCH_H
#define EDL_LAUNCH_H
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* What was inherited and must be given on; filled once, before anything is changed. */
struct inherited {
  sigset_t mask;
  bool child_signal_ignored;
};

/* environment.c */

/* Prints, as one word, how the environment of process `pid` at its start differs from ours. */
int print_environment_difference(const char *pid);
/* Undoes such a difference in `environ`; false when the word is malformed. */
bool apply_environment_difference(const char *word);
/* Puts `library` in front of LD_PRELOAD. */
void preload(const char *library);
/* The environment for Node: ours without what is meant for the target. The caller owns the array. */
char **host_environment(const char *command, int control_fd);

/* process.c */

/* Starts Node with the arguments; it gets /dev/null as stdin, our stdout and stderr, and `control_fd`.
   `command` is how the user called edleak, to be repeated in what the host says. */
pid_t start_host(char **argv, const char *command, int control_fd);
/* Starts the target: 0 and its pid, or the errno of what failed. */
int start_target(char **argv, const struct inherited *inherited, pid_t *pid);
/* Lets go of everything the target was given, but stderr; `kept` are ours. */
void release_descriptors(int kept1, int kept2);
/* Ends this process as a program ends that signal `number` killed. */
_Noreturn void die_of(int number);
/* Stops this process by the signal that stopped the target, until somebody continues it. */
void stop_by(int number);

/* link.c: the lines to and from the host. */

void link_open(int fd);
/* Sends one line, now or when the host takes it; silently nothing when the host is gone. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Sends what waits, as far as the host takes it. */
void send_lines(void);
/* True while lines wait. */
bool lines_wait(void);
/* Reads what is there and hands each whole line to `handle`; false at the end of the stream. */
bool read_lines(void (*handle)(char *line));

#endif
