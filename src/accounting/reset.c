#include "accounting/reset.h"

#include "accounting/account.h"
#include "accounting/account_table.h"
#include "accounting/sampling.h"

void accounting_note_reset(struct accounting *accounting, const struct machine_uuid *uuid)
{
    struct fault fault;
    struct account *account = account_sample_and_lock(accounting, uuid, &fault);

    if (account != NULL) {
        if (account->last.domain_id != NOT_RUNNING)
            account_reset_locked(accounting, account);
    } else {
        pthread_mutex_lock(&accounting->lock);
        account = account_find_locked(accounting, uuid);
        if (account != NULL && account->last.domain_id != NOT_RUNNING) {
            account->reset_pending = true; /* the next figures become the baseline */
            account->is_current = false;
            account_mark_changed_locked(accounting, account);
        }
    }
    pthread_mutex_unlock(&accounting->lock);
}
