/*
 * A real leak in a real library, in ten lines: Debian's json-c 0.16 loses a block of length + 1 bytes
 * each time a string object goes from "" to a longer string and back, by json_object_set_string alone.
 *
 * usage: json-c [CYCLES]           so many cycles, 100 per second, each with 100 bytes; 2 000 by default
 *        json-c --steps-from-fd 0  reads "N\n", does N cycles without waiting, answers "ok N\n"
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void cycle(struct json_object *text) {
  char longer[101];
  memset(longer, 'x', 100);
  longer[100] = '\0';
  json_object_set_string(text, longer); /* 101 bytes, on the heap */
  json_object_set_string(text, "");     /* back to the object's own room: those bytes are lost */
}

static int run_by_steps(struct json_object *text) {
  char line[32];
  while (fgets(line, sizeof line, stdin) != NULL) {
    int steps = atoi(line);
    for (int i = 0; i < steps; i++) cycle(text);
    printf("ok %d\n", steps);
    fflush(stdout);
  }
  return 0;
}

int main(int argc, char **argv) {
  struct json_object *text = json_object_new_string("");
  if (argc > 1 && strcmp(argv[1], "--steps-from-fd") == 0) return run_by_steps(text);
  int cycles = argc > 1 ? atoi(argv[1]) : 2000;
  for (int i = 0; i < cycles; i++) {
    cycle(text);
    nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
  }
  json_object_put(text);
  return 0;
}
