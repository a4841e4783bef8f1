/*
 * kernel_devices: the kernel's counters of all devices of a domain.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_KERNEL_DEVICES_H
#define VMACCOUNTANT_LIBVIRT_HOST_KERNEL_DEVICES_H

#include "libvirt_host/known_domain.h"

enum { FEW_DEVICES = 8 };

/* Room for the counters of a domain's devices, mostly without an allocation. */
struct device_room {
    struct device_counter *devices; /* NULL without memory */
    struct device_counter few[FEW_DEVICES];
};

struct device_counter *device_room_make(struct device_room *room, size_t count);
void device_room_free(struct device_room *room);

/* False when one of them is gone, or without room for them (NULL). */
bool kernel_devices_read_locked(struct libvirt_host *self, const struct known_domain *known,
                                struct device_counter *devices);

/* The device's bytes as the guest sees them. */
void kernel_device_bytes(const struct known_device *known, const struct device_counter *device,
                         struct decimal bytes[DIRECTION_COUNT]);

#endif
