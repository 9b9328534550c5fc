/*
 * The tag: the u64 in the last 8 usable bytes of a block below EDL_BIG_BLOCK_BYTES.
 *
 *   word   bits 0-23 check | 24-47 field (allocer id + 1) | 48-51 slack | 52-63 generation
 *   stored word ^ (address of the tag >> 3)
 *
 * The check is in the lowest-addressed bytes: they are the first that a write past the end meets, and a
 * single overwritten byte still leaves 16 check bits and an intact payload. The address makes a copied tag
 * invalid elsewhere. Check and field filter together let one word of garbage in 10^10 pass.
 * Slack is usable size - 8 - requested size; 15 means that the requested size is in the word before.
 *
 * All but slack and address is the same for every block of a call site in one generation: it is mixed once
 * (edl_tag_base), and an allocation adds the rest by three xors.
 */
#ifndef EDL_TAG_H
#define EDL_TAG_H
#include <string.h>

#include "agent.h"

#define EDL_SLACK_IN_WORD 15u

static inline uint64_t edl_tag_load(const char *at) {
  uint64_t stored;
  memcpy(&stored, at, sizeof stored); /* musl's usable sizes leave it unaligned */
  return stored;
}

static inline void edl_tag_store(char *at, uint64_t stored) { memcpy(at, &stored, sizeof stored); }

static inline uint64_t edl_tag_address(const char *at) { return (uintptr_t)at >> 3; }

/* Word of a tag without slack. */
static inline uint64_t edl_tag_base(uint32_t field, uint32_t gen, uint64_t key) {
  uint64_t word = (uint64_t)field << EDL_TAG_ALLOCER_SHIFT | (uint64_t)gen << EDL_TAG_GENERATION_SHIFT;
  return word | ((word >> 24 ^ word >> 48 ^ key) & 0xffffffu);
}

/* Slack enters the payload and, since the check is linear, the check. */
static inline uint64_t edl_tag_word(uint64_t base, uint64_t slack) {
  return base ^ (slack << EDL_TAG_SLACK_SHIFT) ^ slack;
}

static inline uint32_t edl_tag_field(uint64_t word) {
  return (uint32_t)(word >> EDL_TAG_ALLOCER_SHIFT) & 0xffffffu;
}
static inline uint32_t edl_tag_slack(uint64_t word) {
  return (uint32_t)(word >> EDL_TAG_SLACK_SHIFT) & 15u;
}
static inline uint32_t edl_tag_gen(uint64_t word) {
  return (uint32_t)(word >> EDL_TAG_GENERATION_SHIFT);
}

/* Bits of the check that are wrong: 0 for an intact tag, 1..255 when only the first byte is damaged. */
static inline uint32_t edl_tag_damage(uint64_t word, uint64_t key) {
  return (uint32_t)(word ^ word >> 24 ^ word >> 48 ^ key) & 0xffffffu;
}

static inline bool edl_tag_field_ok(uint64_t word, uint32_t issued) {
  return edl_tag_field(word) - 1 < issued; /* unsigned: 0 fails as well */
}

/* Writes tag (and size word) of a block of `usable` bytes, n of them asked for. */
static inline __attribute__((always_inline)) void edl_tag_write(char *block, size_t usable, size_t n,
                                                                uint64_t base) {
  char *at = block + usable - 8;
  size_t slack = usable - 8 - n;
  if (edl_unlikely(slack >= EDL_SLACK_IN_WORD)) {
    edl_tag_store(at - 8, n);
    slack = EDL_SLACK_IN_WORD;
  }
  edl_tag_store(at, edl_tag_word(base, slack) ^ edl_tag_address(at));
}

/* Requested size of a block whose tag is intact; clamped, since the size word may have been overwritten. */
static inline size_t edl_tag_size(const char *at, uint64_t word, size_t usable) {
  uint32_t slack = edl_tag_slack(word);
  if (edl_likely(slack != EDL_SLACK_IN_WORD)) return usable - 8 - slack;
  size_t n = (size_t)edl_tag_load(at - 8);
  return n <= usable - 8 ? n : usable - 8;
}

#endif
