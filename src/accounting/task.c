#include "accounting/task.h"

#include "accounting/account_table.h"
#include "accounting/disks.h"
#include "accounting/recorder.h"
#include "accounting/reset.h"
#include "accounting/sampling.h"
#include "accounting/session_start.h"
#include "base/clock.h"
#include "base/thread.h"

#include <stdlib.h>

enum { PATIENCE_SECONDS = 2 };

struct machine_task {
    struct machine_task *next; /* among those that go on */
    atomic_uint references;
    struct accounting *accounting;
    struct machine_uuid uuid;
    enum machine_change change;

    /* Guarded by the accounting's lock. */
    bool is_complete;
    bool ok;
    bool is_cancelled;
    struct fault fault;
    int percent;
};

void machine_task_release(struct machine_task *task)
{
    if (task == NULL || atomic_fetch_sub(&task->references, 1) != 1)
        return;
    accounting_release(task->accounting);
    free(task);
}

bool machine_task_is_lost_by_fork(const struct machine_task *task)
{
    return host_is_lost_by_fork(task->accounting->host);
}

static void remove_running(struct machine_task *task)
{
    struct machine_task **link = &task->accounting->running_tasks;
    while (*link != task)
        link = &(*link)->next;
    *link = task->next;
}

/* With the reference of whoever carried it out, which goes. */
static void end(struct machine_task *task, bool ok, const struct fault *fault)
{
    struct accounting *accounting = task->accounting;

    pthread_mutex_lock(&accounting->lock);
    task->ok = ok;
    task->fault = *fault;
    task->is_complete = true;
    remove_running(task);
    pthread_cond_broadcast(&accounting->task_ended);
    pthread_mutex_unlock(&accounting->lock);
    if (accounting->wake.descriptor >= 0)
        wake_signal(&accounting->wake);
    machine_task_release(task);
}

void accounting_note_change(struct accounting *accounting, const struct machine_uuid *uuid,
                            enum machine_change change)
{
    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find_or_add_locked(accounting, uuid);
    if (account != NULL && change == CHANGE_STARTUP)
        account_announce_start_locked(accounting, account);
    pthread_mutex_unlock(&accounting->lock);
    if (change == CHANGE_STARTUP) {
        /* Now: the next sample may find a later run that no event announced. */
        accounting_sample_started(accounting, uuid);
    }
    if (change == CHANGE_RESET) {
        accounting_note_reset(accounting, uuid);
        disks_settle(accounting, uuid);
        recorder_write(accounting, uuid);
    }
    /* No sample from before is young enough for a read that follows. */
    pthread_mutex_lock(&accounting->lock);
    account = account_find_locked(accounting, uuid);
    if (account != NULL) {
        account->is_current = false;
        account_mark_changed_locked(accounting, account);
    }
    pthread_mutex_unlock(&accounting->lock);
}

static bool change_now(struct accounting *accounting, const struct machine_uuid *uuid,
                       enum machine_change change, struct fault *fault)
{
    struct host *host = accounting->host;

    if (!host_change(host, uuid, change, fault))
        return false;
    accounting_note_change(accounting, uuid, change);
    return true;
}

static void run(void *context)
{
    struct machine_task *task = context;
    struct fault fault = {0};
    bool ok = change_now(task->accounting, &task->uuid, task->change, &fault);

    end(task, ok, &fault);
}

static void on_ended(void *context, bool ok, const struct fault *fault)
{
    struct machine_task *task = context;

    if (ok)
        accounting_note_change(task->accounting, &task->uuid, task->change);
    end(task, ok, fault);
}

static void add_running(struct machine_task *task)
{
    struct accounting *accounting = task->accounting;

    atomic_fetch_add(&task->references, 1);
    pthread_mutex_lock(&accounting->lock);
    task->next = accounting->running_tasks;
    accounting->running_tasks = task;
    pthread_mutex_unlock(&accounting->lock);
}

/* By the host itself, which may leave it open. */
static bool begin(struct machine_task *task, struct fault *fault)
{
    struct host *host = task->accounting->host;
    bool is_open = false;

    if (!host_begin(host, &task->uuid, task->change, on_ended, task, &is_open, fault))
        return false;
    if (is_open) {
        add_running(task);
        return true;
    }
    accounting_note_change(task->accounting, &task->uuid, task->change);
    task->ok = task->is_complete = true;
    return true;
}

static bool takes_time(struct host *host, enum machine_change change)
{
    return host->driver->life_cycle->takes_time != NULL && host_takes_time(host, change);
}

/* In a thread, which has a reference of its own. */
static bool start(struct machine_task *task, struct fault *fault)
{
    struct accounting *accounting = task->accounting;
    struct host *host = accounting->host;

    if (!host_check_change(host, &task->uuid, task->change, fault) ||
        (accounting->wake.descriptor < 0 && !wake_open(&accounting->wake, fault)))
        return false;
    add_running(task);
    if (thread_run(run, task, fault))
        return true;
    pthread_mutex_lock(&accounting->lock);
    remove_running(task);
    pthread_mutex_unlock(&accounting->lock);
    machine_task_release(task);
    return false;
}

