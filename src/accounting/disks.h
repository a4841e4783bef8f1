/*
 * disks: the sessions of the machines' disks.
 *
 * They begin and end with those of the network, but their figures cost a
 * question to the hypervisor process itself, so nobody asks for them until
 * somebody reads them, or the machine is reset.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_DISKS_H
#define VMACCOUNTANT_ACCOUNTING_DISKS_H

#include "base/fault.h"
#include "host/baseline.h"
#include "host/disk.h"

struct account;
struct accounting;

/* Of a machine whose disks have been looked at, or were recorded at a reset. */
struct disk_account;

void disk_account_free(struct disk_account *disks);

/* With the accounting's lock held: */

/* The session is over. */
void disk_account_end(struct accounting *accounting, struct account *account);
/* The machine has been reset. disk_account_settle() is to follow. */
void disk_account_reset(struct accounting *accounting, struct account *account);
/* Another process saw a reset and left that baseline. */
void disk_account_rebase(struct accounting *accounting, struct account *account,
                         const struct baseline *baseline);
/* The session's baseline into one for other processes. False without memory. */
bool disk_account_share(const struct account *account, struct baseline *baseline);

/* Without the lock held: */

/* Reads the figures that a reset still waits for. Blocks until the hypervisor
 * process has answered. */
void disk_account_settle(struct accounting *accounting, const struct machine_uuid *uuid);
/* The same in a thread of its own, where the host has threads. */
void disk_account_settle_soon(struct accounting *accounting, const struct machine_uuid *uuid);

#endif
