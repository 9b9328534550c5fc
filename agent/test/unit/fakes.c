/* The start of the agent without its hooks: see fakes.h. */
#define _GNU_SOURCE
#include "fakes.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../agent.h"
#include "../../bigblocks.h"
#include "../../next.h"

static const _Atomic uint64_t never = 1;
struct edl_agent edl = {.fast_control = &never, .control = &never};
struct edl_next edl_next;
static char directory[64];

void edl_boot(void) {}
bool edl_is_bootstrap(const void *p) {
  (void)p;
  return false;
}

static void remove_directory(void) {
  if (edl.header) edl_segment_abandon();
  rmdir(directory);
}

static _Atomic long failing_number;
static _Atomic int failing_error, failing_after;
void fake_failure(long number, int error, int after) {
  atomic_store(&failing_error, error);
  atomic_store(&failing_after, after);
  atomic_store(&failing_number, number);
}
/* Called by sys.h, which is compiled with EDL_FAULTS here. */
long edl_fault(long number) {
  if (number != atomic_load(&failing_number) || atomic_fetch_sub(&failing_after, 1) > 0) return 0;
  atomic_store(&failing_after, 0);
  return -atomic_load(&failing_error);
}

bool fake_start(void) {
  static struct edl_found found;
  snprintf(directory, sizeof directory, "/dev/shm/edleak-unit-%d", (int)getpid());
  mkdir(directory, 0700);
  setenv("EDLEAK_DIR", directory, 1);
  atexit(remove_directory);
  if (!edl_find_all(&found)) return false;
  edl_next.malloc_usable_size = malloc_usable_size;
  edl.key = 0x123456789abcdef1;
  if (!edl_fork_boot() || !edl_segment_boot() || !edl_allocers_boot() || !edl_evidence_boot()) return false;
  if (!edl_big_boot()) return false;
  edl_modules_boot();
  return edl_threads_boot();
}

void fake_go_live(void) {
  edl.control = (const _Atomic uint64_t *)(edl.segment + EDL_CONTROL_OFFSET);
  atomic_store(&edl.mode, EDL_LIVE);
}
