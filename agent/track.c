/* The rare cases of tracking: big blocks, other allocators, older generations, damaged tags, no turn. */
#include "track.h"

#include "bigblocks.h"
#include "next.h"

/* Usable size as the real allocator says it, and whether the block may carry a tag. */
static bool block_is_tagged_size(const void *block, size_t *usable) {
  if (edl.inline_chunks) {
    size_t word = edl_chunk_word(block);
    *usable = edl_chunk_usable(word);
    return edl_chunk_small(word);
  }
  *usable = edl_next.malloc_usable_size((void *)block);
  return *usable < EDL_BIG_BLOCK_BYTES;
}

static void put_big(const void *block, size_t n, uintptr_t caller, struct edl_turn *turn) {
  uint32_t field = edl_allocer_of(turn, caller);
  struct edl_big what = {n, field, edl_latched_gen(turn->latched)};
  if (edl_big_put(block, what)) edl_count_alloc(turn, field, n);
  else edl_lost(EDL_LOSS_BIG_TABLE_FULL);
}

static void put_tag(void *block, size_t usable, size_t n, uintptr_t caller, struct edl_turn *turn) {
  if (usable < n + 8) {
    /* tcmalloc knows no sizes before its own constructor has run. */
    edl_lost(usable == 0 ? EDL_LOSS_BOOTSTRAP : EDL_LOSS_UNTAGGED);
    return;
  }
  uint32_t field = edl_allocer_of(turn, caller);
  edl_count_alloc(turn, field, n);
  edl_tag_write(block, usable, n, edl_tag_base(field, edl_latched_gen(turn->latched), edl.key));
}

EDL_NOINLINE void *edl_track_slow(void *block, size_t n, uintptr_t caller) {
  if (!block || edl_is_bootstrap(block) || edl_is_own_call(caller)) return block;
  struct edl_turn turn;
  edl_turn_begin(&turn);
  if (turn.latched) {
    size_t usable;
    if (block_is_tagged_size(block, &usable)) put_tag(block, usable, n, caller, &turn);
    else put_big(block, n, caller, &turn);
  }
  edl_turn_end(&turn);
  return block;
}

static void count_gone(const struct edl_turn *turn, const struct edl_was *was) {
  if (was->overrun) edl_count_overrun(was->field);
  if (was->gen == edl_latched_gen(turn->latched)) edl_count_free(turn, was->field, was->n);
  else edl_free_older(turn, was->field, was->gen, was->n);
}

/* The tag of a block of this usable size: intact, or damaged in its first byte only. Then 16 check bits are
 * left, so the generation must be one that the host has opened. */
static bool read_tag(char *at, size_t usable, struct edl_was *was) {
  uint64_t stored = edl_tag_load(at), word = stored ^ edl_tag_address(at);
  uint32_t damage = edl_tag_damage(word, edl.key);
  uint32_t issued = atomic_load_explicit(&edl.issued, memory_order_relaxed);
  if (stored == 0 || damage > 0xff || !edl_tag_field_ok(word, issued)) return false;
  uint32_t now = (uint32_t)atomic_load_explicit(edl.control, memory_order_relaxed) & EDL_GEN_MASK;
  if (damage != 0 && edl_tag_gen(word) > now) return false;
  *was = (struct edl_was){.n = edl_tag_size(at, word, usable), .tag = word, .tag_at = at,
                          .field = edl_tag_field(word), .gen = edl_tag_gen(word), .overrun = damage != 0};
  return true;
}

/* Finds what the block was and takes its mark off. The bytes of the tag are wiped, the user's never. */
void edl_untag(void *block, struct edl_was *was) {
  *was = (struct edl_was){0};
  if (!edl.header || edl_is_bootstrap(block)) return;
  if (edl.inline_chunks && ((uintptr_t)block & 15) != 0) return; /* the real free says what is wrong */
  size_t usable;
  if (!block_is_tagged_size(block, &usable)) {
    struct edl_big big;
    if (edl_big_take(block, &big)) *was = (struct edl_was){.n = big.n, .field = big.field, .gen = big.gen};
    return;
  }
  if (usable < 8 || !read_tag((char *)block + usable - 8, usable, was)) return;
  edl_tag_store(was->tag_at, 0);
  if (edl_tag_slack(was->tag) == EDL_SLACK_IN_WORD) edl_tag_store(was->tag_at - 8, 0);
}

void edl_retag(void *block, const struct edl_was *was) {
  if (!was->field) return;
  if (!was->tag) {
    struct edl_big what = {was->n, was->field, was->gen};
    if (!edl_big_put(block, what)) edl_lost(EDL_LOSS_BIG_TABLE_FULL);
    return;
  }
  if (edl_tag_slack(was->tag) == EDL_SLACK_IN_WORD) edl_tag_store(was->tag_at - 8, was->n);
  edl_tag_store(was->tag_at, was->tag ^ edl_tag_address(was->tag_at));
}

void edl_count_gone(const struct edl_was *was) {
  struct edl_turn turn;
  edl_turn_begin(&turn);
  if (turn.latched) {
    if (was->field) count_gone(&turn, was);
    else edl_lost(EDL_LOSS_UNKNOWN_FREES);
  }
  edl_turn_end(&turn);
}

EDL_NOINLINE void edl_untrack_slow(void *block, uintptr_t caller) {
  if (edl_is_bootstrap(block) || edl_is_own_call(caller)) return;
  if (atomic_load_explicit(&edl.mode, memory_order_acquire) != EDL_LIVE) return;
  struct edl_turn turn;
  edl_turn_begin(&turn);
  if (turn.latched) {
    struct edl_was was;
    edl_untag(block, &was);
    if (was.field) count_gone(&turn, &was);
    else edl_lost(EDL_LOSS_UNKNOWN_FREES);
  }
  edl_turn_end(&turn);
}

/* What the program may use of a block: not the tag, nor the size word. Stable for the block's life. */
size_t edl_usable(void *block) {
  if (!block || edl_is_bootstrap(block)) return edl_is_bootstrap(block) ? edl_chunk_usable(edl_chunk_word(block)) : 0;
  size_t real = edl_next.malloc_usable_size(block);
  size_t usable;
  struct edl_was was;
  if (!edl.header || !block_is_tagged_size(block, &usable) || usable < 8) return real;
  if (!read_tag((char *)block + usable - 8, usable, &was)) return real;
  return usable - (edl_tag_slack(was.tag) == EDL_SLACK_IN_WORD ? 16 : 8);
}
