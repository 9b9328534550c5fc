/*
 * Creates this process's file in the segment directory: /dev/shm/edleak-<euid> or EDLEAK_DIR.
 *
 * The directory must be the user's own, mode 0700, no symbolic link, on tmpfs unless EDLEAK_DIR says
 * otherwise, and below its caps; if not, the process goes unseen.
 */
#define _GNU_SOURCE
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "agent.h"
#include "libc.h"
#include "sys.h"

#define TMPFS_MAGIC 0x01021994
#define TMPFS_ENTRY_BYTES 20 /* what a tmpfs directory's size grows by for each file */
#define SCAN_FROM_FILES 512  /* below this many files the byte cap can't be near */
#define IMAGES 64            /* programs that one process may replace itself by and still be seen */

static char *put_text(char *at, const char *end, const char *text) {
  while (*text && at < end - 1) *at++ = *text++;
  *at = 0;
  return at;
}

static char *put_number(char *at, const char *end, uint64_t value) {
  char digits[21], *d = digits + sizeof digits - 1;
  *d = 0;
  do *--d = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  return put_text(at, end, d);
}

static size_t read_file(const char *path, char *buffer, size_t size) {
  long fd = edl_sys4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return 0;
  long n = edl_sys3(SYS_read, fd, buffer, size - 1);
  edl_sys1(SYS_close, fd);
  if (n < 0) n = 0;
  buffer[n] = 0;
  return (size_t)n;
}

/* Field 22 of /proc/self/stat; the program's name (field 2) may hold anything, so count from its end. */
static uint64_t own_start_time(void) {
  char text[512];
  size_t n = read_file("/proc/self/stat", text, sizeof text);
  const char *at = n ? strrchr(text, ')') : NULL;
  for (unsigned field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
  uint64_t value = 0;
  for (at = at ? at + 1 : ""; *at >= '0' && *at <= '9'; at++) value = value * 10 + (uint64_t)(*at - '0');
  return value;
}

static void identify(struct edl_directory_entry *entry) {
  struct stat st;
  entry->pid = (uint32_t)edl_sys0(SYS_getpid);
  entry->uid = (uint32_t)edl_sys0(SYS_geteuid);
  entry->start_time = own_start_time();
  if (edl_sys4(SYS_newfstatat, AT_FDCWD, "/proc/self/ns/pid", &st, 0) == 0)
    entry->pid_namespace = st.st_ino;
  size_t n = read_file("/proc/sys/kernel/random/boot_id", entry->boot_id, sizeof entry->boot_id);
  if (n && entry->boot_id[n - 1] == '\n') entry->boot_id[n - 1] = 0;
  const char *run = edl_env("EDLEAK_RUN");
  if (run) put_text(entry->run_id, entry->run_id + sizeof entry->run_id, run);
  const char *keep = edl_env("EDLEAK_KEEP");
  entry->keep = keep && *keep && strcmp(keep, "0") != 0;
}

/* Bytes that the files of a well-filled directory occupy. */
static uint64_t occupied_bytes(int fd) {
  struct linux_dirent64 {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
  };
  static char buffer[16384];
  uint64_t bytes = 0;
  for (;;) {
    long n = edl_sys3(SYS_getdents64, fd, buffer, sizeof buffer);
    if (n <= 0) return bytes;
    for (long at = 0; at < n;) {
      const struct linux_dirent64 *d = (const struct linux_dirent64 *)(buffer + at);
      struct stat st;
      if (edl_sys4(SYS_newfstatat, fd, d->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        bytes += (uint64_t)st.st_blocks * 512;
      at += d->reclen;
    }
  }
}

static bool directory_ok(int fd, struct edl_directory_entry *entry, bool chosen) {
  struct stat st;
  struct statfs fs;
  if (edl_sys2(SYS_fstat, fd, &st) != 0 || edl_sys2(SYS_fstatfs, fd, &fs) != 0) return false;
  if (st.st_uid != entry->uid || (st.st_mode & 0077) != 0) return false;
  if (fs.f_type != TMPFS_MAGIC && !chosen) return false;
  entry->free_bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
  if (fs.f_type != TMPFS_MAGIC) return true;
  if (fs.f_blocks == 0) entry->free_bytes = UINT64_MAX; /* tmpfs without a size limit */
  uint64_t files = (uint64_t)st.st_size / TMPFS_ENTRY_BYTES;
  if (files >= EDL_DIRECTORY_FILES) return false;
  return files < SCAN_FROM_FILES || occupied_bytes(fd) < EDL_DIRECTORY_BYTES;
}

/* The segment of the program that this process was before exec: its end, for which nobody waits. */
static bool is_abandoned(long directory, const char *name) {
  long fd = edl_sys4(SYS_openat, directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
  if (fd < 0) return false;
  char run_id = 1;
  uint32_t lease = 1;
  edl_sys4(SYS_pread64, fd, &run_id, sizeof run_id, offsetof(struct edl_header, run_id));
  edl_sys4(SYS_pread64, fd, &lease, sizeof lease,
           EDL_CONTROL_OFFSET + offsetof(struct edl_control, lease_ever_held));
  edl_sys1(SYS_close, fd);
  return run_id == 0 && lease == 0;
}

static long create_named(long directory, const char *name) {
  return edl_sys4(SYS_openat, directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* <directory>/<boot id, 8 digits>-<pid>-<start time>; with -<image> after exec, which keeps both. */
static long create_file(int directory, struct edl_directory_entry *entry, char *name) {
  const char *end = entry->path + sizeof entry->path;
  char boot[9] = {0};
  memcpy(boot, entry->boot_id, 8);
  char *at = put_text(name, end, boot);
  at = put_number(put_text(at, end, "-"), end, entry->pid);
  at = put_number(put_text(at, end, "-"), end, entry->start_time);
  for (unsigned image = 0; image < IMAGES; image++) {
    if (image) put_number(put_text(at, end, "-"), end, image);
    long fd = create_named(directory, name);
    if (fd == -EEXIST && !entry->keep && is_abandoned(directory, name)) {
      edl_sys3(SYS_unlinkat, directory, name, 0);
      fd = create_named(directory, name);
    }
    if (fd != -EEXIST) return fd;
  }
  return -EEXIST;
}

int edl_directory_create(struct edl_directory_entry *entry) {
  identify(entry);
  const char *chosen = edl_env("EDLEAK_DIR");
  const char *end = entry->path + sizeof entry->path - 64; /* room for the name */
  char *at;
  if (chosen && chosen[0] == '/') {
    at = put_text(entry->path, end, chosen);
    if (at == end - 1) return -ENAMETOOLONG;
  } else {
    at = put_number(put_text(entry->path, end, "/dev/shm/edleak-"), end, entry->uid);
    edl_sys3(SYS_mkdirat, AT_FDCWD, entry->path, 0700);
  }
  long directory = edl_sys4(SYS_openat, AT_FDCWD, entry->path,
                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
  if (directory < 0) return (int)directory;
  long fd = -EPERM;
  if (directory_ok((int)directory, entry, chosen != NULL)) {
    at = put_text(at, entry->path + sizeof entry->path, "/");
    fd = create_file((int)directory, entry, at);
  }
  edl_sys1(SYS_close, directory);
  return (int)fd;
}

void edl_directory_remove(const struct edl_directory_entry *entry) {
  edl_sys3(SYS_unlinkat, AT_FDCWD, entry->path, 0);
}
