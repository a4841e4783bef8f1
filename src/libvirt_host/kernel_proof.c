/*
 * kernel_proof: a libvirt host's counters straight from the kernel, where
 * they are proven to be the machine's.
 *
 * Which device is an adapter's, known_domain.c finds. The figures are proven
 * when libvirt's own lie between two readings of the kernel's, taken around a
 * call that was made anyway. Where libvirt's keep disagreeing about a device that
 * is the machine's, libvirt reads another of a similar name, and the kernel is
 * right. The proof ends with the device's ifindex, or when libvirt reports a
 * change.
 */
#include "libvirt_host/known_domain.h"

#include <stdlib.h>
#include <string.h>

enum { FEW_DEVICES = 8, MOST_FAILURES = 3 };

static void fill_bytes(const struct known_device *known, const struct device_counter *device,
                       struct decimal bytes[DIRECTION_COUNT])
{
    bytes[DIRECTION_SENT] =
        decimal_from_uint64(known->is_guest_end ? device->sent : device->received);
    bytes[DIRECTION_RECEIVED] =
        decimal_from_uint64(known->is_guest_end ? device->received : device->sent);
}

/* Room for the counters of a domain's devices, mostly without an allocation. */
struct device_room {
    struct device_counter *devices; /* NULL without memory */
    struct device_counter few[FEW_DEVICES];
};

static struct device_counter *make_room(struct device_room *room, size_t count)
{
    room->devices = count <= FEW_DEVICES ? room->few : calloc(count, sizeof *room->devices);
    return room->devices;
}

static void free_room(struct device_room *room)
{
    if (room->devices != room->few)
        free(room->devices);
}

