/*
 * host_info: what is known about a host, from libvirt and on a local host from the
 * system itself.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_HOST_INFO_H
#define VMACCOUNTANT_LIBVIRT_HOST_HOST_INFO_H

#include "host/host.h"

bool libvirt_host_info(struct host *host, enum host_part part, struct host_info *info,
                       struct fault *fault);
bool libvirt_product(struct host *host, struct product *product, struct fault *fault);
bool libvirt_uptime(struct host *host, int64_t *seconds, struct fault *fault);

#endif
