/*
 * reset: a reset of a machine, whether this process asked for it or the host
 * reported it.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_RESET_H
#define VMACCOUNTANT_ACCOUNTING_RESET_H

#include "accounting/state.h"

/* The machine has just been reset: its counters become the baseline, or its next
 * ones where the host does not answer. */
void accounting_note_reset(struct accounting *accounting, const struct machine_uuid *uuid);

#endif
