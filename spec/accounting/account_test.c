/* What the accounting keeps while its lock is dropped around calls to the host,
 * and which of two resets it takes for the later. Links with src/ without its
 * bindings. */
#include "accounting/account.h"
#include "accounting/account_table.h"
#include "accounting/reset.h"
#include "accounting/sampling.h"
#include "accounting/session_start.h"
#include "accounting/task.h"

#include "base/clock.h"

#include "../support/check.h"

#include <stdlib.h>
#include <string.h>

static const struct machine_uuid WEB = {{1}};
enum { BOOTED = 1000 }; /* seconds of the host's clock at the start of each test */

/* ------------------------------------------------------------------------
 * A host of one machine with one adapter; others are gone at once
 * ------------------------------------------------------------------------ */

static struct {
    struct accounting *accounting;
    int64_t domain_id;
    uint64_t incarnation;
    uint64_t sent;
    struct baseline *baseline;
    int64_t clock; /* seconds */
    int64_t wall;
    bool is_unknown;
    unsigned device_calls;
    unsigned locked_calls; /* with the accounting's lock held */
    void (*on_started_at)(void);
    int64_t started; /* seconds; 0: nobody knows */
} world;

/* Each call that could wait. */
static void note_call(void)
{
    if (pthread_mutex_trylock(&world.accounting->lock) == 0)
        pthread_mutex_unlock(&world.accounting->lock);
    else
        world.locked_calls++;
}

static bool fill(const struct machine_uuid *uuid, struct machine_sample *sample)
{
    sample->uuid = *uuid;
    sample->domain_id = world.domain_id;
    if (world.domain_id == NOT_RUNNING)
        return true;
    sample->adapters = adapter_list_new(1);
    if (sample->adapters == NULL || !machine_sample_start_readings(sample))
        abort();
    sample->adapters->adapters[0].mac[0] = 2;
    sample->readings[0] = (struct device_reading){
        .key = {.mac = {2}, .incarnation = world.incarnation},
        .present = 3,
        .bytes = {[DIRECTION_SENT] = decimal_from_uint64(world.sent)},
    };
    sample->baseline = baseline_copy(world.baseline);
    return true;
}

static bool sample_one(struct host *host, const struct machine_uuid *uuid,
                       struct machine_sample *sample, struct fault *fault)
{
    (void)host;
    note_call();
    if (world.is_unknown || !machine_uuid_equal(uuid, &WEB))
        return fault_set(fault, HRESULT_VM_E_VM_UNKNOWN, "the machine cannot be found");
    return fill(uuid, sample);
}

/* A host may hold a lock of its own here: the receiver must not call it. */
static bool sample_all(struct host *host, sample_receiver *receive, void *context,
                       struct fault *fault)
{
    struct machine_sample sample = {.domain_id = NOT_RUNNING};
    (void)host, (void)fault;
    note_call();
    unsigned calls = world.device_calls;
    fill(&WEB, &sample);
    receive(context, &sample);
    machine_sample_clear(&sample);
    CHECK(world.device_calls == calls);
    return true;
}

static bool device_bytes(struct host *host, uint64_t incarnation,
                         struct decimal bytes[DIRECTION_COUNT])
{
    (void)host, (void)incarnation;
    note_call();
    world.device_calls++;
    bytes[DIRECTION_SENT] = decimal_from_uint64(world.sent);
    bytes[DIRECTION_RECEIVED] = DECIMAL_ZERO;
    return true;
}

static bool started_at(struct host *host, const struct machine_uuid *uuid, int64_t domain_id,
                       struct moment *started, struct fault *fault)
{
    (void)host, (void)uuid, (void)domain_id;
    note_call();
    if (world.on_started_at != NULL)
        world.on_started_at();
    started->at = world.started * CLOCK_SECOND;
    started->wall = world.wall - (world.clock - world.started);
    return world.started != 0 || fault_set(fault, HRESULT_DISP_E_EXCEPTION, "nobody knows");
}

