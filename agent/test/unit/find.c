/* Finding the real functions, on this process: the same addresses as dlsym gives, with either kind of hash table. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>

#include "../harness.h"
#include "../../agent.h"
#include "../../dynsym.h"
#include "../../libc.h"
#include "../../next.h"

static const _Atomic uint64_t never = 1;
struct edl_agent edl = {.control = &never};
struct edl_next edl_next;
static struct edl_found found;

static void hooks_as_dlsym(void) {
  CHECK(edl_find_all(&found));
  int checked = 0;
#define HOOK(group, result, name, parameters)                                  \
  if (strcmp(#name, "cfree") != 0) {                                           \
    CHECK((void *)edl_next.name == dlsym(RTLD_DEFAULT, #name));                \
    checked += edl_next.name != NULL;                                          \
  }
#include "../../hooks.def"
#undef HOOK
  CHECK(checked >= 20);
  CHECK(edl_next.malloc == malloc && edl_next.free == free);
}

/* Only an old version of it is left in glibc, which a new program can't be linked to. */
static void old_versions_are_not_found(void) {
  CHECK_EQUAL(edl_next.cfree == NULL, found.glibc_malloc); /* sanitizers have a new one */
}

static void libc_as_dlsym(void) {
  CHECK((void *)edl_libc.pthread_key_create == dlsym(RTLD_DEFAULT, "pthread_key_create"));
  CHECK((void *)edl_libc.pthread_setspecific == dlsym(RTLD_DEFAULT, "pthread_setspecific"));
  CHECK((void *)edl_libc.__register_atfork == dlsym(RTLD_DEFAULT, "__register_atfork"));
  CHECK((void *)edl_libc._dl_find_object == dlsym(RTLD_DEFAULT, "_dl_find_object"));
  CHECK((void *)edl_libc.environ == dlsym(RTLD_DEFAULT, "environ"));
}

static void the_provider_is_described(void) {
  Dl_info info;
  CHECK(dladdr((void *)malloc, &info));
  CHECK(strcmp(found.malloc_path, info.dli_fname) == 0);
  bool is_libc = strstr(info.dli_fname, "libc.so") != NULL;
  CHECK_EQUAL(found.glibc_malloc, is_libc);
  CHECK_EQUAL(found.start == 0, is_libc);
  CHECK(edl_kin.malloc == malloc && edl_kin.malloc_usable_size == malloc_usable_size);
}

static void the_environment_is_read(void) {
  setenv("EDLEAK_TEST_NAME", "value", 1);
  CHECK(edl_env("EDLEAK_TEST_NAME") && strcmp(edl_env("EDLEAK_TEST_NAME"), "value") == 0);
  CHECK(edl_env("EDLEAK_TEST_NAM") == NULL);
  CHECK(edl_env("EDLEAK_TEST_NAME_") == NULL);
}

static void late_objects_are_found(void) {
  CHECK((void *)edl_find_late("strtol") == dlsym(RTLD_DEFAULT, "strtol"));
  CHECK(edl_find_late("no_such_function_anywhere") == NULL);
}

/* Every function of two libraries that were linked with the old and the new hash table only. */
static int check_table(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  struct edl_dynsym o;
  const char *path = info->dlpi_name ? info->dlpi_name : "";
  bool sysv = strstr(path, "libnames-sysv"), gnu = strstr(path, "libnames-gnu");
  if (!sysv && !gnu) return 0;
  if (!edl_dynsym_read(&o, info) || !!o.gnu_hash != gnu || !!o.hash != sysv) return 1;
  for (int i = 0; i < 1000; i++) {
    char name[40];
    snprintf(name, sizeof name, "%s_%d", gnu ? "gnu" : "sysv", i);
    void *at = edl_dynsym_find(&o, name, edl_dynsym_hash(name));
    if (at != dlsym(RTLD_DEFAULT, name) || (at != NULL) != (i < 200)) return 2;
  }
  ++*(int *)data;
  return 0;
}

static void both_hash_tables(void) {
  int libraries = 0;
  CHECK_EQUAL(dl_iterate_phdr(check_table, &libraries), 0);
  CHECK_EQUAL(libraries, 2);
}

int main(int argc, char **argv) {
  test.prefix = argc > 1 ? argv[1] : NULL;
  RUN(hooks_as_dlsym);
  RUN(old_versions_are_not_found);
  RUN(libc_as_dlsym);
  RUN(the_provider_is_described);
  RUN(the_environment_is_read);
  RUN(late_objects_are_found);
  RUN(both_hash_tables);
  return test_end();
}
