/*
 * Blocks of EDL_BIG_BLOCK_BYTES and more (and mmapped ones): kept in a private table, without a tag, so
 * that no page is touched for them.
 *
 * A block is in the table from its allocation to its free, and the program's own hand-over orders the two:
 * only one thread at a time asks for one key. Wait-free; an entry that a signal or fork left half made is
 * never waited for. When the table is full the block is untracked and counted as lost.
 */
#ifndef EDL_BIGBLOCKS_H
#define EDL_BIGBLOCKS_H
#include "agent.h"

struct edl_big {
  size_t n; /* requested size */
  uint32_t field;
  uint32_t gen;
};

bool edl_big_boot(void);
bool edl_big_put(const void *block, struct edl_big what);
/* Takes the block out; false when it is not in the table. */
bool edl_big_take(const void *block, struct edl_big *what);
bool edl_big_has(const void *block);

#endif