struct machine_task *machine_task_begin(struct accounting *accounting,
                                        const struct machine_uuid *uuid, enum machine_change change,
                                        struct fault *fault)
{
    struct machine_task *task = calloc(1, sizeof *task);
    if (task == NULL) {
        fault_out_of_memory(fault);
        return NULL;
    }
    atomic_init(&task->references, 1);
    task->accounting = accounting_hold(accounting);
    task->uuid = *uuid;
    task->change = change;
    bool by_host = accounting->host->driver->life_cycle->begin != NULL;
    bool in_thread = !by_host && takes_time(accounting->host, change);
    bool ok = by_host     ? begin(task, fault)
              : in_thread ? start(task, fault)
                          : change_now(accounting, uuid, change, fault);
    if (!ok) {
        machine_task_release(task);
        return NULL;
    }
    if (!by_host && !in_thread)
        task->ok = task->is_complete = true;
    return task;
}

bool machine_task_await(struct machine_task *task, int64_t milliseconds, bool *has_waited,
                        struct fault *fault)
{
    struct host *host = task->accounting->host;

    *has_waited = host->driver->life_cycle->await != NULL;
    return !*has_waited || task->is_complete || host_await(host, &task->uuid, milliseconds, fault);
}

bool machine_task_is_complete(struct machine_task *task)
{
    bool has_waited;
    struct fault fault;

    machine_task_await(task, 0, &has_waited, &fault); /* what is due ends now */
    pthread_mutex_lock(&task->accounting->lock);
    bool is_complete = task->is_complete;
    pthread_mutex_unlock(&task->accounting->lock);
    return is_complete;
}

enum task_result machine_task_result(struct machine_task *task, struct fault *fault)
{
    pthread_mutex_lock(&task->accounting->lock);
    enum task_result result = task->ok             ? TASK_SUCCESS
                              : task->is_cancelled ? TASK_CANCELLED
                                                   : TASK_UNEXPECTED_ERROR;
    *fault = task->fault;
    pthread_mutex_unlock(&task->accounting->lock);
    return result;
}

int machine_task_percent(struct machine_task *task)
{
    struct host *host = task->accounting->host;
    int percent = 0;

    if (machine_task_is_complete(task))
        return 100;
    bool is_known = task->change == CHANGE_SAVE && host_progress(host, &task->uuid, &percent);
    pthread_mutex_lock(&task->accounting->lock);
    if (is_known && percent > task->percent) /* the machine's memory may grow meanwhile */
        task->percent = percent;
    percent = task->percent;
    pthread_mutex_unlock(&task->accounting->lock);
    return percent;
}

bool machine_task_is_cancelable(struct machine_task *task)
{
    return task->change == CHANGE_SAVE && !machine_task_is_complete(task);
}

bool machine_task_cancel(struct machine_task *task, struct fault *fault)
{
    struct host *host = task->accounting->host;

    if (!machine_task_is_cancelable(task))
        return fault_set(fault, HRESULT_E_FAIL,
                         machine_task_is_complete(task)
                             ? "the task is complete and cannot be cancelled"
                             : "only the saving of a machine can be cancelled");
    pthread_mutex_lock(&task->accounting->lock);
    task->is_cancelled = true; /* before the host ends it */
    pthread_mutex_unlock(&task->accounting->lock);
    if (host_cancel(host, &task->uuid, fault))
        return true;
    pthread_mutex_lock(&task->accounting->lock);
    task->is_cancelled = false;
    pthread_mutex_unlock(&task->accounting->lock);
    return false;
}

enum machine_state machine_tasks_state(struct accounting *accounting,
                                       const struct machine_uuid *uuid, enum machine_state state)
{
    bool is_off = state == MACHINE_TurnedOff || state == MACHINE_Saved;
    bool is_on = state == MACHINE_Running || state == MACHINE_Paused;

    pthread_mutex_lock(&accounting->lock);
    for (const struct machine_task *task = accounting->running_tasks; task; task = task->next) {
        if (!machine_uuid_equal(&task->uuid, uuid))
            continue;
        if (task->change == CHANGE_STARTUP && is_off)
            state = MACHINE_TurningOn;
        if (task->change == CHANGE_SAVE && is_on)
            state = MACHINE_Saving;
    }
    pthread_mutex_unlock(&accounting->lock);
    return state;
}

void machine_tasks_wait(struct accounting *accounting)
{
    int64_t deadline = clock_deadline(PATIENCE_SECONDS * CLOCK_SECOND);

    if (accounting->host->driver->life_cycle->begin != NULL)
        return; /* no thread carries them out; closing the host ends them */
    pthread_mutex_lock(&accounting->lock);
    while (accounting->running_tasks != NULL &&
           clock_wait_until(&accounting->task_ended, &accounting->lock, deadline))
        ;
    pthread_mutex_unlock(&accounting->lock);
}
