/*
 * A forked child stops counting at once and never writes to its parent's segment.
 *
 * The page of edl_hot and `alive` reads as zeros in a child (MADV_WIPEONFORK), whatever call made it: fork,
 * _Fork, raw clone. A vfork child or one that shares memory is not wiped: the heap is the parent's, and so
 * are its events. A pid test would get that wrong. The atfork handler is an earlier trigger for fork alone; it
 * also holds where wiping is only pretended (user-mode emulators).
 */
#include <sys/mman.h>

#include "agent.h"
#include "libc.h"
#include "sys.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

static const _Atomic uint64_t never = 1; /* matches no edl_hot: its key is not mixed in */

void edl_fork_child(void) {
  if (atomic_load(&edl.mode) != EDL_LIVE) return;
  edl_threads_forget();
  atomic_store(&edl.mode, EDL_OFF);
  edl.fast_control = &never;
  edl.control = &never;
  edl_segment_forget();
}

bool edl_fork_boot(void) {
  size_t hot_bytes = EDL_SHARDS * sizeof(struct edl_hot);
  size_t bytes = hot_bytes + EDL_PAGE_BYTES;
  char *page = edl_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (!page || edl_sys3(SYS_madvise, page, bytes, MADV_WIPEONFORK) != 0) return false;
  edl.hot = (struct edl_hot *)page;
  _Atomic uint32_t *alive = (_Atomic uint32_t *)(page + hot_bytes);
  atomic_store(alive, 1);
  edl.alive = alive;
  return true;
}

void edl_fork_register(void) {
  if (edl_libc.__register_atfork) edl_libc.__register_atfork(NULL, NULL, edl_fork_child, NULL);
  else if (edl_libc.pthread_atfork) edl_libc.pthread_atfork(NULL, NULL, edl_fork_child);
}
