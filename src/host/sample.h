/*
 * sample: what a host's counters said of a machine's adapters at one moment.
 */
#ifndef VMACCOUNTANT_HOST_SAMPLE_H
#define VMACCOUNTANT_HOST_SAMPLE_H

#include "core/session.h"
#include "host/adapter.h"
#include "host/baseline.h"
#include "host/machine.h"

#include <stdbool.h>
#include <stdint.h>

enum { FEW_READINGS = 2 };

/* What a host's counters said of one machine at one moment. readings[i] is of
 * adapters->adapters[i]. A machine that is not running has neither. Not to be
 * copied as a structure: readings may point into it. */
struct machine_sample {
    struct machine_uuid uuid;
    int64_t domain_id; /* of this run of the machine, or NOT_RUNNING */
    struct adapter_list *adapters;
    struct device_reading *readings;
    struct device_reading few[FEW_READINGS]; /* spares most machines an allocation */
    struct baseline *baseline;               /* in the definition; NULL for none */
    const char *complaint; /* why the one in the definition cannot be used, or NULL */
};

/* An incarnation is the ifindex of a device of this host where that is visible,
 * and a hash of the device's name with this bit set where it is not. */
#define INCARNATION_OF_NAME (UINT64_C(1) << 63)

uint64_t incarnation_of_name(const char *name);

static inline bool incarnation_is_ifindex(uint64_t incarnation)
{
    return (incarnation & INCARNATION_OF_NAME) == 0;
}

/* Room for the readings of sample->adapters, all zero; false without memory. */
bool machine_sample_start_readings(struct machine_sample *sample);

/* Copies the counters of `from` to `to`, without its baseline. False
 * without memory: `to` is then as it was. */
bool machine_sample_assign(struct machine_sample *to, const struct machine_sample *from);

bool machine_sample_has_device(const struct machine_sample *sample, const struct device_key *key);

void machine_sample_clear(struct machine_sample *sample);

#endif
