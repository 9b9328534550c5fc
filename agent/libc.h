/*
 * What the agent uses of the C library, found at start in the loaded objects' symbol tables: no symbol
 * version, no dlsym (which allocates and changes what dlerror says), and nothing that musl lacks.
 * A pointer is NULL when the library has no such function.
 */
#ifndef EDL_LIBC_H
#define EDL_LIBC_H
#include <stddef.h>

/* glibc's struct dl_find_object, as far as it is used (glibc 2.35 and later). */
struct edl_found_object {
  unsigned long long flags;
  void *map_start;
  void *map_end;
  void *link_map;
  void *eh_frame;
  unsigned long long reserved[8];
};

struct edl_libc {
  int (*pthread_key_create)(unsigned *key, void (*destructor)(void *));
  int (*pthread_setspecific)(unsigned key, const void *value);
  int (*__register_atfork)(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *dso);
  int (*pthread_atfork)(void (*prepare)(void), void (*parent)(void), void (*child)(void));
  int (*_dl_find_object)(void *address, struct edl_found_object *result);
  char ***environ; /* address of the variable */
};
extern struct edl_libc edl_libc;

/* Value of an environment variable, or NULL. */
const char *edl_env(const char *name);

#endif
