/*
 * The modules of the process: what is loaded at start, and what a look-up miss finds later.
 *
 * In a hook only _dl_find_object is asked (lock-free, glibc >= 2.35); dl_iterate_phdr takes the loader's lock
 * and is called at start only. The records in the segment let a dead target still be named.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <string.h>

#include "agent.h"
#include "libc.h"
#include "sys.h"

#define NOTE_GNU_BUILD_ID 3

/* Private ranges; `end` is stored last. */
static struct range {
  uintptr_t start;
  _Atomic uintptr_t end;
} ranges[EDL_MAX_MODULES];
static _Atomic uint32_t count;

static void put_build_id(struct edl_module *m, const char *note, const char *end) {
  while (note + sizeof(Elf64_Nhdr) <= end) {
    const Elf64_Nhdr *h = (const Elf64_Nhdr *)note;
    const char *name = note + sizeof *h;
    const char *value = name + ((h->n_namesz + 3u) & ~3u);
    const char *next = value + ((h->n_descsz + 3u) & ~3u);
    if (value < note || next <= note || next > end) return;
    if (h->n_type == NOTE_GNU_BUILD_ID && h->n_namesz == 4 && memcmp(name, "GNU", 4) == 0 &&
        h->n_descsz <= sizeof m->build_id) {
      memcpy(m->build_id, value, h->n_descsz);
      m->build_id_bytes = h->n_descsz;
      return;
    }
    note = next;
  }
}

static void put_path(struct edl_module *m, const char *path) {
  size_t n = strlen(path);
  if (n >= sizeof m->path) {
    n = sizeof m->path - 1;
    m->flags |= EDL_MODULE_PATH_TRUNCATED;
  }
  memcpy(m->path, path, n);
  m->path_bytes = (uint32_t)n;
}

static void publish(uint32_t index, struct edl_module *m, uintptr_t start, uintptr_t end) {
  m->end = end;
  __atomic_store_n(&m->start, start, __ATOMIC_RELEASE);
  uint32_t *shown = &edl.header->modules_issued;
  uint32_t current = __atomic_load_n(shown, __ATOMIC_RELAXED);
  while (current < index + 1 && !__atomic_compare_exchange_n(shown, &current, index + 1, true,
                                                             __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
  }
  ranges[index].start = start;
  atomic_store_explicit(&ranges[index].end, end, memory_order_release);
}

static bool is_loaded(const Elf64_Phdr *part, const Elf64_Phdr *headers, unsigned headers_count) {
  for (unsigned i = 0; i < headers_count; i++)
    if (headers[i].p_type == PT_LOAD && (headers[i].p_flags & PF_R) &&
        part->p_vaddr >= headers[i].p_vaddr &&
        part->p_vaddr + part->p_memsz <= headers[i].p_vaddr + headers[i].p_filesz)
      return true;
  return false;
}

/* Records the object with these program headers; 1 + its index, or 0. */
static uint32_t record(uintptr_t bias, const Elf64_Phdr *headers, unsigned headers_count,
                       const char *path, uint32_t flags) {
  uintptr_t start = UINTPTR_MAX, end = 0;
  for (unsigned i = 0; i < headers_count; i++) {
    if (headers[i].p_type != PT_LOAD) continue;
    uintptr_t from = bias + headers[i].p_vaddr, to = from + headers[i].p_memsz;
    if (from < start) start = from;
    if (to > end) end = to;
  }
  if (end <= start) return 0;
  uint32_t index = atomic_load(&count) < edl.max_modules ? atomic_fetch_add(&count, 1) : edl.max_modules;
  size_t at = EDL_MODULES_OFFSET + (size_t)index * sizeof(struct edl_module);
  if (index >= edl.max_modules || !edl_segment_reserve(at, sizeof(struct edl_module))) {
    edl_lost(EDL_LOSS_MODULES_FULL);
    return 0;
  }
  struct edl_module *m = &edl.module[index];
  m->bias = bias;
  m->load_epoch = edl.header->module_epoch;
  m->flags = flags;
  put_path(m, path);
  for (unsigned i = 0; i < headers_count; i++)
    if (headers[i].p_type == PT_NOTE && m->build_id_bytes == 0 &&
        is_loaded(&headers[i], headers, headers_count)) {
      const char *note = (const char *)(bias + headers[i].p_vaddr);
      put_build_id(m, note, note + headers[i].p_memsz);
    }
  publish(index, m, start & ~(uintptr_t)(EDL_PAGE_BYTES - 1),
          (end + EDL_PAGE_BYTES - 1) & ~(uintptr_t)(EDL_PAGE_BYTES - 1));
  return index + 1;
}

static int record_loaded(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  unsigned *seen = data;
  uint32_t flags = 0;
  const char *path = info->dlpi_name ? info->dlpi_name : "";
  if ((*seen)++ == 0) flags |= EDL_MODULE_EXECUTABLE;
  if (strncmp(path, "linux-vdso", 10) == 0) flags |= EDL_MODULE_VDSO;
  for (unsigned i = 0; i < info->dlpi_phnum; i++) {
    const Elf64_Phdr *p = &info->dlpi_phdr[i];
    if (p->p_type == PT_LOAD && (uintptr_t)&edl - (info->dlpi_addr + p->p_vaddr) < p->p_memsz)
      flags |= EDL_MODULE_AGENT;
  }
  if (flags & EDL_MODULE_EXECUTABLE) path = edl.header->exe;
  record(info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum, path, flags);
  return 0;
}

static uint32_t find_recorded(uintptr_t address) {
  uint32_t n = atomic_load_explicit(&count, memory_order_acquire);
  if (n > edl.max_modules) n = edl.max_modules;
  for (uint32_t i = n; i-- > 0;) /* the youngest first: addresses are re-used */
    if (address < atomic_load_explicit(&ranges[i].end, memory_order_acquire) &&
        address >= ranges[i].start)
      return i + 1;
  return 0;
}

/* The object is in use by the frame that called us, so it can't be unloaded while it is read. */
static uint32_t find_loaded(uintptr_t address) {
  struct edl_found_object found;
  if (!edl_libc._dl_find_object || edl_libc._dl_find_object((void *)address, &found) != 0) return 0;
  const struct link_map *map = found.link_map;
  const Elf64_Ehdr *e = found.map_start;
  if (!map || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0 || e->e_phentsize != sizeof(Elf64_Phdr) ||
      e->e_phoff + (uint64_t)e->e_phnum * sizeof(Elf64_Phdr) > EDL_PAGE_BYTES)
    return 0;
  const Elf64_Phdr *headers = (const Elf64_Phdr *)((const char *)e + e->e_phoff);
  return record(map->l_addr, headers, e->e_phnum, map->l_name ? map->l_name : "", 0);
}

uint32_t edl_module_of(uintptr_t address) {
  uint32_t index = find_recorded(address);
  return index ? index : find_loaded(address);
}

void edl_modules_boot(void) {
  unsigned seen = 0;
  edl.header->module_epoch = 1;
  dl_iterate_phdr(record_loaded, &seen);
}
