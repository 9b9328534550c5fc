/*
 * Start: finds the real functions, makes the segment, lets counting begin; runs at the first event or in
 * the constructor, whichever comes first. Until the real allocator is known, blocks come from a small buffer.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "agent.h"
#include "bigblocks.h"
#include "libc.h"
#include "next.h"
#include "sys.h"
#include "track.h"

void edl_cxx_boot(enum edl_operators operators);

static const _Atomic uint64_t never = 1;

struct edl_agent edl = {.fast_control = &never, .control = &never};

struct edl_next edl_next = {
    .malloc = edl_stub_malloc,
    .calloc = edl_stub_calloc,
    .realloc = edl_stub_realloc,
    .free = edl_stub_free,
    .memalign = edl_stub_memalign,
    .aligned_alloc = edl_stub_memalign,
    .malloc_usable_size = edl_stub_usable,
};

/* --- the buffer of the first moments -------------------------------------------------------------- */

/* Each block has a header like a glibc chunk that is mmapped: the fast path sends it to the slow one. */
static _Alignas(16) char buffer[65536];
static _Atomic size_t used;
static _Atomic uint64_t blocks_taken;

bool edl_is_bootstrap(const void *p) { return (uintptr_t)p - (uintptr_t)buffer < sizeof buffer; }

static void *buffer_take(size_t alignment, size_t n) {
  if (alignment < 16) alignment = 16;
  if (n > sizeof buffer || alignment > EDL_PAGE_BYTES) return NULL;
  size_t whole = (n + 31) & ~(size_t)15;
  size_t at = atomic_load(&used), block;
  do {
    block = (((uintptr_t)buffer + at + 16 + alignment - 1) & ~(alignment - 1)) - (uintptr_t)buffer;
    if (block + whole > sizeof buffer) return NULL;
  } while (!atomic_compare_exchange_weak(&used, &at, block + whole));
  ((size_t *)(buffer + block))[-1] = whole | EDL_CHUNK_MMAPPED;
  atomic_fetch_add(&blocks_taken, 1);
  return buffer + block;
}

void *edl_stub_malloc(size_t n) {
  edl_boot();
  return edl_next.malloc != edl_stub_malloc ? edl_next.malloc(n) : buffer_take(16, n);
}
void *edl_stub_calloc(size_t count, size_t size) {
  edl_boot();
  if (edl_next.calloc != edl_stub_calloc) return edl_next.calloc(count, size);
  size_t n;
  return __builtin_mul_overflow(count, size, &n) ? NULL : buffer_take(16, n);
}
void *edl_stub_realloc(void *p, size_t n) {
  edl_boot();
  if (edl_next.realloc != edl_stub_realloc) return edl_next.realloc(p, n);
  return p == NULL ? buffer_take(16, n) : NULL; /* a block of the buffer never gets here */
}
void edl_stub_free(void *p) {
  edl_boot();
  if (edl_next.free != edl_stub_free && !edl_is_bootstrap(p)) edl_next.free(p);
}
void *edl_stub_memalign(size_t alignment, size_t n) {
  edl_boot();
  return edl_next.memalign != edl_stub_memalign ? edl_next.memalign(alignment, n) : buffer_take(alignment, n);
}
size_t edl_stub_usable(void *p) {
  edl_boot();
  return edl_next.malloc_usable_size != edl_stub_usable ? edl_next.malloc_usable_size(p) : 0;
}

/* The buffer's blocks are never given back; every other free goes to the real function. */
static void (*real_free)(void *);
static void free_unless_bootstrap(void *p) {
  if (!edl_is_bootstrap(p)) real_free(p);
}

/* --- what the allocator behind us allows ---------------------------------------------------------- */

/* Reading glibc's chunk header in line needs glibc's own malloc, without the checking hooks that put a
 * byte of their own at the end, and is proven on a few blocks. */
