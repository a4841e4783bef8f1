/*
 * sampling: asks the host for counters, and brings the accounts up to them. The
 * lock is not held while the host answers.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_SAMPLING_H
#define VMACCOUNTANT_ACCOUNTING_SAMPLING_H

#include "accounting/state.h"

/* Samples the machine. NULL with a fault. */
struct account *account_sample_and_lock(struct accounting *accounting,
                                        const struct machine_uuid *uuid, struct fault *fault);

/* The same where a sample of at most accounting.max_age will do. */
struct account *account_observe_and_lock(struct accounting *accounting,
                                         const struct machine_uuid *uuid, struct fault *fault);

/* The same of a machine that must be running: S_FALSE when it is not. */
struct account *account_observe_running_and_lock(struct accounting *accounting,
                                                 const struct machine_uuid *uuid,
                                                 struct fault *fault);

#endif