static void listen(struct host *host, const struct host_listener *listener)
{
    (void)host, (void)listener;
}

static void settle(struct host *host)
{
    (void)host;
    note_call();
}

static bool stop_reason(struct host *host, const struct machine_uuid *uuid,
                        enum stop_reason *reason, struct fault *fault)
{
    (void)host, (void)uuid, (void)fault;
    note_call();
    *reason = STOP_UNKNOWN;
    return true;
}

static int64_t unix_time(struct host *host)
{
    (void)host;
    return world.wall;
}

static int64_t monotonic_time(struct host *host)
{
    (void)host;
    return world.clock * CLOCK_SECOND;
}

static void destroy(struct host *host)
{
    (void)host;
}

static const struct host_driver driver = {
    .run = host_run_in_thread,
    .life_cycle = &(const struct host_life_cycle){.change = NULL},
    .counters = &(const struct host_counters){.sample = sample_one,
                                              .sample_all = sample_all,
                                              .device_bytes = device_bytes,
                                              .started_at = started_at,
                                              .stop_reason = stop_reason,
                                              .settle = settle},
    .event_source = &(const struct host_event_source){.listen = listen},
    .clock = &(const struct host_clock){.unix_time = unix_time, .monotonic_time = monotonic_time},
    .destroy = destroy,
};

static void begin(void)
{
    static struct host host = {.driver = &driver};

    memset(&world, 0, sizeof world);
    world.domain_id = 1;
    world.incarnation = 7;
    world.clock = BOOTED;
    world.wall = 1795254509;
    atomic_init(&host.references, 1);
    world.accounting = accounting_new(&host, 0);
    if (world.accounting == NULL)
        abort();
}

static void end(void)
{
    CHECK(world.locked_calls == 0);
    accounting_close(world.accounting);
    accounting_release(world.accounting);
    baseline_free(world.baseline);
}

static void pass(int64_t seconds)
{
    world.clock += seconds;
    world.wall += seconds;
}

static uint64_t total(void)
{
    struct decimal sent = DECIMAL_ZERO;
    struct fault fault;
    if (!CHECK(accounting_total(world.accounting, &WEB, DIRECTION_SENT, &sent, &fault)))
        return UINT64_MAX;
    return sent.low;
}

static struct last_session last_session(void)
{
    struct last_session last = {0};
    struct fault fault;
    bool exists = false;
    CHECK(accounting_last_session(world.accounting, &WEB, &last, &exists, &fault) && exists);
    return last;
}

/* ------------------------------------------------------------------------
 * The lock
 * ------------------------------------------------------------------------ */

static void *kept;

/* The machine goes while the host is asked, and another thread makes an account
 * of it again, as that which samples processors does. */
static void replace_account(void)
{
    pthread_mutex_lock(&world.accounting->lock);
    account_machine_gone_locked(world.accounting, &WEB, NULL);
    for (unsigned i = 0; i <= 1000; i++) { /* so many departed ones are kept */
        struct machine_uuid uuid = {{9, (unsigned char)(i >> 8), (unsigned char)i}};
        struct machine_sample sample = {.domain_id = NOT_RUNNING};
        struct account *account = account_find_or_add_locked(world.accounting, &uuid);
        world.clock++;
        if (account == NULL || !fill(&uuid, &sample) ||
            !account_observe_locked(world.accounting, account, &sample, NULL, 0))
            abort();
        machine_sample_clear(&sample);
        account_machine_gone_locked(world.accounting, &uuid, NULL);
    }
    CHECK(account_find_locked(world.accounting, &WEB) == NULL);
    kept = malloc(sizeof(struct account)); /* the next is not made in the same place */
    account_find_or_add_locked(world.accounting, &WEB);
    pthread_mutex_unlock(&world.accounting->lock);
}