static bool chunks_readable(const struct edl_found *found) {
#if defined(__aarch64__)
  if (edl_sys6(SYS_prctl, 56 /* PR_GET_TAGGED_ADDR_CTRL */, 0, 0, 0, 0, 0) > 0) return false;
#endif
  if (!found->glibc_malloc || edl_env("MALLOC_CHECK_")) return false;
  static const size_t sizes[] = {1, 24, 25, 1000, 40000};
  for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    void *p = edl_next.malloc(sizes[i]);
    if (!p) return false;
    bool same = edl_chunk_usable(edl_chunk_word(p)) == edl_next.malloc_usable_size(p);
    edl_next.free(p);
    if (!same) return false;
  }
  return true;
}

/* tcmalloc allocates when it is first asked for a size: let it do so before blocks are counted. */
static void warm_up(void) {
  void *p = edl_next.malloc(32);
  if (p) edl_next.malloc_usable_size(p);
  edl_next.free(p);
}

static uint64_t make_key(void) {
  uint64_t key = 0;
  if (edl_sys3(SYS_getrandom, &key, sizeof key, 1 /* GRND_NONBLOCK */) != (long)sizeof key)
    key = (uintptr_t)&key * UINT64_C(0x9e3779b97f4a7c15) ^ (uintptr_t)buffer;
  return key | 1;
}

static void describe_allocator(const struct edl_found *found) {
  struct edl_header *h = edl.header;
  memcpy(h->allocator, found->malloc_path, sizeof h->allocator);
  h->allocator_kind = edl.inline_chunks ? EDL_ALLOCATOR_GLIBC_INLINE : EDL_ALLOCATOR_USABLE_SIZE;
  if (found->foreign_libc) h->coverage_flags |= EDL_COVERAGE_FOREIGN_LIBC_MALLOC;
  h->losses[EDL_LOSS_BOOTSTRAP] = atomic_load(&blocks_taken);
}

static bool make_tables(const struct edl_found *found) {
  if (!edl_allocers_boot() || !edl_evidence_boot() || !edl_big_boot()) return false;
  edl.inline_chunks = chunks_readable(found);
  edl_modules_boot();
  describe_allocator(found);
  return edl_threads_boot();
}

static bool start_counting(const struct edl_found *found) {
  if (found->checker) return false;
  /* Without all of these from one object, sizes can't be trusted: nothing is tagged. */
  if (!edl_kin.malloc_usable_size || !edl_kin.free || !edl_kin.calloc || !edl_kin.realloc) return false;
  warm_up();
  edl.key = make_key();
  if (!edl_fork_boot() || !edl_segment_boot()) return false;
  if (!make_tables(found)) {
    edl.inline_chunks = 0;
    edl_segment_abandon();
    return false;
  }
  edl_fork_register();
  __atomic_store_n(&edl.header->state, EDL_STATE_LIVE, __ATOMIC_RELEASE);
  edl.control = (const _Atomic uint64_t *)(edl.segment + EDL_CONTROL_OFFSET);
  if (edl.inline_chunks) edl.fast_control = edl.control;
  return true;
}

EDL_NOINLINE void edl_boot(void) {
  uint32_t none = EDL_BOOT_NONE;
  if (!atomic_compare_exchange_strong(&edl.mode, &none, EDL_BOOTING)) return;
  static struct edl_found found;
  bool counting = edl_find_all(&found);
  if (counting) {
    real_free = edl_next.free;
    if (atomic_load(&used) != 0) edl_next.free = free_unless_bootstrap;
    edl.allocator_start = found.start;
    edl.allocator_bytes = found.end - found.start;
    edl.agent_start = found.agent_start;
    edl.agent_bytes = found.agent_end - found.agent_start;
    edl_cxx_boot(found.operators);
    counting = start_counting(&found);
  }
  atomic_store_explicit(&edl.mode, counting ? EDL_LIVE : EDL_OFF, memory_order_release);
}

__attribute__((constructor)) static void begin(void) { edl_boot(); }

__attribute__((destructor)) static void end(void) {
  if (atomic_load(&edl.mode) == EDL_LIVE && atomic_load(edl.alive) != 0) edl_segment_end();
}