/* With the lock held. The kernel's figures of all the domain's devices. */
static bool read_devices(struct libvirt_host *self, const struct known_domain *known,
                         struct device_counter *devices)
{
    size_t count = known->adapters->count;
    if (devices == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        devices[i] = (struct device_counter){.ifindex = (unsigned)known->devices[i].incarnation};
    if (!link_stats_read(self->kernel, devices, count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!devices[i].is_known)
            return false;
    return true;
}

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
    reading->key.incarnation = known->devices[i].incarnation;
    reading->present = 1u << DIRECTION_SENT | 1u << DIRECTION_RECEIVED;
    fill_bytes(&known->devices[i], device, reading->bytes);
}

bool libvirt_kernel_sample(struct libvirt_host *self, const struct machine_uuid *uuid,
                           struct machine_sample *sample)
{
    struct device_room room;
    bool ok = false;

    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find(self, uuid);
    if (known != NULL && known->trust == TRUST_PROVEN && !self->is_closed) {
        make_room(&room, known->adapters->count);
        ok = read_devices(self, known, room.devices) && start_sample(known, sample);
        for (size_t i = 0; ok && i < known->adapters->count; i++)
            fill_reading(known, i, &room.devices[i], &sample->readings[i]);
        free_room(&room);
        if (!ok) { /* a device is gone: libvirt knows why */
            machine_sample_clear(sample);
            known_domain_forget(self, uuid);
        }
    }
    pthread_mutex_unlock(&self->lock);
    return ok;
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

static struct census count_known(const struct libvirt_host *self)
{
    struct census census = {0};
    for (size_t bucket = 0; bucket < KNOWN_BUCKETS; bucket++) {
        for (const struct known_domain *known = self->known[bucket]; known; known = known->next) {
            census.proven += known->trust == TRUST_PROVEN;
            census.unproven += known->trust == TRUST_UNPROVEN;
            census.others += known->trust == TRUST_NONE;
            if (known->trust == TRUST_PROVEN)
                census.devices += known->adapters->count;
        }
    }
    return census;
}

/* The list of devices that a dump fills, in the order of their ifindex, and
 * each device's place in it. Kept until what is known changes. */
static bool prepare_dump(struct libvirt_host *self, size_t count)
{
    if (self->devices_in_dump == count && count > 0)
        return true;
    struct device_counter *devices = realloc(self->dump, (count + 1) * sizeof *devices);
    if (devices == NULL)
        return false;
    self->dump = devices;
    size_t filled = 0;
    for (size_t bucket = 0; bucket < KNOWN_BUCKETS; bucket++)
        for (struct known_domain *known = self->known[bucket]; known; known = known->next)
            for (size_t i = 0; known->trust == TRUST_PROVEN && i < known->adapters->count; i++)
                devices[filled++] =
                    (struct device_counter){.ifindex = (unsigned)known->devices[i].incarnation};
    qsort(devices, filled, sizeof *devices, compare_devices);
    for (size_t bucket = 0; bucket < KNOWN_BUCKETS; bucket++) {
        for (struct known_domain *known = self->known[bucket]; known; known = known->next) {
            for (size_t i = 0; known->trust == TRUST_PROVEN && i < known->adapters->count; i++) {
                struct device_counter wanted = {.ifindex = (unsigned)known->devices[i].incarnation};
                const struct device_counter *found =
                    bsearch(&wanted, devices, filled, sizeof *devices, compare_devices);
                known->devices[i].position = (uint32_t)(found - devices);
            }
        }
    }
    self->devices_in_dump = filled;
    return true;
}

static void tell_from_dump(struct libvirt_host *self, const struct known_domain *known,
                           sample_receiver *receive, void *context)
{
    struct machine_sample sample = {.domain_id = NOT_RUNNING};
    bool ok = start_sample(known, &sample);

    for (size_t i = 0; ok && i < known->adapters->count; i++) {
        const struct device_counter *device = &self->dump[known->devices[i].position];
        ok = device->is_known; /* else it is gone: asking for the machine alone tells why */
        fill_reading(known, i, device, &sample.readings[i]);
    }
    if (ok)
        receive(context, &sample);
    machine_sample_clear(&sample);
}

static void tell_stopped(const struct known_domain *known, sample_receiver *receive, void *context)
{
    const struct machine_sample sample = {.uuid = known->uuid, .domain_id = NOT_RUNNING};
    receive(context, &sample);
}

bool libvirt_kernel_sample_all(struct libvirt_host *self, sample_receiver *receive, void *context,
                               virDomainPtr **others)
{
    size_t other = 0;

    pthread_mutex_lock(&self->lock);
    struct census census = count_known(self);
    /* Many to ask libvirt for cost no less than all. With counters = 'kernel' the
     * unproven are not asked for here, and would never be proven. */
    if (self->counters != COUNTERS_KERNEL)
        census.others += census.unproven;
    bool ok = census.proven > 0 && (census.unproven == 0 || self->counters != COUNTERS_KERNEL) &&
              census.others * 8 <= census.proven && prepare_dump(self, census.devices);
    *others = ok ? calloc(census.others + 1, sizeof **others) : NULL;
    ok = ok && *others != NULL &&
         link_stats_read_all(self->kernel, self->dump, self->devices_in_dump);
    bool is_told_of_starts = ok && connection_has_events_locked(self);
    for (size_t bucket = 0; ok && bucket < KNOWN_BUCKETS; bucket++) {
        for (const struct known_domain *known = self->known[bucket]; known; known = known->next) {
            if (known->trust == TRUST_PROVEN) {
                tell_from_dump(self, known, receive, context);
            } else if (known->trust == TRUST_STOPPED && is_told_of_starts) {
                tell_stopped(known, receive, context);
            } else if (known->trust == TRUST_NONE || known->trust == TRUST_UNPROVEN) {
                virDomainRef(known->domain);
                (*others)[other++] = known->domain;
            }
        }
    }
    pthread_mutex_unlock(&self->lock);
    if (!ok) {
        free(*others);
        *others = NULL;
    }
    return ok;
}

static bool has_device(const struct known_domain *known, unsigned ifindex)
{
    for (size_t i = 0; known->adapters != NULL && i < known->adapters->count; i++)
        if (known->devices[i].incarnation == ifindex)
            return true;
    return false;
}

void libvirt_kernel_forget_device(struct libvirt_host *self, unsigned ifindex)
{
    pthread_mutex_lock(&self->lock);
    for (size_t bucket = 0; bucket < KNOWN_BUCKETS; bucket++) {
        for (struct known_domain *known = self->known[bucket], *next; known; known = next) {
            next = known->next;
            if (!has_device(known, ifindex))
                continue;
            self->definition_changes++;
            known_domain_forget(self, &known->uuid);
        }
    }
    pthread_mutex_unlock(&self->lock);
}

/* ------------------------------------------------------------------------
 * Proof
 * ------------------------------------------------------------------------ */

static void read_before(struct libvirt_host *self, struct known_domain *known)
{
    struct device_room room;

    if (known->trust != TRUST_UNPROVEN)
        return;
    size_t size = known->adapters->count * sizeof room.few[0];
    make_room(&room, known->adapters->count);
    bool ok = read_devices(self, known, room.devices);
    known->is_unreadable = !ok;
    if (ok && known->before == NULL)
        known->before = malloc(size);
    if (ok && known->before != NULL)
        memcpy(known->before, room.devices, size);
    free_room(&room);
}

void libvirt_kernel_begin_proof(struct libvirt_host *self, const struct machine_uuid *uuid)
{
    pthread_mutex_lock(&self->lock);
    for (size_t bucket = 0; uuid == NULL && bucket < KNOWN_BUCKETS; bucket++)
        for (struct known_domain *known = self->known[bucket]; known; known = known->next)
            read_before(self, known);
    struct known_domain *one = uuid != NULL ? known_domain_find(self, uuid) : NULL;
    if (one != NULL)
        read_before(self, one);
    pthread_mutex_unlock(&self->lock);
}

static bool lies_between(const struct known_device *known, const struct device_counter *before,
                         const struct device_counter *after, const struct device_reading *told)
{
    struct decimal least[DIRECTION_COUNT], most[DIRECTION_COUNT];

    fill_bytes(known, before, least);
    fill_bytes(known, after, most);
    for (int direction = 0; direction < DIRECTION_COUNT; direction++)
        if ((told->present & 1u << direction) == 0 ||
            decimal_compare(least[direction], told->bytes[direction]) > 0 ||
            decimal_compare(told->bytes[direction], most[direction]) > 0)
            return false;
    return true;
}

/* What has failed again and again: a device that cannot be read is left to
 * libvirt; one that is the machine's own is right, whatever libvirt says. */
static void give_up_proof(struct known_domain *known, const struct device_counter *after,
                          const struct machine_sample *sample, bool is_read)
{
    known->trust = is_read ? TRUST_PROVEN : TRUST_NONE;
    for (size_t i = 0; i < known->adapters->count; i++) {
        struct known_device *device = &known->devices[i];
        if (!is_read)
            device->reason = "the kernel does not give the counters of all the machine's devices";
        else if (!lies_between(device, &known->before[i], &after[i], &sample->readings[i]))
            device->is_overruled = true;
    }
}

static void finish_proof(struct libvirt_host *self, struct known_domain *known,
                         const struct machine_sample *sample)
{
    struct device_room room;
    make_room(&room, known->adapters->count);
    bool is_read = !known->is_unreadable && read_devices(self, known, room.devices);
    bool is_proven = is_read;

    for (size_t i = 0; is_proven && i < known->adapters->count; i++)
        is_proven = lies_between(&known->devices[i], &known->before[i], &room.devices[i],
                                 &sample->readings[i]);
    /* Another thread's reading may have come between: once is no proof. */
    if (is_proven)
        known->trust = TRUST_PROVEN;
    else if (++known->failures >= MOST_FAILURES)
        give_up_proof(known, room.devices, sample, is_read);
    free_room(&room);
    free(known->before);
    known->before = NULL;
    known->is_unreadable = false;
    self->devices_in_dump = 0;
}

void libvirt_kernel_finish_proof(struct libvirt_host *self, const struct machine_sample *sample)
{
    pthread_mutex_lock(&self->lock);
    struct known_domain *known = known_domain_find(self, &sample->uuid);
    /* A host that does not tell of changes would be read wrongly after one. */
    if (known != NULL && known->trust == TRUST_UNPROVEN && connection_has_events_locked(self) &&
        known->domain_id == sample->domain_id && known->adapters == sample->adapters &&
        (known->before != NULL || known->is_unreadable))
        finish_proof(self, known, sample);
    pthread_mutex_unlock(&self->lock);
}

/* Whether libvirt's figures are the device's, whichever end of it is the guest's. */
static bool agrees(const struct device_reading *reading, const struct device_counter *device)
{
    const struct decimal received = decimal_from_uint64(device->received);
    const struct decimal sent = decimal_from_uint64(device->sent);
    const struct decimal *told = reading->bytes;

    return reading->present == (1u << DIRECTION_SENT | 1u << DIRECTION_RECEIVED) &&
           ((decimal_compare(told[DIRECTION_SENT], received) == 0 &&
             decimal_compare(told[DIRECTION_RECEIVED], sent) == 0) ||
            (decimal_compare(told[DIRECTION_SENT], sent) == 0 &&
             decimal_compare(told[DIRECTION_RECEIVED], received) == 0));
}

void libvirt_kernel_correct(struct libvirt_host *self, struct machine_sample *sample)
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
         * for another, leaves its final figures to the monitor. */
        reading->present = 0;
        if (!link_read(counter.ifindex, &device) || !device.has_bytes)
            continue;
        link_bytes(&device, reading->bytes);
        reading->present = 1u << DIRECTION_SENT | 1u << DIRECTION_RECEIVED;
    }
}

