#include "accounting/recorder.h"

#include "accounting/account.h"
#include "base/clock.h"
#include "base/thread.h"

enum {
    RETRY_SECONDS = 1, /* the pause after a refusal, as while libvirtd is being restarted */
    STOP_PATIENCE_MILLISECONDS = 500
};

static bool write_baseline(struct accounting *accounting, const struct machine_uuid *uuid,
                           struct fault *fault)
{
    struct host *host = accounting->host;

    disk_account_settle(accounting, uuid);
    pthread_mutex_lock(&accounting->lock);
    const struct account *account = account_find(accounting, uuid);
    struct baseline *baseline = account == NULL ? NULL : account_baseline(account);
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

/* Takes the machine out of those that are to be recorded. With the lock held;
 * false when there is none. */
static bool take_next(struct accounting *accounting, struct machine_uuid *uuid)
{
    for (size_t i = 0; i < accounting->bucket_count; i++) {
        for (struct account *account = accounting->buckets[i]; account; account = account->next) {
            if (!account->wants_recording)
                continue;
            account->wants_recording = false;
            *uuid = account->uuid;
            return true;
        }
    }
    return false;
}

static void put_back(struct accounting *accounting, const struct machine_uuid *uuid)
{
    struct account *account = account_find(accounting, uuid);
    if (account != NULL && account->last.domain_id != NOT_RUNNING)
        account->wants_recording = true;
}

static void wait_before_retry(struct accounting *accounting)
{
    clock_wait_until(&accounting->recording, &accounting->lock,
                     clock_deadline(RETRY_SECONDS * CLOCK_SECOND));
}

static void record(void *context)
{
    struct accounting *accounting = context;
    struct machine_uuid uuid;
    struct fault fault;

    pthread_mutex_lock(&accounting->lock);
    while (!accounting->is_closed) {
        if (!take_next(accounting, &uuid)) {
            pthread_cond_wait(&accounting->recording, &accounting->lock);
            continue;
        }
        pthread_mutex_unlock(&accounting->lock);
        bool done = write_baseline(accounting, &uuid, &fault) || fault.code == HRESULT_S_FALSE ||
                    fault.code == HRESULT_VM_E_VM_UNKNOWN;
        pthread_mutex_lock(&accounting->lock);
        if (!done) {
            put_back(accounting, &uuid);
            wait_before_retry(accounting);
        }
    }
    accounting->has_recorder = false;
    pthread_cond_broadcast(&accounting->recording);
    pthread_mutex_unlock(&accounting->lock);
    accounting_release(accounting);
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
    struct machine_uuid uuid;

    pthread_mutex_lock(&accounting->lock);
    if (!accounting->host->driver->is_synchronous) {
        pthread_cond_signal(&accounting->recording);
    } else {
        while (take_next(accounting, &uuid)) {
            pthread_mutex_unlock(&accounting->lock);
            recorder_write(accounting, &uuid);
            pthread_mutex_lock(&accounting->lock);
        }
    }
    pthread_mutex_unlock(&accounting->lock);
}

bool recorder_start(struct accounting *accounting, struct fault *fault)
{
    pthread_mutex_lock(&accounting->lock);
    bool was_recording = accounting->is_recording;
    accounting->is_recording = true;
    accounting->has_recorder = !accounting->host->driver->is_synchronous;
    pthread_mutex_unlock(&accounting->lock);
    if (was_recording || accounting->host->driver->is_synchronous)
        return true;

    accounting_hold(accounting);
    if (thread_run(record, accounting, fault))
        return true;
    pthread_mutex_lock(&accounting->lock);
    accounting->is_recording = accounting->has_recorder = false;
    pthread_mutex_unlock(&accounting->lock);
    accounting_release(accounting);
    return false;
}
