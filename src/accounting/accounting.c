#include "accounting/account.h"
#include "accounting/recorder.h"
#include "accounting/task.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_AT_FIRST = 64 };

struct accounting *accounting_new(struct host *host, int64_t max_age)
{
    struct accounting *accounting = calloc(1, sizeof *accounting);
    struct account **buckets = calloc(BUCKETS_AT_FIRST, sizeof(struct account *));
    if (accounting == NULL || buckets == NULL ||
        (accounting->events = event_queue_new(&accounting->wake)) == NULL) {
        free(accounting);
        free(buckets);
        return NULL;
    }
    accounting->wake.descriptor = -1;
    atomic_init(&accounting->references, 1);
    accounting->host = host_hold(host);
    accounting->max_age = max_age;
    accounting->buckets = buckets;
    accounting->bucket_count = BUCKETS_AT_FIRST;
    pthread_mutex_init(&accounting->lock, NULL);
    clock_condition_init(&accounting->recording);
    clock_condition_init(&accounting->task_ended);
    processor_sampler_init(&accounting->sampler);
    accounting_listen(accounting);
    return accounting;
}

void accounting_close(struct accounting *accounting)
{
    if (accounting == NULL)
        return;
    machine_tasks_wait(accounting);
    host_listen(accounting->host, NULL);
    recorder_stop(accounting);
    processor_sampler_stop(accounting);
}

/* With the lock held: whether the account stands at a sample that was begun at
 * that moment or later. */
static bool is_observed_since(const struct account *account, int64_t moment)
{
    return account != NULL && account->is_current && account->observed_at >= moment;
}

/* As account_sample_and_lock, but a sample of at most max_age will do. When
 * there is none, one sweep over all machines serves this read and the next. */
static struct account *observe_and_lock(struct accounting *accounting,
                                        const struct machine_uuid *uuid, struct fault *fault)
{
    struct host *host = accounting->host;

    if (accounting->max_age == 0)
        return account_sample_and_lock(accounting, uuid, fault);
    int64_t now = host_monotonic_time(host);
    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find(accounting, uuid);
    if (is_observed_since(account, now - accounting->max_age))
        return account;
    pthread_mutex_unlock(&accounting->lock);
    if (!accounting_sweep(accounting, fault))
        return NULL;
    pthread_mutex_lock(&accounting->lock);
    account = account_find(accounting, uuid);
    if (is_observed_since(account, now))
        return account;
    pthread_mutex_unlock(&accounting->lock);
    return account_sample_and_lock(accounting, uuid, fault); /* it tells why */
}

struct account *account_observe_running_and_lock(struct accounting *accounting,
                                                 const struct machine_uuid *uuid,
                                                 struct fault *fault)
{
    struct account *account = observe_and_lock(accounting, uuid, fault);
    if (account == NULL || account->last.domain_id != NOT_RUNNING)
        return account;
    pthread_mutex_unlock(&accounting->lock);
    fault_set(fault, HRESULT_S_FALSE, "the machine is not running");
    return NULL;
}

static void fault_uncounted(const struct machine_sample *sample, enum direction direction,
                            struct fault *fault)
{
    for (size_t i = 0; i < sample->adapters->count; i++) {
        const struct adapter *adapter = &sample->adapters->adapters[i];
        char mac[MAC_TEXT_SIZE];

        if ((sample->readings[i].present & 1u << direction) != 0)
            continue;
        mac_format(adapter->mac, mac);
        if (sample->readings[i].problem != NULL) {
            fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                      "the bytes of adapter %s (type '%s', device %s) cannot be known, nor the "
                      "machine's total: %s",
                      mac, adapter->type != NULL ? adapter->type : "unknown",
                      adapter->device != NULL ? adapter->device : "none",
                      sample->readings[i].problem);
            return;
        }
        fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                  "the host has no byte counter for adapter %s (type '%s'%s%s), so the machine's "
                  "total cannot be known; plug the adapter into a bridge or network, or read "
                  "the machine's other adapters one by one through NetworkAdapters",
                  mac, adapter->type != NULL ? adapter->type : "unknown",
                  adapter->device != NULL ? ", device " : "",
                  adapter->device != NULL ? adapter->device : "");
        return;
    }
    fault_set(fault, HRESULT_DISP_E_EXCEPTION,
              "an adapter without a byte counter has been unplugged in this session, or the "
              "counter could not be read when the machine was reset, so the machine's total "
              "cannot be known until it is next started or reset");
}

bool accounting_total(struct accounting *accounting, const struct machine_uuid *uuid,
                      enum direction direction, struct decimal *total, struct fault *fault)
{
    struct account *account = account_observe_running_and_lock(accounting, uuid, fault);
    if (account == NULL)
        return false;

