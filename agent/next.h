/*
 * The functions behind ours: for each hook, the one that the target would have called without the agent.
 * The C allocation functions start as stubs that look the real ones up first, so that no hook tests
 * whether it may go on.
 */
#ifndef EDL_NEXT_H
#define EDL_NEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct edl_next {
#define HOOK(group, result, name, parameters) result(*name) parameters;
#include "hooks.def"
#undef HOOK
};
extern struct edl_next edl_next;

/* Those of them that belong to the object that has malloc; NULL for the others. */
extern struct edl_next edl_kin;

/* Whose operators new and delete are; one that is partly replaced hands on to the others, so they count as one. */
enum edl_operators {
  EDL_OPERATORS_UNKNOWN,
  EDL_OPERATORS_STANDARD,  /* the standard library's: memory comes from malloc, failure is theirs to tell */
  EDL_OPERATORS_ALLOCATOR, /* some belong to the object that has malloc, the rest is standard */
  EDL_OPERATORS_CUSTOM,    /* the program or one of its libraries has its own, or malloc isn't ours to see */
};

/* find.c: fills edl_next, edl_kin and edl_libc; false when there is no allocator behind us. */
struct edl_found {
  bool checker;          /* a tool of valgrind replaces malloc, and would report our reading of chunk headers */
  char malloc_path[512]; /* object that has the next malloc */
  bool glibc_malloc;     /* it is glibc's own */
  bool foreign_libc;     /* __libc_malloc belongs to another object than malloc */
  uintptr_t start, end;  /* of that object; of its allocation functions, when it is the C library; 0 for glibc */
  uintptr_t agent_start, agent_end;
  enum edl_operators operators;
};
int edl_find_all(struct edl_found *found);
void *edl_find_late(const char *name);

/* boot.c: the stubs. */
void *edl_stub_malloc(size_t n);
void *edl_stub_calloc(size_t count, size_t size);
void *edl_stub_realloc(void *p, size_t n);
void edl_stub_free(void *p);
void *edl_stub_memalign(size_t alignment, size_t n);
size_t edl_stub_usable(void *p);

#endif
