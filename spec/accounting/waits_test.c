/* What waits in the accounting is not kept longer by a wall clock that is set
 * back meanwhile. Links with src/ without its bindings. */
#include "accounting/recorder.h"
#include "accounting/reset.h"
#include "accounting/sampling.h"
#include "accounting/task.h"

#include "../support/check.h"
#include "../support/wall_clock.h"

static const struct machine_uuid WEB = {{1}};

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void sleep_for(long milliseconds)
{
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* ------------------------------------------------------------------------
 * A host with one machine, without adapters
 * ------------------------------------------------------------------------ */

static atomic_int writes;
static atomic_bool may_return;

static bool sample(struct host *host, const struct machine_uuid *uuid,
                   struct machine_sample *sample, struct fault *fault)
{
    (void)host;
    sample->uuid = *uuid;
    sample->domain_id = 1;
    sample->adapters = adapter_list_new(0);
    return sample->adapters != NULL && machine_sample_start_readings(sample)
               ? true
               : fault_out_of_memory(fault);
}

static bool sample_disks(struct host *host, const struct machine_uuid *uuid, disk_receiver *receive,
                         void *context, struct fault *fault)
{
    (void)host, (void)uuid, (void)receive, (void)context;
    return fault_set(fault, HRESULT_DISP_E_EXCEPTION, "no disks");
}

static void listen(struct host *host, const struct host_listener *listener)
{
    (void)host, (void)listener;
}

static void settle(struct host *host)
{
    (void)host;
}

static int64_t unix_time(struct host *host)
{
    (void)host;
    return (int64_t)time(NULL);
}

static int64_t monotonic_time(struct host *host)
{
    (void)host;
    return now() * 1000000;
}

/* Is refused once. */
static bool write_baseline(struct host *host, const struct machine_uuid *uuid,
                           const struct baseline *baseline, struct fault *fault)
{
    (void)host, (void)uuid, (void)baseline;
    if (atomic_fetch_add(&writes, 1) > 0)
        return true;
    return fault_set(fault, HRESULT_DISP_E_EXCEPTION, "the daemon is being restarted");
}

static bool prepare_writing(struct host *host, struct fault *fault)
{
    (void)host, (void)fault;
    return true;
}

static bool takes_time(struct host *host, enum machine_change change)
{
    (void)host, (void)change;
    return true;
}

static bool check_change(struct host *host, const struct machine_uuid *uuid,
                         enum machine_change change, struct fault *fault)
{
    (void)host, (void)uuid, (void)change, (void)fault;
    return true;
}

static bool change(struct host *host, const struct machine_uuid *uuid, enum machine_change change,
                   struct fault *fault)
{
    (void)host, (void)uuid, (void)change;
    while (!atomic_load(&may_return))
        sleep_for(10);
    return fault_set(fault, HRESULT_E_FAIL, "it was too much");
}

static void destroy(struct host *host)
{
    (void)host; /* it is static */
}

static const struct host_driver driver = {
    .run = host_run_in_thread,
    .counters = &(const struct host_counters){.sample = sample,
                                              .sample_disks = sample_disks,
                                              .settle = settle},
    .life_cycle = &(const struct host_life_cycle){.takes_time = takes_time,
                                                  .check_change = check_change,
                                                  .change = change},
    .baseline_store = &(const struct host_baseline_store){.write_baseline = write_baseline,
                                                          .prepare_writing = prepare_writing},
    .event_source = &(const struct host_event_source){.listen = listen},
    .clock = &(const struct host_clock){.unix_time = unix_time, .monotonic_time = monotonic_time},
    .destroy = destroy,
};

static struct accounting *new_accounting(void)
{
    static struct host host = {.driver = &driver};
    atomic_init(&host.references, 1);
    struct accounting *accounting = accounting_new(&host, 0);
    if (accounting == NULL)
        abort();
    return accounting;
}

/* ------------------------------------------------------------------------
 * The waits
 * ------------------------------------------------------------------------ */

static void *set_back(void *unused)
{
    (void)unused;
    sleep_for(300);
    wall_clock_set(-8);
    return NULL;
}

static void a_recorder_tries_again_after_a_second(void)
{
    struct accounting *accounting = new_accounting();
    struct fault fault;
    pthread_t clock;

    CHECK(accounting_record_resets(accounting, &fault));
    accounting_note_reset(accounting, &WEB);
    recorder_notify(accounting);
    while (atomic_load(&writes) < 1)
        sleep_for(1);
    int64_t begun = now();
    if (pthread_create(&clock, NULL, set_back, NULL) != 0)
        abort();
    while (atomic_load(&writes) < 2)
        sleep_for(1);
    CHECK(now() - begun < 5000);
    pthread_join(clock, NULL);
    accounting_close(accounting);
    accounting_release(accounting);
    wall_clock_set(0);
}

static void closing_waits_two_seconds_for_a_task(void)
{
    struct accounting *accounting = new_accounting();
    struct fault fault;
    pthread_t clock;

    struct machine_task *task = machine_task_begin(accounting, &WEB, CHANGE_SAVE, &fault);
    if (!CHECK(task != NULL))
        return;
    machine_task_release(task);
    int64_t begun = now();
    if (pthread_create(&clock, NULL, set_back, NULL) != 0)
        abort();
    accounting_close(accounting);
    accounting_release(accounting);
    CHECK(now() - begun >= 1900 && now() - begun < 6000);
    pthread_join(clock, NULL);
    wall_clock_set(0);
    atomic_store(&may_return, true);
    sleep_for(200); /* for the sanitizers: the thread releases what it holds */
}

int main(void)
{
    wall_clock_begin();
    a_recorder_tries_again_after_a_second();
    closing_waits_two_seconds_for_a_task();
    wall_clock_end();
    return check_report();
}
