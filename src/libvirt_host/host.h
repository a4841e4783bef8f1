/*
 * host: opens, closes and destroys a libvirt host.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_HOST_H
#define VMACCOUNTANT_LIBVIRT_HOST_HOST_H

#include "libvirt_host/libvirt_host.h"

/* As libvirt_open(), for a host with those functions. */
struct host *libvirt_host_open(const struct host_driver *driver, const char *uri, int timeout,
                               enum counters counters, struct fault *fault);
void libvirt_close(struct host *host);
void libvirt_destroy(struct host *host);

#endif
