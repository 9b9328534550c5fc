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
/* Lines that wait for a busy host: the kernel itself holds some 270 of them, however short. */
enum { UNSENT_BYTES = 4096 };

static int link_fd = -1;
static char pending[LINE_BYTES];
static size_t pending_bytes;
static char unsent[UNSENT_BYTES];
static size_t unsent_bytes;

void link_open(int fd) {
  link_fd = fd;
}

void send_lines(void) {
  if (unsent_bytes == 0) return;
  ssize_t sent = send(link_fd, unsent, unsent_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
  size_t gone = sent < 0 ? unsent_bytes : (size_t)sent; /* nobody is there any more, or taken */
  unsent_bytes -= gone;
  memmove(unsent, unsent + gone, unsent_bytes);
}

bool lines_wait(void) {
  return unsent_bytes > 0;
}

void say(const char *format, ...) {
  size_t room = sizeof unsent - unsent_bytes;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(unsent + unsent_bytes, room, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length >= room) return;
  unsent_bytes += (size_t)length;
  send_lines();
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
