#include "accounting/recorder.h"

#include "accounting/account_table.h"
#include "accounting/disks.h"
#include "accounting/shared_baseline.h"
#include "base/clock.h"

enum {
    RETRY_SECONDS = 1, /* the pause after a refusal, as while libvirtd is being restarted */
    STOP_PATIENCE_MILLISECONDS = 500
};

static bool write_baseline(struct accounting *accounting, const struct machine_uuid *uuid,
                           struct fault *fault)
{
    struct host *host = accounting->host;

    disks_settle(accounting, uuid);
    pthread_mutex_lock(&accounting->lock);
    const struct account *account = account_find_locked(accounting, uuid);
    struct baseline *baseline = account == NULL ? NULL : account_baseline_locked(account);
    pthread_mutex_unlock(&accounting->lock);
    if (baseline == NULL)
        return fault_set(fault, HRESULT_S_FALSE, "the machine has no baseline to record");
    bool ok = host_write_baseline(host, uuid, baseline, fault);
    baseline_free(baseline);
    return ok;
}

bool recorder_write(struct accounting *accounting, const struct machine_uuid *uuid)
{
    struct fault fault;
    return write_baseline(accounting, uuid, &fault);
}

/* Takes one of the machines that are to be recorded; false when there is none. */
static bool take_next_locked(struct accounting *accounting, struct machine_uuid *uuid)
{
    struct account *account = accounting->accounts;

    while (account != NULL && !account->wants_recording)
        account = account->hh.next;
    if (account == NULL)
        return false;
    account->wants_recording = false;
    *uuid = account->uuid;
    return true;
}

static void put_back_locked(struct accounting *accounting, const struct machine_uuid *uuid)
{
    struct account *account = account_find_locked(accounting, uuid);
    if (account != NULL && account->last.domain_id != NOT_RUNNING)
        account->wants_recording = true;
}

static void wait_before_retry_locked(struct accounting *accounting)
{
    clock_wait_until(&accounting->recording, &accounting->lock,
                     clock_deadline(RETRY_SECONDS * CLOCK_SECOND));
}

/* Where it may wait it goes on until the accounting is closed; elsewhere it ends
 * when nothing is left that the host will take. */
static void record(void *context, bool may_wait)
{
    struct accounting *accounting = context;
    struct machine_uuid uuid;
    struct fault fault;
    bool goes_on = true;

    pthread_mutex_lock(&accounting->lock);
    while (goes_on && !accounting->is_closed) {
        if (!take_next_locked(accounting, &uuid)) {
            goes_on = may_wait;
            if (may_wait)
                pthread_cond_wait(&accounting->recording, &accounting->lock);
            continue;
        }
        pthread_mutex_unlock(&accounting->lock);
        bool done = write_baseline(accounting, &uuid, &fault) || fault.code == HRESULT_S_FALSE ||
                    fault.code == HRESULT_VM_E_VM_UNKNOWN;
        pthread_mutex_lock(&accounting->lock);
        if (!done) {
            put_back_locked(accounting, &uuid);
            goes_on = may_wait;
            if (may_wait)
                wait_before_retry_locked(accounting);
        }
    }
    accounting->has_recorder = false;
    pthread_cond_broadcast(&accounting->recording);
    pthread_mutex_unlock(&accounting->lock);
    accounting_release(accounting);
}

static bool run_recorder(struct accounting *accounting, struct fault *fault)
{
    pthread_mutex_lock(&accounting->lock);
    bool is_needed =
        accounting->is_recording && !accounting->has_recorder && !accounting->is_closed;
    accounting->has_recorder = accounting->has_recorder || is_needed;
    pthread_mutex_unlock(&accounting->lock);
    if (!is_needed)
        return true;

    accounting_hold(accounting);
    if (host_run(accounting->host, record, accounting, fault))
        return true;
    pthread_mutex_lock(&accounting->lock);
    accounting->has_recorder = false;
    pthread_mutex_unlock(&accounting->lock);
    accounting_release(accounting);
    return false;
}

void recorder_stop(struct accounting *accounting)
{
    int64_t deadline = clock_deadline(STOP_PATIENCE_MILLISECONDS * CLOCK_MILLISECOND);

    pthread_mutex_lock(&accounting->lock);
    accounting->is_closed = true;
    pthread_cond_broadcast(&accounting->recording);
    while (accounting->has_recorder &&
           clock_wait_until(&accounting->recording, &accounting->lock, deadline))
        ;
    pthread_mutex_unlock(&accounting->lock);
}

void recorder_notify(struct accounting *accounting)
{
    struct fault fault; /* without a thread the next report is another chance */

    pthread_mutex_lock(&accounting->lock);
    pthread_cond_signal(&accounting->recording);
    pthread_mutex_unlock(&accounting->lock);
    run_recorder(accounting, &fault);
}

bool recorder_start(struct accounting *accounting, struct fault *fault)
{
    pthread_mutex_lock(&accounting->lock);
    bool was_recording = accounting->is_recording;
    accounting->is_recording = true;
    pthread_mutex_unlock(&accounting->lock);
    if (was_recording || run_recorder(accounting, fault))
        return true;
    pthread_mutex_lock(&accounting->lock);
    accounting->is_recording = false;
    pthread_mutex_unlock(&accounting->lock);
    return false;
}
