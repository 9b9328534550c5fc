/*
 * The one way to change a counter line. A line has one writing thread, but a signal handler of that thread
 * may come between any two instructions: only a single add instruction loses nothing (a relaxed load and
 * store lost 6 % of 40 000 signals). Shared shards use locked adds.
 */
#ifndef EDL_COUNTERS_H
#define EDL_COUNTERS_H
#include "agent.h"

static inline void edl_counter_add(uint64_t *counter, uint64_t amount) {
#if defined(__x86_64__)
  __asm__("addq %1, %0" : "+m"(*counter) : "er"(amount) : "cc");
#elif defined(__aarch64__)
  __atomic_fetch_add(counter, amount, __ATOMIC_RELAXED); /* stadd, or an exclusive loop before LSE */
#endif
}

static inline void edl_counter_add_shared(uint64_t *counter, uint64_t amount) {
  __atomic_fetch_add(counter, amount, __ATOMIC_RELAXED);
}

static inline void edl_count_pair(const struct edl_turn *turn, uint32_t field, unsigned first,
                                  uint64_t bytes) {
  uint64_t *counters = edl_latched_counters(turn->latched, field) + first;
  if (edl_likely(turn->shared == 0)) {
    edl_counter_add(&counters[0], 1);
    edl_counter_add(&counters[1], bytes);
  } else {
    edl_counter_add_shared(&counters[0], 1);
    edl_counter_add_shared(&counters[1], bytes);
  }
}

static inline void edl_count_alloc(const struct edl_turn *turn, uint32_t field, uint64_t bytes) {
  edl_count_pair(turn, field, 0, bytes);
}

/* A block of the generation that is latched is freed. */
static inline void edl_count_free(const struct edl_turn *turn, uint32_t field, uint64_t bytes) {
  edl_count_pair(turn, field, 2, bytes);
}

#endif
