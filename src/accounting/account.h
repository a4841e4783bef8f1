/*
 * account: the sessions of one machine: how they begin, go on with each sample,
 * and end.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_ACCOUNT_H
#define VMACCOUNTANT_ACCOUNTING_ACCOUNT_H

#include "accounting/final_figures.h"
#include "accounting/state.h"

/* Brings the account up to the sample. False without memory. Of a machine that
 * no longer runs, `final` is what final_figures_read() gave, or NULL. */
bool account_observe_locked(struct accounting *accounting, struct account *account,
                            const struct machine_sample *sample, const struct final_figures *final,
                            int64_t now);

/* Ends the running session, if there is one, with the final figures of the
 * devices that have outlived the run (or NULL). */
void account_end_session_locked(struct accounting *accounting, struct account *account,
                                const struct final_figures *final, enum stop_reason reason);

/* The machine was reset, and the account stands at its counters. */
void account_reset_locked(struct accounting *accounting, struct account *account);

/* The host no longer knows the machine. The account goes, unless its last
 * session may still be asked for. */
void account_machine_gone_locked(struct accounting *accounting, const struct machine_uuid *uuid,
                                 const struct final_figures *final);

#endif
