/*
 * Finds the real functions: for each hook the first definition in the loader's search order behind the
 * agent. Runs once, at start; nothing limits the number of loaded objects.
 *
 * Who provides a function matters as much as its address: `edl_kin` holds those that belong to the object
 * that has malloc. A size read by another object's malloc_usable_size, or a block of another object's
 * operator new, would be a wrong place for a tag.
 */
#define _GNU_SOURCE
#include <string.h>

#include "agent.h"
#include "dynsym.h"
#include "libc.h"
#include "next.h"

#define HOOK(group, result, name, parameters) #name,
static const char *const hook_names[] = {
#include "hooks.def"
};
#undef HOOK
#define HOOKS (sizeof hook_names / sizeof hook_names[0])

#define IS_OPERATOR_LIBC 0
#define IS_OPERATOR_GLIBC 0
#define IS_OPERATOR_NEW 1
#define IS_OPERATOR_DELETE 1
#define IS_OPERATOR_JEMALLOC 0
#define IS_OPERATOR_TCMALLOC 0
#define IS_OPERATOR_MIMALLOC 0
#define HOOK(group, result, name, parameters) IS_OPERATOR_##group,
static const uint8_t is_operator[] = {
#include "hooks.def"
};
#undef HOOK

static const char *const libc_names[] = {"pthread_key_create", "pthread_setspecific", "__register_atfork",
                                         "pthread_atfork",     "_dl_find_object",     "environ"};
#define LIBC_NAMES (sizeof libc_names / sizeof libc_names[0])
#define LIBC_ENVIRON (LIBC_NAMES - 1) /* the executable may hold the copy in use */

union hooks {
  struct edl_next named;
  void *slot[HOOKS];
};
union libc {
  struct edl_libc named;
  void *slot[LIBC_NAMES];
};
_Static_assert(sizeof(union hooks) == sizeof(struct edl_next), "a slot for each hook");
_Static_assert(sizeof(union libc) == sizeof(struct edl_libc), "a slot for each name");

struct edl_libc edl_libc;
struct edl_next edl_kin;

/* Static, since it is too big for the stack of a small thread. */
static struct search {
  struct edl_found *found;
  union hooks next, kin;
  union libc libc;
  uint32_t hook_hash[HOOKS], libc_hash[LIBC_NAMES];
  bool self_seen, standard, allocator, checker;
} search;

static bool is_standard_library(const char *path) {
  return path && (strstr(path, "libstdc++") || strstr(path, "libc++"));
}

static bool defines(const struct edl_dynsym *o, const char *name) {
  return edl_dynsym_find(o, name, edl_dynsym_hash(name)) != NULL;
}

static void describe_provider(struct edl_found *found, const struct edl_dynsym *o,
                              const struct dl_phdr_info *info) {
  const char *path = info->dlpi_name;
  size_t length = path ? strlen(path) : 0;
  if (length >= sizeof found->malloc_path) length = sizeof found->malloc_path - 1;
  memcpy(found->malloc_path, path, length);
  found->malloc_path[length] = 0;
  found->glibc_malloc = defines(o, "gnu_get_libc_version");
  if (!defines(o, "__libc_start_main")) edl_object_range(info, &found->start, &found->end);
}

/* An object before the agent (the executable): what it defines never comes to us. */
static void visit_before(const struct edl_dynsym *o) {
  for (unsigned i = 0; i < HOOKS; i++) {
    bool matters = is_operator[i] || strcmp(hook_names[i], "malloc") == 0;
    if (matters && edl_dynsym_find(o, hook_names[i], search.hook_hash[i]))
      search.found->operators = EDL_OPERATORS_CUSTOM;
  }
}

static void visit_behind(struct edl_dynsym *o, const struct dl_phdr_info *info) {
  o->any_version = !defines(o, "__libc_start_main");
  bool provider = search.next.named.malloc == NULL && defines(o, "malloc");
  if (provider) describe_provider(search.found, o, info);
  for (unsigned i = 0; i < HOOKS; i++) {
    if (search.next.slot[i]) continue;
    void *at = edl_dynsym_find(o, hook_names[i], search.hook_hash[i]);
    if (!at) continue;
    search.next.slot[i] = at;
    if (provider) search.kin.slot[i] = at;
    if (!is_operator[i]) continue;
    if (provider) search.allocator = true;
    else if (!is_standard_library(info->dlpi_name)) search.found->operators = EDL_OPERATORS_CUSTOM;
  }
}

