/*
 * counters: what a host's machines have sent and received, from the kernel where
 * that is proven to be right, else through libvirt.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_COUNTERS_H
#define VMACCOUNTANT_LIBVIRT_HOST_COUNTERS_H

#include "host/host.h"

bool libvirt_sample(struct host *host, const struct machine_uuid *uuid,
                    struct machine_sample *sample, struct fault *fault);
bool libvirt_sample_all(struct host *host, sample_receiver *receive, void *context,
                        struct fault *fault);

#endif
