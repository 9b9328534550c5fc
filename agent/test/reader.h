/*
 * A small reader of segments, and the host's part of a generation: what the tests judge the agent by.
 * Reads by pread as the host does (a mapping would fill the holes of the file), never allocates.
 */
#ifndef EDL_TEST_READER_H
#define EDL_TEST_READER_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../gen/abi.h"

#define READER_GENERATIONS 64 /* each in its own birth slot */
#define READER_ALLOCERS 256

struct totals {
  uint64_t allocs, bytes, frees, freed_bytes;
};

struct reader {
  int fd;
  struct edl_header header; /* as last read */
};

/* The youngest segment of this process in EDLEAK_DIR; false when there is none. */
bool reader_open(struct reader *r, pid_t pid);
bool reader_open_path(struct reader *r, const char *path);
void reader_close(struct reader *r);
void reader_refresh(struct reader *r);

struct totals reader_all(struct reader *r);
struct totals reader_allocer(struct reader *r, uint32_t id);
struct edl_allocer reader_record(struct reader *r, uint32_t id);
/* Id of the allocer whose return address lies in `bytes` bytes from `code` on; -1 when there is none. */
int reader_find(struct reader *r, const void *code, size_t bytes);
uint64_t reader_loss(struct reader *r, enum edl_loss reason);

/* The host's part: opens a generation, in a birth slot and at a slice of the same number; false without room for it. */
bool reader_open_generation(struct reader *r, uint32_t generation);

/* Births by generation, collected slice by slice: at most one generation opened between two of them. */
struct births {
  uint64_t allocs[READER_ALLOCERS][READER_GENERATIONS], bytes[READER_ALLOCERS][READER_GENERATIONS];
  uint64_t frees[READER_ALLOCERS][READER_GENERATIONS]; /* within the generation of birth */
  uint64_t unstable; /* shards whose latch never stood still while they were read */
  struct edl_line before[EDL_SHARDS][READER_ALLOCERS];
};
void reader_slice(struct reader *r, struct births *births);
struct edl_evidence reader_evidence(struct reader *r, uint32_t id);

/* What the tag behind a live block says; `field` 0 when there is none (it isn't checked by its key). */
struct tag_seen {
  uint32_t field, generation, slack;
};
struct tag_seen reader_tag(const void *block);

#endif