static int visit(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  (void)data;
  const char *tool = info->dlpi_name ? strstr(info->dlpi_name, "/vgpreload_") : NULL;
  if (tool && strncmp(tool, "/vgpreload_core", 15) != 0) search.checker = true;
  if (edl_object_holds(info, &edl)) {
    search.self_seen = true;
    edl_object_range(info, &search.found->agent_start, &search.found->agent_end);
    return 0;
  }
  struct edl_dynsym o;
  if (!edl_dynsym_read(&o, info)) return 0;
  for (unsigned i = search.self_seen ? 0 : LIBC_ENVIRON; i < LIBC_NAMES; i++)
    if (!search.libc.slot[i])
      search.libc.slot[i] = edl_dynsym_find(&o, libc_names[i], search.libc_hash[i]);
  if (search.self_seen) visit_behind(&o, info);
  else visit_before(&o);
  return 0;
}

/*
 * musl's allocation functions call each other by their exported names; strdup and the rest of the C library must
 * be told from them. They lie side by side: their range stands for the allocator's object. (glibc's don't call
 * each other so.)
 */
#define LIBC_ALLOCATOR_BYTES 65536
static void narrow_to_functions(struct edl_found *found) {
  const struct edl_next *kin = &search.kin.named;
  const uintptr_t functions[] = {
      (uintptr_t)kin->malloc,       (uintptr_t)kin->calloc,         (uintptr_t)kin->realloc,
      (uintptr_t)kin->free,         (uintptr_t)kin->memalign,       (uintptr_t)kin->aligned_alloc,
      (uintptr_t)kin->reallocarray, (uintptr_t)kin->posix_memalign, (uintptr_t)kin->malloc_usable_size};
  uintptr_t start = UINTPTR_MAX, end = 0;
  for (unsigned i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    if (functions[i] == 0) continue;
    if (functions[i] < start) start = functions[i];
    if (functions[i] + 256 > end) end = functions[i] + 256;
  }
  if (end - start > LIBC_ALLOCATOR_BYTES) return;
  found->start = start;
  found->end = end;
}

/* What was found goes in place; stubs stay where nothing was. */
static void put_in_place(void) {
  union hooks now = {.named = edl_next};
  for (unsigned i = 0; i < HOOKS; i++)
    if (search.next.slot[i]) now.slot[i] = search.next.slot[i];
  edl_next = now.named;
  edl_kin = search.kin.named;
  edl_libc = search.libc.named;
}

int edl_find_all(struct edl_found *found) {
  search.found = found;
  found->operators = EDL_OPERATORS_STANDARD;
  for (unsigned i = 0; i < HOOKS; i++) search.hook_hash[i] = edl_dynsym_hash(hook_names[i]);
  for (unsigned i = 0; i < LIBC_NAMES; i++) search.libc_hash[i] = edl_dynsym_hash(libc_names[i]);
  dl_iterate_phdr(visit, NULL);
  if (!search.next.named.malloc || !search.next.named.free) return 0;
  if (search.allocator && found->operators == EDL_OPERATORS_STANDARD)
    found->operators = EDL_OPERATORS_ALLOCATOR;
  found->foreign_libc = search.next.named.__libc_malloc != NULL && search.kin.named.__libc_malloc == NULL;
  if (found->start == 0 && !found->glibc_malloc) narrow_to_functions(found);
  put_in_place();
  found->checker = search.checker;
  return 1;
}

struct late {
  const char *name;
  void *at;
};

static int visit_late(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  struct late *late = data;
  struct edl_dynsym o;
  if (edl_object_holds(info, &edl) || !edl_dynsym_read(&o, info)) return 0;
  late->at = edl_dynsym_find(&o, late->name, edl_dynsym_hash(late->name));
  return late->at != NULL;
}

/* In an object that was loaded after the start. Takes the loader's lock: only where throwing would too. */
void *edl_find_late(const char *name) {
  struct late late = {name, NULL};
  dl_iterate_phdr(visit_late, &late);
  return late.at;
}

const char *edl_env(const char *name) {
  char **list = edl_libc.environ ? *edl_libc.environ : NULL;
  size_t length = strlen(name);
  for (; list && *list; list++)
    if (strncmp(*list, name, length) == 0 && (*list)[length] == '=') return *list + length + 1;
  return NULL;
}
