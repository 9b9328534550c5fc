/* Reads DT_SYMTAB, DT_STRTAB and DT_GNU_HASH or DT_HASH of a loaded object; nothing but mapped memory is touched. */
#define _GNU_SOURCE
#include "dynsym.h"

#include <string.h>

static uintptr_t dynamic_address(const struct edl_dynsym *o, uintptr_t value) {
  return value < o->base ? o->base + value : value; /* glibc relocates the table in place, musl does not */
}

static void read_dynamic(struct edl_dynsym *o, const Elf64_Dyn *d) {
  for (; d->d_tag != DT_NULL; d++) {
    uintptr_t at = dynamic_address(o, d->d_un.d_ptr);
    if (d->d_tag == DT_SYMTAB) o->symbols = (const Elf64_Sym *)at;
    if (d->d_tag == DT_STRTAB) o->strings = (const char *)at;
    if (d->d_tag == DT_GNU_HASH) o->gnu_hash = (const uint32_t *)at;
    if (d->d_tag == DT_HASH) o->hash = (const uint32_t *)at;
    if (d->d_tag == DT_VERSYM) o->versions = (const uint16_t *)at;
  }
}

bool edl_dynsym_read(struct edl_dynsym *o, const struct dl_phdr_info *info) {
  *o = (struct edl_dynsym){.base = info->dlpi_addr};
  for (unsigned i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
      read_dynamic(o, (const Elf64_Dyn *)(o->base + info->dlpi_phdr[i].p_vaddr));
  return o->symbols && o->strings && (o->gnu_hash || o->hash);
}

void edl_object_range(const struct dl_phdr_info *info, uintptr_t *start, uintptr_t *end) {
  *start = *end = 0;
  for (unsigned i = 0; i < info->dlpi_phnum; i++) {
    const Elf64_Phdr *p = &info->dlpi_phdr[i];
    if (p->p_type != PT_LOAD) continue;
    uintptr_t from = info->dlpi_addr + p->p_vaddr, to = from + p->p_memsz;
    if (*end == 0 || from < *start) *start = from;
    if (to > *end) *end = to;
  }
}

bool edl_object_holds(const struct dl_phdr_info *info, const void *address) {
  uintptr_t start, end;
  edl_object_range(info, &start, &end);
  return (uintptr_t)address - start < end - start;
}

static bool symbol_fits(const struct edl_dynsym *o, uint32_t index, const char *name) {
  const Elf64_Sym *s = &o->symbols[index];
  unsigned type = ELF64_ST_TYPE(s->st_info);
  if (s->st_shndx == SHN_UNDEF || s->st_value == 0) return false;
  if (type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE) return false;
  if (o->versions && (o->versions[index] & 0x8000) && !o->any_version) return false;
  return strcmp(o->strings + s->st_name, name) == 0;
}

uint32_t edl_dynsym_hash(const char *name) {
  uint32_t h = 5381;
  for (const char *c = name; *c; c++) h = h * 33 + (unsigned char)*c;
  return h;
}

static void *find_gnu(const struct edl_dynsym *o, const char *name, uint32_t h) {
  const uint32_t *t = o->gnu_hash;
  uint32_t buckets = t[0], first = t[1], bloom_size = t[2], shift = t[3];
  const uint64_t *bloom = (const uint64_t *)(t + 4);
  const uint32_t *bucket = (const uint32_t *)(bloom + bloom_size);
  const uint32_t *chain = bucket + buckets;
  if (buckets == 0 || bloom_size == 0) return NULL;
  uint64_t word = bloom[(h / 64) & (bloom_size - 1)];
  if (!(word >> (h % 64) & word >> ((h >> shift) % 64) & 1)) return NULL;
  uint32_t i = bucket[h % buckets];
  if (i < first) return NULL;
  for (;; i++) {
    uint32_t c = chain[i - first];
    if ((c | 1) == (h | 1) && symbol_fits(o, i, name)) return (void *)(o->base + o->symbols[i].st_value);
    if (c & 1) return NULL;
  }
}

static void *find_sysv(const struct edl_dynsym *o, const char *name) {
  uint32_t h = 0;
  for (const char *c = name; *c; c++) {
    h = (h << 4) + (unsigned char)*c;
    uint32_t g = h & 0xf0000000u;
    h = (h ^ (g >> 24)) & ~g;
  }
  const uint32_t *t = o->hash;
  if (t[0] == 0) return NULL;
  for (uint32_t i = t[2 + h % t[0]]; i != 0; i = t[2 + t[0] + i])
    if (symbol_fits(o, i, name)) return (void *)(o->base + o->symbols[i].st_value);
  return NULL;
}

void *edl_dynsym_find(const struct edl_dynsym *o, const char *name, uint32_t hash) {
  return o->gnu_hash ? find_gnu(o, name, hash) : find_sysv(o, name);
}
