/* The segment's layout for the agent. Written by tools/gen.mjs from src/contract; do not edit. */
#ifndef EDL_ABI_H
#define EDL_ABI_H
#include <stddef.h>
#include <stdint.h>

#define EDL_AGENT_VERSION "0.1.0"
#define EDL_SEGMENT_MAGIC UINT64_C(0x314745534b4c4445)
#define EDL_PAGE_BYTES 4096
#define EDL_AGE_BUCKETS 24
#define EDL_ALLOCER_ID_BITS 24
#define EDL_BIG_BLOCK_BYTES 65536
#define EDL_BIRTH_SLOTS 64
#define EDL_DIRECTORY_BYTES 268435456
#define EDL_DIRECTORY_FILES 4096
#define EDL_EXCLUSIVE_SHARDS 48
#define EDL_FIRST_RESERVATION_BYTES 32768
#define EDL_GENERATION_IDS 4096
#define EDL_GENERATION_ID_BITS 12
#define EDL_IDS_PER_WIDTH 256
#define EDL_KEY_DEPTH 4
#define EDL_LAYOUT_VERSION 1
#define EDL_MAX_ALLOCERS 20032
#define EDL_MAX_BIG_BLOCKS 65536
#define EDL_MAX_MODULES 4096
#define EDL_MAX_WATCH_DEPTH 64
#define EDL_MIN_SLICES 8
#define EDL_SHARDS 64
#define EDL_CONTROL_OFFSET 4096
#define EDL_SLOT_OF_GEN_OFFSET 8192
#define EDL_SLICE_OF_GEN_OFFSET 12288
#define EDL_SHARDS_OFFSET 28672
#define EDL_MODULES_OFFSET 32768
#define EDL_TAG_CHECK_BITS 24
#define EDL_TAG_ALLOCER_SHIFT 24
#define EDL_TAG_SLACK_SHIFT 48
#define EDL_TAG_SLACK_BITS 4
#define EDL_TAG_GENERATION_SHIFT 52
#define EDL_STATE_MAKING 0
#define EDL_STATE_LIVE 1
#define EDL_STATE_ENDED 2
#define EDL_STATE_OFF 3
#define EDL_ARCH_X86_64 1
#define EDL_ARCH_AARCH64 2
#define EDL_ALLOCATOR_UNKNOWN 0
#define EDL_ALLOCATOR_GLIBC_INLINE 1
#define EDL_ALLOCATOR_USABLE_SIZE 2
#define EDL_COVERAGE_FIXED_SIZE 1
#define EDL_COVERAGE_REDUCED 2
#define EDL_COVERAGE_FOREIGN_LIBC_MALLOC 4
#define EDL_COVERAGE_FROZEN 8
#define EDL_SHARD_UNUSED 0
#define EDL_SHARD_EXCLUSIVE 1
#define EDL_SHARD_SHARED 2
#define EDL_MODULE_AGENT 1
#define EDL_MODULE_EXECUTABLE 2
#define EDL_MODULE_VDSO 4
#define EDL_MODULE_PATH_TRUNCATED 8

/* Reasons for losses: indices into header.losses. */
enum edl_loss {
  EDL_LOSS_UNATTRIBUTED = 0, /* allocations counted on allocer 0: no allocer could be issued for their caller */
  EDL_LOSS_BIG_TABLE_FULL = 1, /* big blocks not tracked: the table of big blocks was full */
  EDL_LOSS_UNKNOWN_FREES = 2, /* frees of blocks without a valid tag: allocated before the agent, or their tag was overwritten */
  EDL_LOSS_MISDATED_FREES = 3, /* frees counted as if the block were new: no evidence record could be made */
  EDL_LOSS_UNTAGGED = 4, /* blocks not tracked: no room for a tag in them */
  EDL_LOSS_BOOTSTRAP = 5, /* blocks from before the allocator was ready: served by the agent, or without a size yet */
  EDL_LOSS_NO_SHARD = 6, /* events not counted: the thread could get no counter shard */
  EDL_LOSS_MODULES_FULL = 7, /* modules not recorded: their table was full */
  EDL_LOSS_OFF_EVENTS = 8, /* events not counted: counting had been switched off */
};

