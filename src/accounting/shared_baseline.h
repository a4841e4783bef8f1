/*
 * shared_baseline: the baseline of a reset, as the process that saw the reset
 * leaves it for the others, and as they take it over.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_SHARED_BASELINE_H
#define VMACCOUNTANT_ACCOUNTING_SHARED_BASELINE_H

#include "accounting/state.h"

/* A machine that restarts itself during one reset (SeaBIOS does, 30 ms into it)
 * is reported as reset twice, between which it has sent nothing. */
enum { ONE_RESET_MILLISECONDS = 1000 };

/* Takes over a reset that another process saw and this one did not. was_observed:
 * the session had been sampled before. */
void account_apply_baseline_locked(struct accounting *accounting, struct account *account,
                                   const struct baseline *baseline, bool was_observed);

/* The session's baseline for other processes; NULL without memory, or without a
 * baseline. */
struct baseline *account_baseline_locked(const struct account *account);

#endif
