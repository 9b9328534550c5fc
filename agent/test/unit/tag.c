/* The tag: every size and slack, every address, and what damage is recognised. */
#include "../../tag.h"

#include "../harness.h"
#include "../../counters.h"
#include "fakes.h"

#define KEY UINT64_C(0xfedcba9876543211)
#define ISSUED 1000u

static uint64_t state = 88172645463325252u;
static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static uint64_t word_at(const char *at) { return edl_tag_load(at) ^ edl_tag_address(at); }

/* As edl_untrack: intact and of an allocer that exists. */
static bool is_intact(const char *at) {
  uint64_t word = word_at(at);
  return edl_tag_load(at) != 0 && edl_tag_damage(word, KEY) == 0 && edl_tag_field_ok(word, ISSUED);
}
static bool is_overrun(const char *at) {
  uint32_t damage = edl_tag_damage(word_at(at), KEY);
  return damage != 0 && damage <= 0xff && edl_tag_field_ok(word_at(at), ISSUED);
}

static void every_size_and_slack(void) {
  static char memory[70000];
  for (size_t n = 0; n < 65528; n += n < 600 ? 1 : 517)
    for (size_t room = 0; room < 200; room += room < 40 ? 1 : 9) {
      size_t usable = n + 8 + room;
      char *block = memory + next_random() % 16;
      memset(block, 0x77, usable + 8);
      uint32_t field = (uint32_t)(next_random() % ISSUED) + 1, gen = (uint32_t)next_random() & 0xfff;
      edl_tag_write(block, usable, n, edl_tag_base(field, gen, KEY));
      char *at = block + usable - 8;
      uint64_t word = word_at(at);
      CHECK(is_intact(at));
      CHECK_EQUAL(edl_tag_field(word), field);
      CHECK_EQUAL(edl_tag_gen(word), gen);
      CHECK_EQUAL(edl_tag_size(at, word, usable), n);
      for (size_t i = 0; i < n; i++) CHECK(block[i] == 0x77);
      for (size_t i = usable; i < usable + 8; i++) CHECK(block[i] == 0x77);
    }
}

static void every_field_and_generation(void) {
  char memory[64] __attribute__((aligned(16)));
  for (uint32_t field = 1; field < 1u << 24; field += 997)
    for (uint32_t gen = 0; gen < 4096; gen += 31) {
      edl_tag_write(memory, 40, 30, edl_tag_base(field, gen, KEY));
      uint64_t word = word_at(memory + 32);
      CHECK(edl_tag_damage(word, KEY) == 0);
      CHECK_EQUAL(edl_tag_field(word), field);
      CHECK_EQUAL(edl_tag_gen(word), gen);
    }
}

/* The size word may be overwritten as well: never more than there is. */
static void size_word_is_bounded(void) {
  char memory[128] __attribute__((aligned(16)));
  edl_tag_write(memory, 120, 10, edl_tag_base(5, 1, KEY));
  CHECK_EQUAL(edl_tag_size(memory + 112, word_at(memory + 112), 120), 10);
  memset(memory + 104, 0xff, 8);
  CHECK_EQUAL(edl_tag_size(memory + 112, word_at(memory + 112), 120), 112);
}

static void zero_word_is_no_tag(void) {
  static char memory[4096] __attribute__((aligned(16)));
  for (size_t at = 0; at + 8 <= sizeof memory; at++) CHECK(!is_intact(memory + at));
}

static void field_0_is_no_allocer(void) {
  CHECK(!edl_tag_field_ok(edl_tag_base(0, 0, KEY), ISSUED));
  CHECK(edl_tag_field_ok(edl_tag_base(ISSUED, 0, KEY), ISSUED));
  CHECK(!edl_tag_field_ok(edl_tag_base(ISSUED + 1, 0, KEY), ISSUED));
}

static void a_copied_tag_is_none(void) {
  static char memory[65536] __attribute__((aligned(16)));
  edl_tag_write(memory, 64, 50, edl_tag_base(7, 3, KEY));
  for (size_t to = 64; to + 8 <= sizeof memory; to += 8) {
    memcpy(memory + to, memory + 56, 8);
    CHECK(!is_intact(memory + to));
  }
}

