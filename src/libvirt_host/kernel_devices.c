#include "libvirt_host/kernel_devices.h"

#include <stdlib.h>

void kernel_device_bytes(const struct known_device *known, const struct device_counter *device,
                         struct decimal bytes[DIRECTION_COUNT])
{
    bytes[DIRECTION_SENT] =
        decimal_from_uint64(known->at.is_guest_end ? device->sent : device->received);
    bytes[DIRECTION_RECEIVED] =
        decimal_from_uint64(known->at.is_guest_end ? device->received : device->sent);
}

struct device_counter *device_room_make(struct device_room *room, size_t count)
{
    room->devices = count <= FEW_DEVICES ? room->few : calloc(count, sizeof *room->devices);
    return room->devices;
}

void device_room_free(struct device_room *room)
{
    if (room->devices != room->few)
        free(room->devices);
}

bool kernel_devices_read_locked(struct libvirt_host *self, const struct known_domain *known,
                                struct device_counter *devices)
{
    size_t count = known->adapters->count;
    if (devices == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        devices[i] = (struct device_counter){.ifindex = (unsigned)known->devices[i].at.incarnation};
    if (!link_stats_read(self->kernel, devices, count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!devices[i].is_known)
            return false;
    return true;
}
