/*
 * listener: what the accounting does when the host reports something.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_LISTENER_H
#define VMACCOUNTANT_ACCOUNTING_LISTENER_H

#include "accounting/state.h"

/* The host reports to the accounting from now on, on its event thread, or, where
 * the host is a simulator, on the thread that makes things happen. */
void accounting_listen(struct accounting *accounting);

#endif
