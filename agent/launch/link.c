/* The lines between launcher and host: whole lines in, whole lines out, never a SIGPIPE. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "launch.h"

/* Longest line: a path (4096 bytes at most) behind a word. */
enum { LINE_BYTES = 8192 };

static int link_fd = -1;
static char pending[LINE_BYTES];
static size_t pending_bytes;

void link_open(int fd) {
  link_fd = fd;
}

void say(const char *format, ...) {
  char line[128];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length >= sizeof line) return;
  /* The socket's buffer holds thousands of such lines; a host that reads none of them gets no more. */
  (void)send(link_fd, line, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool read_lines(void (*handle)(char *line)) {
  ssize_t got = recv(link_fd, pending + pending_bytes, sizeof pending - pending_bytes, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  pending_bytes += (size_t)got;
  char *line = pending;
  char *end;
  while ((end = memchr(line, '\n', pending_bytes - (size_t)(line - pending))) != NULL) {
    *end = '\0';
    handle(line);
    line = end + 1;
  }
  size_t rest = pending_bytes - (size_t)(line - pending);
  memmove(pending, line, rest);
  pending_bytes = rest;
  return rest < sizeof pending;
}
