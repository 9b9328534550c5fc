/*
 * Makes the segment and lets it grow; the only writer of its header.
 *
 * The file has its full (sparse) size from the start and the whole range is mapped without access. Growth
 * is mprotect + MADV_POPULATE_WRITE: no descriptor, no SIGBUS on a full file system, idempotent, so threads
 * and signal handlers may do the same part at once and nobody waits.
 *
 * Invariant: an allocer id is issued only when its record exists and its lines exist in every shard in use;
 * a shard is used only when its lines exist for every id announced. Announcing ids and marking a shard are
 * sequentially consistent: of two that race, at least one sees the other and does its part too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "agent.h"
#include "allocers.h"
#include "directory.h"
#include "sys.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#define PAGE EDL_PAGE_BYTES
#define IDS_PER_PAGE (PAGE / sizeof(struct edl_line))

/* Ceilings, from the usual down to what a process with tight limits gets. */
static const struct tier {
  uint32_t allocers, modules, shards, exclusive;
} tiers[] = {
    {EDL_MAX_ALLOCERS, EDL_MAX_MODULES, EDL_SHARDS, EDL_EXCLUSIVE_SHARDS},
    {4096, 512, 64, 48},
    {1024, 128, 32, 24},
    {256, 64, 16, 12},
    {64, 32, 8, 6},
};
#define TIERS (sizeof tiers / sizeof tiers[0])
/* The address space limit may be used to this part, segment and private tables together. */
#define ADDRESS_SPACE_SHARE 32
#define FREE_SPACE_SHARE 4
/* Private tables: site tables by shard; what keys, their table, evidence index and big blocks take by allocer. */
#define PRIVATE_BYTES_PER_ALLOCER 164

static _Atomic uint32_t announced; /* ids whose lines every shard must have */
static _Atomic uint32_t ready;     /* ids that may be issued */
static _Atomic uint64_t shards_used;
static _Atomic uint32_t shard_ids[EDL_SHARDS]; /* ids whose lines a shard has */
static _Atomic uint64_t reserved_bytes;
static uint64_t reserve_limit;
static _Atomic bool full; /* growth failed once: don't try at every event */
static struct edl_directory_entry entry;

/* Control word of generation 0, watch epoch 0. */
#define EDL_FIRST_CONTROL UINT64_C(0xffffffff00000000)

static size_t tier_bytes(const struct tier *t) {
  size_t per_allocer = sizeof(struct edl_allocer) + sizeof(struct edl_evidence) +
                       (size_t)t->shards * sizeof(struct edl_line);
  return EDL_MODULES_OFFSET + t->modules * sizeof(struct edl_module) + t->allocers * per_allocer;
}

static size_t private_bytes(const struct tier *t) {
  return t->exclusive * sizeof(struct edl_site_table) + (size_t)t->allocers * PRIVATE_BYTES_PER_ALLOCER;
}

static uint64_t soft_limit(int resource) {
  struct rlimit r;
  if (edl_sys4(SYS_prlimit64, 0, resource, 0, &r) != 0) return RLIM_INFINITY;
  return r.rlim_cur;
}

static uint64_t share_of(uint64_t limit) {
  return limit == RLIM_INFINITY ? limit : limit / ADDRESS_SPACE_SHARE;
}

/* The largest tier that the limits of the process allow, or NULL. Exceeding RLIMIT_FSIZE would kill the
 * target by SIGXFSZ, so the limit is looked at first. */
static const struct tier *choose_tier(bool *reduced) {
  uint64_t file = soft_limit(RLIMIT_FSIZE);
  uint64_t space = share_of(soft_limit(RLIMIT_AS)), data = share_of(soft_limit(RLIMIT_DATA));
  for (unsigned i = 0; i < TIERS; i++) {
    size_t shared = tier_bytes(&tiers[i]), private = private_bytes(&tiers[i]);
    if (shared > file || shared + private > space || private > data) continue;
    *reduced = i > 0;
    return &tiers[i];
  }
  return NULL;
}

static size_t page_above(size_t offset) { return (offset + PAGE - 1) & ~(size_t)(PAGE - 1); }

/* Makes pages exist, or says that there is no room for them: a mere touch would be SIGBUS then. Linux before
 * 5.14 has no MADV_POPULATE_WRITE; there an atomic addition of 0 by the kernel does it, and whoever counts in
 * the page already loses nothing. */
static long populate(char *at, size_t length) {
  long result = edl_sys3(SYS_madvise, at, length, MADV_POPULATE_WRITE);
  if (result != -EINVAL) return result;
  for (char *end = at + length; at < end; at += PAGE) {
    result = edl_sys6(SYS_futex, (long)at, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0, (long)at,
                      FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0));
    if (result < 0) return result;
  }
  return 0;
}

