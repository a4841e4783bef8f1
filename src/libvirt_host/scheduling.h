/*
 * scheduling: which share of the host's processors a machine gets.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_SCHEDULING_H
#define VMACCOUNTANT_LIBVIRT_HOST_SCHEDULING_H

#include "host/host.h"

bool libvirt_scheduling(struct host *host, const struct machine_uuid *uuid,
                        struct scheduling *scheduling, struct fault *fault);
bool libvirt_set_scheduling(struct host *host, const struct machine_uuid *uuid,
                            const struct scheduling *scheduling, struct fault *fault);

#endif
