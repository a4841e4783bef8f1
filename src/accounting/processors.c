#include "accounting/processors.h"

#include "accounting/account_table.h"
#include "accounting/sampling.h"
#include "base/clock.h"

#include <stdlib.h>

enum {
    STOP_PATIENCE_MILLISECONDS = 500,
    /* Virtual processors can be plugged: they are counted again after so many samples. */
    SAMPLES_OF_ONE_COUNT = 10,
    /* From how many samples a machine that runs may be missing. */
    MOST_WAITS = 20
};

/* What an interval must have at least to say something: QEMU's processor time is
 * given in hundredths of a second. */
static const int64_t FIRST_INTERVAL = 250000000;
/* Older than this, after a pause in the sampling, is stale. */
static const int64_t OLDEST = 3000000000;

void processor_sampler_init(struct processor_sampler *sampler)
{
    clock_condition_init(&sampler->changed);
}

void processor_sampler_destroy(struct processor_sampler *sampler)
{
    pthread_cond_destroy(&sampler->changed);
}

/* Of the machine's present run; NULL without memory. */
static struct processor_account *find_processors_locked(struct accounting *accounting,
                                                        const struct processor_time *time)
{
    struct account *account = account_find_or_add_locked(accounting, &time->uuid);
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
    struct processor_account *processors = find_processors_locked(accounting, time);
    if (processors != NULL && time->processors > 0) {
        processors->processors = time->processors;
        processors->samples = 0;
    }
    if (processors != NULL)
        is_counted = processors->processors > 0 && processors->samples < SAMPLES_OF_ONE_COUNT;
    if (processors != NULL && is_counted) {
        struct utilization *utilization = &processors->utilization;
        processors->samples++;
        if (!utilization->is_started && time->begun_at > 0)
            utilization_observe(utilization, time->begun_at, 0, processors->processors);
        utilization_observe(utilization, time->at, time->used, processors->processors);
    }
    pthread_mutex_unlock(&accounting->lock);
    return is_counted;
}

/* Drops and retakes the lock around the host's answer. */
static void sample_locked(struct accounting *accounting)
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
    sampler->samples++;
    pthread_cond_broadcast(&sampler->changed);
}

/* Once a second, where it may wait; elsewhere once. */
static void run(void *context, bool may_wait)
{
    struct accounting *accounting = context;
    struct processor_sampler *sampler = &accounting->sampler;

    pthread_mutex_lock(&accounting->lock);
    int64_t next = clock_now();
    for (bool goes_on = true; goes_on && !sampler->is_stopped; goes_on = may_wait) {
        sampler->is_urgent = false;
        sample_locked(accounting);
        int64_t sampled_at = clock_now();
        next = next + CLOCK_SECOND > sampled_at ? next + CLOCK_SECOND : sampled_at + CLOCK_SECOND;
        for (bool is_early = may_wait; is_early && !sampler->is_stopped;) {
            int64_t soon = sampled_at + FIRST_INTERVAL;
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

/* Sees to it that the sampler runs, or has run where it cannot go on. Drops and
 * retakes the lock. */
static bool start_locked(struct accounting *accounting, struct fault *fault)
{
    struct processor_sampler *sampler = &accounting->sampler;

    if (sampler->is_running)
        return true;
    sampler->is_running = true;
    pthread_mutex_unlock(&accounting->lock);
    accounting_hold(accounting);
    bool ok = host_run(accounting->host, run, accounting, fault);
    if (!ok)
        accounting_release(accounting);
    pthread_mutex_lock(&accounting->lock);
    if (!ok) {
        sampler->is_running = false;
        pthread_cond_broadcast(&sampler->changed);
    }
    return ok;
}

/* The run's utilization, unless it is stale. */
static const struct utilization *find_utilization_locked(struct accounting *accounting,
                                                         const struct machine_uuid *uuid,
                                                         int64_t domain_id)
{
    const struct account *account = account_find_locked(accounting, uuid);
    const struct processor_account *processors = account != NULL ? account->processors : NULL;
    int64_t now = host_monotonic_time(accounting->host);

    if (processors == NULL || processors->domain_id != domain_id ||
        !processors->utilization.is_started || now - processors->utilization.sampled_at > OLDEST)
        return NULL;
    return &processors->utilization;
}

/* Until the thread has sampled once more; the wait drops the lock. False with its
 * fault. */
static bool wait_for_sample_locked(struct accounting *accounting, struct fault *fault)
{
    struct processor_sampler *sampler = &accounting->sampler;
    uint64_t samples = sampler->samples;

    sampler->is_urgent = true;
    pthread_cond_broadcast(&sampler->changed);
    while (sampler->samples == samples && sampler->is_running)
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

    struct processor_sampler *sampler = &accounting->sampler;
    int64_t domain_id = account->last.domain_id;
    bool ok = start_locked(accounting, fault), is_found = false, is_missing = false;
    /* Else one interval is all that there will be, and may have no length. */
    bool goes_on = ok && (sampler->is_running || sampler->is_stopped);
    if (ok && !goes_on && sampler->has_failed) {
        *fault = sampler->fault;
        ok = false;
    }
    *utilization = (struct utilization){0};
    for (int waits = 0; ok && !is_found; waits++) {
        const struct utilization *known = find_utilization_locked(accounting, uuid, domain_id);
        is_found = known != NULL && (known->is_known || !goes_on);
        if (is_found)
            *utilization = *known;
        else if (waits == MOST_WAITS || !goes_on)
            ok = !(is_missing = true);
        else
            ok = wait_for_sample_locked(accounting, fault);
    }
    pthread_mutex_unlock(&accounting->lock);
    if (!is_missing)
        return ok;
    /* It may have been turned off meanwhile, which then is the answer. */
    if (account_observe_running_and_lock(accounting, uuid, fault) == NULL)
        return false;
    pthread_mutex_unlock(&accounting->lock);
    return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                     "the host does not report the machine's processor time");
}
