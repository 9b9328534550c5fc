/* Look-up of names in the dynamic symbol table of a loaded object, as the loader has mapped it. */
#ifndef EDL_DYNSYM_H
#define EDL_DYNSYM_H
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>

struct edl_dynsym {
  uintptr_t base;
  const Elf64_Sym *symbols;
  const char *strings;
  const uint32_t *gnu_hash;
  const uint32_t *hash;
  const uint16_t *versions;
  bool any_version; /* also what only a reference with that version finds: see edl_dynsym_find */
};

/* False when the object has no table that can be searched. */
bool edl_dynsym_read(struct edl_dynsym *o, const struct dl_phdr_info *info);

/*
 * The address of a defined function or variable, or NULL; `hash` is edl_dynsym_hash(name). Of several versions in
 * the C library only the default one is what programs of today refer to. Another object has old versions alone to
 * stand before the C library (libc_malloc_debug.so): there `any_version` is right.
 */
void *edl_dynsym_find(const struct edl_dynsym *o, const char *name, uint32_t hash);
uint32_t edl_dynsym_hash(const char *name);

/* First address of the object and the first behind it; both 0 when nothing of it is loaded. */
void edl_object_range(const struct dl_phdr_info *info, uintptr_t *start, uintptr_t *end);
bool edl_object_holds(const struct dl_phdr_info *info, const void *address);

#endif
