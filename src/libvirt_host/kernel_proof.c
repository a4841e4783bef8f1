#include "libvirt_host/kernel_proof.h"

#include "kernel/link.h"
#include "libvirt_host/kernel_devices.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_FAILURES = 3 };

static void read_before_locked(struct libvirt_host *self, struct known_domain *known)
{
    struct device_room room;

    if (known->trust != TRUST_UNPROVEN)
        return;
    size_t size = known->adapters->count * sizeof room.few[0];
    device_room_make(&room, known->adapters->count);
    bool ok = kernel_devices_read_locked(self, known, room.devices);
    known->is_unreadable = !ok;
    if (ok && known->before == NULL)
        known->before = malloc(size);
    if (ok && known->before != NULL)
        memcpy(known->before, room.devices, size);
    device_room_free(&room);
}

void kernel_proof_begin(struct libvirt_host *self, const struct machine_uuid *uuid)
{
    pthread_mutex_lock(&self->lock);
    for (struct known_domain *known = self->known; uuid == NULL && known; known = known->hh.next)
        read_before_locked(self, known);
    struct known_domain *one = uuid != NULL ? known_domain_find_locked(self, uuid) : NULL;
    if (one != NULL)
        read_before_locked(self, one);
    pthread_mutex_unlock(&self->lock);
}

static bool lies_between(const struct known_device *known, const struct device_counter *before,
                         const struct device_counter *after, const struct device_reading *reported)
{
    struct decimal least[DIRECTION_COUNT], most[DIRECTION_COUNT];

    kernel_device_bytes(known, before, least);
    kernel_device_bytes(known, after, most);
    for (int direction = 0; direction < DIRECTION_COUNT; direction++)
        if ((reported->present & 1u << direction) == 0 ||
            decimal_compare(least[direction], reported->bytes[direction]) > 0 ||
            decimal_compare(reported->bytes[direction], most[direction]) > 0)
            return false;
    return true;
}

/* What has failed again and again: a device that cannot be read is left to
 * libvirt; one that is the machine's own is right, whatever libvirt says. */
static void give_up_proof_locked(struct known_domain *known, const struct device_counter *after,
                                 const struct machine_sample *sample, bool is_read)
{
    known->trust = is_read ? TRUST_PROVEN : TRUST_NONE;
    known->proof = PROOF_COUNTERS;
    for (size_t i = 0; i < known->adapters->count; i++) {
        struct known_device *device = &known->devices[i];
        if (!is_read)
            device->at.reason =
                "the kernel does not give the counters of all the machine's devices";
        else if (!lies_between(device, &known->before[i], &after[i], &sample->readings[i]))
            device->is_overruled = true;
    }
}

/* A counter that has counted, and is the same to libvirt as here, shows that the
 * daemon is in this namespace. */
static void note_network(struct libvirt_host *self, const struct machine_sample *sample)
{
    for (size_t i = 0; i < sample->adapters->count; i++)
        if (decimal_compare(sample->readings[i].bytes[DIRECTION_SENT], DECIMAL_ZERO) > 0)
            atomic_store(&self->network, DAEMON_NETWORK_SHARED);
}

static void finish_proof_locked(struct libvirt_host *self, struct known_domain *known,
                                const struct machine_sample *sample)
{
    struct device_room room;
    device_room_make(&room, known->adapters->count);
    bool is_read = !known->is_unreadable && kernel_devices_read_locked(self, known, room.devices);
    bool is_proven = is_read;

    for (size_t i = 0; is_proven && i < known->adapters->count; i++)
        is_proven = lies_between(&known->devices[i], &known->before[i], &room.devices[i],
                                 &sample->readings[i]);
    /* Another thread's reading may have come between: once is no proof. */
    if (is_proven) {
        known->trust = TRUST_PROVEN;
        known->proof = PROOF_COUNTERS;
        note_network(self, sample);
    } else if (++known->failures >= MOST_FAILURES) {
        give_up_proof_locked(known, room.devices, sample, is_read);
    }
    device_room_free(&room);
    free(known->before);
    known->before = NULL;
    known->is_unreadable = false;
    self->devices_in_dump = 0;
}

void kernel_proof_finish(struct libvirt_host *self, const struct machine_sample *sample)
{
    pthread_mutex_lock(&self->lock);
    struct known_domain *known = known_domain_find_locked(self, &sample->uuid);
    /* Without events a change would go unnoticed, and be read wrongly. */
    if (known != NULL && known->trust == TRUST_UNPROVEN && connection_has_events_locked(self) &&
        known->domain_id == sample->domain_id && known->adapters == sample->adapters &&
        (known->before != NULL || known->is_unreadable))
        finish_proof_locked(self, known, sample);
    pthread_mutex_unlock(&self->lock);
}

/* Whether libvirt's counters are the device's, whichever end of it is the guest's. */
static bool agrees(const struct device_reading *reading, const struct device_counter *device)
{
    const struct decimal received = decimal_from_uint64(device->received);
    const struct decimal sent = decimal_from_uint64(device->sent);
    const struct decimal *reported = reading->bytes;

    return reading->present == (1u << DIRECTION_SENT | 1u << DIRECTION_RECEIVED) &&
           ((decimal_compare(reported[DIRECTION_SENT], received) == 0 &&
             decimal_compare(reported[DIRECTION_RECEIVED], sent) == 0) ||
            (decimal_compare(reported[DIRECTION_SENT], sent) == 0 &&
             decimal_compare(reported[DIRECTION_RECEIVED], received) == 0));
}

void kernel_proof_correct(struct libvirt_host *self, struct machine_sample *sample)
{
    for (size_t i = 0; self->kernel != NULL && i < sample->adapters->count; i++) {
        struct device_reading *reading = &sample->readings[i];
        struct device_counter counter = {.ifindex = (unsigned)reading->key.incarnation};
        struct link device;

        if (!incarnation_is_ifindex(reading->key.incarnation) ||
            !link_stats_read(self->kernel, &counter, 1))
            continue;
        if (counter.is_known && agrees(reading, &counter))
            continue;
        /* A device that has gone meanwhile, and that libvirt did not see or took
         * for another, leaves its final counters to the monitor. */
        reading->present = 0;
        if (!link_read(counter.ifindex, &device) || !device.has_bytes)
            continue;
        link_bytes(&device, reading->bytes);
        reading->present = 1u << DIRECTION_SENT | 1u << DIRECTION_RECEIVED;
    }
}

const char *kernel_proof_refusal(struct libvirt_host *self, const struct machine_uuid *uuid)
{
    const char *reason = NULL;

    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find_locked(self, uuid);
    if (known == NULL)
        reason = self->is_local_qemu ? NULL : "not a local QEMU host";
    else if (known->trust == TRUST_NONE)
        reason = "the machine has no adapter";
    for (size_t i = 0; known != NULL && known->trust == TRUST_NONE && i < known->adapters->count;
         i++)
        if (known->devices[i].at.reason != NULL)
            reason = known->devices[i].at.reason;
    pthread_mutex_unlock(&self->lock);
    return reason;
}