static void an_account_is_not_used_after_the_lock_was_dropped(void)
{
    struct fault fault;

    begin();
    CHECK(total() == 0);
    world.incarnation = 8; /* so the host is asked whether this is another run */
    world.on_started_at = replace_account;
    struct account *account = account_sample_and_lock(world.accounting, &WEB, &fault);
    if (CHECK(account != NULL)) {
        CHECK(account == account_find_locked(world.accounting, &WEB));
        pthread_mutex_unlock(&world.accounting->lock);
    }
    free(kept);
    end();
}

static void a_device_that_outlives_its_run_is_asked_without_the_lock(void)
{
    begin();
    world.sent = 100;
    CHECK(total() == 100);
    world.sent = 130;
    world.domain_id = NOT_RUNNING;
    struct last_session last = last_session();
    CHECK(world.device_calls == 1);
    CHECK(last.known[DIRECTION_SENT] && last.bytes[DIRECTION_SENT].low == 130);
    end();
}

static void so_it_is_when_the_machine_is_gone(void)
{
    begin();
    world.sent = 100;
    CHECK(total() == 100);
    world.sent = 130;
    world.is_unknown = true;
    CHECK(last_session().bytes[DIRECTION_SENT].low == 130);
    CHECK(world.device_calls == 1);
    end();
}

static void so_it_is_after_a_sweep(void)
{
    struct fault fault;

    begin();
    world.sent = 100;
    CHECK(accounting_sweep(world.accounting, &fault));
    world.sent = 130;
    world.domain_id = NOT_RUNNING;
    CHECK(accounting_sweep(world.accounting, &fault));
    CHECK(world.device_calls == 1);
    world.sent = 999; /* of the next run */
    CHECK(last_session().bytes[DIRECTION_SENT].low == 130);
    CHECK(world.device_calls == 1);
    end();
}

/* ------------------------------------------------------------------------
 * The order of resets
 * ------------------------------------------------------------------------ */

/* Another process writes down the reset of so many seconds ago. */
static void share(uint64_t sent, uint64_t ordinal, int64_t seconds_ago, int64_t wall, bool is_here)
{
    baseline_free(world.baseline);
    struct baseline *baseline = world.baseline = baseline_new(1);
    if (baseline == NULL)
        abort();
    baseline->domain_id = world.domain_id;
    baseline->ordinal = ordinal;
    baseline->reset_clock = is_here ? (world.clock - seconds_ago) * CLOCK_SECOND : 5;
    baseline->reset_at = wall * 1000;
    baseline->has_common_clock = is_here;
    baseline->adapters[0].mac[0] = 2;
    baseline->adapters[0].ifindex = world.incarnation;
    baseline->adapters[0].bytes[DIRECTION_SENT] = decimal_from_uint64(sent);
}

static void a_wall_clock_decides_nothing(void)
{
    static const int64_t offsets[] = {-86400, -3600, -30, 0, 4, 30, 3600, 86400};

    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        begin();
        world.sent = 100;
        CHECK(total() == 100);
        pass(60);
        share(95, 1, 0, world.wall + offsets[i], true);
        CHECK(total() == 5);
        int64_t uptime = -1;
        struct fault fault;
        pass(20);
        world.wall -= 3600;
        CHECK(accounting_uptime(world.accounting, &WEB, &uptime, &fault) && uptime == 20);
        /* A later one with an earlier wall time. */
        world.sent = 200;
        share(190, 2, 0, world.wall + offsets[i], true);
        CHECK(total() == 10);
        struct last_session last = last_session();
        CHECK(last.reason == STOP_RESET && last.ended_at - last.started_at == 20);
        end();
    }
}

static void the_reset_that_this_process_saw_is_no_other(void)
{
    begin();
    world.sent = 100;
    CHECK(total() == 100);
    accounting_note_reset(world.accounting, &WEB);
    world.sent = 103;
    CHECK(total() == 3);
    /* Read a moment later by a process that writes it down. */
    share(102, 1, 0, world.wall, true);
    CHECK(total() == 3);
    pass(3);
    share(103, 1, 0, world.wall, true); /* on a busy host */
    CHECK(total() == 3);
    share(103, 2, 0, world.wall, true); /* this one was not seen */
    CHECK(total() == 0);
    end();
}

