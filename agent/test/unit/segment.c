/*
 * The segment and the threads' shards: layout, growth, what happens when there is no room, and the invariant
 * under races: an allocer's lines exist in every shard that may count on it.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../harness.h"
#include "../../agent.h"
#include "../../counters.h"
#include "fakes.h"

#ifdef __SANITIZE_THREAD__
#define SCALE 1
#else
#define SCALE 4
#endif

static uint64_t sum_of_allocs(uint32_t from, uint32_t to) {
  uint64_t sum = 0;
  for (unsigned s = 0; s < edl.shards; s++) {
    if (edl.shard[s].kind == EDL_SHARD_UNUSED) continue;
    for (uint32_t id = from; id < to; id++) {
      const struct edl_line *line = &edl.lines[(size_t)s * edl.max_allocers + id];
      sum += __atomic_load_n(&line->allocs0, __ATOMIC_RELAXED) + __atomic_load_n(&line->allocs1, __ATOMIC_RELAXED);
    }
  }
  return sum;
}

/* One event of the caller, as edl_track_slow makes it; the field it was counted on. */
static uint32_t count_one(uintptr_t caller) {
  struct edl_turn turn;
  uint32_t field = 0;
  edl_turn_begin(&turn);
  if (turn.latched) {
    field = edl_allocer_of(&turn, caller);
    edl_count_alloc(&turn, field, 1);
  }
  edl_turn_end(&turn);
  return field;
}

static size_t occupied(void) {
  struct stat st;
  char path[600], name[300];
  snprintf(path, sizeof path, "%s", getenv("EDLEAK_DIR"));
  snprintf(name, sizeof name, "%.8s-%u-%llu", edl.header->boot_id, edl.header->pid, (unsigned long long)edl.header->start_time);
  snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", name);
  return stat(path, &st) == 0 ? (size_t)st.st_blocks * 512 : 0;
}

/* --- in processes of their own, before this one starts ------------------------------------------- */

/* What the child prints as its result: the ceiling of allocers, 0 when the start failed. */
static long start_in_child(unsigned long file_limit, long number, int error, int after) {
  int pipe_of[2];
  long result = -1;
  if (pipe(pipe_of) != 0) return -1;
  pid_t child = fork();
  if (child == 0) {
    struct rlimit limit = {file_limit, file_limit};
    if (file_limit) setrlimit(RLIMIT_FSIZE, &limit);
    fake_failure(number, error, after);
    result = fake_start() ? (long)edl.max_allocers : 0;
    if (result && edl.header->state != EDL_STATE_MAKING) result = -2;
    if (result) fake_go_live();
    for (uintptr_t i = 0; result > 0 && i < 200; i++) /* it can grow as far as it says */
      if ((count_one(0x1000 + i) == 1) != (i + 2 > edl.max_allocers)) result = -4;
    if (write(pipe_of[1], &result, sizeof result) < 0) _exit(1);
    exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || read(pipe_of[0], &result, sizeof result) != sizeof result) result = -3;
  close(pipe_of[0]);
  close(pipe_of[1]);
  return result;
}

static void ceilings_by_the_file_size_limit(void) {
  CHECK_EQUAL(start_in_child(0, 0, 0, 0), EDL_MAX_ALLOCERS);
  CHECK_EQUAL(start_in_child(200 << 20, 0, 0, 0), EDL_MAX_ALLOCERS);
  CHECK_EQUAL(start_in_child(30 << 20, 0, 0, 0), 4096);
  CHECK_EQUAL(start_in_child(4 << 20, 0, 0, 0), 1024);
  CHECK_EQUAL(start_in_child(1 << 20, 0, 0, 0), 256);
  CHECK_EQUAL(start_in_child(300 << 10, 0, 0, 0), 64);
  CHECK_EQUAL(start_in_child(100 << 10, 0, 0, 0), 0);
}

/* The first madvise is MADV_WIPEONFORK, without which there is no start; the next would populate: there is another way. */
static void old_kernels(void) {
  CHECK_EQUAL(start_in_child(0, SYS_madvise, EINVAL, 0), 0);
  CHECK_EQUAL(start_in_child(0, SYS_madvise, EINVAL, 1), EDL_MAX_ALLOCERS);
  CHECK_EQUAL(start_in_child(300 << 10, SYS_madvise, EINVAL, 1), 64);
}

static void a_failed_start_leaves_nothing(void) {
  const long calls[] = {SYS_openat, SYS_ftruncate, SYS_mmap, SYS_mprotect, SYS_madvise};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) CHECK_EQUAL(start_in_child(0, calls[i], ENOMEM, 0), 0);
}