    enum session_total_result result = session_total(&account->session, direction, total);
    if (result == SESSION_TOTAL_UNKNOWN)
        fault_uncounted(&account->last, direction, fault);
    else if (result == SESSION_TOTAL_OVERFLOW)
        fault_set(fault, HRESULT_DISP_E_OVERFLOW,
                  "the machine's bytes are above 2^96-1, the largest documented value");
    pthread_mutex_unlock(&accounting->lock);
    return result == SESSION_TOTAL_KNOWN;
}

/* The adapter of that key. A key from another run of the machine, or from
 * before it was started, stands for the one attached adapter of its MAC. */
static const struct session_adapter *find_attached(const struct session *session,
                                                   const struct device_key *key)
{
    const struct session_adapter *same_mac = NULL;
    size_t matches = 0;

    for (size_t i = 0; i < session->count; i++) {
        const struct session_adapter *adapter = &session->adapters[i];
        if (!adapter->attached || memcmp(adapter->key.mac, key->mac, MAC_SIZE) != 0)
            continue;
        if (adapter->key.incarnation == key->incarnation)
            return adapter;
        same_mac = adapter;
        matches++;
    }
    return matches == 1 ? same_mac : NULL;
}

bool accounting_adapter_total(struct accounting *accounting, const struct machine_uuid *uuid,
                              const struct device_key *key, enum direction direction,
                              struct decimal *total, struct fault *fault)
{
    struct account *account = account_observe_running_and_lock(accounting, uuid, fault);
    if (account == NULL)
        return false;

    const struct session_adapter *adapter = find_attached(&account->session, key);
    bool ok;
    if (adapter == NULL)
        ok = fault_set(fault, HRESULT_VM_E_ADAPTER_NOT_FOUND,
                       "the machine no longer has this adapter; list NetworkAdapters anew");
    else if ((adapter->known & 1u << direction) == 0)
        ok = fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                       "the host has no byte counter for this adapter (IsCounted is false)");
    else if (!session_adapter_is_known(adapter, direction))
        ok = fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                       "the adapter's byte counter could not be read when the machine was reset, "
                       "so its bytes cannot be known until it is next started or reset");
    else if (!counter_value(&adapter->counters[direction], total))
        ok = fault_set(fault, HRESULT_DISP_E_OVERFLOW,
                       "the adapter's bytes are above 2^96-1, the largest documented value");
    else
        ok = true;
    pthread_mutex_unlock(&accounting->lock);
    return ok;
}

static bool snapshot_new(struct adapter_snapshot *snapshot, struct adapter_list *adapters)
{
    *snapshot = (struct adapter_snapshot){
        .keys = calloc(adapters->count + 1, sizeof *snapshot->keys),
        .counted = calloc(adapters->count + 1, sizeof *snapshot->counted),
    };
    if (snapshot->keys == NULL || snapshot->counted == NULL) {
        adapter_snapshot_clear(snapshot);
        return false;
    }
    snapshot->adapters = adapter_list_hold(adapters);
    return true;
}

static bool snapshot_of_definition(struct accounting *accounting, const struct machine_uuid *uuid,
                                   struct adapter_snapshot *snapshot, struct fault *fault)
{
    struct host *host = accounting->host;
    struct adapter_list *adapters = NULL;

    if (!host_adapters(host, uuid, &adapters, fault))
        return false;
    bool ok = snapshot_new(snapshot, adapters) || fault_out_of_memory(fault);
    for (size_t i = 0; ok && i < adapters->count; i++)
        memcpy(snapshot->keys[i].mac, adapters->adapters[i].mac, MAC_SIZE);
    adapter_list_release(adapters);
    return ok;
}

/* Where an adapter is plugged in can change without a word from the host. The
 * definition of now takes the place of the one that the sample went by, if it
 * has the same devices and the host answers. */
static void renew_adapters(struct accounting *accounting, const struct machine_uuid *uuid,
                           struct adapter_snapshot *snapshot)
{
    struct host *host = accounting->host;
    struct adapter_list *known = snapshot->adapters, *renewed = NULL;
    struct fault fault;

    if (accounting->max_age > 0 || !host_adapters(host, uuid, &renewed, &fault))
        return;
    bool is_same = renewed->count == known->count;
    for (size_t i = 0; is_same && i < known->count; i++) {
        const struct adapter *a = &known->adapters[i], *b = &renewed->adapters[i];
        is_same = memcmp(a->mac, b->mac, MAC_SIZE) == 0 &&
                  (a->device == NULL) == (b->device == NULL) &&
                  (a->device == NULL || strcmp(a->device, b->device) == 0);
    }
    snapshot->adapters = is_same ? renewed : known;
    adapter_list_release(is_same ? known : renewed);
}

