/*
 * change: a machine's life cycle.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_CHANGE_H
#define VMACCOUNTANT_LIBVIRT_HOST_CHANGE_H

#include "host/host.h"

bool libvirt_takes_time(struct host *host, enum machine_change change);
bool libvirt_check_change(struct host *host, const struct machine_uuid *uuid,
                          enum machine_change change, struct fault *fault);
bool libvirt_change(struct host *host, const struct machine_uuid *uuid, enum machine_change change,
                    struct fault *fault);
bool libvirt_progress(struct host *host, const struct machine_uuid *uuid, int *percent);
bool libvirt_cancel(struct host *host, const struct machine_uuid *uuid, struct fault *fault);

#endif
