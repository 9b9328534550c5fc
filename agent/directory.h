/* The directory that holds the segments of one user, and this process's place in it. */
#ifndef EDL_DIRECTORY_H
#define EDL_DIRECTORY_H
#include <stdbool.h>
#include <stdint.h>

struct edl_directory_entry {
  char path[600];
  char run_id[32];
  char boot_id[40];
  uint32_t pid;
  uint32_t uid;
  uint64_t start_time;
  uint64_t pid_namespace;
  uint64_t free_bytes; /* of the file system */
  bool keep;           /* EDLEAK_KEEP: the file outlives a normal end */
};

/* Creates the segment's file; a descriptor (the caller closes it), or a negative number. */
int edl_directory_create(struct edl_directory_entry *entry);
void edl_directory_remove(const struct edl_directory_entry *entry);

#endif
