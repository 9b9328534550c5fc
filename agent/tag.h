/*
 * The tag: the u64 in the last 8 usable bytes of a block below EDL_BIG_BLOCK_BYTES.
 *
 *   bits 0-23 check | 24-47 field (allocer id + 1) | 48-51 slack | 52-63 generation
 *
 * The check is in the lowest-addressed bytes: they are the first that a write past the end meets, and a
 * single overwritten byte still leaves 16 check bits and an intact payload. It mixes the tag's own address,
 * so a copied tag is never valid elsewhere; field 0 is never valid, so neither is the zero word.
 * Slack is usable size - 8 - requested size; 15 means that the requested size is in the word before.
 */
#ifndef EDL_TAG_H
#define EDL_TAG_H
#include <string.h>

#include "agent.h"

#define EDL_SLACK_IN_WORD 15u

static inline uint64_t edl_tag_load(const char *at) {
  uint64_t tag;
  memcpy(&tag, at, sizeof tag); /* musl's usable sizes leave it unaligned */
  return tag;
}

static inline void edl_tag_store(char *at, uint64_t tag) { memcpy(at, &tag, sizeof tag); }

static inline uint32_t edl_tag_check(const char *at, uint64_t tag, uint64_t key) {
  uint64_t x = key ^ ((uintptr_t)at >> 3) ^ (tag >> EDL_TAG_CHECK_BITS);
  return (uint32_t)(x ^ (x >> EDL_TAG_CHECK_BITS)) & 0xffffffu;
}

static inline uint64_t edl_tag_make(const char *at, uint32_t field, uint32_t slack, uint32_t gen,
                                    uint64_t key) {
  uint64_t tag = (uint64_t)field << EDL_TAG_ALLOCER_SHIFT | (uint64_t)slack << EDL_TAG_SLACK_SHIFT |
                 (uint64_t)gen << EDL_TAG_GENERATION_SHIFT;
  return tag | edl_tag_check(at, tag, key);
}

static inline uint32_t edl_tag_field(uint64_t tag) {
  return (uint32_t)(tag >> EDL_TAG_ALLOCER_SHIFT) & 0xffffffu;
}
static inline uint32_t edl_tag_slack(uint64_t tag) {
  return (uint32_t)(tag >> EDL_TAG_SLACK_SHIFT) & 15u;
}
static inline uint32_t edl_tag_gen(uint64_t tag) {
  return (uint32_t)(tag >> EDL_TAG_GENERATION_SHIFT);
}

/* Bits of the check that are wrong: 0 for an intact tag, 1..255 when only the first byte is damaged. */
static inline uint32_t edl_tag_damage(const char *at, uint64_t tag, uint64_t key) {
  return ((uint32_t)tag ^ edl_tag_check(at, tag, key)) & 0xffffffu;
}

static inline bool edl_tag_field_ok(uint64_t tag, uint32_t issued) {
  return edl_tag_field(tag) - 1 < issued; /* unsigned: 0 fails as well */
}

/* Writes tag (and size word) of a block of `usable` bytes, n of them asked for. */
static inline void edl_tag_write(char *block, size_t usable, size_t n, uint32_t field, uint32_t gen,
                                 uint64_t key) {
  char *at = block + usable - 8;
  size_t slack = usable - 8 - n;
  if (edl_unlikely(slack >= EDL_SLACK_IN_WORD)) {
    edl_tag_store(at - 8, n);
    slack = EDL_SLACK_IN_WORD;
  }
  edl_tag_store(at, edl_tag_make(at, field, (uint32_t)slack, gen, key));
}

/* Requested size of a block whose tag is intact; clamped, since the size word may have been overwritten. */
static inline size_t edl_tag_size(const char *at, uint64_t tag, size_t usable) {
  uint32_t slack = edl_tag_slack(tag);
  if (edl_likely(slack != EDL_SLACK_IN_WORD)) return usable - 8 - slack;
  size_t n = (size_t)edl_tag_load(at - 8);
  return n <= usable - 8 ? n : usable - 8;
}

#endif
