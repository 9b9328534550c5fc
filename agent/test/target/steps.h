/* Single steps on x86-64 (a SIGTRAP after every instruction), and where a signal has landed. */
#ifndef EDL_TEST_STEPS_H
#define EDL_TEST_STEPS_H
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#if defined(__x86_64__)
#define HAVE_STEPS 1
/* The red zone below the stack pointer may be in use. */
#define CHANGE_FLAGS(operation)             \
  __asm__ volatile(                         \
      "lea -128(%%rsp), %%rsp\n"            \
      "pushfq\n" operation ", (%%rsp)\n"    \
      "popfq\n"                             \
      "lea 128(%%rsp), %%rsp" ::: "memory", "cc")
static inline void step_on(void) { CHANGE_FLAGS("orq $0x100"); }
static inline void step_off(void) { CHANGE_FLAGS("andq $-0x101"); }
static inline uintptr_t interrupted_at(const void *context) {
  return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}
/* What was interrupted goes on without steps. */
static inline void stop_steps(void *context) { ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x100; }
#else
#define HAVE_STEPS 0
static inline void step_on(void) {}
static inline void step_off(void) {}
static inline uintptr_t interrupted_at(const void *context) {
  return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
}
#endif

static struct {
  uintptr_t start, end;
} agent_code;

static inline int find_agent_code(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  (void)data;
  if (!strstr(info->dlpi_name, "libedleak")) return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *p = &info->dlpi_phdr[i];
    if (p->p_type != PT_LOAD || !(p->p_flags & PF_X)) continue;
    agent_code.start = info->dlpi_addr + p->p_vaddr;
    agent_code.end = agent_code.start + p->p_memsz;
  }
  return 1;
}

/* True when the signal came while the agent's own code was running, rather than what it calls. */
static inline bool is_in_agent(const void *context) {
  if (!agent_code.end) dl_iterate_phdr(find_agent_code, NULL);
  return interrupted_at(context) - agent_code.start < agent_code.end - agent_code.start;
}

#endif
