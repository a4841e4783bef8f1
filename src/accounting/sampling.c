#include "accounting/sampling.h"

#include "accounting/account.h"
#include "accounting/account_table.h"
#include "accounting/final_figures.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* A sample that another thread has overtaken is taken again; nobody
     * overtakes this often unless something is badly wrong. */
    SAMPLE_ATTEMPTS = 64,
    /* How often, and for how many nanoseconds, the final figures of a device
     * that has gone are waited for: the kernel gives them some milliseconds
     * after the device's name. */
    FINAL_FIGURES_WAITS = 100,
    FINAL_FIGURES_WAIT = 2 * 1000 * 1000
};

/* An adapter is listed for a while after its device has gone: while it is being
 * unplugged, or until the host notices that the machine has ended. The host
 * gives no figures of it, and cannot say which device it was; the account can. */
static struct device_key key_of_known(const struct account *account,
                                      const struct machine_sample *sample, size_t index)
{
    const struct adapter *adapter = &sample->adapters->adapters[index];
    struct device_key key = sample->readings[index].key;

    if (incarnation_is_ifindex(key.incarnation) || adapter->device == NULL)
        return key;
    for (size_t i = 0; i < account->last.adapters->count; i++) {
        const struct device_key *known = &account->last.readings[i].key;
        const char *device = account->last.adapters->adapters[i].device;
        if (incarnation_is_ifindex(known->incarnation) && device != NULL &&
            strcmp(device, adapter->device) == 0 && memcmp(known->mac, key.mac, MAC_SIZE) == 0)
            return *known;
    }
    return key;
}

/* Whether the adapter is silent in this sample, but a known device of this host
 * whose final figures are not in. */
static bool is_awaited(const struct account *account, const struct machine_sample *sample,
                       size_t index)
{
    if (sample->readings[index].present != 0)
        return false;
    struct device_key key = key_of_known(account, sample, index);
    const struct session_adapter *adapter = session_find_adapter(&account->session, &key);
    return incarnation_is_ifindex(key.incarnation) && adapter != NULL && !adapter->finished &&
           adapter->known != 0;
}

static bool awaits_final_figures(const struct account *account, const struct machine_sample *sample)
{
    if (sample->domain_id == NOT_RUNNING || sample->domain_id != account->last.domain_id)
        return false;
    for (size_t i = 0; i < sample->adapters->count; i++)
        if (is_awaited(account, sample, i))
            return true;
    return false;
}

/* Whether the sample knows by its name only what the account knows as a device
 * of this host: it went between its counters and its definition. As another
 * device its bytes would count twice. */
static bool has_unrecognized(const struct account *account, const struct machine_sample *sample)
{
    if (sample->domain_id == NOT_RUNNING || sample->domain_id != account->last.domain_id)
        return false;
    for (size_t i = 0; i < sample->adapters->count; i++) {
        struct device_key key = key_of_known(account, sample, i);
        if (!device_key_equal(&key, &sample->readings[i].key))
            return true;
    }
    return false;
}

static void recognize_devices(const struct account *account, struct machine_sample *sample)
{
    if (sample->domain_id == NOT_RUNNING || sample->domain_id != account->last.domain_id)
        return;
    for (size_t i = 0; i < sample->adapters->count; i++)
        sample->readings[i].key = key_of_known(account, sample, i);
}

/* Whether the sample is of the run that the account stands at, going by its ID,
 * but has none of that run's devices. */
static bool has_other_devices(const struct account *account, const struct machine_sample *sample)
{
    if (sample->domain_id == NOT_RUNNING || sample->domain_id != account->last.domain_id ||
        account->last.adapters->count == 0)
        return false;
    for (size_t i = 0; i < sample->adapters->count; i++)
        if (!incarnation_is_ifindex(sample->readings[i].key.incarnation) ||
            machine_sample_has_device(&account->last, &sample->readings[i].key))
            return false;
    return sample->adapters->count > 0;
}

/* Without the lock held. Whether the machine's process was started after the
 * account's latest sample. libvirt numbers the runs of its machines, and begins
 * again when it is started while no machine runs, so an ID may come again. */
static bool is_started_since(struct accounting *accounting, const struct machine_sample *sample,
                             int64_t sampled_at)
{
    struct host *host = accounting->host;
    struct moment started;
    struct fault fault;

    if (!host_started_at(host, &sample->uuid, sample->domain_id, &started, &fault))
        return false;
    /* The start is rounded down to a hundredth of a second. */
    return started.at + 10 * CLOCK_MILLISECOND >= sampled_at;
}

