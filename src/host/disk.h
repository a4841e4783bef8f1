/*
 * disk: what a host's counters say of a machine's disks at one moment, as
 * plain data.
 *
 * The machine reads from and writes to a disk. In the terms of the network's
 * counts, what is written was sent to the disk.
 */
#ifndef VMACCOUNTANT_HOST_DISK_H
#define VMACCOUNTANT_HOST_DISK_H

#include "core/decimal.h"
#include "core/session.h"
#include "host/machine.h"

#define DISK_READ    DIRECTION_RECEIVED
#define DISK_WRITTEN DIRECTION_SENT

/* readings[i] is of the disk targets[i] ("vda"). A machine that is not running
 * has none. */
struct disk_sample {
    struct machine_uuid uuid;
    int64_t domain_id; /* of this run of the machine, or NOT_RUNNING */
    size_t count;
    size_t capacity;
    char **targets;
    struct device_reading *readings;
};

/* Room for so many disks; false without memory. */
bool disk_sample_start(struct disk_sample *sample, size_t capacity);

/* Adds a disk without counts, or finds the one of that target; NULL without
 * memory, and when there is no room. */
struct device_reading *disk_sample_add(struct disk_sample *sample, const char *target);

/* Sets one count of the reading. */
void disk_reading_set(struct device_reading *reading, enum direction direction,
                      struct decimal bytes);

void disk_sample_clear(struct disk_sample *sample);

/* Receives the samples one by one, without any lock held. */
typedef void disk_receiver(void *context, struct disk_sample *sample);

/* The key under which a session counts the disk: disks differ only by their
 * targets' names. */
struct device_key disk_key(const char *target);

#endif