/* Identity, sizes and losses. */
struct edl_header {
  uint64_t magic; /* agent, once: SEGMENT_MAGIC */
  uint32_t layout_version; /* agent, once: LAYOUT_VERSION */
  uint32_t header_bytes; /* agent, once: size of this structure */
  char agent_version[16]; /* agent, once: version of the agent, NUL-terminated */
  uint64_t file_bytes; /* agent, once: size of the file (sparse) */
  uint32_t page_bytes; /* agent, once: granularity of the regions, PAGE_BYTES */
  uint32_t arch; /* agent, once: 1 x86-64, 2 aarch64 */
  uint32_t state; /* agent, release: 0 being made, 1 live, 2 ended normally, 3 switched off */
  uint32_t pid; /* agent, once: process id as seen inside its namespace */
  uint64_t start_time; /* agent, once: clock ticks after boot (/proc/PID/stat field 22) */
  uint64_t pid_namespace; /* agent, once: inode of the pid namespace */
  uint32_t uid; /* agent, once: effective user id at start */
  uint32_t inherited_gen; /* agent, once: generation ids up to this one are inherited by fork */
  char run_id[32]; /* agent, once: EDLEAK_RUN of the environment, or empty */
  char boot_id[40]; /* agent, once: kernel's boot id, NUL-terminated */
  uint32_t max_allocers; /* agent, once: ceiling of allocer ids, a multiple of 64 */
  uint32_t shard_count; /* agent, once: counter shards */
  uint32_t exclusive_shards; /* agent, once: shards 0 .. n-1 have one writing thread each */
  uint32_t max_modules; /* agent, once: ceiling of module records */
  uint64_t control_offset; /* agent, once: file offset of the control structure */
  uint64_t slot_of_gen_offset; /* agent, once: file offset of u8 slotOfGen[4096], host-written */
  uint64_t slice_of_gen_offset; /* agent, once: file offset of u32 sliceOfGen[4096], host-written */
  uint64_t shards_offset; /* agent, once: file offset of the shard headers */
  uint64_t modules_offset; /* agent, once: file offset of the module records */
  uint64_t allocers_offset; /* agent, once: file offset of the allocer records */
  uint64_t evidence_offset; /* agent, once: file offset of the evidence records */
  uint64_t lines_offset; /* agent, once: file offset of the counter lines */
  uint64_t shard_stride; /* agent, once: bytes of counter lines per shard: 64 x maxAllocers */
  uint32_t allocers_issued; /* agent, release: allocer ids in use; id 0 is 'unattributed' */
  uint32_t modules_issued; /* agent, release: module records written */
  uint32_t evidence_issued; /* agent, release: evidence records given out */
  uint32_t allocator_kind; /* agent, once: 1 glibc read in line, 2 malloc_usable_size */
  uint32_t coverage_flags; /* agent, relaxed: bits of CoverageFlag */
  uint32_t module_epoch; /* agent, release: changes of the module list noticed so far */
  uint64_t losses[16]; /* agent, relaxed: events lost, by reason: see LOSSES */
  char exe[1024]; /* agent, once: path of the executable, NUL-terminated */
  char allocator[512]; /* agent, once: path of the library that provides malloc */
  uint8_t reserved_to_end[2168];
};
_Static_assert(sizeof(struct edl_header) == 4096, "size of header");
_Static_assert(offsetof(struct edl_header, magic) == 0, "header.magic");
_Static_assert(offsetof(struct edl_header, layout_version) == 8, "header.layout_version");
_Static_assert(offsetof(struct edl_header, header_bytes) == 12, "header.header_bytes");
_Static_assert(offsetof(struct edl_header, agent_version) == 16, "header.agent_version");
_Static_assert(offsetof(struct edl_header, file_bytes) == 32, "header.file_bytes");
_Static_assert(offsetof(struct edl_header, page_bytes) == 40, "header.page_bytes");
_Static_assert(offsetof(struct edl_header, arch) == 44, "header.arch");
_Static_assert(offsetof(struct edl_header, state) == 48, "header.state");
_Static_assert(offsetof(struct edl_header, pid) == 52, "header.pid");
_Static_assert(offsetof(struct edl_header, start_time) == 56, "header.start_time");
_Static_assert(offsetof(struct edl_header, pid_namespace) == 64, "header.pid_namespace");
_Static_assert(offsetof(struct edl_header, uid) == 72, "header.uid");
_Static_assert(offsetof(struct edl_header, inherited_gen) == 76, "header.inherited_gen");
_Static_assert(offsetof(struct edl_header, run_id) == 80, "header.run_id");
_Static_assert(offsetof(struct edl_header, boot_id) == 112, "header.boot_id");
_Static_assert(offsetof(struct edl_header, max_allocers) == 152, "header.max_allocers");
_Static_assert(offsetof(struct edl_header, shard_count) == 156, "header.shard_count");
_Static_assert(offsetof(struct edl_header, exclusive_shards) == 160, "header.exclusive_shards");
_Static_assert(offsetof(struct edl_header, max_modules) == 164, "header.max_modules");
_Static_assert(offsetof(struct edl_header, control_offset) == 168, "header.control_offset");
_Static_assert(offsetof(struct edl_header, slot_of_gen_offset) == 176, "header.slot_of_gen_offset");
_Static_assert(offsetof(struct edl_header, slice_of_gen_offset) == 184, "header.slice_of_gen_offset");
_Static_assert(offsetof(struct edl_header, shards_offset) == 192, "header.shards_offset");
_Static_assert(offsetof(struct edl_header, modules_offset) == 200, "header.modules_offset");
_Static_assert(offsetof(struct edl_header, allocers_offset) == 208, "header.allocers_offset");
_Static_assert(offsetof(struct edl_header, evidence_offset) == 216, "header.evidence_offset");
_Static_assert(offsetof(struct edl_header, lines_offset) == 224, "header.lines_offset");
_Static_assert(offsetof(struct edl_header, shard_stride) == 232, "header.shard_stride");
_Static_assert(offsetof(struct edl_header, allocers_issued) == 240, "header.allocers_issued");
_Static_assert(offsetof(struct edl_header, modules_issued) == 244, "header.modules_issued");
_Static_assert(offsetof(struct edl_header, evidence_issued) == 248, "header.evidence_issued");
_Static_assert(offsetof(struct edl_header, allocator_kind) == 252, "header.allocator_kind");
_Static_assert(offsetof(struct edl_header, coverage_flags) == 256, "header.coverage_flags");
_Static_assert(offsetof(struct edl_header, module_epoch) == 260, "header.module_epoch");
_Static_assert(offsetof(struct edl_header, losses) == 264, "header.losses");
_Static_assert(offsetof(struct edl_header, exe) == 392, "header.exe");
_Static_assert(offsetof(struct edl_header, allocator) == 1416, "header.allocator");

