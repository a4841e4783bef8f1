#include "host/scheduling.h"

#include "base/text.h"

/* The kernel's limits of a quota and its period (cpu.cfs_quota_us and
 * cpu.cfs_period_us, or cpu.max), and its usual period. */
enum { USUAL_PERIOD = 100000, LONGEST_PERIOD = 1000000, LEAST_QUOTA = 1000 };

double scheduling_allowable_maximum(const struct scheduling *scheduling)
{
    unsigned usable = scheduling->processors < scheduling->host_processors
                          ? scheduling->processors
                          : scheduling->host_processors;
    return 100.0 * usable / scheduling->host_processors;
}

bool scheduling_check(const struct scheduling *present, const struct scheduling *wanted,
                      struct fault *fault)
{
    double allowable = scheduling_allowable_maximum(present);
    char limit[NUMBER_TEXT_SIZE], given[NUMBER_TEXT_SIZE];

    text_of_number(allowable, limit);

    /* Written so that a NaN is out of range. */
    if (!(wanted->reserved >= 0 && wanted->reserved <= allowable))
        return fault_set(fault, HRESULT_E_INVALIDARG,
                         "the reserved capacity must be from 0 to %s percent of the host (%u of "
                         "its %u processors), not %s",
                         limit, present->processors, present->host_processors,
                         text_of_number(wanted->reserved, given));
    if (!(wanted->maximum >= 1 && wanted->maximum <= allowable))
        return fault_set(fault, HRESULT_E_INVALIDARG,
                         "the maximum capacity must be from 1 to %s percent of the host (%u of "
                         "its %u processors), not %s",
                         limit, present->processors, present->host_processors,
                         text_of_number(wanted->maximum, given));
    if (wanted->weight < LEAST_WEIGHT || wanted->weight > LARGEST_WEIGHT)
        return fault_set(fault, HRESULT_E_INVALIDARG,
                         "the relative weight must be from %d to %d, not %lld", LEAST_WEIGHT,
                         LARGEST_WEIGHT, wanted->weight);
    if (wanted->reserved > wanted->maximum)
        return fault_set(fault, HRESULT_E_INVALIDARG,
                         "the reserved capacity (%s) must not be above the maximum (%s)",
                         text_of_number(wanted->reserved, given),
                         text_of_number(wanted->maximum, limit));
    if (wanted->reserved > 0)
        return fault_set(fault, HRESULT_E_INVALIDARG,
                         "the host cannot reserve processor time: its scheduler only shares what "
                         "there is, by weight; give 0 as the reserved capacity");
    if (!present->can_limit && wanted->maximum < allowable)
        return fault_set(fault, HRESULT_E_INVALIDARG,
                         "the host's scheduler has a weight only and cannot limit a machine; give "
                         "%s as the maximum capacity",
                         limit);
    return true;
}

long long scheduling_quota(const struct scheduling *scheduling, unsigned long long *period)
{
    double share = scheduling->maximum / 100 * scheduling->host_processors / scheduling->processors;

    *period = USUAL_PERIOD;
    if (scheduling->maximum >= scheduling_allowable_maximum(scheduling))
        return -1;
    if (share * USUAL_PERIOD < LEAST_QUOTA)
        *period = LONGEST_PERIOD;
    long long quota = (long long)(share * (double)*period + 0.5);
    return quota < LEAST_QUOTA ? LEAST_QUOTA : quota;
}

double scheduling_percent(long long quota, unsigned long long period, unsigned processors,
                          unsigned host_processors)
{
    double percent = 100.0 * (double)quota / (double)period * processors / host_processors;
    /* A quota is in whole microseconds; the usual period has 100000. */
    return (double)(long long)(percent * 1000 + 0.5) / 1000;
}
