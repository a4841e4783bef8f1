#include "accounting/accounting.h"

#include "accounting/account_table.h"
#include "accounting/listener.h"
#include "accounting/recorder.h"
#include "accounting/sampling.h"
#include "accounting/task.h"
#include "base/clock.h"

#include <stdlib.h>

static void accounting_destroy(struct accounting *accounting)
{
    account_table_clear(accounting);
    event_queue_free(accounting->events);
    if (accounting->wake.descriptor >= 0)
        wake_close(&accounting->wake);
    pthread_cond_destroy(&accounting->task_ended);
    pthread_cond_destroy(&accounting->recording);
    processor_sampler_destroy(&accounting->sampler);
    pthread_mutex_destroy(&accounting->lock);
    host_release(accounting->host);
    free(accounting);
}

struct accounting *accounting_new(struct host *host, int64_t max_age)
{
    struct accounting *accounting = calloc(1, sizeof *accounting);
    if (accounting == NULL || (accounting->events = event_queue_new(&accounting->wake)) == NULL) {
        free(accounting);
        return NULL;
    }
    accounting->wake.descriptor = -1;
    atomic_init(&accounting->references, 1);
    accounting->destroy = accounting_destroy;
    accounting->host = host_hold(host);
    accounting->max_age = max_age;
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

bool accounting_last_session(struct accounting *accounting, const struct machine_uuid *uuid,
                             struct last_session *last, bool *exists, struct fault *fault)
{
    struct host *host = accounting->host;

    host_settle(host);
    /* The end of a session may not have been reported: ask. What the host
     * cannot answer now changes nothing of what is known. */
    struct account *account = account_sample_and_lock(accounting, uuid, fault);
    if (account == NULL)
        pthread_mutex_lock(&accounting->lock);
    account = account_find_locked(accounting, uuid);
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

bool accounting_record_resets(struct accounting *accounting, struct fault *fault)
{
    struct host *host = accounting->host;
    return host_prepare_writing(host, fault) && recorder_start(accounting, fault);
}