/* Several records share a page: it is charged to the one that begins it. */
bool edl_segment_reserve(size_t offset, size_t bytes) {
  size_t from = offset & ~(size_t)(PAGE - 1), to = page_above(offset + bytes);
  size_t length = to - from, charge = to - page_above(offset);
  if (atomic_load(&full)) return false;
  char *at = edl.segment + from;
  if (atomic_fetch_add(&reserved_bytes, charge) + charge > reserve_limit ||
      edl_sys3(SYS_mprotect, at, length, PROT_READ | PROT_WRITE) != 0 ||
      populate(at, length) != 0) {
    atomic_store(&full, true);
    return false;
  }
  return true;
}

/* Lines of one shard for ids below `count`. */
static bool shard_lines_reserve(unsigned shard, uint32_t count) {
  uint32_t have = atomic_load(&shard_ids[shard]);
  if (have >= count) return true;
  size_t offset = (size_t)((char *)edl.lines - edl.segment) +
                  ((size_t)shard * edl.max_allocers + have) * sizeof(struct edl_line);
  if (!edl_segment_reserve(offset, (count - have) * sizeof(struct edl_line))) return false;
  while (have < count && !atomic_compare_exchange_weak(&shard_ids[shard], &have, count)) {
  }
  return true;
}

bool edl_shard_reserve(unsigned shard) {
  atomic_fetch_or(&shards_used, UINT64_C(1) << shard);
  /* seq_cst: pairs with the announcement below. */
  return shard_lines_reserve(shard, atomic_load(&announced));
}

static void raise_to(_Atomic uint32_t *value, uint32_t to) {
  uint32_t current = atomic_load(value);
  while (current < to && !atomic_compare_exchange_weak(value, &current, to)) {
  }
}

/* Makes ids below `count` issuable; false when there is no room. */
bool edl_allocers_reserve(uint32_t count) {
  if (count <= atomic_load_explicit(&ready, memory_order_acquire)) return true;
  uint32_t target = (count + IDS_PER_PAGE - 1) / IDS_PER_PAGE * IDS_PER_PAGE;
  if (target > edl.max_allocers) return false;
  size_t records = (size_t)((char *)edl.allocer - edl.segment);
  size_t first = (target - IDS_PER_PAGE) * sizeof(struct edl_allocer);
  if (!edl_segment_reserve(records + first, IDS_PER_PAGE * sizeof(struct edl_allocer))) return false;
  raise_to(&announced, target);
  uint64_t used = atomic_load(&shards_used);
  for (unsigned s = 0; s < edl.shards; s++)
    if (used >> s & 1 && !shard_lines_reserve(s, target)) return false;
  raise_to(&ready, target);
  return true;
}

/* A forked child has nothing to say in its parent's segment. */
void edl_lost(enum edl_loss reason) {
  if (edl.header && atomic_load_explicit(edl.alive, memory_order_relaxed) != 0)
    __atomic_fetch_add(&edl.header->losses[reason], 1, __ATOMIC_RELAXED);
}

static void set_ceilings(const struct tier *t) {
  edl.max_allocers = t->allocers;
  edl.max_modules = t->modules;
  edl.shards = t->shards;
  edl.exclusive = t->exclusive;
  edl.segment_bytes = tier_bytes(t);
}

static void lay_out(void) {
  char *base = edl.segment;
  edl.shard = (struct edl_shard *)(base + EDL_SHARDS_OFFSET);
  edl.module = (struct edl_module *)(base + EDL_MODULES_OFFSET);
  edl.allocer = (struct edl_allocer *)(edl.module + edl.max_modules);
  edl.evidence = (struct edl_evidence *)(edl.allocer + edl.max_allocers);
  edl.lines = (struct edl_line *)(edl.evidence + edl.max_allocers);
}

static void fill_offsets(struct edl_header *h) {
  char *base = edl.segment;
  h->file_bytes = edl.segment_bytes;
  h->page_bytes = PAGE;
  h->max_allocers = edl.max_allocers;
  h->shard_count = edl.shards;
  h->exclusive_shards = edl.exclusive;
  h->max_modules = edl.max_modules;
  h->control_offset = EDL_CONTROL_OFFSET;
  h->slot_of_gen_offset = EDL_SLOT_OF_GEN_OFFSET;
  h->slice_of_gen_offset = EDL_SLICE_OF_GEN_OFFSET;
  h->shards_offset = EDL_SHARDS_OFFSET;
  h->modules_offset = EDL_MODULES_OFFSET;
  h->allocers_offset = (uint64_t)((char *)edl.allocer - base);
  h->evidence_offset = (uint64_t)((char *)edl.evidence - base);
  h->lines_offset = (uint64_t)((char *)edl.lines - base);
  h->shard_stride = (uint64_t)edl.max_allocers * sizeof(struct edl_line);
}