struct request {
    uint64_t begun_in; /* accounting.version when the host was asked */
    int64_t begun_at;
    struct machine_sample sample;
    struct final_figures final; /* when the machine does not run */
    bool is_other_run;          /* than the account's, though the ID is the same */
    unsigned waits_left;
    unsigned attempts_left;
};

/* Takes a sample of the machine. False with a fault. */
static bool request_sample(struct accounting *accounting, const struct machine_uuid *uuid,
                           struct request *request, struct fault *fault)
{
    struct host *host = accounting->host;

    request->sample = (struct machine_sample){.domain_id = NOT_RUNNING};
    pthread_mutex_lock(&accounting->lock);
    request->begun_in = accounting->version;
    pthread_mutex_unlock(&accounting->lock);
    request->begun_at = host_monotonic_time(accounting->host);
    bool ok = host_sample(host, uuid, &request->sample, fault);
    bool is_gone = !ok && fault->code == HRESULT_VM_E_VM_UNKNOWN;
    if (is_gone || (ok && request->sample.domain_id == NOT_RUNNING))
        final_figures_read(accounting, uuid, &request->final);
    if (is_gone) {
        pthread_mutex_lock(&accounting->lock);
        account_machine_gone_locked(accounting, uuid, &request->final);
        pthread_mutex_unlock(&accounting->lock);
        final_figures_clear(&request->final);
    }
    return ok;
}

/* Drops and retakes the lock around slow calls: the
 * account is then found again, and *found is the one that there is by now, or
 * NULL. Whether the sample is to be taken again: it may be older than what the
 * account stands at, and would then look like a counter that fell; or it will
 * soon say more. */
static bool must_sample_again_locked(struct accounting *accounting, struct account **found,
                                     struct request *request)
{
    struct account *account = *found;
    bool is_suspect = !request->is_other_run && has_other_devices(account, &request->sample);
    int64_t sampled_at = account->observed_at;

    if (account->changed_in > request->begun_in)
        return true;
    if (is_suspect) {
        pthread_mutex_unlock(&accounting->lock);
        request->is_other_run = is_started_since(accounting, &request->sample, sampled_at);
        pthread_mutex_lock(&accounting->lock);
        *found = account = account_find_locked(accounting, &request->sample.uuid);
        if (account == NULL || account->changed_in > request->begun_in)
            return true;
    }
    recognize_devices(account, &request->sample);
    if (request->waits_left == 0 || !awaits_final_figures(account, &request->sample))
        return false;
    request->waits_left--;
    request->attempts_left++;
    pthread_mutex_unlock(&accounting->lock);
    clock_sleep(FINAL_FIGURES_WAIT);
    host_settle(accounting->host);
    pthread_mutex_lock(&accounting->lock);
    *found = account_find_locked(accounting, &request->sample.uuid);
    return true;
}

struct account *account_sample_and_lock(struct accounting *accounting,
                                        const struct machine_uuid *uuid, struct fault *fault)
{
    struct request request = {.waits_left = FINAL_FIGURES_WAITS, .attempts_left = SAMPLE_ATTEMPTS};

    /* The lock is not held while the host answers. */
    while (request.attempts_left-- > 0) {
        if (!request_sample(accounting, uuid, &request, fault))
            return NULL;
        pthread_mutex_lock(&accounting->lock);
        struct account *account = account_find_or_add_locked(accounting, uuid);
        bool again = account != NULL && must_sample_again_locked(accounting, &account, &request);
        bool observed = false;
        if (account != NULL && !again) {
            if (request.is_other_run)
                account_end_session_locked(accounting, account, NULL, STOP_UNKNOWN);
            observed = account_observe_locked(accounting, account, &request.sample, &request.final,
                                              request.begun_at);
        }
        if (!observed)
            pthread_mutex_unlock(&accounting->lock);
        machine_sample_clear(&request.sample);
        final_figures_clear(&request.final);
        if (observed)
            return account;
        if (!again) {
            fault_out_of_memory(fault);
            return NULL;
        }
    }
    fault_set(fault, HRESULT_DISP_E_EXCEPTION,
              "the machine's counters changed while they were read, %d times; try again",
              SAMPLE_ATTEMPTS);
    return NULL;
}

