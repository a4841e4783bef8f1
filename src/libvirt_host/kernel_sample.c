#include "libvirt_host/kernel_sample.h"

#include "kernel/link.h"
#include "libvirt_host/kernel_devices.h"

#include <stdlib.h>
#include <string.h>

static bool start_sample(const struct known_domain *known, struct machine_sample *sample)
{
    sample->uuid = known->uuid;
    sample->domain_id = known->domain_id;
    sample->adapters = adapter_list_hold(known->adapters);
    sample->baseline = baseline_copy(known->baseline);
    sample->complaint = known->complaint;
    return machine_sample_start_readings(sample);
}

static void fill_reading(const struct known_domain *known, size_t i,
                         const struct device_counter *device, struct device_reading *reading)
{
    memcpy(reading->key.mac, known->adapters->adapters[i].mac, MAC_SIZE);
    reading->key.incarnation = known->devices[i].at.incarnation;
    reading->present = 1u << DIRECTION_SENT | 1u << DIRECTION_RECEIVED;
    kernel_device_bytes(&known->devices[i], device, reading->bytes);
}

bool kernel_sample(struct libvirt_host *self, const struct machine_uuid *uuid,
                   struct machine_sample *sample)
{
    struct device_room room;
    bool ok = false;

    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find_locked(self, uuid);
    if (known != NULL && known->trust == TRUST_PROVEN && !self->is_closed) {
        device_room_make(&room, known->adapters->count);
        ok = kernel_devices_read_locked(self, known, room.devices) && start_sample(known, sample);
        for (size_t i = 0; ok && i < known->adapters->count; i++)
            fill_reading(known, i, &room.devices[i], &sample->readings[i]);
        device_room_free(&room);
        if (!ok) { /* a device is gone: libvirt knows why */
            machine_sample_clear(sample);
            known_domain_remove_locked(self, uuid);
        }
    }
    pthread_mutex_unlock(&self->lock);
    return ok;
}

bool libvirt_device_bytes(struct host *host, uint64_t incarnation,
                          struct decimal bytes[DIRECTION_COUNT])
{
    struct link device;

    if (!libvirt_host(host)->is_local_qemu || !incarnation_is_ifindex(incarnation) ||
        !link_read((unsigned)incarnation, &device) || !device.has_bytes)
        return false;
    link_bytes(&device, bytes);
    return true;
}

/* ------------------------------------------------------------------------
 * All at once
 * ------------------------------------------------------------------------ */

static int compare_devices(const void *a, const void *b)
{
    unsigned left = ((const struct device_counter *)a)->ifindex;
    unsigned right = ((const struct device_counter *)b)->ifindex;
    return left < right ? -1 : left > right;
}

/* What is known of the host's domains, by how their counters are read. */
struct census {
    size_t proven;
    size_t devices; /* of those proven */
    size_t unproven;
    size_t others;
};

static struct census count_known_locked(const struct libvirt_host *self)
{
    struct census census = {0};
    for (const struct known_domain *known = self->known; known; known = known->hh.next) {
        census.proven += known->trust == TRUST_PROVEN;
        census.unproven += known->trust == TRUST_UNPROVEN;
        census.others += known->trust == TRUST_NONE;
        if (known->trust == TRUST_PROVEN)
            census.devices += known->adapters->count;
    }
    return census;
}

/* The list of devices that a dump fills, in the order of their ifindex, and
 * each device's place in it. Kept until what is known changes. */
static bool prepare_dump_locked(struct libvirt_host *self, size_t count)
{
    if (self->devices_in_dump == count && count > 0)
        return true;
    struct device_counter *devices = realloc(self->dump, (count + 1) * sizeof *devices);
    if (devices == NULL)
        return false;
    self->dump = devices;
    size_t filled = 0;
    for (const struct known_domain *known = self->known; known; known = known->hh.next)
        for (size_t i = 0; known->trust == TRUST_PROVEN && i < known->adapters->count; i++)
            devices[filled++] =
                (struct device_counter){.ifindex = (unsigned)known->devices[i].at.incarnation};
    qsort(devices, filled, sizeof *devices, compare_devices);
    for (struct known_domain *known = self->known; known; known = known->hh.next) {
        for (size_t i = 0; known->trust == TRUST_PROVEN && i < known->adapters->count; i++) {
            struct device_counter wanted = {.ifindex = (unsigned)known->devices[i].at.incarnation};
            const struct device_counter *found =
                bsearch(&wanted, devices, filled, sizeof *devices, compare_devices);
            known->devices[i].position = (uint32_t)(found - devices);
        }
    }
    self->devices_in_dump = filled;
    return true;
}

static void give_from_dump_locked(struct libvirt_host *self, const struct known_domain *known,
                                  sample_receiver *receive, void *context)
{
    struct machine_sample sample = {.domain_id = NOT_RUNNING};
    bool ok = start_sample(known, &sample);

    for (size_t i = 0; ok && i < known->adapters->count; i++) {
        const struct device_counter *device = &self->dump[known->devices[i].position];
        ok = device->is_known; /* else it is gone: sampling the machine alone reports why */
        fill_reading(known, i, device, &sample.readings[i]);
    }
    if (ok)
        receive(context, &sample);
    machine_sample_clear(&sample);
}

static void give_stopped(const struct known_domain *known, sample_receiver *receive, void *context)
{
    const struct machine_sample sample = {.uuid = known->uuid, .domain_id = NOT_RUNNING};
    receive(context, &sample);
}

bool kernel_sample_all(struct libvirt_host *self, sample_receiver *receive, void *context,
                       virDomainPtr **others)
{
    size_t other = 0;

    pthread_mutex_lock(&self->lock);
    struct census census = count_known_locked(self);
    /* Asking libvirt for many costs no less than for all. With counters = 'kernel'
     * the unproven are not asked for here, and would never be proven. */
    if (self->counters != COUNTERS_KERNEL)
        census.others += census.unproven;
    bool ok = census.proven > 0 && (census.unproven == 0 || self->counters != COUNTERS_KERNEL) &&
              census.others * 8 <= census.proven && prepare_dump_locked(self, census.devices);
    *others = ok ? calloc(census.others + 1, sizeof **others) : NULL;
    ok = ok && *others != NULL &&
         link_stats_read_all(self->kernel, self->dump, self->devices_in_dump);
    bool has_events = ok && connection_has_events_locked(self);
    for (const struct known_domain *known = self->known; ok && known; known = known->hh.next) {
        if (known->trust == TRUST_PROVEN) {
            give_from_dump_locked(self, known, receive, context);
        } else if (known->trust == TRUST_STOPPED && has_events) {
            give_stopped(known, receive, context);
        } else if (known->trust == TRUST_NONE || known->trust == TRUST_UNPROVEN) {
            virDomainRef(known->domain);
            (*others)[other++] = known->domain;
        }
    }
    pthread_mutex_unlock(&self->lock);
    if (!ok) {
        free(*others);
        *others = NULL;
    }
    return ok;
}