bool accounting_adapters(struct accounting *accounting, const struct machine_uuid *uuid,
                         struct adapter_snapshot *snapshot, struct fault *fault)
{
    struct account *account = observe_and_lock(accounting, uuid, fault);
    if (account == NULL)
        return false;

    const struct machine_sample *last = &account->last;
    bool running = last->domain_id != NOT_RUNNING;
    bool ok = !running || snapshot_new(snapshot, last->adapters) || fault_out_of_memory(fault);
    for (size_t i = 0; running && ok && i < last->adapters->count; i++) {
        const unsigned both = 1u << DIRECTION_SENT | 1u << DIRECTION_RECEIVED;
        snapshot->keys[i] = last->readings[i].key;
        snapshot->counted[i] = (last->readings[i].present & both) == both;
    }
    pthread_mutex_unlock(&accounting->lock);
    if (!running)
        return snapshot_of_definition(accounting, uuid, snapshot, fault);
    if (ok)
        renew_adapters(accounting, uuid, snapshot);
    return ok;
}

void adapter_snapshot_clear(struct adapter_snapshot *snapshot)
{
    adapter_list_release(snapshot->adapters);
    free(snapshot->keys);
    free(snapshot->counted);
    *snapshot = (struct adapter_snapshot){0};
}

/* With the lock held, which it drops: since when the counts are, as the host
 * knows it. What was only reported, as the host knew of it, is the second best:
 * a report may come seconds after the start. */
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
    account = account_find(accounting, &uuid);
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

bool accounting_last_session(struct accounting *accounting, const struct machine_uuid *uuid,
                             struct last_session *last, bool *exists, struct fault *fault)
{
    struct host *host = accounting->host;

    host_settle(host);
    /* Whether a session has ended may not have been told: ask. What the host
     * cannot answer now changes nothing of what is known. */
    struct account *account = account_sample_and_lock(accounting, uuid, fault);
    if (account == NULL)
        pthread_mutex_lock(&accounting->lock);
    account = account_find(accounting, uuid);
    *exists = account != NULL && account->finished.exists;
    if (*exists) {
        const struct finished_session *finished = &account->finished;
        *last = (struct last_session){.start_known = finished->start_known,
                                      .started_at = finished->started.wall,
                                      .ended_at = finished->ended.wall,
                                      .reason = finished->reason};
        for (int direction = 0; direction < DIRECTION_COUNT; direction++)
            last->known[direction] = session_total(&finished->session, (enum direction)direction,
                                                   &last->bytes[direction]) == SESSION_TOTAL_KNOWN;
    }
    pthread_mutex_unlock(&accounting->lock);
    if (*exists && last->reason == STOP_UNKNOWN &&
        !host_stop_reason(host, uuid, &last->reason, fault))
        last->reason = STOP_UNKNOWN;
    return true;
}

bool accounting_change(struct accounting *accounting, const struct machine_uuid *uuid,
                       enum machine_change change, struct fault *fault)
{
    struct host *host = accounting->host;

    if (!host_change(host, uuid, change, fault))
        return false;
    accounting_note_change(accounting, uuid, change);
    return true;
}

void accounting_note_change(struct accounting *accounting, const struct machine_uuid *uuid,
                            enum machine_change change)
{
    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find_or_add(accounting, uuid);
    if (account != NULL && change == CHANGE_STARTUP) {
        account->start_announced = true;
        account->announced = account_current_moment(accounting);
        account_mark_changed(accounting, account);
    }
    pthread_mutex_unlock(&accounting->lock);
    if (change == CHANGE_STARTUP) {
        /* Now: the next look may find a later run, of which nobody has told. */
        accounting_sample_started(accounting, uuid);
    }
    if (change == CHANGE_RESET) {
        accounting_note_reset(accounting, uuid);
        disk_account_settle(accounting, uuid);
        recorder_write(accounting, uuid);
    }
    /* No sample from before is young enough for a read that follows. */
    pthread_mutex_lock(&accounting->lock);
    account = account_find(accounting, uuid);
    if (account != NULL) {
        account->is_current = false;
        account_mark_changed(accounting, account);
    }
    pthread_mutex_unlock(&accounting->lock);
}

bool accounting_wait(struct accounting *accounting, int64_t milliseconds, enum wake_result *result,
                     struct fault *fault)
{
    if (accounting->wake.descriptor < 0 && !wake_open(&accounting->wake, fault))
        return false;
    *result = wake_wait(&accounting->wake, milliseconds);
    return true;
}

bool accounting_record_resets(struct accounting *accounting, struct fault *fault)
{
    struct host *host = accounting->host;
    return host_prepare_writing(host, fault) && recorder_start(accounting, fault);
}