/* ------------------------------------------------------------------------
 * What is read which way, and why
 * ------------------------------------------------------------------------ */

const char *libvirt_kernel_refusal(struct libvirt_host *self, const struct machine_uuid *uuid)
{
    const char *reason = NULL;

    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find(self, uuid);
    if (known == NULL)
        reason = self->is_local_qemu ? NULL : "not a local QEMU host";
    else if (known->trust == TRUST_NONE)
        reason = "the machine has no adapter";
    for (size_t i = 0; known != NULL && known->trust == TRUST_NONE && i < known->adapters->count;
         i++)
        if (known->devices[i].reason != NULL)
            reason = known->devices[i].reason;
    pthread_mutex_unlock(&self->lock);
    return reason;
}

static const char *reason_of(struct libvirt_host *self, const struct known_domain *known, size_t i)
{
    if (known->trust == TRUST_PROVEN && known->devices[i].is_overruled)
        return "the device is the machine's own; libvirt's figure is of another or missing";
    if (known->trust == TRUST_PROVEN)
        return connection_has_events_locked(self)
                   ? "the kernel's counter was checked against libvirt's"
                   : "libvirt does not answer; the kernel's counter was "
                     "checked against libvirt's before";
    if (known->trust == TRUST_UNPROVEN)
        return "the kernel's counter is not yet checked against libvirt's";
    if (known->devices[i].reason != NULL)
        return known->devices[i].reason;
    return "another adapter of the machine is read through libvirt";
}

