/*
 * listener: what the accounting does when the host tells of something.
 * Called from the event thread, or from the simulator's caller.
 */
#include "accounting/account.h"
#include "accounting/recorder.h"

static void hold(void *context)
{
    accounting_hold(context);
}

static void release(void *context)
{
    accounting_release(context);
}

/* Looks at the machine; what cannot be read now will be at the next look. */
static void look_at(struct accounting *accounting, const struct machine_uuid *uuid)
{
    struct fault fault;
    if (account_sample_and_lock(accounting, uuid, &fault) != NULL)
        pthread_mutex_unlock(&accounting->lock);
    recorder_notify(accounting); /* the look may have found a reset or a start */
}

static void on_named(void *context, const struct machine_uuid *uuid, const char *name)
{
    event_queue_name(((struct accounting *)context)->events, uuid, name);
}

static void on_started(void *context, const struct machine_uuid *uuid, bool is_restored)
{
    struct accounting *accounting = context;

    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find_or_add(accounting, uuid);
    if (account != NULL) {
        account->start_announced = true;
        account->announced = account_current_moment(accounting);
        account->is_current = false;
        account_mark_changed(accounting, account);
    }
    pthread_mutex_unlock(&accounting->lock);
    look_at(accounting, uuid);
    event_queue_started(accounting->events, uuid, is_restored);
}

static void on_paused(void *context, const struct machine_uuid *uuid, enum machine_state state)
{
    event_queue_paused(((struct accounting *)context)->events, uuid, state);
}

static void on_resumed(void *context, const struct machine_uuid *uuid)
{
    event_queue_resumed(((struct accounting *)context)->events, uuid);
}

/* With the lock held. The host says that the machine does not run now, or runs
 * under another ID, so its session is over. */
static void end_session(struct accounting *accounting, struct account *account, int64_t domain_id,
                        const struct final_figures *final, enum stop_reason reason)
{
    bool is_over = account->last.domain_id != NOT_RUNNING && account->last.domain_id != domain_id;

    if (is_over)
        account_end_session(accounting, account, final, reason);
    else if (account->finished.exists && account->finished.reason == STOP_UNKNOWN)
        account->finished.reason = reason; /* its end was seen before it was told */
    account->is_current = false;
    account_mark_changed(accounting, account);
}

static void on_stopped(void *context, const struct machine_uuid *uuid, enum stop_reason reason)
{
    enum { ATTEMPTS = 16 };
    struct accounting *accounting = context;
    struct host *host = accounting->host;
    bool is_settled = false;

    event_queue_stopped(accounting->events, uuid, reason);
    /* The kernel told of the devices' end before libvirt told of the machine's. */
    host_settle(host);
    /* It may be running again by now, and another thread have seen that: what
     * the host says counts only when the account has not changed since. */
    for (int attempt = 0; attempt < ATTEMPTS && !is_settled; attempt++) {
        struct machine_sample now = {.domain_id = NOT_RUNNING};
        struct final_figures final = {0};
        struct fault fault;

        pthread_mutex_lock(&accounting->lock);
        uint64_t begun_in = accounting->version;
        pthread_mutex_unlock(&accounting->lock);
        bool is_gone =
            !host_sample(host, uuid, &now, &fault) && fault.code == HRESULT_VM_E_VM_UNKNOWN;
        if (now.domain_id == NOT_RUNNING)
            account_read_remaining(accounting, uuid, &final);

        pthread_mutex_lock(&accounting->lock);
        struct account *account = account_find(accounting, uuid);
        is_settled = account == NULL || account->changed_in <= begun_in;
        if (account != NULL && is_settled)
            end_session(accounting, account, now.domain_id, &final, reason);
        if (is_settled && is_gone)
            account_machine_gone(accounting, uuid, &final);
        pthread_mutex_unlock(&accounting->lock);
        machine_sample_clear(&now);
        final_figures_clear(&final);
    }
}

void accounting_note_reset(struct accounting *accounting, const struct machine_uuid *uuid)
{
    struct fault fault;
    struct account *account = account_sample_and_lock(accounting, uuid, &fault);

    if (account != NULL) {
        if (account->last.domain_id != NOT_RUNNING)
            account_reset(accounting, account);
    } else {
        pthread_mutex_lock(&accounting->lock);
        account = account_find(accounting, uuid);
        if (account != NULL && account->last.domain_id != NOT_RUNNING) {
            account->reset_pending = true; /* the next figures become the baseline */
            account->is_current = false;
            account_mark_changed(accounting, account);
        }
    }
    pthread_mutex_unlock(&accounting->lock);
}

