#include "accounting/listener.h"

#include "accounting/account.h"
#include "accounting/account_table.h"
#include "accounting/disks.h"
#include "accounting/finished_session.h"
#include "accounting/recorder.h"
#include "accounting/reset.h"
#include "accounting/sampling.h"
#include "accounting/session_start.h"
#include "accounting/watch.h"

static void hold(void *context)
{
    accounting_hold(context);
}

static void release(void *context)
{
    accounting_release(context);
}

/* What cannot be read now will be with the next sample. */
static void sample(struct accounting *accounting, const struct machine_uuid *uuid)
{
    struct fault fault;
    if (account_sample_and_lock(accounting, uuid, &fault) != NULL)
        pthread_mutex_unlock(&accounting->lock);
    recorder_notify(accounting); /* the sample may have shown a reset or a start */
}

static void on_named(void *context, const struct machine_uuid *uuid, const char *name)
{
    event_queue_name(((struct accounting *)context)->events, uuid, name);
}

static void on_started(void *context, const struct machine_uuid *uuid, bool is_restored)
{
    struct accounting *accounting = context;

    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find_or_add_locked(accounting, uuid);
    if (account != NULL) {
        account_announce_start_locked(accounting, account);
        account->is_current = false;
    }
    pthread_mutex_unlock(&accounting->lock);
    accounting_sample_started(accounting, uuid);
    recorder_notify(accounting);
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

/* The host says that the machine does not run now, or runs under another ID, so
 * its session is over. */
static void end_session_locked(struct accounting *accounting, struct account *account,
                               int64_t domain_id, const struct final_figures *final,
                               enum stop_reason reason)
{
    bool is_over = account->last.domain_id != NOT_RUNNING && account->last.domain_id != domain_id;

    if (is_over)
        account_end_session_locked(accounting, account, final, reason);
    else if (account->finished.exists && account->finished.reason == STOP_UNKNOWN)
        account->finished.reason = reason; /* its end was seen before it was reported */
    account->is_current = false;
    account_mark_changed_locked(accounting, account);
}

static void on_stopped(void *context, const struct machine_uuid *uuid, enum stop_reason reason)
{
    enum { ATTEMPTS = 16 };
    struct accounting *accounting = context;
    struct host *host = accounting->host;
    bool is_settled = false;

    event_queue_stopped(accounting->events, uuid, reason);
    /* The kernel reported the devices' end before libvirt reported the machine's. */
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
            final_figures_read(accounting, uuid, &final);

        pthread_mutex_lock(&accounting->lock);
        struct account *account = account_find_locked(accounting, uuid);
        is_settled = account == NULL || account->changed_in <= begun_in;
        if (account != NULL && is_settled)
            end_session_locked(accounting, account, now.domain_id, &final, reason);
        if (is_settled && is_gone)
            account_machine_gone_locked(accounting, uuid, &final);
        pthread_mutex_unlock(&accounting->lock);
        machine_sample_clear(&now);
        final_figures_clear(&final);
    }
}

static void on_reset(void *context, const struct machine_uuid *uuid)
{
    struct accounting *accounting = context;

    accounting_note_reset(accounting, uuid);
    disks_settle_soon(accounting, uuid);
    recorder_notify(accounting);
    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find_locked(accounting, uuid);
    bool is_told = account != NULL && account->is_reset_reported;
    if (account != NULL)
        account->is_reset_reported = true;
    pthread_mutex_unlock(&accounting->lock);
    if (!is_told)
        event_queue_reset(accounting->events, uuid);
}

static void on_adapters_changed(void *context, const struct machine_uuid *uuid)
{
    sample(context, uuid);
}

static void on_device_gone(void *context, uint64_t incarnation,
                           const struct decimal bytes[DIRECTION_COUNT])
{
    struct accounting *accounting = context;

    pthread_mutex_lock(&accounting->lock);
    for (struct account *account = accounting->accounts; account; account = account->hh.next) {
        if (session_finish_device(&account->session, incarnation, bytes)) {
            account->is_current = false;
            account_mark_changed_locked(accounting, account);
        } else if (account->finished.exists) {
            session_finish_device(&account->finished.session, incarnation, bytes);
        }
    }
    pthread_mutex_unlock(&accounting->lock);
}

static void on_missed(void *context)
{
    struct fault fault;
    accounting_sweep(context, &fault); /* without an answer the next read samples */
    recorder_notify(context);          /* what could not be written may be now */
    accounting_compare_states(context, &fault);
}

static bool is_sampled(struct accounting *accounting, const struct machine_uuid *uuid)
{
    pthread_mutex_lock(&accounting->lock);
    const struct account *account = account_find_locked(accounting, uuid);
    bool is_sampled = account != NULL && account->observed_at != 0;
    pthread_mutex_unlock(&accounting->lock);
    return is_sampled;
}

/* How a session ended can be said only of one that has been sampled. */
static void on_staying(void *context)
{
    struct accounting *accounting = context;
    struct machine_list list = {0};
    struct fault fault; /* it will be sampled when it is read */

    if (!host_list(accounting->host, &list, &fault))
        return;
    for (size_t i = 0; i < list.count; i++)
        if (!is_sampled(accounting, &list.entries[i].uuid))
            sample(accounting, &list.entries[i].uuid);
    machine_list_clear(&list);
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
        .staying = on_staying,
    };
    host_listen(accounting->host, &listener);
}
