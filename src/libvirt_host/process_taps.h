/*
 * process_taps: which tap devices a machine's QEMU process holds, as the
 * kernel says in /proc/PID/fdinfo (a line "iff:" with the device's present
 * name). A name is not a device: this distinguishes a machine's own tap from one
 * that only has its name and address.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_PROCESS_TAPS_H
#define VMACCOUNTANT_LIBVIRT_HOST_PROCESS_TAPS_H

#include "host/adapter.h"
#include "host/machine.h"

#include <net/if.h>

struct process_taps {
    bool is_known;    /* false: this user may not see it, or there is no such process */
    bool has_deleted; /* it holds one that has been deleted under it */
    size_t count;
    char (*names)[IF_NAMESIZE]; /* one may be there several times: once a queue */
};

/* Finds at least those that are devices of the adapters. */
void process_taps_read(const char *machine_name, const struct machine_uuid *uuid,
                       const struct adapter_list *adapters, struct process_taps *taps);
bool process_taps_have(const struct process_taps *taps, const char *name);
void process_taps_clear(struct process_taps *taps);

#endif
