/*
 * driver: a libvirt host behind the interface of host/host.h.
 *
 * The connection is read-only. The first change opens a second, read-write
 * one. A connection that was lost is opened again by the next call.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_DRIVER_H
#define VMACCOUNTANT_LIBVIRT_HOST_DRIVER_H

#include "host/host.h"

/* Where the counters of a local QEMU host's machines are read. */
enum counters {
    COUNTERS_AUTO,      /* the kernel where that is proven to be the same, else libvirt */
    COUNTERS_KERNEL,    /* the kernel, or a fault that says why not */
    COUNTERS_HYPERVISOR /* libvirt */
};

/* NULL for uri leaves the choice to libvirt (LIBVIRT_DEFAULT_URI, its client
 * configuration, then what it finds). timeout, of 2 seconds at least, bounds
 * the opening, and the silence after which a connection is taken for lost.
 * NULL with a fault of DISP_E_EXCEPTION, libvirt's own words and a hint when
 * the host cannot be reached. */
struct host *libvirt_open(const char *uri, int timeout, enum counters counters,
                          struct fault *fault);

#endif
