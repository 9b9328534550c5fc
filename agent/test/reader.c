/* The tests' reader of segments: see reader.h. */
#define _GNU_SOURCE
#include "reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void read_at(const struct reader *r, void *to, size_t bytes, uint64_t offset) {
  memset(to, 0, bytes);
  if (pread(r->fd, to, bytes, (off_t)offset) < 0) _exit(44);
}

static bool write_at(const struct reader *r, const void *from, size_t bytes, uint64_t offset) {
  return pwrite(r->fd, from, bytes, (off_t)offset) == (ssize_t)bytes;
}

/* Takes "<boot id>-<pid>-<start>[-<image>]" apart; the image number, or -1 when it is another process. */
static int image_of(const char *name, pid_t pid) {
  unsigned boot, image = 0;
  unsigned long long start;
  int seen_pid;
  int n = sscanf(name, "%8x-%d-%llu-%u", &boot, &seen_pid, &start, &image);
  return n >= 3 && seen_pid == pid ? (int)image : -1;
}

/* No opendir: it allocates. */
static int youngest(const char *directory, pid_t pid, char *path, size_t size) {
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), best = -1;
  char buffer[8192];
  long n;
  while (fd >= 0 && (n = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0)
    for (long at = 0; at < n;) {
      struct dirent64 *d = (struct dirent64 *)(buffer + at);
      int image = image_of(d->d_name, pid);
      if (image > best) {
        best = image;
        snprintf(path, size, "%s/%s", directory, d->d_name);
      }
      at += d->d_reclen;
    }
  if (fd >= 0) close(fd);
  return best;
}

bool reader_open_path(struct reader *r, const char *path) {
  r->fd = open(path, O_RDWR | O_CLOEXEC);
  if (r->fd < 0) return false;
  reader_refresh(r);
  if (r->header.magic == EDL_SEGMENT_MAGIC && r->header.layout_version == EDL_LAYOUT_VERSION &&
      r->header.state != EDL_STATE_MAKING)
    return true;
  reader_close(r);
  return false;
}

bool reader_open(struct reader *r, pid_t pid) {
  char path[600];
  const char *directory = getenv("EDLEAK_DIR");
  r->fd = -1;
  return directory && youngest(directory, pid, path, sizeof path) >= 0 && reader_open_path(r, path);
}

void reader_close(struct reader *r) {
  close(r->fd);
  r->fd = -1;
}

void reader_refresh(struct reader *r) { read_at(r, &r->header, sizeof r->header, 0); }

struct edl_allocer reader_record(struct reader *r, uint32_t id) {
  struct edl_allocer record;
  read_at(r, &record, sizeof record, r->header.allocers_offset + id * sizeof record);
  return record;
}

struct edl_evidence reader_evidence(struct reader *r, uint32_t id) {
  struct edl_evidence evidence;
  uint32_t index = reader_record(r, id).evidence;
  memset(&evidence, 0, sizeof evidence);
  if (index) read_at(r, &evidence, sizeof evidence, r->header.evidence_offset + (index - 1) * sizeof evidence);
  return evidence;
}

/* Ids from..to-1, over all shards that were ever in use. */
static struct totals sum_of(struct reader *r, uint32_t from, uint32_t to) {
  static struct edl_shard shards[EDL_SHARDS];
  static struct edl_line lines[READER_ALLOCERS];
  static struct edl_evidence evidence[READER_ALLOCERS];
  struct totals t = {0};
  reader_refresh(r);
  if (to > r->header.allocers_issued) to = r->header.allocers_issued;
  if (to - from > READER_ALLOCERS || r->header.evidence_issued > READER_ALLOCERS) _exit(44);
  read_at(r, shards, sizeof shards, r->header.shards_offset);
  for (uint32_t s = 0; s < r->header.shard_count; s++) {
    if (shards[s].kind == EDL_SHARD_UNUSED) continue;
    read_at(r, lines, (to - from) * sizeof lines[0],
            r->header.lines_offset + s * r->header.shard_stride + from * sizeof lines[0]);
    for (uint32_t i = 0; i < to - from; i++) {
      t.allocs += lines[i].allocs0 + lines[i].allocs1;
      t.bytes += lines[i].bytes0 + lines[i].bytes1;
      t.frees += lines[i].frees0 + lines[i].frees1;
      t.freed_bytes += lines[i].freed_bytes0 + lines[i].freed_bytes1;
    }
  }
  read_at(r, evidence, r->header.evidence_issued * sizeof evidence[0], r->header.evidence_offset);
  for (uint32_t i = 0; i < r->header.evidence_issued; i++) {
    if (evidence[i].allocer < from || evidence[i].allocer >= to) continue;
    t.frees += evidence[i].old_frees;
    t.freed_bytes += evidence[i].old_freed_bytes;
  }
  return t;
}

