/*
 * wake: lets a thread wait for another one, and ends the wait when the process
 * gets a signal: the interpreter's handler of Ctrl-C must run. A condition
 * variable would go on waiting.
 */
#ifndef VMACCOUNTANT_BASE_WAKE_H
#define VMACCOUNTANT_BASE_WAKE_H

#include "base/fault.h"

#include <stdint.h>

struct wake {
    int descriptor; /* an eventfd */
};

enum wake_result { WAKE_SIGNALLED, WAKE_TIMED_OUT, WAKE_INTERRUPTED };

bool wake_open(struct wake *wake, struct fault *fault);
void wake_close(struct wake *wake);

/* From any thread. When no thread waits, the next wait ends at once. */
void wake_signal(struct wake *wake);

/* Waits for that long; less than 0: for ever. */
enum wake_result wake_wait(struct wake *wake, int64_t milliseconds);

#endif
