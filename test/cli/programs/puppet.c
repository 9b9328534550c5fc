/*
 * Does what the test tells it, word by word, on stdin, and says on stdout when it is done. Signals named as
 * arguments are counted aloud ("got 15"), those behind "ignore" ignored; the others do what they do.
 *
 *   exit N | die SIGNAL | stop | group | raw | leak, forget or work BLOCKS BYTES | map MEGABYTES
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

static void say(const char *word, int number) {
  char line[128];
  int length = snprintf(line, sizeof line, "%s %d\n", word, number);
  (void)!write(STDOUT_FILENO, line, (size_t)length);
}

static void on_signal(int number) {
  say("got", number);
}

/* Each call is an allocation that nobody frees. */
__attribute__((noinline)) static void leak(int blocks, size_t bytes) {
  for (int i = 0; i < blocks; i++) {
    char *volatile lost = malloc(bytes);
    if (lost != NULL) lost[0] = 1;
  }
}

/* One call site that forgets one block of many, as most leaks do. */
__attribute__((noinline)) static void forget(int blocks, size_t bytes) {
  for (int i = 0; i < blocks; i++) {
    char *volatile used = malloc(bytes);
    if (used != NULL) used[0] = 1;
    if (i > 0) free(used);
  }
}

/* A healthy neighbour: what it takes it gives back. */
__attribute__((noinline)) static void work(int blocks, size_t bytes) {
  for (int i = 0; i < blocks; i++) {
    char *volatile used = malloc(bytes);
    if (used != NULL) used[0] = 1;
    free(used);
  }
}

/* Memory that malloc knows nothing of. */
static void map(size_t megabytes) {
  size_t bytes = megabytes << 20;
  char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED) memset(memory, 1, bytes);
}

static void raw(void) {
  struct termios state;
  tcgetattr(STDIN_FILENO, &state);
  cfmakeraw(&state);
  tcsetattr(STDIN_FILENO, TCSANOW, &state);
}

/* A group in the background may not read the terminal: from here on only signals count. */
static void leave_group(void) {
  setpgid(0, 0);
  say("group", 0);
  for (;;) pause();
}

static void obey(char *line) {
  char *word = strtok(line, " \r\n");
  char *first = strtok(NULL, " \r\n");
  char *second = strtok(NULL, " \r\n");
  int number = first == NULL ? 0 : atoi(first);
  size_t bytes = second == NULL ? 0 : (size_t)atol(second);
  if (word == NULL) return;
  if (strcmp(word, "exit") == 0) _exit(number);
  if (strcmp(word, "die") == 0) kill(getpid(), number);
  if (strcmp(word, "stop") == 0) raise(SIGSTOP);
  if (strcmp(word, "group") == 0) leave_group();
  if (strcmp(word, "raw") == 0) raw();
  if (strcmp(word, "map") == 0) map((size_t)number);
  if (strcmp(word, "leak") == 0) leak(number, bytes);
  if (strcmp(word, "forget") == 0) forget(number, bytes);
  if (strcmp(word, "work") == 0) work(number, bytes);
  say(word, number);
}

int main(int argc, char **argv) {
  int ignored = 0;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "ignore") == 0) ignored = 1;
    struct sigaction action = {.sa_handler = ignored ? SIG_IGN : on_signal, .sa_flags = SA_RESTART};
    if (atoi(argv[i]) > 0) sigaction(atoi(argv[i]), &action, NULL);
  }
  static char line[256];
  say("ready", getpid());
  /* By read: stdio would take memory of its own in between. */
  for (size_t used = 0; used + 1 < sizeof line;) {
    ssize_t got = read(STDIN_FILENO, line + used, 1);
    if (got <= 0) break;
    if (line[used++] != '\n' && line[used - 1] != '\r') continue;
    line[used] = '\0';
    used = 0;
    obey(line);
  }
  return 0;
}
