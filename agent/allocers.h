/*
 * The call sites of a shard: what an allocation of the current generation needs, ready made.
 *
 * Direct-mapped by return address, one table per parity of the latch count. An entry is written once per
 * generation and never replaced, so that a signal handler between two loads of the fast path can't exchange
 * it; a caller whose place is taken takes the slow path until the next generation.
 */
#ifndef EDL_ALLOCERS_H
#define EDL_ALLOCERS_H
#include "agent.h"

#define EDL_SITES 1024u

struct edl_site {
  _Atomic uintptr_t caller; /* return address, 0 empty, 1 being filled; stored last */
  uint64_t *counters;       /* of the allocer's line, at the phase in use */
  uint64_t tag_base;
  uint64_t unused;
};
_Static_assert(sizeof(struct edl_site) == 32, "two to a cache line");

struct edl_site_table {
  struct edl_site sites[2][EDL_SITES];
  uint16_t filled[2][EDL_SITES]; /* places to clear when the parity is used again */
  _Atomic uint32_t filled_count[2]; /* bits 0-15 how many, above them how often they were cleared */
};

static inline struct edl_site *edl_site_place(struct edl_site *sites, uintptr_t caller) {
  return &sites[caller & (EDL_SITES - 1)];
}

/* Empties the table of a parity before its next generation. */
void edl_sites_clear(struct edl_site_table *of, unsigned parity);
struct edl_site_table *edl_sites_of(unsigned shard);

#endif
