/*
 * baseline_store: shared baselines, written into the machines' definitions.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_BASELINE_STORE_H
#define VMACCOUNTANT_LIBVIRT_HOST_BASELINE_STORE_H

#include "host/host.h"

bool libvirt_prepare_writing(struct host *host, struct fault *fault);
bool libvirt_write_baseline(struct host *host, const struct machine_uuid *uuid,
                            const struct baseline *baseline, struct fault *fault);

#endif