/* What the host tells the agent. Control word: bits 0-11 generation id, bits 12-31 watch epoch, bits 32-63 the complement of bits 0-31; a word whose halves disagree is ignored. Written by one aligned 8-byte pwrite. */
struct edl_control {
  uint64_t word; /* host, release: current generation id and watch epoch, self-checking */
  uint64_t reserved[7]; /* host, relaxed: zero */
  uint32_t lease_pid; /* host, release: pid of the owner host, 0 when nobody owns it */
  uint32_t lease_ever_held; /* host, release: 1 once a host has owned this segment */
  uint64_t lease_start_time; /* host, relaxed: start time of the owner, as header.startTime */
  uint64_t lease_pid_namespace; /* host, relaxed: pid namespace of the owner */
  uint64_t lease_heartbeat; /* host, relaxed: slices taken by the owner */
  uint8_t reserved_to_end[4000];
};
_Static_assert(sizeof(struct edl_control) == 4096, "size of control");
_Static_assert(offsetof(struct edl_control, word) == 0, "control.word");
_Static_assert(offsetof(struct edl_control, reserved) == 8, "control.reserved");
_Static_assert(offsetof(struct edl_control, lease_pid) == 64, "control.lease_pid");
_Static_assert(offsetof(struct edl_control, lease_ever_held) == 68, "control.lease_ever_held");
_Static_assert(offsetof(struct edl_control, lease_start_time) == 72, "control.lease_start_time");
_Static_assert(offsetof(struct edl_control, lease_pid_namespace) == 80, "control.lease_pid_namespace");
_Static_assert(offsetof(struct edl_control, lease_heartbeat) == 88, "control.lease_heartbeat");

