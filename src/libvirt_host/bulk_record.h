/*
 * bulk_record: what one record of libvirt's bulk statistics says about a domain's
 * interfaces or disks.
 *
 * A record is a flat list of typed parameters, such as "net.2.rx.bytes". The
 * number is a position among the domain's devices, with holes: only the name
 * says which device it is.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_BULK_RECORD_H
#define VMACCOUNTANT_LIBVIRT_HOST_BULK_RECORD_H

#include "core/session.h"

#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <stddef.h>

enum bulk_group { BULK_NET, BULK_BLOCK };

struct bulk_device {
    const char *name; /* lives as long as the record; NULL for a hole */
    unsigned present; /* a bit for each direction whose bytes are known */
    unsigned long long bytes[DIRECTION_COUNT];
};

struct bulk_record {
    int state;      /* virDomainState */
    bool has_count; /* without it the hypervisor did not answer for this group */
    size_t count;   /* of all devices of the group, also of those without a name */
    struct bulk_device *devices;
};

/* To be cleared by the caller. False without memory. */
bool bulk_record_parse(const virDomainStatsRecord *record, enum bulk_group group,
                       struct bulk_record *parsed);
void bulk_record_clear(struct bulk_record *parsed);

/* The device of that name; NULL when there is none, and for NULL. */
const struct bulk_device *bulk_record_find(const struct bulk_record *record, const char *name);

#endif
