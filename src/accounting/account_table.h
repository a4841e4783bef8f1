/*
 * account_table: the accounts of a host's machines by UUID.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_ACCOUNT_TABLE_H
#define VMACCOUNTANT_ACCOUNTING_ACCOUNT_TABLE_H

#include "accounting/state.h"

/* NULL when there is none. */
struct account *account_find_locked(struct accounting *accounting, const struct machine_uuid *uuid);
/* NULL without memory. */
struct account *account_find_or_add_locked(struct accounting *accounting,
                                           const struct machine_uuid *uuid);
void account_remove_locked(struct accounting *accounting, struct account *account);

/* The account's machine is gone; its last session may still be asked for, until
 * too many machines have gone after it. */
void account_depart_locked(struct accounting *accounting, struct account *account);
/* The machine of a departed account is back. */
void account_return_locked(struct accounting *accounting, struct account *account);

/* Frees all accounts, when nobody else has the accounting. */
void account_table_clear(struct accounting *accounting);

#endif
