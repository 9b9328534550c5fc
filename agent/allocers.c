/*
 * Return addresses -> allocer: a lock-free table in private memory, a record in the segment.
 *
 * A table entry is written once, by one compare-and-swap, after everything it stands for; an insert that a
 * signal or a fork cut short reads as a miss. Ids that lost a race are kept for the next allocer.
 */
#include "allocers.h"

#include <sys/mman.h>

#include "agent.h"
#include "sys.h"
#include "tag.h"

#define PROBES 512
#define NEAR_SITES 4u
#define FIELD_MASK 0xffffffu
#define FILLED_MASK 0xffffu

struct key {
  uintptr_t address[EDL_KEY_DEPTH];
};

static struct edl_site_table *site_tables; /* by shard */

/* Entry: 40 bits of the key's hash, 24 bits field; 0 is empty. */
static _Atomic uint64_t *table;
static uint32_t table_mask;
static struct key *keys; /* by id; the segment's copy is never read */
static _Atomic uint32_t spare; /* a field nobody uses */

static uint64_t hash_of(const struct key *key) {
  uint64_t h = 0;
  for (unsigned i = 0; i < EDL_KEY_DEPTH; i++)
    h = (h ^ key->address[i]) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
  return h ^ (h >> 32);
}

static bool same(const struct key *a, const struct key *b) {
  for (unsigned i = 0; i < EDL_KEY_DEPTH; i++)
    if (a->address[i] != b->address[i]) return false;
  return true;
}

/* Announces to readers that fields up to this one exist. */
static void publish_issued(uint32_t field) {
  uint32_t *shown = &edl.header->allocers_issued;
  uint32_t current = __atomic_load_n(shown, __ATOMIC_RELAXED);
  while (current < field && !__atomic_compare_exchange_n(shown, &current, field, true, __ATOMIC_RELEASE,
                                                         __ATOMIC_RELAXED)) {
  }
}

static uint32_t field_take(void) {
  uint32_t field = atomic_exchange(&spare, 0);
  if (field) return field;
  uint32_t issued = atomic_load(&edl.issued);
  do {
    if (!edl_allocers_reserve(issued + 1)) return 0;
  } while (!atomic_compare_exchange_weak(&edl.issued, &issued, issued + 1));
  return issued + 1;
}

static void field_describe(uint32_t field, const struct key *key, unsigned depth) {
  struct edl_allocer *record = &edl.allocer[field - 1];
  keys[field - 1] = *key;
  for (unsigned i = 0; i < EDL_KEY_DEPTH; i++) record->key[i] = key->address[i];
  record->depth = (uint8_t)depth;
  record->module = edl_module_of(key->address[0]);
}

/* Looks the key up from *at on; leaves *at at the first empty entry. */
static uint32_t lookup(const struct key *key, uint64_t hash, uint32_t *at) {
  for (unsigned probe = 0; probe < PROBES; probe++, *at = (*at + 1) & table_mask) {
    uint64_t entry = atomic_load_explicit(&table[*at], memory_order_acquire);
    if (entry == 0) return 0;
    uint32_t field = (uint32_t)entry & FIELD_MASK;
    if (entry >> 24 == hash >> 24 && same(&keys[field - 1], key)) return field;
  }
  return 1; /* crowded beyond reason: unattributed */
}

uint32_t edl_allocer_find(const uintptr_t *addresses, unsigned depth) {
  struct key key = {{0}};
  for (unsigned i = 0; i < depth; i++) key.address[i] = addresses[i];
  uint64_t hash = hash_of(&key);
  uint32_t at = (uint32_t)(hash >> 24) & table_mask;
  uint32_t field = lookup(&key, hash, &at);
  if (field) return field;
  uint32_t mine = field_take();
  if (!mine) {
    edl_lost(EDL_LOSS_UNATTRIBUTED);
    return 1;
  }
  field_describe(mine, &key, depth);
  uint64_t empty = 0, entry = (hash >> 24) << 24 | mine;
  while (!atomic_compare_exchange_strong_explicit(&table[at], &empty, entry, memory_order_release,
                                                  memory_order_relaxed)) {
    field = lookup(&key, hash, &at);
    if (field) {
      atomic_store(&spare, mine);
      return field;
    }
    empty = 0;
  }
  publish_issued(mine);
  return mine;
}

