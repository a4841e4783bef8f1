/*
 * adapter_device: which network device of this host is an adapter's, and whether
 * the kernel may be asked for its counters.
 *
 * A name proves nothing. A device that was made again on this host has another
 * ifindex. Where the device cannot be seen (a remote host, another network
 * namespace, no device at all) its name must do: libvirt does not use a number of
 * vnetN twice while its daemon runs.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_ADAPTER_DEVICE_H
#define VMACCOUNTANT_LIBVIRT_HOST_ADAPTER_DEVICE_H

#include "libvirt_host/libvirt_host.h"
#include "libvirt_host/process_taps.h"

struct adapter_device {
    uint64_t incarnation;
    const char *reason;  /* why the kernel cannot be asked; NULL when it can */
    const char *problem; /* why no count is the machine's, not even libvirt's; or NULL */
    unsigned first;      /* ifindex of the device when it was first seen in this run; 0: never */
    bool is_guest_end;   /* see link.h */
};

/* Finds the adapter's device. Of the result only `first` is set before. */
void adapter_device_find(const struct libvirt_host *self, const struct adapter *adapter,
                         const struct process_taps *taps, struct adapter_device *found);

/* Whether an adapter of the list can have a device on this host. */
bool adapter_devices_are_here(const struct libvirt_host *self, const struct adapter_list *adapters);

/* Whether libvirt takes the adapter's counters from anything that is the
 * machine's. For the types where it does not, it reads whatever device has the
 * target's name. The test driver makes up a device and counters for each. */
bool adapter_is_counted(const struct libvirt_host *self, const struct adapter *adapter);

#endif
