/*
 * The functions behind ours: for each hook, the one that the target would have called without the agent.
 * The C allocation functions start as stubs that look the real ones up first, so that no hook tests
 * whether it may go on.
 */
#ifndef EDL_NEXT_H
#define EDL_NEXT_H
#include <stddef.h>

struct edl_next {
#define HOOK(group, result, name, parameters) result(*name) parameters;
#include "hooks.def"
#undef HOOK
};
extern struct edl_next edl_next;

/* find.c: fills edl_next and edl_libc; false when there is no allocator behind us. */
struct edl_found {
  char malloc_path[512];   /* object that has the next malloc */
  unsigned glibc_malloc;   /* it is glibc's own */
  unsigned foreign_libc;   /* __libc_malloc belongs to another object than malloc */
  unsigned standard_new;   /* operator new is libstdc++'s or libc++'s, or there is none */
};
int edl_find_all(struct edl_found *found);

/* boot.c: the stubs. */
void *edl_stub_malloc(size_t n);
void *edl_stub_calloc(size_t count, size_t size);
void *edl_stub_realloc(void *p, size_t n);
void edl_stub_free(void *p);
void *edl_stub_memalign(size_t alignment, size_t n);
size_t edl_stub_usable(void *p);

#endif
