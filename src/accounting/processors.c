#include "accounting/processors.h"

#include "accounting/account.h"
#include "base/clock.h"
#include "base/thread.h"

#include <stdlib.h>

enum {
    STOP_PATIENCE_MILLISECONDS = 500,
    /* Virtual processors can be plugged: they are counted anew after so many looks. */
    LOOKS_AT_ONE_COUNT = 10,
    /* For how many looks a machine that runs may be missing from them. */
    MOST_WAITS = 20
};

/* What an interval must have at least to say something: QEMU's processor time is
 * told in hundredths of a second. */
static const int64_t FIRST_INTERVAL = 250000000;
/* Older than this, when nobody has looked for a while, is not "now". */
static const int64_t OLDEST = 3000000000;

void processor_sampler_init(struct processor_sampler *sampler)
{
    clock_condition_init(&sampler->changed);
}

void processor_sampler_destroy(struct processor_sampler *sampler)
{
    pthread_cond_destroy(&sampler->changed);
}

/* With the lock held. The machine's own, of its run of now; NULL without memory. */
static struct processor_account *find_processors(struct accounting *accounting,
                                                 const struct processor_time *time)
{
    struct account *account = account_find_or_add(accounting, &time->uuid);
    if (account == NULL)
        return NULL;
    if (account->processors == NULL)
        account->processors = calloc(1, sizeof *account->processors);
    struct processor_account *processors = account->processors;
    bool is_new = processors != NULL &&
                  (processors->domain_id != time->domain_id || !processors->utilization.is_started);
    if (is_new)
        *processors = (struct processor_account){.domain_id = time->domain_id};
    return processors;
}

static bool receive(void *context, const struct processor_time *time)
{
    struct accounting *accounting = context;
    bool is_counted = true;

    pthread_mutex_lock(&accounting->lock);
    struct processor_account *processors = find_processors(accounting, time);
    if (processors != NULL && time->processors > 0) {
        processors->processors = time->processors;
        processors->looks = 0;
    }
    if (processors != NULL)
        is_counted = processors->processors > 0 && processors->looks < LOOKS_AT_ONE_COUNT;
    if (processors != NULL && is_counted) {
        struct utilization *utilization = &processors->utilization;
        processors->looks++;
        if (!utilization->is_started && time->begun_at > 0)
            utilization_observe(utilization, time->begun_at, 0, processors->processors);
        utilization_observe(utilization, time->at, time->used, processors->processors);
    }
    pthread_mutex_unlock(&accounting->lock);
    return is_counted;
}

/* With the lock held, which it lets go of. */
static void look(struct accounting *accounting)
{
    struct processor_sampler *sampler = &accounting->sampler;
    struct host *host = accounting->host;
    struct fault fault = {0};

    pthread_mutex_unlock(&accounting->lock);
    bool ok = host_processor_times(host, receive, accounting, &fault);
    pthread_mutex_lock(&accounting->lock);
    sampler->has_failed = !ok;
    if (!ok)
        sampler->fault = fault;
    sampler->looks++;
    pthread_cond_broadcast(&sampler->changed);
}

static void run(void *context)
{
    struct accounting *accounting = context;
    struct processor_sampler *sampler = &accounting->sampler;

    pthread_mutex_lock(&accounting->lock);
    int64_t next = clock_now();
    while (!sampler->is_stopped) {
        sampler->is_urgent = false;
        look(accounting);
        int64_t looked_at = clock_now();
        next = next + CLOCK_SECOND > looked_at ? next + CLOCK_SECOND : looked_at + CLOCK_SECOND;
        for (bool is_early = true; is_early && !sampler->is_stopped;) {
            int64_t soon = looked_at + FIRST_INTERVAL;
            bool is_extra = sampler->is_urgent && soon < next;
            is_early =
                clock_wait_until(&sampler->changed, &accounting->lock, is_extra ? soon : next);
            if (!is_early && is_extra)
                next -= CLOCK_SECOND; /* the whole second is yet to come */
        }
    }
    sampler->is_running = false;
    pthread_cond_broadcast(&sampler->changed);
    pthread_mutex_unlock(&accounting->lock);
    accounting_release(accounting);
}

