/*
 * disks: asks for the disks of machines.
 *
 * Their sessions begin and end with those of the network, but their counters
 * cost a call to the hypervisor process itself, so nobody asks for them until
 * somebody reads them, or the machine is reset.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_DISKS_H
#define VMACCOUNTANT_ACCOUNTING_DISKS_H

#include "accounting/state.h"

/* Reads the counters that a reset still waits for. Blocks until the hypervisor
 * process has answered. */
void disks_settle(struct accounting *accounting, const struct machine_uuid *uuid);
/* The same without waiting for it, where the host may keep its callers waiting. */
void disks_settle_soon(struct accounting *accounting, const struct machine_uuid *uuid);

#endif
