#include "accounting/disks.h"

#include "accounting/account_table.h"
#include "accounting/sampling.h"

#include <stdlib.h>

/* A sample that a reset or a start has overtaken is taken again. */
enum { SAMPLE_ATTEMPTS = 16 };

struct disk_request {
    struct accounting *accounting;
    uint64_t begun_in; /* accounting.version when the host was asked */
    int64_t begun_at;
    bool is_stopped; /* the host says that the one machine asked for does not run */
};

static void receive(void *context, struct disk_sample *sample)
{
    struct disk_request *request = context;
    struct accounting *accounting = request->accounting;

    request->is_stopped = sample->domain_id == NOT_RUNNING;
    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find_locked(accounting, &sample->uuid);
    if (account != NULL && sample->domain_id != NOT_RUNNING &&
        account->last.domain_id == sample->domain_id &&
        account->disks_changed_in <= request->begun_in &&
        disk_session_observe(&account->disks, sample, request->begun_at))
        account_mark_disks_changed_locked(accounting, account);
    pthread_mutex_unlock(&accounting->lock);
}

/* Asks for the disks of one machine, or of all (NULL). */
static bool request_disks(struct accounting *accounting, const struct machine_uuid *uuid,
                          struct disk_request *request, struct fault *fault)
{
    struct host *host = accounting->host;

    *request = (struct disk_request){.accounting = accounting};
    pthread_mutex_lock(&accounting->lock);
    request->begun_in = accounting->version;
    pthread_mutex_unlock(&accounting->lock);
    request->begun_at = host_monotonic_time(host);
    return host_sample_disks(host, uuid, receive, request, fault);
}

/* Returns the running machine's account, with the lock held, whose disks have
 * been sampled; NULL and a fault without it. */
static struct account *observe_and_lock(struct accounting *accounting,
                                        const struct machine_uuid *uuid, struct fault *fault)
{
    struct host *host = accounting->host;
    int64_t moment = host_monotonic_time(host) - accounting->max_age;

    for (int attempt = 0; attempt < SAMPLE_ATTEMPTS; attempt++) {
        struct disk_request request;
        struct account *account = account_observe_running_and_lock(accounting, uuid, fault);
        /* Without a maximum age only the sample that this read takes will do, though
         * one before it may be of the same moment: a clock may stand still. */
        if (account == NULL ||
            (accounting->max_age > 0 && disk_session_is_observed_since(&account->disks, moment)))
            return account;
        pthread_mutex_unlock(&accounting->lock);
        /* With a maximum age one call serves the reads of all machines. What it
         * leaves out, because a machine keeps it waiting, is asked for alone. */
        bool is_sweep = attempt == 0 && accounting->max_age > 0;
        if (!request_disks(accounting, is_sweep ? NULL : uuid, &request, fault) && !is_sweep)
            return NULL;
        if (!is_sweep && request.is_stopped) {
            fault_set(fault, HRESULT_S_FALSE, "the machine is not running");
            return NULL;
        }
        if (accounting->max_age == 0)
            moment = request.begun_at;
        pthread_mutex_lock(&accounting->lock);
        account = account_find_locked(accounting, uuid);
        if (account != NULL && account->last.domain_id != NOT_RUNNING &&
            disk_session_is_observed_since(&account->disks, moment))
            return account;
        pthread_mutex_unlock(&accounting->lock);
    }
    fault_set(fault, HRESULT_DISP_E_EXCEPTION,
              "the machine was reset or restarted while its disks were read, %d times; try again",
              SAMPLE_ATTEMPTS);
    return NULL;
}

static void fault_unknown(const struct disk_session *disks, enum direction direction,
                          struct fault *fault)
{
    for (size_t i = 0; i < disks->last.count; i++) {
        if ((disks->last.readings[i].present & 1u << direction) != 0)
            continue;
        fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                  "the host has no byte counter for disk %s, so the machine's total cannot be "
                  "known",
                  disks->last.targets[i]);
        return;
    }
    fault_set(fault, HRESULT_DISP_E_EXCEPTION,
              "a disk without a byte counter has been unplugged in this session, or the counter "
              "could not be read when the machine was reset, so the machine's total cannot be "
              "known until it is next started or reset");
}

bool accounting_disk_total(struct accounting *accounting, const struct machine_uuid *uuid,
                           enum direction direction, struct decimal *total, struct fault *fault)
{
    struct account *account = observe_and_lock(accounting, uuid, fault);
    if (account == NULL)
        return false;

    const struct disk_session *disks = &account->disks;
    bool ok = false;
    if (disks->is_uncounted) {
        fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                  "the machine has been reset, and who recorded that did not record where the "
                  "disks' counters stood, so its disk bytes cannot be known until it is next "
                  "started or reset");
    } else {
        enum session_total_result result = session_total(&disks->session, direction, total);
        ok = result == SESSION_TOTAL_KNOWN;
        if (result == SESSION_TOTAL_UNKNOWN)
            fault_unknown(disks, direction, fault);
        else if (result == SESSION_TOTAL_OVERFLOW)
            fault_set(fault, HRESULT_DISP_E_OVERFLOW,
                      "the machine's disk bytes are above 2^96-1, the largest documented value");
    }
    pthread_mutex_unlock(&accounting->lock);
    return ok;
}

void disks_settle(struct accounting *accounting, const struct machine_uuid *uuid)
{
    for (int attempt = 0; attempt < SAMPLE_ATTEMPTS; attempt++) {
        struct disk_request request;
        struct fault fault;

        pthread_mutex_lock(&accounting->lock);
        const struct account *account = account_find_locked(accounting, uuid);
        bool is_pending = account != NULL && account->disks.is_reset_pending &&
                          account->last.domain_id != NOT_RUNNING;
        pthread_mutex_unlock(&accounting->lock);
        /* A hypervisor process that does not answer serves no disk either: the
         * figures of when it does will be those of the reset. */
        if (!is_pending || !request_disks(accounting, uuid, &request, &fault) || request.is_stopped)
            return;
    }
}

struct settlement {
    struct accounting *accounting;
    struct machine_uuid uuid;
};

static void settle(void *context, bool may_wait)
{
    struct settlement *settlement = context;

    (void)may_wait;
    disks_settle(settlement->accounting, &settlement->uuid);
    accounting_release(settlement->accounting);
    free(settlement);
}

void disks_settle_soon(struct accounting *accounting, const struct machine_uuid *uuid)
{
    struct settlement *settlement = malloc(sizeof *settlement);
    struct fault fault;

    if (settlement == NULL)
        return; /* the next read settles it */
    *settlement = (struct settlement){accounting_hold(accounting), *uuid};
    if (host_run(accounting->host, settle, settlement, &fault))
        return;
    accounting_release(accounting);
    free(settlement);
}
