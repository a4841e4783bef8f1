#include "accounting/account_table.h"

#include <stdlib.h>

/* Machines that are gone, whose last session is kept. */
enum { MOST_DEPARTED = 1000 };

static void account_free(struct account *account)
{
    session_clear(&account->session);
    session_clear(&account->finished.session);
    machine_sample_clear(&account->last);
    disk_session_end(&account->disks);
    free(account->processors);
    free(account->scheduling);
    free(account);
}

struct account *account_find_locked(struct accounting *accounting, const struct machine_uuid *uuid)
{
    struct account *account;

    HASH_FIND(hh, accounting->accounts, uuid, sizeof *uuid, account);
    return account;
}

struct account *account_find_or_add_locked(struct accounting *accounting,
                                           const struct machine_uuid *uuid)
{
    struct account *account = account_find_locked(accounting, uuid);
    if (account != NULL)
        return account;
    account = calloc(1, sizeof *account);
    if (account == NULL)
        return NULL;
    account->uuid = *uuid;
    account->last.domain_id = NOT_RUNNING;
    HASH_ADD(hh, accounting->accounts, uuid, sizeof account->uuid, account);
    if (account->hh.tbl == NULL) { /* without memory */
        free(account);
        return NULL;
    }
    return account;
}

void account_remove_locked(struct accounting *accounting, struct account *account)
{
    HASH_DELETE(hh, accounting->accounts, account);
    account_set_warning_due_locked(accounting, account, false);
    account_free(account);
}

/* Makes room among the machines that are gone. */
static void remove_oldest_departed(struct accounting *accounting)
{
    struct account *oldest = NULL;
    for (struct account *account = accounting->accounts; account; account = account->hh.next)
        if (account->is_departed &&
            (oldest == NULL || account->finished.ended.at < oldest->finished.ended.at))
            oldest = account;
    if (oldest != NULL) {
        accounting->departed_count--;
        account_remove_locked(accounting, oldest);
    }
}

void account_depart_locked(struct accounting *accounting, struct account *account)
{
    account->is_current = false;
    account->is_departed = true;
    if (++accounting->departed_count > MOST_DEPARTED)
        remove_oldest_departed(accounting);
}

void account_return_locked(struct accounting *accounting, struct account *account)
{
    if (!account->is_departed)
        return;
    account->is_departed = false;
    accounting->departed_count--;
}

void account_table_clear(struct accounting *accounting)
{
    while (accounting->accounts != NULL) {
        struct account *account = accounting->accounts;
        HASH_DELETE(hh, accounting->accounts, account);
        account_free(account);
    }
}

bool accounting_take_complaint(struct accounting *accounting, struct machine_uuid *uuid,
                               const char **complaint)
{
    if (atomic_load_explicit(&accounting->warnings_due, memory_order_relaxed) == 0)
        return false;
    pthread_mutex_lock(&accounting->lock);
    struct account *account = accounting->accounts;
    while (account != NULL && !account->is_warning_due)
        account = account->hh.next;
    if (account != NULL) {
        account_set_warning_due_locked(accounting, account, false);
        *uuid = account->uuid;
        *complaint = account->complaint;
    }
    pthread_mutex_unlock(&accounting->lock);
    return account != NULL;
}