static void tell_sources(struct libvirt_host *self, const struct known_domain *known,
                         source_receiver *receive, void *context)
{
    for (size_t i = 0; known->adapters != NULL && i < known->adapters->count; i++) {
        const struct adapter *adapter = &known->adapters->adapters[i];
        struct counter_source source = {
            .machine = strdup(virDomainGetName(known->domain)),
            .device = adapter->device != NULL ? strdup(adapter->device) : NULL,
            .ifindex = incarnation_is_ifindex(known->devices[i].incarnation)
                           ? known->devices[i].incarnation
                           : 0,
            .source = known->trust == TRUST_PROVEN ? "kernel" : "libvirt",
            .reason = reason_of(self, known, i),
            .is_unproven = known->trust == TRUST_UNPROVEN};
        memcpy(source.mac, adapter->mac, MAC_SIZE);
        receive(context, &source);
    }
}

bool libvirt_sources(struct host *host, source_receiver *receive, void *context,
                     struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);

    (void)fault;
    pthread_mutex_lock(&self->lock);
    for (size_t bucket = 0; bucket < KNOWN_BUCKETS; bucket++)
        for (const struct known_domain *known = self->known[bucket]; known; known = known->next)
            tell_sources(self, known, receive, context);
    pthread_mutex_unlock(&self->lock);
    return true;
}
