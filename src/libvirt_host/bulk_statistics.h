/*
 * bulk_statistics: which statistics a host's driver gives of many domains in
 * one call. A driver is taken to have them until it refuses; each domain is
 * asked alone from then on.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_BULK_STATISTICS_H
#define VMACCOUNTANT_LIBVIRT_HOST_BULK_STATISTICS_H

#include <stdbool.h>

struct libvirt_host; /* libvirt_host.h */

enum bulk_kind { BULK_INTERFACES, BULK_DISKS, BULK_PROCESSORS, BULK_KINDS };

bool bulk_statistics_exist(struct libvirt_host *self, enum bulk_kind kind);

/* After a call that failed: whether it did because the driver has no statistics
 * of that kind, which is remembered. */
bool bulk_statistics_are_unsupported(struct libvirt_host *self, enum bulk_kind kind);

#endif