static void on_reset(void *context, const struct machine_uuid *uuid)
{
    struct accounting *accounting = context;

    accounting_note_reset(accounting, uuid);
    disk_account_settle_soon(accounting, uuid);
    recorder_notify(accounting);
    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find(accounting, uuid);
    bool is_told = account != NULL && account->is_reset_told;
    if (account != NULL)
        account->is_reset_told = true;
    pthread_mutex_unlock(&accounting->lock);
    if (!is_told)
        event_queue_reset(accounting->events, uuid);
}

static void on_adapters_changed(void *context, const struct machine_uuid *uuid)
{
    look_at(context, uuid);
}

/* The final figures belong to the session that had the device, be it over or
 * not. Figures below what was seen already are of another device. */
static bool finish(struct session *session, uint64_t incarnation,
                   const struct decimal bytes[DIRECTION_COUNT])
{
    for (size_t i = 0; i < session->count; i++) {
        struct session_adapter *adapter = &session->adapters[i];
        if (adapter->key.incarnation != incarnation || adapter->finished)
            continue;
        struct device_reading final = {.key = adapter->key};
        for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
            const struct counter *counter = &adapter->counters[direction];
            if (!counter->seen)
                continue;
            if (decimal_compare(bytes[direction], counter->last) < 0)
                return false;
            final.present |= 1u << direction;
            final.bytes[direction] = bytes[direction];
        }
        return session_finish_adapter(session, &final);
    }
    return false;
}

static void on_device_gone(void *context, uint64_t incarnation,
                           const struct decimal bytes[DIRECTION_COUNT])
{
    struct accounting *accounting = context;

    pthread_mutex_lock(&accounting->lock);
    for (size_t i = 0; i < accounting->bucket_count; i++) {
        for (struct account *account = accounting->buckets[i]; account; account = account->next) {
            if (finish(&account->session, incarnation, bytes)) {
                account->is_current = false;
                account_mark_changed(accounting, account);
            } else if (account->finished.exists) {
                finish(&account->finished.session, incarnation, bytes);
            }
        }
    }
    pthread_mutex_unlock(&accounting->lock);
}

/* Compares the states of all machines with what was told of them. */
static bool tell_states(struct accounting *accounting, struct fault *fault)
{
    struct host *host = accounting->host;
    struct machine_list list = {0};

    if (!event_queue_is_watching(accounting->events))
        return true;
    if (!host_list(host, &list, fault))
        return false;
    for (size_t i = 0; i < list.count; i++) {
        const struct machine_list_entry *machine = &list.entries[i];
        uint64_t count = event_queue_count(accounting->events);
        enum machine_state state;
        struct fault gone;
        if (host_state(host, &machine->uuid, &state, &gone))
            event_queue_found(accounting->events, &machine->uuid, machine->name, state, count);
    }
    event_queue_found_all(accounting->events);
    machine_list_clear(&list);
    return true;
}

static void on_missed(void *context)
{
    struct fault fault;
    accounting_sweep(context, &fault); /* without an answer the next read looks */
    recorder_notify(context);          /* what could not be written may be now */
    tell_states(context, &fault);
}

bool accounting_watch(struct accounting *accounting, struct fault *fault)
{
    struct host *host = accounting->host;

    if (!host_has_events(host))
        return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                         "this host's driver tells of no events; ask for State instead");
    if (accounting->wake.descriptor < 0 && !wake_open(&accounting->wake, fault))
        return false;
    /* First, so that nothing is missed between the two. */
    event_queue_watch(accounting->events, true);
    if (tell_states(accounting, fault))
        return true;
    event_queue_watch(accounting->events, false);
    return false;
}

void accounting_unwatch(struct accounting *accounting)
{
    event_queue_watch(accounting->events, false);
}

bool accounting_take_event(struct accounting *accounting, struct machine_event *event)
{
    return event_queue_take(accounting->events, event);
}

uint64_t accounting_take_lost_events(struct accounting *accounting)
{
    return event_queue_take_lost(accounting->events);
}

void accounting_listen(struct accounting *accounting)
{
    const struct host_listener listener = {
        .context = accounting,
        .hold = hold,
        .release = release,
        .named = on_named,
        .started = on_started,
        .stopped = on_stopped,
        .paused = on_paused,
        .resumed = on_resumed,
        .reset = on_reset,
        .adapters_changed = on_adapters_changed,
        .device_gone = on_device_gone,
        .missed = on_missed,
    };
    host_listen(accounting->host, &listener);
}