/* --- in this process ------------------------------------------------------------------------------ */

static void the_layout_is_the_contract(void) {
  const struct edl_header *h = edl.header;
  CHECK_EQUAL(h->magic, EDL_SEGMENT_MAGIC);
  CHECK_EQUAL(h->header_bytes, sizeof *h);
  CHECK_EQUAL(h->modules_offset, EDL_MODULES_OFFSET);
  CHECK_EQUAL(h->allocers_offset, h->modules_offset + h->max_modules * sizeof(struct edl_module));
  CHECK_EQUAL(h->evidence_offset, h->allocers_offset + h->max_allocers * sizeof(struct edl_allocer));
  CHECK_EQUAL(h->lines_offset, h->evidence_offset + h->max_allocers * sizeof(struct edl_evidence));
  CHECK_EQUAL(h->file_bytes, h->lines_offset + (uint64_t)h->shard_count * h->shard_stride);
  CHECK_EQUAL(h->file_bytes, edl.segment_bytes);
  CHECK_EQUAL(h->shard_stride, (uint64_t)h->max_allocers * 64);
  CHECK_EQUAL(h->pid, getpid());
  CHECK_EQUAL(h->uid, geteuid());
  CHECK(h->modules_issued >= 3);
  CHECK(strstr(h->exe, "/") == h->exe);
}

static void a_fresh_segment_is_small(void) {
  CHECK(count_one(0x1234) >= 2);
  size_t bytes = occupied();
  CHECK(bytes >= 6 * EDL_PAGE_BYTES && bytes <= EDL_FIRST_RESERVATION_BYTES);
}

#define THREADS 8
#define ROUNDS (30 * SCALE)
#define EVENTS 40
static _Atomic uint64_t counted;
static _Atomic uint32_t next_key;

/* A short life: some known callers, some new ones; then the shard goes to the next thread. */
static void *short_life(void *arg) {
  (void)arg;
  for (int i = 0; i < EVENTS; i++) {
    uintptr_t caller = i % 4 ? 0x500000u + (unsigned)i : 0x600000u + atomic_fetch_add(&next_key, 1) * 3;
    if (count_one(caller) >= 2) atomic_fetch_add(&counted, 1);
  }
  return NULL;
}

/* New shards while ids grow, new ids while shards are acquired: a missing line would be a fault. */
static void shards_and_ids_race(void) {
  uint32_t first = edl.issued;
  for (int round = 0; round < ROUNDS; round++) {
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++) pthread_create(&threads[t], NULL, short_life, NULL);
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
  }
  CHECK_EQUAL(counted, THREADS * ROUNDS * EVENTS);
  CHECK_EQUAL(sum_of_allocs(first, edl.issued), counted);
  CHECK_EQUAL(edl.issued - first, next_key + 30);
  CHECK_EQUAL(edl.header->losses[EDL_LOSS_NO_SHARD], 0);
  unsigned used = 0;
  for (unsigned s = 0; s < edl.shards; s++) used += edl.shard[s].kind == EDL_SHARD_EXCLUSIVE;
  CHECK(used <= THREADS + 2); /* shards of ended threads were used again */
}

#define MANY 70
static pthread_barrier_t all_here;
static void *live_together(void *arg) {
  (void)arg;
  uint32_t field = count_one(0x700000);
  pthread_barrier_wait(&all_here);
  for (int i = 0; i < 99 * SCALE; i++) field = count_one(0x700000 + (unsigned)i % 3) ? field : 0;
  pthread_barrier_wait(&all_here);
  return (void *)(uintptr_t)field;
}

static void more_threads_than_shards(void) {
  pthread_t threads[MANY];
  uintptr_t key = 0x700000;
  uint32_t first = edl_allocer_find(&key, 1);
  pthread_barrier_init(&all_here, NULL, MANY);
  for (int t = 0; t < MANY; t++) pthread_create(&threads[t], NULL, live_together, NULL);
  for (int t = 0; t < MANY; t++) {
    void *field;
    pthread_join(threads[t], &field);
    CHECK_EQUAL((uintptr_t)field, first);
  }
  unsigned shared = 0;
  for (unsigned s = 0; s < edl.shards; s++) shared += edl.shard[s].kind == EDL_SHARD_SHARED;
  CHECK(shared >= 1);
  CHECK_EQUAL(sum_of_allocs(first - 1, edl.issued), MANY * (1 + 99 * SCALE));
}

/* Generations open while 70 threads count, on shards of their own and on shared ones: the sum holds, and a latch
 * only names generations that were opened, each newer than the one before. */
