/*
 * recorder: writes the baseline of each reset for other processes.
 *
 * Writing waits for a job of the machine's own, which one that hangs does not
 * give, so it is done in a thread of its own and not in the event thread.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_RECORDER_H
#define VMACCOUNTANT_ACCOUNTING_RECORDER_H

#include "accounting/accounting.h"

/* Records from now on, until the accounting is closed. A second start does
 * nothing. */
bool recorder_start(struct accounting *accounting, struct fault *fault);

/* Ends the recording for good, and waits for the thread's end for a short while
 * only: it may be waiting for a host that does not answer. */
void recorder_stop(struct accounting *accounting);

/* There may be something to record. To be called without the lock. */
void recorder_notify(struct accounting *accounting);

/* Writes the machine's baseline now. False when there is none or the host
 * refuses. */
bool recorder_write(struct accounting *accounting, const struct machine_uuid *uuid);

#endif
