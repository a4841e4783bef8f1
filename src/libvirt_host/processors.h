/*
 * processors: the processor time that a host's machines have used.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_PROCESSORS_H
#define VMACCOUNTANT_LIBVIRT_HOST_PROCESSORS_H

#include "host/host.h"

bool libvirt_processor_times(struct host *host, processor_time_receiver *receive, void *context,
                             struct fault *fault);

#endif
