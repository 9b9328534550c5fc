/** Capacities that agent and host agree on, each with its reason. */

/** Version of the segment layout; agent and host refuse each other when it differs. */
export const LAYOUT_VERSION = 1;

/** Return addresses in an allocer's key, innermost first; one by default, up to four through wrappers. */
export const KEY_DEPTH = 4;

/** Allocers a segment can hold by default, whole pages of lines: 108 MB of address space, pages touched only as used. */
export const MAX_ALLOCERS = 20_032;

/** Bits of the allocer id in a tag; no segment can ever hold more allocers than this allows. */
export const ALLOCER_ID_BITS = 24;

/** Bits of the generation id in a tag; ids are monotone and never wrap, the host widens them instead. */
export const GENERATION_ID_BITS = 12;

/** Generation ids there are; id 0 means before the first slice, inherited, or unknown. */
export const GENERATION_IDS = 4096;

/** After this many ids the host doubles the slices per id (194 days at one slice per second). */
export const IDS_PER_WIDTH = 256;

/** Birth slots with a counter of their own in an evidence record. */
export const BIRTH_SLOTS = 64;

/** Age-at-free buckets: bucket 0 is age 0, bucket b holds ages 2^(b-1) .. 2^b - 1, in slices. */
export const AGE_BUCKETS = 24;

/** Counter shards of a segment: 64 x 20 000 x 64 B is the 82 MB that dominate its address space. */
export const SHARDS = 64;

/** Of these, the shards with one writing thread each; the rest are shared, with atomic instructions. */
export const EXCLUSIVE_SHARDS = 48;

/** Modules a segment can name (2 MB of address space). */
export const MAX_MODULES = 4096;

/** Usable bytes from which a block is kept in the agent's own table instead of carrying a tag. */
export const BIG_BLOCK_BYTES = 65_536;

/** Live big blocks the agent's table holds; further ones are untracked and counted as lost. */
export const MAX_BIG_BLOCKS = 65_536;

/** Bytes that a fresh segment may occupy: 500 short processes fit Docker's default /dev/shm. */
export const FIRST_RESERVATION_BYTES = 32_768;

/** Bytes all segments of one directory may occupy before a new process goes unseen. */
export const DIRECTORY_BYTES = 256 * 1024 * 1024;

/** Segments of one directory before a new process goes unseen. */
export const DIRECTORY_FILES = 4096;

/** Deepest stack a watch can ask for, in frames. */
export const MAX_WATCH_DEPTH = 64;

/** Slices below which no verdict is given. */
export const MIN_SLICES = 8;