void processor_sampler_stop(struct accounting *accounting)
{
    struct processor_sampler *sampler = &accounting->sampler;
    int64_t deadline = clock_deadline(STOP_PATIENCE_MILLISECONDS * CLOCK_MILLISECOND);

    pthread_mutex_lock(&accounting->lock);
    sampler->is_stopped = true;
    pthread_cond_broadcast(&sampler->changed);
    while (sampler->is_running && clock_wait_until(&sampler->changed, &accounting->lock, deadline))
        ;
    pthread_mutex_unlock(&accounting->lock);
}

/* With the lock held: samples now, or sees to it that the thread does. */
static bool start(struct accounting *accounting, struct fault *fault)
{
    struct processor_sampler *sampler = &accounting->sampler;

    if (accounting->host->driver->is_synchronous) {
        look(accounting);
        if (sampler->has_failed)
            *fault = sampler->fault;
        return !sampler->has_failed;
    }
    if (sampler->is_running)
        return true;
    accounting_hold(accounting);
    sampler->is_running = thread_run(run, accounting, fault);
    if (!sampler->is_running)
        atomic_fetch_sub(&accounting->references, 1); /* not the last: the caller has one */
    return sampler->is_running;
}

/* With the lock held: what is known of the run, if it is of now. */
static const struct utilization *
find_utilization(struct accounting *accounting, const struct machine_uuid *uuid, int64_t domain_id)
{
    const struct account *account = account_find(accounting, uuid);
    const struct processor_account *processors = account != NULL ? account->processors : NULL;
    int64_t now = host_monotonic_time(accounting->host);

    if (processors == NULL || processors->domain_id != domain_id ||
        !processors->utilization.is_started || now - processors->utilization.sampled_at > OLDEST)
        return NULL;
    return &processors->utilization;
}

/* With the lock held, which the wait lets go of: until the thread has looked
 * once more. False with its fault. */
static bool wait_for_look(struct accounting *accounting, struct fault *fault)
{
    struct processor_sampler *sampler = &accounting->sampler;
    uint64_t looks = sampler->looks;

    sampler->is_urgent = true;
    pthread_cond_broadcast(&sampler->changed);
    while (sampler->looks == looks && sampler->is_running)
        pthread_cond_wait(&sampler->changed, &accounting->lock);
    if (sampler->has_failed)
        *fault = sampler->fault;
    return !sampler->has_failed;
}

bool accounting_utilization(struct accounting *accounting, const struct machine_uuid *uuid,
                            struct utilization *utilization, struct fault *fault)
{
    struct account *account = account_observe_running_and_lock(accounting, uuid, fault);
    if (account == NULL)
        return false;

    int64_t domain_id = account->last.domain_id;
    bool is_synchronous = accounting->host->driver->is_synchronous;
    bool ok = start(accounting, fault), is_found = false, is_missing = false;
    *utilization = (struct utilization){0};
    for (int waits = 0; ok && !is_found; waits++) {
        const struct utilization *known = find_utilization(accounting, uuid, domain_id);
        is_found = known != NULL && (known->is_known || is_synchronous);
        if (is_found)
            *utilization = *known;
        else if (waits == MOST_WAITS || is_synchronous)
            ok = !(is_missing = true);
        else
            ok = wait_for_look(accounting, fault);
    }
    pthread_mutex_unlock(&accounting->lock);
    if (!is_missing)
        return ok;
    /* It may have been turned off meanwhile, which then is the answer. */
    if (account_observe_running_and_lock(accounting, uuid, fault) == NULL)
        return false;
    pthread_mutex_unlock(&accounting->lock);
    return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                     "the host has not told the machine's processor time");
}
