/*
 * Makes the agent's own system calls fail, in a build of it with EDL_FAULTS: EDLEAK_FAULT=N:ERRNO the Nth,
 * EDLEAK_FAULT=N+:ERRNO all from the Nth on. Left out is what can't fail: asking who one is, and closing, which
 * Linux does even when it says otherwise.
 */
#include "../agent.h"
#include "../libc.h"
#include "../sys.h"

static _Atomic uint32_t calls;

static uint32_t number_at(const char **text) {
  uint32_t value = 0;
  while (**text >= '0' && **text <= '9') value = value * 10 + (uint32_t)(*(*text)++ - '0');
  return value;
}

long edl_fault(long number) {
  if (number == SYS_close || number == SYS_getpid || number == SYS_gettid || number == SYS_geteuid) return 0;
  uint32_t call = atomic_fetch_add(&calls, 1) + 1;
  const char *text = edl_env("EDLEAK_FAULT");
  if (!text) return 0;
  uint32_t first = number_at(&text);
  bool and_all_later = *text == '+';
  text += and_all_later ? 2 : 1;
  uint32_t error = number_at(&text);
  return error != 0 && (call == first || (and_all_later && call > first)) ? -(long)error : 0;
}

/* How many calls there were so far; for the target, by a weak reference. */
EDL_EXPORT uint32_t edl_fault_calls(void) { return atomic_load(&calls); }