/* One counter shard: who writes it, which generations its phases hold. */
struct edl_shard {
  uint64_t latch; /* agent, release: bits 0-11 generation of phase 0, bits 12-23 generation of phase 1, bits 24-63 latch count; phase in use = latch count & 1 */
  uint32_t tid; /* agent, relaxed: owning thread, 0 when free or shared */
  uint32_t kind; /* agent, release: 0 never used, 1 exclusive, 2 shared */
  uint8_t reserved_to_end[48];
};
_Static_assert(sizeof(struct edl_shard) == 64, "size of shard");
_Static_assert(offsetof(struct edl_shard, latch) == 0, "shard.latch");
_Static_assert(offsetof(struct edl_shard, tid) == 8, "shard.tid");
_Static_assert(offsetof(struct edl_shard, kind) == 12, "shard.kind");

/* Counters of one (shard, allocer): two phases, monotone. Phase p holds events of the generation that the shard's latch names for p. */
struct edl_line {
  uint64_t allocs0; /* agent, add: phase 0: blocks allocated */
  uint64_t bytes0; /* agent, add: phase 0: bytes asked for by them */
  uint64_t frees0; /* agent, add: phase 0: blocks of that same generation freed */
  uint64_t freed_bytes0; /* agent, add: phase 0: their bytes */
  uint64_t allocs1; /* agent, add: phase 1: blocks allocated */
  uint64_t bytes1; /* agent, add: phase 1: bytes asked for by them */
  uint64_t frees1; /* agent, add: phase 1: blocks of that same generation freed */
  uint64_t freed_bytes1; /* agent, add: phase 1: their bytes */
};
_Static_assert(sizeof(struct edl_line) == 64, "size of line");
_Static_assert(offsetof(struct edl_line, allocs0) == 0, "line.allocs0");
_Static_assert(offsetof(struct edl_line, bytes0) == 8, "line.bytes0");
_Static_assert(offsetof(struct edl_line, frees0) == 16, "line.frees0");
_Static_assert(offsetof(struct edl_line, freed_bytes0) == 24, "line.freed_bytes0");
_Static_assert(offsetof(struct edl_line, allocs1) == 32, "line.allocs1");
_Static_assert(offsetof(struct edl_line, bytes1) == 40, "line.bytes1");
_Static_assert(offsetof(struct edl_line, frees1) == 48, "line.frees1");
_Static_assert(offsetof(struct edl_line, freed_bytes1) == 56, "line.freed_bytes1");

/* What an allocer is. */
struct edl_allocer {
  uint64_t key[4]; /* agent, release: return addresses, innermost first, 0 beyond the depth */
  uint32_t parent; /* agent, release: allocer this one is a branch of, 0 for none */
  uint32_t module; /* agent, release: 1 + index of the module of key[0], 0 when not known */
  uint8_t depth; /* agent, release: return addresses in the key */
  uint8_t flags[3]; /* agent, release: reserved, zero */
  uint32_t overruns; /* agent, relaxed: blocks freed whose first byte past the end was overwritten */
  uint32_t watch; /* host, relaxed: depth of the stack watch, 0 off, at most 64 */
  uint32_t evidence; /* agent, release: 1 + index of its evidence record, 0 when it has none */
  uint8_t reserved_to_end[8];
};
_Static_assert(sizeof(struct edl_allocer) == 64, "size of allocer");
_Static_assert(offsetof(struct edl_allocer, key) == 0, "allocer.key");
_Static_assert(offsetof(struct edl_allocer, parent) == 32, "allocer.parent");
_Static_assert(offsetof(struct edl_allocer, module) == 36, "allocer.module");
_Static_assert(offsetof(struct edl_allocer, depth) == 40, "allocer.depth");
_Static_assert(offsetof(struct edl_allocer, flags) == 41, "allocer.flags");
_Static_assert(offsetof(struct edl_allocer, overruns) == 44, "allocer.overruns");
_Static_assert(offsetof(struct edl_allocer, watch) == 48, "allocer.watch");
_Static_assert(offsetof(struct edl_allocer, evidence) == 52, "allocer.evidence");

