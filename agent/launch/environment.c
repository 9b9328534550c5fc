/*
 * The environment of the target: what it would be without us, plus what the host names.
 *
 * The shell that runs the stub changes variables on the way through (dash drops names that are no
 * identifiers, such as exported functions, and corrects PWD; bash counts SHLVL). /proc still shows what
 * the shell was started with, so the difference can be told and undone. The order of variables and
 * doubled names are not kept.
 *
 * A difference is one word: items in front of which stands a comma. "-NAME" is a variable that the shell
 * added, "=NAME=VALUE" one that it changed or dropped. Everything but letters, digits and "_./:=@-" is %XX.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"

/* Above this the difference would not fit one argument (Linux: 128 KiB), and nothing is undone. */
enum { WORD_BYTES = 96 * 1024 };

static char *read_environ(const char *pid, size_t *bytes) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/environ", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  size_t room = 65536;
  size_t used = 0;
  char *text = malloc(room);
  while (text != NULL) {
    ssize_t got = read(fd, text + used, room - used - 1);
    if (got <= 0) break;
    used += (size_t)got;
    if (room - used > 1) continue;
    room *= 2;
    char *grown = realloc(text, room);
    if (grown == NULL) free(text);
    text = grown;
  }
  close(fd);
  if (text != NULL) text[used] = '\0';
  *bytes = used;
  return text;
}

static bool same_name(const char *a, const char *b) {
  size_t length = strcspn(a, "=");
  return strncmp(a, b, length) == 0 && b[length] == '=';
}

static bool has_entry(char **list, const char *entry) {
  for (; *list != NULL; list++)
    if (strcmp(*list, entry) == 0) return true;
  return false;
}

static bool text_has_name(const char *text, size_t bytes, const char *entry) {
  for (const char *own = text; own < text + bytes; own += strlen(own) + 1)
    if (same_name(own, entry)) return true;
  return false;
}

static char *put_encoded(char *out, const char *limit, const char *text, size_t length) {
  for (size_t i = 0; i < length && out + 3 < limit; i++) {
    unsigned char byte = (unsigned char)text[i];
    if (isalnum(byte) || strchr("_./:=@-", byte) != NULL) *out++ = (char)byte;
    else out += sprintf(out, "%%%02X", byte);
  }
  return out;
}

int print_environment_difference(const char *pid) {
  size_t bytes;
  char *original = read_environ(pid, &bytes);
  char *word = malloc(WORD_BYTES);
  if (original == NULL || word == NULL || bytes == 0) return 0;
  char *out = word;
  const char *limit = word + WORD_BYTES;
  for (char *entry = original; entry < original + bytes; entry += strlen(entry) + 1) {
    if (strchr(entry, '=') == NULL || has_entry(environ, entry)) continue;
    if (limit - out < 8) return 0;
    *out++ = ',';
    *out++ = '=';
    out = put_encoded(out, limit, entry, strlen(entry));
  }
  for (char **now = environ; *now != NULL; now++) {
    if (text_has_name(original, bytes, *now)) continue;
    if (limit - out < 8) return 0;
    *out++ = ',';
    *out++ = '-';
    out = put_encoded(out, limit, *now, strcspn(*now, "="));
  }
  if (limit - out < 8) return 0; /* cut off: better nothing than half a value */
  fwrite(word, 1, (size_t)(out - word), stdout);
  return 0;
}

/* Decodes up to the next comma; NULL when malformed. */
static char *decode_item(const char *from, size_t length) {
  char *item = malloc(length + 1);
  if (item == NULL) return NULL;
  char *out = item;
  for (size_t i = 0; i < length; i++) {
    unsigned byte = (unsigned char)from[i];
    if (byte == '%') {
      if (i + 2 >= length || sscanf(from + i + 1, "%2x", &byte) != 1 || byte == 0) return NULL;
      i += 2;
    }
    *out++ = (char)byte;
  }
  *out = '\0';
  return item;
}

bool apply_environment_difference(const char *word) {
  while (*word == ',') {
    char kind = *++word;
    if (kind != '=' && kind != '-') return false;
    size_t length = strcspn(++word, ",");
    char *item = decode_item(word, length);
    if (item == NULL) return false;
    word += length;
    if (kind == '-') unsetenv(item);
    else if (putenv(item) != 0) return false;
  }
  return *word == '\0';
}

/* An agent of this or another installation: two in one program would count each other's calls. */
static bool is_agent(const char *path, size_t length) {
  const char *slash = memrchr(path, '/', length);
  return strncmp(slash == NULL ? path : slash + 1, "libedleak", strlen("libedleak")) == 0;
}

void preload(const char *library) {
  const char *others = getenv("LD_PRELOAD");
  if (others == NULL) others = "";
  char *value = malloc(strlen(library) + strlen(others) + 2);
  if (value == NULL) return;
  char *out = stpcpy(value, library);
  while (*(others += strspn(others, ": ")) != '\0') {
    size_t length = strcspn(others, ": ");
    if (!is_agent(others, length)) {
      *out++ = ':';
      out = mempcpy(out, others, length);
    }
    others += length;
  }
  *out = '\0';
  setenv("LD_PRELOAD", value, 1);
  free(value);
}

/* Variables that would change Node, or make the host a target of the agent itself. */
static bool kept_from_host(const char *entry) {
  static const char *const names[] = {"NODE_OPTIONS=", "NODE_V8_COVERAGE=", "EDLEAK_CONTROL=", "EDLEAK_COMMAND="};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strncmp(entry, names[i], strlen(names[i])) == 0) return true;
  return strncmp(entry, "LD_PRELOAD=", 11) == 0 && strstr(entry, "/libedleak.so") != NULL;
}

char **host_environment(const char *command, int control_fd) {
  size_t count = 0;
  while (environ[count] != NULL) count++;
  char **list = malloc((count + 3) * sizeof *list);
  if (list == NULL) return environ;
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (!kept_from_host(environ[i])) list[kept++] = environ[i];
  if (asprintf(&list[kept], "EDLEAK_CONTROL=%d", control_fd) >= 0) kept++;
  if (asprintf(&list[kept], "EDLEAK_COMMAND=%s", command) >= 0) kept++;
  list[kept] = NULL;
  return list;
}
