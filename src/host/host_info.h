/*
 * host_info: a host's description of itself, in parts that are requested one by
 * one.
 */
#ifndef VMACCOUNTANT_HOST_HOST_INFO_H
#define VMACCOUNTANT_HOST_HOST_INFO_H

#include "base/fault.h"

#include <stdint.h>

enum host_part {
    HOST_PROCESSORS,
    HOST_PROCESSOR_MODEL,
    HOST_PROCESSOR_FEATURES,
    HOST_MEMORY,
    HOST_SYSTEM,
    HOST_CLOCK
};

/* Only the fields of the part that was asked for are set. */
struct host_info {
    /* HOST_PROCESSORS */
    unsigned logical_processors;
    unsigned physical_processors;
    unsigned megahertz; /* 0 when the host does not know */
    /* HOST_PROCESSOR_MODEL; empty texts where the host does not say */
    char manufacturer[64];
    char model[128];
    /* HOST_PROCESSOR_FEATURES: names with a blank between them, from malloc */
    char *features;
    /* HOST_MEMORY, in KiB */
    uint64_t memory;
    uint64_t available_memory;
    /* HOST_SYSTEM */
    char system[128];
    char release[128];
    unsigned major;
    unsigned minor;
    /* HOST_CLOCK: seconds since 1970 */
    int64_t unix_time;
};

void host_info_clear(struct host_info *info);

/* Fills HOST_SYSTEM with the operating system that this process runs on. */
bool host_info_of_this_system(struct host_info *info, struct fault *fault);

#endif