static void of_what_another_host_wrote_the_counters_say_which_is_later(void)
{
    begin();
    world.sent = 100;
    share(40, 3, 0, world.wall, false);
    CHECK(total() == 60);
    pass(60);
    share(40, 3, 0, world.wall - 3600, false);
    CHECK(total() == 60);
    share(30, 2, 0, world.wall + 3600, false); /* an earlier one */
    CHECK(total() == 60);
    share(80, 4, 0, world.wall - 3600, false);
    CHECK(total() == 20);
    share(120, 5, 0, world.wall, false); /* more than there is: of another device */
    CHECK(total() == 20);
    end();
}

static void one_that_was_refused_is_not_of_the_session_later(void)
{
    begin();
    world.sent = 100;
    share(120, 1, 0, world.wall, true);
    CHECK(total() == 100);
    pass(60);
    world.sent = 130;
    CHECK(total() == 130);
    end();
}

static int64_t uptime(void)
{
    struct fault fault;
    int64_t seconds = -1;
    CHECK(accounting_uptime(world.accounting, &WEB, &seconds, &fault));
    return seconds;
}

/* The report of a start comes when the machine runs, which is seconds after its
 * start where an image is restored. */
static void a_session_is_as_old_as_the_host_says(void)
{
    begin();
    world.started = world.clock - 4;
    accounting_note_change(world.accounting, &WEB, CHANGE_STARTUP);
    CHECK(uptime() == 4);
    pass(10);
    world.started = 0; /* the process is gone by then */
    world.domain_id = NOT_RUNNING;
    struct last_session last = last_session();
    CHECK(last.start_known && last.ended_at - last.started_at == 14);
    end();
}

static void a_session_is_as_old_as_its_report_where_the_host_does_not_know(void)
{
    begin();
    accounting_note_change(world.accounting, &WEB, CHANGE_STARTUP);
    pass(10);
    CHECK(uptime() == 10);
    end();
}

static void reset_now(void)
{
    world.on_started_at = NULL;
    accounting_note_reset(world.accounting, &WEB);
}

static void a_reset_during_the_question_begins_the_session(void)
{
    begin();
    world.started = world.clock - 4;
    world.on_started_at = reset_now;
    accounting_note_change(world.accounting, &WEB, CHANGE_STARTUP);
    pass(10);
    CHECK(uptime() == 10);
    end();
}

static void a_session_does_not_end_before_its_start(void)
{
    static const int64_t steps[] = {-86400, -3600, -1, 0, 1, 3600, 86400};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        begin();
        CHECK(total() == 0);
        accounting_note_reset(world.accounting, &WEB);
        pass(100);
        world.wall += steps[i];
        world.domain_id = NOT_RUNNING;
        struct last_session last = last_session();
        CHECK(last.start_known && last.ended_at - last.started_at >= 99 &&
              last.ended_at - last.started_at <= 101);
        end();
    }
}

int main(void)
{
    an_account_is_not_used_after_the_lock_was_dropped();
    a_device_that_outlives_its_run_is_asked_without_the_lock();
    so_it_is_when_the_machine_is_gone();
    so_it_is_after_a_sweep();
    a_wall_clock_decides_nothing();
    the_reset_that_this_process_saw_is_no_other();
    of_what_another_host_wrote_the_counters_say_which_is_later();
    one_that_was_refused_is_not_of_the_session_later();
    a_session_is_as_old_as_the_host_says();
    a_session_is_as_old_as_its_report_where_the_host_does_not_know();
    a_reset_during_the_question_begins_the_session();
    a_session_does_not_end_before_its_start();
    return check_report();
}
