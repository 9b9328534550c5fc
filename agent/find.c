/*
 * Finds the real functions in the dynamic symbol tables of the loaded objects, in the loader's search
 * order, starting behind the agent.
 *
 * Only mapped tables are read (DT_SYMTAB, DT_STRTAB, DT_GNU_HASH or DT_HASH). It runs once, at start.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <string.h>

#include "agent.h"
#include "libc.h"
#include "next.h"

#define MAX_OBJECTS 256

struct object {
  uintptr_t base;
  const char *path;
  const Elf64_Sym *symbols;
  const char *strings;
  const uint32_t *gnu_hash;
  const uint32_t *hash;
  const uint16_t *versions;
};

struct scope {
  struct object objects[MAX_OBJECTS];
  unsigned count;
  unsigned self; /* index of the agent */
};

struct edl_libc edl_libc;

static uintptr_t dynamic_address(const struct object *o, uintptr_t value) {
  return value < o->base ? o->base + value : value; /* glibc relocates the table in place, musl does not */
}

static void read_dynamic(struct object *o, const Elf64_Dyn *d) {
  for (; d->d_tag != DT_NULL; d++) {
    uintptr_t at = dynamic_address(o, d->d_un.d_ptr);
    if (d->d_tag == DT_SYMTAB) o->symbols = (const Elf64_Sym *)at;
    if (d->d_tag == DT_STRTAB) o->strings = (const char *)at;
    if (d->d_tag == DT_GNU_HASH) o->gnu_hash = (const uint32_t *)at;
    if (d->d_tag == DT_HASH) o->hash = (const uint32_t *)at;
    if (d->d_tag == DT_VERSYM) o->versions = (const uint16_t *)at;
  }
}

static int collect(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  struct scope *scope = data;
  if (scope->count == MAX_OBJECTS) return 1;
  struct object *o = &scope->objects[scope->count];
  *o = (struct object){.base = info->dlpi_addr, .path = info->dlpi_name};
  const uintptr_t self = (uintptr_t)&edl;
  for (unsigned i = 0; i < info->dlpi_phnum; i++) {
    const Elf64_Phdr *p = &info->dlpi_phdr[i];
    if (p->p_type == PT_DYNAMIC) read_dynamic(o, (const Elf64_Dyn *)(o->base + p->p_vaddr));
    if (p->p_type == PT_LOAD && self - (o->base + p->p_vaddr) < p->p_memsz)
      scope->self = scope->count;
  }
  if (o->symbols && o->strings && (o->gnu_hash || o->hash)) scope->count++;
  return 0;
}

static bool symbol_fits(const struct object *o, uint32_t index, const char *name) {
  const Elf64_Sym *s = &o->symbols[index];
  unsigned type = ELF64_ST_TYPE(s->st_info);
  if (s->st_shndx == SHN_UNDEF || s->st_value == 0) return false;
  if (type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE) return false;
  if (o->versions && (o->versions[index] & 0x8000)) return false; /* not the default version */
  return strcmp(o->strings + s->st_name, name) == 0;
}

static void *find_gnu(const struct object *o, const char *name) {
  uint32_t h = 5381;
  for (const char *c = name; *c; c++) h = h * 33 + (unsigned char)*c;
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

static void *find_sysv(const struct object *o, const char *name) {
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

static void *find_in(const struct object *o, const char *name) {
  return o->gnu_hash ? find_gnu(o, name) : find_sysv(o, name);
}

/* The object that provides `name` from index `from` on, and its address. */
static const struct object *find(const struct scope *scope, unsigned from, const char *name, void **at) {
  for (unsigned i = from; i < scope->count; i++) {
    if (i == scope->self) continue;
    *at = find_in(&scope->objects[i], name);
    if (*at) return &scope->objects[i];
  }
  *at = NULL;
  return NULL;
}

static void fill_next(const struct scope *scope) {
  void *at;
#define HOOK(group, result, name, parameters)                       \
  if (find(scope, scope->self + 1, #name, &at)) edl_next.name = at;
#include "hooks.def"
#undef HOOK
}

static void fill_libc(const struct scope *scope) {
#define FIND(name)                                \
  find(scope, scope->self + 1, #name, &at); \
  edl_libc.name = at
  void *at;
  FIND(pthread_key_create);
  FIND(pthread_setspecific);
  FIND(__register_atfork);
  FIND(pthread_atfork);
  FIND(_dl_find_object);
  find(scope, 0, "environ", &at); /* the executable may hold the copy in use */
  edl_libc.environ = at;
#undef FIND
}

static bool path_has(const char *path, const char *part) { return path && strstr(path, part) != NULL; }

int edl_find_all(struct edl_found *found) {
  static struct scope scope; /* too big for the stack of a small thread */
  scope.count = 0;
  scope.self = MAX_OBJECTS;
  dl_iterate_phdr(collect, &scope);
  if (scope.self == MAX_OBJECTS) return 0;

  void *at;
  const struct object *provider = find(&scope, scope.self + 1, "malloc", &at);
  if (!provider) return 0;
  size_t length = provider->path ? strlen(provider->path) : 0;
  if (length >= sizeof found->malloc_path) length = sizeof found->malloc_path - 1;
  memcpy(found->malloc_path, provider->path, length);
  found->malloc_path[length] = 0;
  found->glibc_malloc = find_in(provider, "gnu_get_libc_version") != NULL;
  const struct object *libc_malloc = find(&scope, scope.self + 1, "__libc_malloc", &at);
  found->foreign_libc = libc_malloc != NULL && libc_malloc != provider;
  const struct object *news = find(&scope, scope.self + 1, "_Znwm", &at);
  found->standard_new = !news || path_has(news->path, "libstdc++") || path_has(news->path, "libc++");
  fill_next(&scope);
  fill_libc(&scope);
  return 1;
}

const char *edl_env(const char *name) {
  char **list = edl_libc.environ ? *edl_libc.environ : NULL;
  size_t length = strlen(name);
  for (; list && *list; list++)
    if (strncmp(*list, name, length) == 0 && (*list)[length] == '=') return *list + length + 1;
  return NULL;
}
