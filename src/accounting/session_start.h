/*
 * session_start: when the counts of the running session started.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_SESSION_START_H
#define VMACCOUNTANT_ACCOUNTING_SESSION_START_H

#include "accounting/state.h"

/* Notes that the machine's start has just been reported. */
void account_announce_start_locked(struct accounting *accounting, struct account *account);

/* After that: samples the machine, and asks the host when its run began, which
 * nobody knows once it has ended. */
void accounting_sample_started(struct accounting *accounting, const struct machine_uuid *uuid);

#endif
