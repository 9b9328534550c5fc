/*
 * The fault sweep: `sweep AGENT TARGET` runs the target bare, then once for every system call that the
 * agent makes in it with that call failing, and once with all from it on failing. Whatever fails, the target
 * behaves as bare, and no file is left behind.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "harness.h"

/* The start makes fewer calls than this; what follows is growth, the same two calls again and again. */
#define EACH 60

static char **arguments;
static char result_path[300], expected[1000];
static int expected_status, seen_runs, unseen_runs, lossy_runs;

/* Runs the target with these variables; its output into `output`. */
static int run(char *const variables[], char *output, size_t size) {
  int pipe_of[2], status;
  if (pipe(pipe_of) != 0) _exit(7);
  pid_t child = fork();
  if (child == 0) {
    dup2(pipe_of[1], STDOUT_FILENO);
    dup2(pipe_of[1], STDERR_FILENO);
    close(pipe_of[0]);
    close(pipe_of[1]);
    execve(arguments[2], &arguments[2], variables);
    _exit(127);
  }
  close(pipe_of[1]);
  size_t n = 0;
  ssize_t got;
  while (n < size - 1 && (got = read(pipe_of[0], output + n, size - 1 - n)) > 0) n += (size_t)got;
  output[n] = 0;
  close(pipe_of[0]);
  waitpid(child, &status, 0);
  return status;
}

static int files_left(void) {
  DIR *d = opendir(getenv("EDLEAK_DIR"));
  int n = 0;
  for (struct dirent *e; d && (e = readdir(d));) n += e->d_name[0] != '.';
  closedir(d);
  return n;
}

/* What the target said of itself; returns the number of the agent's calls. */
static unsigned read_result(void) {
  char text[100] = "", word[20];
  unsigned calls = 0;
  unsigned long long lost = 0;
  int fd = open(result_path, O_RDONLY);
  ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
  if (fd >= 0) close(fd);
  if (n <= 0 || sscanf(text, "%19s %u %llu", word, &calls, &lost) != 3) return 0;
  seen_runs += strcmp(word, "seen") == 0;
  unseen_runs += strcmp(word, "unseen") == 0;
  lossy_runs += lost > 0;
  return calls;
}

/* The Nth call fails by `error` (or all from it on, with "+"). */
static unsigned run_with_fault(unsigned n, const char *plus, int error, char *output, size_t size, int *status) {
  char preload[400], directory[300], result[320], fault[60];
  snprintf(preload, sizeof preload, "LD_PRELOAD=%s", arguments[1]);
  snprintf(directory, sizeof directory, "EDLEAK_DIR=%s", getenv("EDLEAK_DIR"));
  snprintf(result, sizeof result, "RESULT=%s", result_path);
  snprintf(fault, sizeof fault, "EDLEAK_FAULT=%u%s:%d", n, plus, error);
  *status = run((char *[]){preload, directory, result, fault, NULL}, output, size);
  return read_result();
}

static void sweep(const char *plus, int error) {
  char output[1000];
  int status;
  unsigned calls = run_with_fault(0, "", 0, output, sizeof output, &status);
  if (calls < 40) FAIL("the agent made only %u calls: %s", calls, output);
  seen_runs = unseen_runs = lossy_runs = 0;
  for (unsigned n = 1; n <= calls; n += n < EACH ? 1 : 7) {
    unsigned made = run_with_fault(n, plus, error, output, sizeof output, &status);
    if (status != expected_status) FAIL("call %u%s: ended with %#x, bare with %#x: %s", n, plus, status, expected_status, output);
    if (strcmp(output, expected) != 0) FAIL("call %u%s: said %s instead of %s", n, plus, output, expected);
    int left = files_left();
    bool unlink_failed = made <= n || *plus; /* the last call is the removal at the end */
    if (left > 1 || (left == 1 && !unlink_failed)) FAIL("call %u%s: %d files left", n, plus, left);
    if (left) {
      char command[400];
      snprintf(command, sizeof command, "rm -f %s/*", getenv("EDLEAK_DIR"));
      if (system(command) != 0) _exit(7);
    }
  }
  CHECK(seen_runs >= 10);
  CHECK(unseen_runs >= 10);
  if (*plus) CHECK(lossy_runs >= 1);
}

static void bare(void) {
  int status = run((char *[]){NULL}, expected, sizeof expected);
  expected_status = status;
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 4);
}
static void each_call_fails_by_ENOMEM(void) { sweep("", ENOMEM); }
static void each_call_fails_by_EINVAL(void) { sweep("", EINVAL); }
static void each_call_fails_by_EEXIST(void) { sweep("", EEXIST); }
static void all_calls_from_one_on_fail_by_ENOSPC(void) { sweep("+", ENOSPC); }
static void all_calls_from_one_on_fail_by_EINVAL(void) { sweep("+", EINVAL); }

int main(int argc, char **argv) {
  if (argc < 3 || !getenv("EDLEAK_DIR")) return 2;
  test.prefix = "faults";
  arguments = argv;
  snprintf(result_path, sizeof result_path, "%s.result", getenv("EDLEAK_DIR"));
  RUN(bare);
  RUN(each_call_fails_by_ENOMEM);
  RUN(each_call_fails_by_EINVAL);
  RUN(each_call_fails_by_EEXIST);
  RUN(all_calls_from_one_on_fail_by_ENOSPC);
  RUN(all_calls_from_one_on_fail_by_EINVAL);
  unlink(result_path);
  return test_end();
}
