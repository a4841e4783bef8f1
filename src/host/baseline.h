/*
 * baseline: the counters' values at a reset, which a process that saw it leaves in
 * the machine's definition for those that did not.
 */
#ifndef VMACCOUNTANT_HOST_BASELINE_H
#define VMACCOUNTANT_HOST_BASELINE_H

#include "base/clock.h"
#include "core/decimal.h"
#include "core/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One adapter in a shared baseline. */
struct baseline_adapter {
    uint8_t mac[MAC_SIZE];
    char *device;     /* NULL when there was none */
    uint64_t ifindex; /* of the device on its host; 0 when the writer could not see it */
    struct decimal bytes[DIRECTION_COUNT];
};

/* One disk in a shared baseline; the bytes as in disk.h. */
struct baseline_disk {
    char *target;
    struct decimal bytes[DIRECTION_COUNT];
};

/* A run is named by its domain ID and, since an ID may come again, by its host's
 * boot and its process's start. Resets are ordered by the host's monotonic clock,
 * which all its processes share, and by their ordinals. */
struct baseline {
    int64_t domain_id;          /* of the machine's run */
    char boot_id[BOOT_ID_SIZE]; /* of the host that wrote it; empty when not known */
    uint64_t process_start;     /* of the run, in ticks since that boot; 0: not known */
    uint64_t ordinal;           /* of the reset in the run; 0: the run's start */
    int64_t reset_clock;        /* of that host's monotonic_time() */
    int64_t reset_at;           /* milliseconds since 1970, for people */
    bool has_common_clock;      /* reset_clock is also the reader's host's */
    bool has_disks; /* false: the disks' counts are not known, not that there are no disks */
    size_t disk_count;
    struct baseline_disk *disks;
    size_t count;
    struct baseline_adapter adapters[];
};

/* Room for count adapters, all zero; NULL without memory. */
struct baseline *baseline_new(size_t count);
void baseline_free(struct baseline *baseline);
/* Room for the counts of so many disks, all zero; false without memory. */
bool baseline_start_disks(struct baseline *baseline, size_t count);
/* Makes the disks' counts unknown. */
void baseline_drop_disks(struct baseline *baseline);
/* NULL for none, and without memory. */
struct baseline *baseline_copy(const struct baseline *baseline);

#endif
