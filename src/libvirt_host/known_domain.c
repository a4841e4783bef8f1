#include "libvirt_host/known_domain.h"

#include <stdlib.h>
#include <string.h>

static struct known_domain **find_link(struct libvirt_host *self, const struct machine_uuid *uuid)
{
    unsigned hash = 0;
    for (size_t i = 0; i < UUID_SIZE; i++)
        hash = hash * 31 + uuid->bytes[i];
    struct known_domain **link = &self->known[hash % KNOWN_BUCKETS];
    while (*link != NULL && !machine_uuid_equal(&(*link)->uuid, uuid))
        link = &(*link)->next;
    return link;
}

struct known_domain *known_domain_find(struct libvirt_host *self, const struct machine_uuid *uuid)
{
    return *find_link(self, uuid);
}

void known_domain_free(struct known_domain *known)
{
    virDomainFree(known->domain);
    adapter_list_release(known->adapters);
    baseline_free(known->baseline);
    free(known->before);
    free(known);
}

void known_domain_forget(struct libvirt_host *self, const struct machine_uuid *uuid)
{
    struct known_domain **link = find_link(self, uuid);
    struct known_domain *known = *link;
    if (known == NULL)
        return;
    *link = known->next;
    self->devices_in_dump = 0; /* positions may have changed */
    known_domain_free(known);
}

void known_domain_keep(struct libvirt_host *self, struct known_domain *known)
{
    known_domain_forget(self, &known->uuid);
    *find_link(self, &known->uuid) = known;
    self->devices_in_dump = 0;
}

bool known_domain_equal(const struct known_domain *a, const struct known_domain *b)
{
    if (a->domain_id != b->domain_id || (a->adapters == NULL) != (b->adapters == NULL) ||
        virDomainGetConnect(a->domain) != virDomainGetConnect(b->domain))
        return false;
    if (a->adapters == NULL)
        return true;
    if (a->adapters->count != b->adapters->count)
        return false;
    for (size_t i = 0; i < a->adapters->count; i++)
        if (a->devices[i].incarnation != b->devices[i].incarnation ||
            (a->devices[i].reason == NULL) != (b->devices[i].reason == NULL) ||
            memcmp(a->adapters->adapters[i].mac, b->adapters->adapters[i].mac, MAC_SIZE) != 0)
            return false;
    return true;
}

void libvirt_forget_definition(struct libvirt_host *self, const struct machine_uuid *uuid)
{
    pthread_mutex_lock(&self->lock);
    self->definition_changes++;
    known_domain_forget(self, uuid);
    pthread_mutex_unlock(&self->lock);
}

void libvirt_forget_definitions(struct libvirt_host *self)
{
    pthread_mutex_lock(&self->lock);
    self->definition_changes++;
    for (size_t i = 0; i < KNOWN_BUCKETS; i++)
        while (self->known[i] != NULL)
            known_domain_forget(self, &self->known[i]->uuid);
    pthread_mutex_unlock(&self->lock);
}

/* ------------------------------------------------------------------------
 * Devices
 * ------------------------------------------------------------------------ */

static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

static uint64_t incarnation_of_name(const struct adapter *adapter)
{
    const char *name = adapter->device != NULL  ? adapter->device
                       : adapter->alias != NULL ? adapter->alias
                                                : "";
    return hash_text(name) | INCARNATION_OF_NAME;
}

/* The interface types whose counters libvirt's QEMU driver itself takes from
 * the host's network device. */
static bool has_host_device(const char *type)
{
    static const char *const types[] = {"bridge", "network", "ethernet", "direct"};
    for (size_t i = 0; type != NULL && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

/* A device made anew on this host has another ifindex. Where the device is
 * not to be seen (a remote host, another network namespace, no device at all)
 * its name must do: libvirt does not use a number of vnetN twice while its
 * daemon runs. A device of that name that is not the adapter's, as one in
 * another network namespace may be, is not taken for it; an administrator's own
 * device has whatever address it was given. */
static void look_at_device(const struct libvirt_host *self, const struct adapter *adapter,
                           struct known_device *known)
{
    struct link device;

    known->incarnation = incarnation_of_name(adapter);
    if (!self->is_local_qemu)
        known->reason = "not a local QEMU host";
    else if (adapter->device == NULL)
        known->reason = "the adapter has no network device on the host";
    else if (!self->shares_network)
        known->reason = "the daemon's socket is not one of this network namespace";
    else if (!link_find(adapter->device, &device))
        known->reason = "the device is not in this network namespace";
    else if (!adapter->is_unmanaged && !link_serves(&device, adapter->mac))
        known->reason = "the device of that name has another address than the adapter's";
    else
        known->incarnation = device.ifindex;

    if (known->reason != NULL)
        return;
    known->is_guest_end = device.is_guest_end;
    if (self->counters == COUNTERS_HYPERVISOR)
        known->reason = "option counters = 'hypervisor'";
    else if (self->kernel == NULL)
        known->reason = "the kernel gives no netlink socket";
    else if (!has_host_device(adapter->type))
        known->reason = "not a type whose counters are those of a network device";
    else if (adapter->is_unmanaged)
        known->reason = "an unmanaged device outlives its machine's runs";
}

static struct known_domain *allocate(virDomainPtr domain, size_t devices)
{
    struct known_domain *known = calloc(1, sizeof *known + devices * sizeof known->devices[0]);
    if (known == NULL)
        return NULL;
    known->domain = domain;
    virDomainRef(domain);
    return known;
}

struct known_domain *known_domain_new(const struct libvirt_host *self, virDomainPtr domain,
                                      struct machine_sample *sample)
{
    size_t count = sample->adapters->count;
    struct known_domain *known = allocate(domain, count);
    if (known == NULL)
        return NULL;
    known->uuid = sample->uuid;
    known->domain_id = sample->domain_id;
    known->adapters = adapter_list_hold(sample->adapters);
    known->baseline = baseline_copy(sample->baseline);
    known->complaint = sample->complaint;
    known->trust = count > 0 ? TRUST_UNPROVEN : TRUST_NONE;
    for (size_t i = 0; i < count; i++) {
        look_at_device(self, &sample->adapters->adapters[i], &known->devices[i]);
        if (known->devices[i].reason != NULL)
            known->trust = TRUST_NONE;
        sample->readings[i].key.incarnation = known->devices[i].incarnation;
    }
    return known;
}

struct known_domain *known_domain_new_stopped(virDomainPtr domain, const struct machine_uuid *uuid)
{
    struct known_domain *known = allocate(domain, 0);
    if (known == NULL)
        return NULL;
    known->uuid = *uuid;
    known->domain_id = NOT_RUNNING;
    known->trust = TRUST_STOPPED;
    return known;
}
