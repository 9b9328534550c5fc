/* What the agent's files need around them when they are linked into a test instead of a target. */
#ifndef EDL_TEST_FAKES_H
#define EDL_TEST_FAKES_H
#include <stdbool.h>

/* Finds the real functions and makes a segment in a new directory, as the agent does at start; no hook is in place. */
bool fake_start(void);
/* Switches counting on, after fake_start. */
void fake_go_live(void);
/* Every system call of this number but the first `after` fails with this error from here on; 0 and 0 end it. */
void fake_failure(long number, int error, int after);

#endif
