/*
 * libvirt_kernel: a libvirt host's counters straight from the kernel, where
 * they are proven to be the same.
 *
 * A domain's devices qualify when they are in this network namespace and have
 * the adapters' addresses. They are proven when libvirt's own figures lie
 * between two readings of the kernel's, taken around a call that was made
 * anyway. The proof ends with the device's ifindex, or when libvirt tells of
 * a change.
 */
#include "libvirt_host/known_domain.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_DEVICES = 64, MOST_FAILURES = 3 };

static void fill_bytes(const struct known_device *known, const struct device_counter *device,
                       struct decimal bytes[DIRECTION_COUNT])
{
    bytes[DIRECTION_SENT] =
        decimal_from_uint64(known->is_guest_end ? device->sent : device->received);
    bytes[DIRECTION_RECEIVED] =
        decimal_from_uint64(known->is_guest_end ? device->received : device->sent);
}

/* With the lock held. The kernel's figures of all the domain's devices. */
static bool read_devices(struct libvirt_host *self, const struct known_domain *known,
                         struct device_counter devices[MOST_DEVICES])
{
    size_t count = known->adapters->count;
    if (count > MOST_DEVICES)
        return false;
    for (size_t i = 0; i < count; i++)
        devices[i].ifindex = (unsigned)known->devices[i].incarnation;
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
    struct device_counter devices[MOST_DEVICES];
    bool ok = false;

    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find(self, uuid);
    if (known != NULL && known->trust == TRUST_PROVEN && !self->is_closed) {
        ok = read_devices(self, known, devices) && start_sample(known, sample);
        for (size_t i = 0; ok && i < known->adapters->count; i++)
            fill_reading(known, i, &devices[i], &sample->readings[i]);
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
    /* Many to ask libvirt for cost no less than all. */
    bool ok = census.proven > 0 && census.unproven == 0 && census.others * 8 <= census.proven &&
              prepare_dump(self, census.devices);
    *others = ok ? calloc(census.others + 1, sizeof **others) : NULL;
    ok = ok && *others != NULL &&
         link_stats_read_all(self->kernel, self->dump, self->devices_in_dump);
    bool is_told_of_starts = ok && libvirt_has_events(self);
    for (size_t bucket = 0; ok && bucket < KNOWN_BUCKETS; bucket++) {
        for (const struct known_domain *known = self->known[bucket]; known; known = known->next) {
            if (known->trust == TRUST_PROVEN) {
                tell_from_dump(self, known, receive, context);
            } else if (known->trust == TRUST_STOPPED && is_told_of_starts) {
                tell_stopped(known, receive, context);
            } else if (known->trust == TRUST_NONE) {
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
    struct device_counter devices[MOST_DEVICES];

    if (known->trust != TRUST_UNPROVEN)
        return;
    size_t size = known->adapters->count * sizeof devices[0];
    bool ok = read_devices(self, known, devices);
    if (ok && known->before == NULL)
        known->before = malloc(size);
    if (ok && known->before != NULL)
        memcpy(known->before, devices, size);
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

void libvirt_kernel_finish_proof(struct libvirt_host *self, const struct machine_sample *sample)
{
    struct device_counter devices[MOST_DEVICES];

    pthread_mutex_lock(&self->lock);
    struct known_domain *known = known_domain_find(self, &sample->uuid);
    /* A host that does not tell of changes would be read wrongly after one. */
    bool is_begun = known != NULL && known->trust == TRUST_UNPROVEN && libvirt_has_events(self) &&
                    known->domain_id == sample->domain_id && known->adapters == sample->adapters &&
                    known->before != NULL;
    if (is_begun && read_devices(self, known, devices)) {
        const char *failure = NULL;
        for (size_t i = 0; i < known->adapters->count; i++) {
            if (!lies_between(&known->devices[i], &known->before[i], &devices[i],
                              &sample->readings[i])) {
                known->devices[i].reason = "the kernel's counter is not the one that libvirt reads";
                failure = known->devices[i].reason;
            }
        }
        free(known->before);
        known->before = NULL;
        /* Another thread's reading may have come between: once is no proof. */
        if (failure == NULL)
            known->trust = TRUST_PROVEN;
        else if (++known->failures >= MOST_FAILURES)
            known->trust = TRUST_NONE;
        self->devices_in_dump = 0;
        for (size_t i = 0; known->trust != TRUST_NONE && i < known->adapters->count; i++)
            known->devices[i].reason = NULL;
    }
    pthread_mutex_unlock(&self->lock);
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
    if (known->trust == TRUST_PROVEN)
        return libvirt_has_events(self) ? "the kernel's counter was checked against libvirt's"
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
            .reason = reason_of(self, known, i)};
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