static void fill_identity(struct edl_header *h) {
  h->magic = EDL_SEGMENT_MAGIC;
  h->layout_version = EDL_LAYOUT_VERSION;
  h->header_bytes = sizeof *h;
  memcpy(h->agent_version, EDL_AGENT_VERSION, sizeof EDL_AGENT_VERSION);
#if defined(__x86_64__)
  h->arch = EDL_ARCH_X86_64;
#else
  h->arch = EDL_ARCH_AARCH64;
#endif
  h->pid = entry.pid;
  h->start_time = entry.start_time;
  h->pid_namespace = entry.pid_namespace;
  h->uid = entry.uid;
  memcpy(h->run_id, entry.run_id, sizeof h->run_id);
  memcpy(h->boot_id, entry.boot_id, sizeof h->boot_id);
  edl_sys4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", h->exe, sizeof h->exe - 1);
}

static void unmap(void) {
  if (edl.segment) edl_sys2(SYS_munmap, edl.segment, edl.segment_bytes);
  edl.segment = NULL;
}

static bool map_file(int fd, const struct tier *t) {
  set_ceilings(t);
  if (edl_sys2(SYS_ftruncate, fd, edl.segment_bytes) != 0) return false;
  edl.segment = edl_mmap(NULL, edl.segment_bytes, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd);
  return edl.segment != NULL;
}

static bool reserve_first_pages(void) {
  if (!edl_segment_reserve(0, EDL_SLOT_OF_GEN_OFFSET)) return false;
  if (edl_sys3(SYS_mprotect, edl.segment + EDL_SLOT_OF_GEN_OFFSET,
               EDL_SHARDS_OFFSET - EDL_SLOT_OF_GEN_OFFSET, PROT_READ) != 0)
    return false; /* the maps stay holes until the host writes them, and are read only after that */
  if (!edl_segment_reserve(EDL_SHARDS_OFFSET, PAGE)) return false;
  if (!edl_segment_reserve(EDL_MODULES_OFFSET, PAGE)) return false;
  return edl_allocers_reserve(1);
}

bool edl_segment_boot(void) {
  bool reduced = false;
  const struct tier *tier = choose_tier(&reduced);
  if (!tier) return false;
  int fd = edl_directory_create(&entry);
  if (fd < 0) return false;
  reserve_limit = entry.free_bytes / FREE_SPACE_SHARE;
  bool made = map_file(fd, tier);
  edl_sys1(SYS_close, fd);
  if (made) {
    lay_out();
    edl_sys3(SYS_madvise, edl.segment, edl.segment_bytes, MADV_NOHUGEPAGE);
    edl_sys3(SYS_madvise, edl.segment, edl.segment_bytes, MADV_DONTDUMP);
    made = reserve_first_pages();
  }
  if (!made) {
    edl_segment_abandon();
    return false;
  }
  edl.header = (struct edl_header *)edl.segment;
  fill_identity(edl.header);
  fill_offsets(edl.header);
  struct edl_control *control = (struct edl_control *)(edl.segment + EDL_CONTROL_OFFSET);
  control->word = EDL_FIRST_CONTROL;
  if (reduced) edl.header->coverage_flags |= EDL_COVERAGE_REDUCED;
  return true;
}

/* The start failed: nothing of it stays. */
void edl_segment_abandon(void) {
  edl.header = NULL;
  edl_directory_remove(&entry);
  unmap();
}

/* In a forked child: the parent's file is out of reach from here on, the addresses stay valid, so that a
 * hook which a signal handler interrupted by forking goes on in private memory. */
void edl_segment_forget(void) {
  edl_mmap(edl.segment, edl.segment_bytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

/* Normal end: nobody will come for a segment that belongs to no run and never had an owner. */
void edl_segment_end(void) {
  if (edl_sys0(SYS_getpid) != (long)entry.pid) return; /* a vfork child shares our memory */
  __atomic_store_n(&edl.header->state, EDL_STATE_ENDED, __ATOMIC_RELEASE);
  const struct edl_control *control = (const struct edl_control *)(edl.segment + EDL_CONTROL_OFFSET);
  bool owned = __atomic_load_n(&control->lease_ever_held, __ATOMIC_ACQUIRE) != 0;
  if (!owned && entry.run_id[0] == 0 && !entry.keep) edl_directory_remove(&entry);
}