struct totals reader_allocer(struct reader *r, uint32_t id) { return sum_of(r, id, id + 1); }
struct totals reader_all(struct reader *r) { return sum_of(r, 0, UINT32_MAX); }

int reader_find(struct reader *r, const void *code, size_t bytes) {
  reader_refresh(r);
  for (uint32_t id = 1; id < r->header.allocers_issued; id++)
    if (reader_record(r, id).key[0] - (uintptr_t)code < bytes) return (int)id;
  return -1;
}

uint64_t reader_loss(struct reader *r, enum edl_loss reason) {
  reader_refresh(r);
  return r->header.losses[reason];
}

bool reader_open_generation(struct reader *r, uint32_t generation) {
  uint8_t slot = (uint8_t)(generation % EDL_BIRTH_SLOTS);
  uint64_t word = generation | (uint64_t)~generation << 32;
  return write_at(r, &slot, sizeof slot, r->header.slot_of_gen_offset + generation) &&
         write_at(r, &generation, sizeof generation, r->header.slice_of_gen_offset + 4 * generation) &&
         write_at(r, &word, sizeof word, r->header.control_offset);
}

static void attribute(struct births *births, uint32_t shard, uint32_t id, uint64_t latch, struct edl_line now) {
  struct edl_line *before = &births->before[shard][id];
  uint32_t generation[2] = {latch & 0xfff, latch >> 12 & 0xfff};
  births->allocs[id][generation[0]] += now.allocs0 - before->allocs0;
  births->bytes[id][generation[0]] += now.bytes0 - before->bytes0;
  births->frees[id][generation[0]] += now.frees0 - before->frees0;
  births->allocs[id][generation[1]] += now.allocs1 - before->allocs1;
  births->bytes[id][generation[1]] += now.bytes1 - before->bytes1;
  births->frees[id][generation[1]] += now.frees1 - before->frees1;
  *before = now;
}

static uint64_t latch_of(const struct reader *r, uint32_t shard) {
  struct edl_shard header;
  read_at(r, &header, sizeof header, r->header.shards_offset + shard * sizeof header);
  return header.latch;
}

void reader_slice(struct reader *r, struct births *births) {
  static struct edl_line lines[READER_ALLOCERS];
  reader_refresh(r);
  uint32_t count = r->header.allocers_issued < READER_ALLOCERS ? r->header.allocers_issued : READER_ALLOCERS;
  for (uint32_t s = 0; s < r->header.shard_count; s++) {
    uint64_t latch;
    int tries = 0;
    do {
      latch = latch_of(r, s);
      read_at(r, lines, count * sizeof lines[0], r->header.lines_offset + s * r->header.shard_stride);
    } while (latch_of(r, s) != latch && ++tries < 100);
    births->unstable += tries == 100;
    for (uint32_t id = 0; id < count; id++) attribute(births, s, id, latch, lines[id]);
  }
}

struct tag_seen reader_tag(const void *block) {
  size_t usable = malloc_usable_size((void *)block); /* without the tag, and without the size word if there is one */
  for (unsigned before = 0; before <= 8; before += 8) {
    const char *at = (const char *)block + usable + before;
    uint64_t word;
    memcpy(&word, at, sizeof word);
    word ^= (uintptr_t)at >> 3;
    struct tag_seen seen = {(uint32_t)(word >> EDL_TAG_ALLOCER_SHIFT) & 0xffffffu,
                            (uint32_t)(word >> EDL_TAG_GENERATION_SHIFT),
                            (uint32_t)(word >> EDL_TAG_SLACK_SHIFT) & 15u};
    bool in_word = seen.slack == 15;
    if (seen.field != 0 && seen.field < READER_ALLOCERS && in_word == (before == 8)) return seen;
  }
  return (struct tag_seen){0};
}
