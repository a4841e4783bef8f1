/*
 * run: when a machine's run began, and why its last one ended.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_RUN_H
#define VMACCOUNTANT_LIBVIRT_HOST_RUN_H

#include "host/host.h"

bool libvirt_started_at(struct host *host, const struct machine_uuid *uuid, int64_t domain_id,
                        struct moment *started, struct fault *fault);
bool libvirt_stop_reason(struct host *host, const struct machine_uuid *uuid,
                         enum stop_reason *reason, struct fault *fault);

#endif
