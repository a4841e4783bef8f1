#include "accounting/session_start.h"

#include "accounting/account_table.h"
#include "accounting/sampling.h"
#include "base/clock.h"

void account_announce_start_locked(struct accounting *accounting, struct account *account)
{
    account->start_announced = true;
    account->announced = accounting_moment(accounting);
    account_mark_changed_locked(accounting, account);
}

/* Since when the counts are, as the host knows it. Drops the lock. What was only reported, as the
 * host knew of it, is the second best: a report may come seconds after the start. */
static bool find_start_and_unlock(struct accounting *accounting, struct account *account,
                                  struct moment *since, struct fault *fault)
{
    const struct machine_uuid uuid = account->uuid;
    int64_t domain_id = account->last.domain_id;
    bool is_known = account->start_known, is_exact = is_known && !account->start_reported;
    struct moment started;

    *since = account->started;
    pthread_mutex_unlock(&accounting->lock);
    if (is_exact)
        return true;
    if (!host_started_at(accounting->host, &uuid, domain_id, &started, fault))
        return is_known;

    pthread_mutex_lock(&accounting->lock);
    account = account_find_locked(accounting, &uuid);
    bool is_same_run = account != NULL && account->last.domain_id == domain_id;
    /* A reset may have come meanwhile: the counts are since that. */
    if (is_same_run && account->start_known && !account->start_reported) {
        started = account->started;
    } else if (is_same_run) {
        account->start_known = true;
        account->start_reported = false;
        account->started = started;
    }
    pthread_mutex_unlock(&accounting->lock);
    *since = started;
    return true;
}

bool accounting_since(struct accounting *accounting, const struct machine_uuid *uuid,
                      struct moment *since, struct fault *fault)
{
    struct account *account = account_observe_running_and_lock(accounting, uuid, fault);
    return account != NULL && find_start_and_unlock(accounting, account, since, fault);
}

void accounting_sample_started(struct accounting *accounting, const struct machine_uuid *uuid)
{
    struct fault fault;
    struct moment since;
    struct account *account = account_sample_and_lock(accounting, uuid, &fault);

    if (account != NULL && account->last.domain_id != NOT_RUNNING)
        find_start_and_unlock(accounting, account, &since, &fault);
    else if (account != NULL)
        pthread_mutex_unlock(&accounting->lock);
}

bool accounting_uptime(struct accounting *accounting, const struct machine_uuid *uuid,
                       int64_t *seconds, struct fault *fault)
{
    struct moment since;

    if (!accounting_since(accounting, uuid, &since, fault))
        return false;
    *seconds = (host_monotonic_time(accounting->host) - since.at) / CLOCK_SECOND;
    return true;
}
