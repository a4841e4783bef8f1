/*
 * events: what a libvirt host reports: libvirt's events, and from the kernel the
 * devices that went.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_EVENTS_H
#define VMACCOUNTANT_LIBVIRT_HOST_EVENTS_H

#include "libvirt_host/libvirt_host.h"

extern const struct connection_hooks events_connection_hooks;

void libvirt_listen(struct host *host, const struct host_listener *listener);
void libvirt_settle(struct host *host);
bool libvirt_tells(struct host *host);

#endif
