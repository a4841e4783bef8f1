/*
 * processors: samples once a second the processor time that the machines have
 * used.
 *
 * In a thread of its own, since a host may take its time to answer and the
 * event thread must not. It begins with the first request and ends with the
 * accounting. Where no thread can go on beside the caller, each request is one sample.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_PROCESSORS_H
#define VMACCOUNTANT_ACCOUNTING_PROCESSORS_H

#include "base/fault.h"
#include "core/utilization.h"

#include <pthread.h>

struct accounting;

/* Of one machine. */
struct processor_account {
    int64_t domain_id; /* of the run that it speaks of */
    unsigned processors;
    unsigned samples; /* since they were counted */
    struct utilization utilization;
};

/* Part of each accounting, and guarded by its lock. */
struct processor_sampler {
    pthread_cond_t changed; /* on the monotonic clock */
    bool is_running;        /* there is a thread, or it is about to end */
    bool is_stopped;
    bool is_urgent; /* somebody waits for a first interval */
    uint64_t samples;
    bool has_failed;    /* the last sample */
    struct fault fault; /* of the last sample, when it has failed */
};

void processor_sampler_init(struct processor_sampler *sampler);
void processor_sampler_destroy(struct processor_sampler *sampler);

/* Ends the sampling for good, and waits for the thread's end for a short while
 * only: the host may be silent. */
void processor_sampler_stop(struct accounting *accounting);

#endif