/* 24 check bits and the range of fields: of a million random words none passes, of 2^16 one or two look overrun. */
static void random_words_are_none(void) {
  char memory[16] __attribute__((aligned(8)));
  int intact = 0, overrun = 0;
  for (int i = 0; i < 1000000; i++) {
    edl_tag_store(memory, next_random());
    intact += is_intact(memory);
    overrun += is_overrun(memory);
  }
  CHECK_EQUAL(intact, 0);
  CHECK_EQUAL(overrun, 0); /* 16 check bits, and the allocer's number must exist */
}

static void a_damaged_first_byte_is_recognised(void) {
  char memory[64];
  for (int i = 0; i < 1000000; i++) {
    char *block = memory + i % 8;
    uint32_t field = (uint32_t)(next_random() % ISSUED) + 1;
    edl_tag_write(block, 40, 32, edl_tag_base(field, (uint32_t)i & 0xfff, KEY));
    char before = block[32];
    block[32] = (char)next_random();
    if (block[32] == before) continue;
    CHECK(!is_intact(block + 32));
    CHECK(is_overrun(block + 32));
    CHECK_EQUAL(edl_tag_field(word_at(block + 32)), field);
    CHECK_EQUAL(edl_tag_size(block + 32, word_at(block + 32), 40), 32);
  }
}

/* A longer write from the block's end on loses the tag; never is it taken for intact. */
static void longer_damage_is_refused(void) {
  char memory[64] __attribute__((aligned(16)));
  int overrun = 0;
  for (int i = 0; i < 1000000; i++) {
    size_t bytes = 2 + (size_t)i % 7;
    edl_tag_write(memory, 40, 32, edl_tag_base(1 + (uint32_t)i % ISSUED, (uint32_t)i & 0xfff, KEY));
    uint64_t before = edl_tag_load(memory + 32), noise = next_random();
    memcpy(memory + 32, &noise, bytes);
    if (((before ^ edl_tag_load(memory + 32)) & 0xffff00) == 0) continue; /* only the first byte has changed */
    CHECK(!is_intact(memory + 32));
    overrun += is_overrun(memory + 32);
  }
  CHECK(overrun <= 60); /* 2^-16 each, where the allocer's number is damaged too: fewer */
}

static void counters_of_a_phase(void) {
  struct edl_line lines[3] = {{0}};
  for (unsigned phase = 0; phase < 2; phase++) {
    edl_latched latched = (uint64_t)(17 + phase) << EDL_LATCHED_GEN_SHIFT | ((uintptr_t)(lines - 1) + phase * 32);
    struct edl_turn own = {.latched = latched}, shared = {.latched = latched, .shared = 1};
    CHECK_EQUAL(edl_latched_gen(latched), 17 + phase);
    edl_count_alloc(&own, 2, 100);
    edl_count_alloc(&shared, 2, 11);
    edl_count_free(&own, 2, 100);
    edl_count_free(&shared, 3, UINT64_C(1) << 40);
  }
  const struct edl_line expected[3] = {{0}, {2, 111, 1, 100, 2, 111, 1, 100}, {0, 0, 1, UINT64_C(1) << 40, 0, 0, 1, UINT64_C(1) << 40}};
  CHECK(memcmp(lines, expected, sizeof lines) == 0);
}

int main(int argc, char **argv) {
  test.prefix = argc > 1 ? argv[1] : NULL;
  RUN(every_size_and_slack);
  RUN(every_field_and_generation);
  RUN(size_word_is_bounded);
  RUN(zero_word_is_no_tag);
  RUN(field_0_is_no_allocer);
  RUN(a_copied_tag_is_none);
  RUN(random_words_are_none);
  RUN(a_damaged_first_byte_is_recognised);
  RUN(longer_damage_is_refused);
  RUN(counters_of_a_phase);
  return test_end();
}
