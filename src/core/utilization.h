/*
 * utilization: how busy a machine's processors were in each second of the
 * last minute.
 *
 * Its input is the processor time that the machine has used up to a moment.
 * Pure arithmetic: the clock, the host and the lock are the caller's.
 */
#ifndef VMACCOUNTANT_CORE_UTILIZATION_H
#define VMACCOUNTANT_CORE_UTILIZATION_H

#include <stdbool.h>
#include <stdint.h>

enum { UTILIZATION_SECONDS = 60 };

struct utilization {
    uint8_t history[UTILIZATION_SECONDS]; /* whole percents, oldest first; 0 before the first */
    uint8_t latest;                       /* of the last interval, when is_known */
    bool is_started;
    bool is_known;
    bool is_short;      /* the last of the history covers less than a second, which has not ended */
    int64_t sampled_at; /* nanoseconds; the end of the last interval */
    uint64_t processor_time; /* nanoseconds used up to then */
};

/* The machine has used so much processor time until now, on so many virtual
 * processors. Intervals of less than half a second are too short for the
 * history, but the first one gives `latest` and the end of the history a value until a
 * whole second has passed. An interval of several seconds gives each of them its average. */
void utilization_observe(struct utilization *utilization, int64_t now, uint64_t processor_time,
                         unsigned processors);

#endif