/* Frees of blocks that are older than the generation in which they are freed, of one allocer; all threads add to it atomically. */
struct edl_evidence {
  uint32_t freed_blocks[64]; /* agent, relaxed: blocks freed, by birth slot */
  uint64_t freed_bytes[64]; /* agent, relaxed: their bytes, by birth slot */
  uint32_t age_frees[24]; /* agent, relaxed: blocks freed, by age in slices (log2 buckets) */
  uint64_t old_frees; /* agent, relaxed: all of them */
  uint64_t old_freed_bytes; /* agent, relaxed: their bytes */
  uint64_t inherited_frees; /* agent, relaxed: frees of blocks inherited by fork */
  uint64_t inherited_freed_bytes; /* agent, relaxed: their bytes */
  uint32_t allocer; /* agent, once: the allocer it belongs to */
  uint8_t reserved_to_end[124];
};
_Static_assert(sizeof(struct edl_evidence) == 1024, "size of evidence");
_Static_assert(offsetof(struct edl_evidence, freed_blocks) == 0, "evidence.freed_blocks");
_Static_assert(offsetof(struct edl_evidence, freed_bytes) == 256, "evidence.freed_bytes");
_Static_assert(offsetof(struct edl_evidence, age_frees) == 768, "evidence.age_frees");
_Static_assert(offsetof(struct edl_evidence, old_frees) == 864, "evidence.old_frees");
_Static_assert(offsetof(struct edl_evidence, old_freed_bytes) == 872, "evidence.old_freed_bytes");
_Static_assert(offsetof(struct edl_evidence, inherited_frees) == 880, "evidence.inherited_frees");
_Static_assert(offsetof(struct edl_evidence, inherited_freed_bytes) == 888, "evidence.inherited_freed_bytes");
_Static_assert(offsetof(struct edl_evidence, allocer) == 896, "evidence.allocer");

/* A loaded ELF object; immutable once complete, but for unloadEpoch. A record whose start is 0 is not complete yet: look again at the next slice. */
struct edl_module {
  uint64_t start; /* agent, release: first mapped address; stored last */
  uint64_t end; /* agent, release: first address behind it */
  uint64_t bias; /* agent, release: run-time address minus ELF virtual address */
  uint32_t load_epoch; /* agent, release: module epoch at which it was seen first */
  uint32_t unload_epoch; /* agent, relaxed: module epoch at which it was gone, 0 while loaded */
  uint32_t flags; /* agent, release: bits of ModuleFlag */
  uint32_t build_id_bytes; /* agent, release: length of the build id, 0 when it has none */
  uint8_t build_id[32]; /* agent, release: GNU build id */
  uint32_t path_bytes; /* agent, release: length of the path */
  uint32_t reserved; /* agent, once: zero */
  char path[432]; /* agent, release: path as the loader knows it, NUL-terminated */
};
_Static_assert(sizeof(struct edl_module) == 512, "size of module");
_Static_assert(offsetof(struct edl_module, start) == 0, "module.start");
_Static_assert(offsetof(struct edl_module, end) == 8, "module.end");
_Static_assert(offsetof(struct edl_module, bias) == 16, "module.bias");
_Static_assert(offsetof(struct edl_module, load_epoch) == 24, "module.load_epoch");
_Static_assert(offsetof(struct edl_module, unload_epoch) == 28, "module.unload_epoch");
_Static_assert(offsetof(struct edl_module, flags) == 32, "module.flags");
_Static_assert(offsetof(struct edl_module, build_id_bytes) == 36, "module.build_id_bytes");
_Static_assert(offsetof(struct edl_module, build_id) == 40, "module.build_id");
_Static_assert(offsetof(struct edl_module, path_bytes) == 72, "module.path_bytes");
_Static_assert(offsetof(struct edl_module, reserved) == 76, "module.reserved");
_Static_assert(offsetof(struct edl_module, path) == 80, "module.path");

#endif