struct sweep {
    struct accounting *accounting;
    uint64_t begun_in; /* accounting.version when the host was asked */
    int64_t begun_at;
    struct machine_uuid *ended; /* machines whose devices may have outlived their run */
    size_t ended_count;
    size_t ended_capacity;
};

/* To be sampled alone, without the host's lock. Without memory the next read of
 * the machine does that. */
static void keep_ended(struct sweep *sweep, const struct machine_uuid *uuid)
{
    if (sweep->ended_count == sweep->ended_capacity) {
        size_t capacity = sweep->ended_capacity * 2 + 8;
        struct machine_uuid *grown = realloc(sweep->ended, capacity * sizeof *grown);
        if (grown == NULL)
            return;
        sweep->ended = grown;
        sweep->ended_capacity = capacity;
    }
    sweep->ended[sweep->ended_count++] = *uuid;
}

static bool ends_with_remaining(const struct account *account, const struct machine_sample *sample)
{
    return sample->domain_id == NOT_RUNNING && account->last.domain_id != NOT_RUNNING &&
           final_figures_are_due_locked(account);
}

/* What needs the machine to be sampled alone is left to its next read. */
static void receive_sweep(void *context, const struct machine_sample *sample)
{
    struct sweep *sweep = context;
    struct accounting *accounting = sweep->accounting;

    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find_or_add_locked(accounting, &sample->uuid);
    if (account != NULL && ends_with_remaining(account, sample))
        keep_ended(sweep, &sample->uuid);
    else if (account != NULL && account->changed_in <= sweep->begun_in &&
             !awaits_final_figures(account, sample) && !has_unrecognized(account, sample) &&
             !has_other_devices(account, sample))
        account_observe_locked(accounting, account, sample, NULL, sweep->begun_at);
    pthread_mutex_unlock(&accounting->lock);
}

bool accounting_sweep(struct accounting *accounting, struct fault *fault)
{
    struct host *host = accounting->host;
    struct sweep sweep = {.accounting = accounting};

    pthread_mutex_lock(&accounting->lock);
    sweep.begun_in = accounting->version;
    pthread_mutex_unlock(&accounting->lock);
    sweep.begun_at = host_monotonic_time(accounting->host);
    bool ok = host_sample_all(host, receive_sweep, &sweep, fault);
    for (size_t i = 0; i < sweep.ended_count; i++) {
        struct fault ignored; /* the next read of the machine raises it */
        if (account_sample_and_lock(accounting, &sweep.ended[i], &ignored) != NULL)
            pthread_mutex_unlock(&accounting->lock);
    }
    free(sweep.ended);
    return ok;
}

/* Whether the account stands at a sample that was begun at
 * that moment or later. */
static bool is_observed_since_locked(const struct account *account, int64_t moment)
{
    return account != NULL && account->is_current && account->observed_at >= moment;
}

/* As account_sample_and_lock, but a sample of at most max_age will do. When
 * there is none, one sweep over all machines serves this read and the next. */
struct account *account_observe_and_lock(struct accounting *accounting,
                                         const struct machine_uuid *uuid, struct fault *fault)
{
    struct host *host = accounting->host;

    if (accounting->max_age == 0)
        return account_sample_and_lock(accounting, uuid, fault);
    int64_t now = host_monotonic_time(host);
    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find_locked(accounting, uuid);
    if (is_observed_since_locked(account, now - accounting->max_age))
        return account;
    pthread_mutex_unlock(&accounting->lock);
    if (!accounting_sweep(accounting, fault))
        return NULL;
    pthread_mutex_lock(&accounting->lock);
    account = account_find_locked(accounting, uuid);
    if (is_observed_since_locked(account, now))
        return account;
    pthread_mutex_unlock(&accounting->lock);
    return account_sample_and_lock(accounting, uuid, fault); /* it says why */
}

struct account *account_observe_running_and_lock(struct accounting *accounting,
                                                 const struct machine_uuid *uuid,
                                                 struct fault *fault)
{
    struct account *account = account_observe_and_lock(accounting, uuid, fault);
    if (account == NULL || account->last.domain_id != NOT_RUNNING)
        return account;
    pthread_mutex_unlock(&accounting->lock);
    fault_set(fault, HRESULT_S_FALSE, "the machine is not running");
    return NULL;
}