/* The caller's entry, at its place or, when that is taken, close behind; else the first empty one there,
 * else NULL. The fast path looks at the place only; this spares the rest the table of all allocers. */
static struct edl_site *site_find(struct edl_site *sites, uintptr_t caller) {
  for (unsigned i = 0; i < NEAR_SITES; i++) {
    struct edl_site *site = edl_site_place(sites, caller + i);
    uintptr_t held = atomic_load_explicit(&site->caller, memory_order_acquire);
    if (held == caller || held == 0) return site;
  }
  return NULL;
}

/* Makes the caller's entry; a signal handler that took it first keeps it. */
static void site_fill(const struct edl_turn *turn, struct edl_site *site, uintptr_t caller, uint32_t field) {
  uintptr_t empty = 0;
  if (!atomic_compare_exchange_strong(&site->caller, &empty, 1)) return;
  struct edl_site_table *own = &site_tables[((uintptr_t)turn->sites - (uintptr_t)site_tables) / sizeof *own];
  unsigned parity = turn->sites == own->sites[1];
  uint32_t n = atomic_fetch_add(&own->filled_count[parity], 1) & FILLED_MASK;
  own->filled[parity][n % EDL_SITES] = (uint16_t)(site - turn->sites);
  site->counters = edl_latched_counters(turn->latched, field);
  site->tag_base = edl_tag_base(field, edl_latched_gen(turn->latched), edl.key);
  atomic_store_explicit(&site->caller, caller, memory_order_release);
}

/* A signal handler that comes in between clears as well, and may fill anew: its list must outlive ours. */
void edl_sites_clear(struct edl_site_table *of, unsigned parity) {
  uint32_t count = atomic_load(&of->filled_count[parity]);
  for (uint32_t i = 0; i < (count & FILLED_MASK); i++)
    atomic_store_explicit(&of->sites[parity][of->filled[parity][i]].caller, 0, memory_order_relaxed);
  uint32_t cleared = (count & ~FILLED_MASK) + FILLED_MASK + 1;
  atomic_compare_exchange_strong(&of->filled_count[parity], &count, cleared);
}

struct edl_site_table *edl_sites_of(unsigned shard) { return &site_tables[shard]; }

uint32_t edl_allocer_of(const struct edl_turn *turn, uintptr_t caller) {
  struct edl_site *site = turn->sites ? site_find(turn->sites, caller) : NULL;
  if (site && atomic_load_explicit(&site->caller, memory_order_acquire) == caller)
    return edl_tag_field(site->tag_base);
  uint32_t field = edl_allocer_find(&caller, 1);
  if (site && field != 1) site_fill(turn, site, caller, field);
  return field;
}

bool edl_allocers_boot(void) {
  uint32_t entries = 64;
  while (entries < 2 * edl.max_allocers) entries *= 2;
  table_mask = entries - 1;
  size_t table_bytes = entries * sizeof *table;
  size_t key_bytes = edl.max_allocers * sizeof *keys;
  size_t site_bytes = edl.exclusive * sizeof(struct edl_site_table);
  char *memory = edl_mmap(NULL, site_bytes + table_bytes + key_bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  if (!memory) return false;
  site_tables = (struct edl_site_table *)memory;
  for (unsigned s = 0; s < edl.exclusive; s++) edl.hot[s].table = &site_tables[s];
  table = (_Atomic uint64_t *)(memory + site_bytes);
  keys = (struct key *)(memory + site_bytes + table_bytes);
  atomic_store(&edl.issued, 1); /* id 0: unattributed */
  publish_issued(1);
  return true;
}
