/*
 * watch: keeps what happens to machines for the program that asks for it.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_WATCH_H
#define VMACCOUNTANT_ACCOUNTING_WATCH_H

#include "accounting/state.h"

/* Compares the states of all machines with what has been reported of them. */
bool accounting_compare_states(struct accounting *accounting, struct fault *fault);

#endif
