/*
 * disks: what a host's machines have read from their disks and written to them.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_DISKS_H
#define VMACCOUNTANT_LIBVIRT_HOST_DISKS_H

#include "host/host.h"

bool libvirt_sample_disks(struct host *host, const struct machine_uuid *uuid,
                          disk_receiver *receive, void *context, struct fault *fault);

#endif
