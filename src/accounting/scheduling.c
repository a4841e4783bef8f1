#include "accounting/accounting.h"

#include "accounting/account_table.h"
#include "accounting/sampling.h"

#include <stdlib.h>

/* Under a maximum age one answer of the host serves the members that read it. */
static bool find_known(struct accounting *accounting, const struct machine_uuid *uuid,
                       struct scheduling *scheduling)
{
    if (accounting->max_age == 0)
        return false;
    int64_t oldest = host_monotonic_time(accounting->host) - accounting->max_age;
    pthread_mutex_lock(&accounting->lock);
    const struct account *account = account_find_locked(accounting, uuid);
    const struct known_scheduling *known = account != NULL ? account->scheduling : NULL;
    bool is_known = known != NULL && known->asked_at >= oldest;
    if (is_known)
        *scheduling = known->scheduling;
    pthread_mutex_unlock(&accounting->lock);
    return is_known;
}

/* Without memory it is asked for again. */
static void keep(struct accounting *accounting, const struct machine_uuid *uuid,
                 const struct known_scheduling *known)
{
    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find_or_add_locked(accounting, uuid);
    if (account != NULL && account->scheduling == NULL)
        account->scheduling = malloc(sizeof *account->scheduling);
    if (account != NULL && account->scheduling != NULL)
        *account->scheduling = *known;
    pthread_mutex_unlock(&accounting->lock);
}

bool accounting_scheduling(struct accounting *accounting, const struct machine_uuid *uuid,
                           struct scheduling *scheduling, struct fault *fault)
{
    if (find_known(accounting, uuid, scheduling))
        return true;
    int64_t asked_at = host_monotonic_time(accounting->host);
    if (!host_scheduling(accounting->host, uuid, scheduling, fault))
        return false;
    const struct known_scheduling known = {.asked_at = asked_at, .scheduling = *scheduling};
    if (accounting->max_age > 0)
        keep(accounting, uuid, &known);
    return true;
}

bool accounting_set_scheduling(struct accounting *accounting, const struct machine_uuid *uuid,
                               const struct scheduling *wanted, struct fault *fault)
{
    struct scheduling present, complete = *wanted;

    if (!host_scheduling(accounting->host, uuid, &present, fault))
        return false;
    complete.processors = present.processors;
    complete.host_processors = present.host_processors;
    complete.can_limit = present.can_limit;
    if (!scheduling_check(&present, &complete, fault))
        return false;
    bool ok = host_set_scheduling(accounting->host, uuid, &complete, fault);
    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find_locked(accounting, uuid);
    if (account != NULL) {
        free(account->scheduling);
        account->scheduling = NULL;
    }
    pthread_mutex_unlock(&accounting->lock);
    return ok;
}

bool accounting_has_machine(struct accounting *accounting, const struct machine_uuid *uuid,
                            struct fault *fault)
{
    enum machine_state state;

    if (accounting->max_age == 0)
        return host_state(accounting->host, uuid, &state, fault);
    if (account_observe_and_lock(accounting, uuid, fault) == NULL)
        return false;
    pthread_mutex_unlock(&accounting->lock);
    return true;
}
