#include "accounting/state.h"

struct accounting *accounting_hold(struct accounting *accounting)
{
    atomic_fetch_add(&accounting->references, 1);
    return accounting;
}

void accounting_release(struct accounting *accounting)
{
    if (atomic_fetch_sub(&accounting->references, 1) == 1)
        accounting->destroy(accounting);
}

void account_mark_changed_locked(struct accounting *accounting, struct account *account)
{
    account->changed_in = ++accounting->version;
}

void account_mark_disks_changed_locked(struct accounting *accounting, struct account *account)
{
    account->disks_changed_in = ++accounting->version;
}

struct moment accounting_moment(struct accounting *accounting)
{
    return (struct moment){.at = host_monotonic_time(accounting->host),
                           .wall = host_unix_time(accounting->host)};
}

void account_set_warning_due_locked(struct accounting *accounting, struct account *account,
                                    bool is_due)
{
    if (account->is_warning_due != is_due)
        atomic_fetch_add(&accounting->warnings_due, is_due ? 1U : -1U);
    account->is_warning_due = is_due;
}
