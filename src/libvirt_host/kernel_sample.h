/*
 * kernel_sample: samples of proven machines, straight from the kernel.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_KERNEL_SAMPLE_H
#define VMACCOUNTANT_LIBVIRT_HOST_KERNEL_SAMPLE_H

#include "libvirt_host/libvirt_host.h"

/* False when libvirt has to be asked for the machine. */
bool kernel_sample(struct libvirt_host *self, const struct machine_uuid *uuid,
                   struct machine_sample *sample);

/* All machines whose counters the kernel gives, in one dump. False when too
 * little is known, and libvirt is to be asked for all; else *others are the
 * domains that remain to be asked for, held for the caller, with a final NULL. */
bool kernel_sample_all(struct libvirt_host *self, sample_receiver *receive, void *context,
                       virDomainPtr **others);

bool libvirt_device_bytes(struct host *host, uint64_t incarnation,
                          struct decimal bytes[DIRECTION_COUNT]);

#endif
