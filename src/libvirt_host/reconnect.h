/*
 * reconnect: connects again as soon as a lost daemon is back, in the event
 * thread.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_RECONNECT_H
#define VMACCOUNTANT_LIBVIRT_HOST_RECONNECT_H

#include "libvirt_host/libvirt_host.h"

void reconnect_start(struct libvirt_host *self);
void reconnect_stop(struct libvirt_host *self);

/* The read-only connection was lost, or its daemon may be back at any moment. */
void reconnect_soon(struct libvirt_host *self);

#endif