static _Atomic bool generations_end;
static void *open_generations(void *arg) {
  _Atomic uint64_t *word = (_Atomic uint64_t *)(edl.segment + EDL_CONTROL_OFFSET);
  (void)arg;
  for (uint64_t generation = 1; generation < 4000 && !atomic_load(&generations_end); generation++) {
    atomic_store_explicit(word, generation | (uint64_t)~(uint32_t)generation << 32, memory_order_release);
    if (generation % 16 == 0) atomic_store(word, generation); /* halves disagree: ignored */
    sched_yield();
  }
  return NULL;
}

static void generations_open_meanwhile(void) {
  pthread_t host, threads[MANY];
  uintptr_t key = 0x700000;
  uint32_t first = edl_allocer_find(&key, 1);
  uint64_t before = sum_of_allocs(first - 1, edl.issued);
  pthread_create(&host, NULL, open_generations, NULL);
  for (int t = 0; t < MANY; t++) pthread_create(&threads[t], NULL, live_together, NULL);
  for (int t = 0; t < MANY; t++) pthread_join(threads[t], NULL);
  generations_end = true;
  pthread_join(host, NULL);
  CHECK_EQUAL(sum_of_allocs(first - 1, edl.issued) - before, MANY * (1 + 99 * SCALE));
  unsigned latched = 0;
  for (unsigned s = 0; s < edl.shards; s++) {
    uint64_t latch = edl.shard[s].latch;
    uint32_t generation[2] = {latch & 0xfff, latch >> 12 & 0xfff};
    unsigned phase = latch >> 24 & 1;
    CHECK(generation[phase] > generation[phase ^ 1] || latch == 0);
    latched += latch >> 24 > 0;
  }
  CHECK(latched >= 8);
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__) /* they don't survive it */
static void *end_without_destructors(void *arg) {
  count_one(0x800000);
  syscall(SYS_exit, 0);
  return arg;
}

static void shards_of_the_dead_are_reclaimed(void) {
  pthread_t thread;
  uint64_t before = sum_of_allocs(0, edl.issued);
  for (int t = 0; t < 120; t++) {
    pthread_create(&thread, NULL, end_without_destructors, NULL);
    pthread_join(thread, NULL);
  }
  CHECK_EQUAL(sum_of_allocs(0, edl.issued) - before, 120);
}
#endif

/* --- no room: must be last ------------------------------------------------------------------------ */

static void *one_more(void *arg) {
  (void)arg;
  return (void *)(uintptr_t)count_one(0x1234);
}

static void no_room_is_counted(void) {
  uint32_t known = count_one(0x1234), issued = edl.issued;
  uint64_t before = sum_of_allocs(0, issued);
  fake_failure(SYS_madvise, EFAULT, 0);
  unsigned refused = 0, events = 0;
  while (refused < 10 && events < 200) {
    uintptr_t caller = 0x900000 + events++;
    refused += count_one(caller) == 1;
  }
  CHECK_EQUAL(refused, 10); /* the ids of the page that was begun, then none */
  CHECK(edl.issued < issued + 64);
  CHECK_EQUAL(edl.header->losses[EDL_LOSS_UNATTRIBUTED], 10);
  CHECK_EQUAL(count_one(0x1234), known);
  fake_failure(0, 0, 0);
  CHECK_EQUAL(count_one(0xa00000), 1); /* growth isn't tried again at every event */
  pthread_t threads[MANY];
  for (int t = 0; t < MANY; t++) pthread_create(&threads[t], NULL, one_more, NULL);
  for (int t = 0; t < MANY; t++) {
    void *field;
    pthread_join(threads[t], &field);
    CHECK_EQUAL((uintptr_t)field, known);
  }
  CHECK_EQUAL(edl.header->losses[EDL_LOSS_NO_SHARD], 0);
  CHECK_EQUAL(sum_of_allocs(0, edl.issued) - before, events + 2 + MANY);
}

int main(int argc, char **argv) {
  test.prefix = argc > 1 ? argv[1] : NULL;
  RUN(ceilings_by_the_file_size_limit);
  RUN(old_kernels);
  RUN(a_failed_start_leaves_nothing);
  if (!fake_start()) {
    test_line("not ok %s: no start\n", argv[0]);
    return 1;
  }
  RUN(the_layout_is_the_contract);
  fake_go_live();
  RUN(a_fresh_segment_is_small);
  RUN(shards_and_ids_race);
  RUN(more_threads_than_shards);
  RUN(generations_open_meanwhile);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
  RUN(shards_of_the_dead_are_reclaimed);
#endif
  RUN(no_room_is_counted);
  return test_end();
}
