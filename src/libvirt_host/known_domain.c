#include "libvirt_host/known_domain.h"

#include "libvirt_host/process_taps.h"

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

uint64_t known_domain_changes(struct libvirt_host *self)
{
    pthread_mutex_lock(&self->lock);
    uint64_t changes = self->definition_changes;
    pthread_mutex_unlock(&self->lock);
    return changes;
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

bool adapter_is_counted(const struct libvirt_host *self, const struct adapter *adapter)
{
    const char *type = adapter->type;
    return self->is_test_driver || type == NULL || has_host_device(type) ||
           strcmp(type, "vhostuser") == 0 || strcmp(type, "hostdev") == 0;
}

#define OTHER_ADDRESS "the device of that name has another address than the adapter's"

static const char problem_gone[] =
    "its network device is not in this network namespace under that name: it was renamed, moved "
    "or deleted; give it back its name and its namespace";
static const char problem_other[] =
    "another network device has the name of the machine's own, which was renamed, moved or "
    "deleted; give it back its name";
static const char problem_unsure[] =
    "the network device of that name has another address than the adapter's, so it cannot be "
    "shown to be the machine's; read as root or as the user of the machine's QEMU process";

/* What helps to find an adapter's device. */
struct search {
    const struct adapter *adapter;
    const struct process_taps *taps;
    unsigned first;
};

/* An administrator's own device has whatever address it was given. */
static bool can_serve(const struct adapter *adapter, const struct link *device)
{
    return (device->is_tap || device->is_guest_end) &&
           (adapter->is_unmanaged || link_serves(device, adapter->mac));
}

/* The machine's own device under another name: the one that QEMU holds and that
 * has the adapter's address, or the one that was seen first in this run. */
static bool find_renamed(const struct search *search, struct link *device)
{
    size_t found = 0;
    struct link one;

    for (size_t i = 0; i < search->taps->count; i++) {
        if (!link_find(search->taps->names[i], &one) || !one.is_tap ||
            !link_serves(&one, search->adapter->mac) ||
            (found > 0 && one.ifindex == device->ifindex))
            continue;
        *device = one;
        found++;
    }
    if (found == 1)
        return true;
    return found == 0 && search->first != 0 && link_read(search->first, device) &&
           can_serve(search->adapter, device) && (!device->is_tap || !search->taps->is_known);
}

/* The adapter's device on this host; false with the problem. What QEMU holds is
 * its own. Where that cannot be seen, the device of that name must have been
 * this run's from the first look on, be a tap, and have the adapter's address. */
static bool find_device(const struct search *search, struct link *device, const char **problem)
{
    const struct adapter *adapter = search->adapter;
    bool is_there = link_find(adapter->device, device);
    bool is_of_kind = is_there && (device->is_tap || device->is_guest_end);
    bool is_first = search->first == 0 || (is_there && search->first == device->ifindex);

    if (is_of_kind && device->is_tap && search->taps->is_known) {
        if (process_taps_have(search->taps, adapter->device))
            return true;
    } else if (is_of_kind && is_first && can_serve(adapter, device)) {
        return true;
    }
    *problem = !is_there                                           ? problem_gone
               : is_of_kind && is_first && !search->taps->is_known ? problem_unsure
                                                                   : problem_other;
    return find_renamed(search, device);
}

/* A device that was made again on this host has another ifindex. Where the device is
 * not to be seen (a remote host, another network namespace, no device at all)
 * its name must do: libvirt does not use a number of vnetN twice while its
 * daemon runs. */
static void look_at_device(const struct libvirt_host *self, const struct adapter *adapter,
                           const struct process_taps *taps, struct known_device *known)
{
    const struct search search = {.adapter = adapter, .taps = taps, .first = known->first};
    struct link device;

    known->incarnation = incarnation_of_name(adapter);
    if (!self->is_local_qemu)
        known->reason = "not a local QEMU host";
    else if (adapter->device == NULL)
        known->reason = "the adapter has no network device on the host";
    else if (!has_host_device(adapter->type))
        known->reason = "not a type whose counters are those of a network device";
    else if (!self->shares_network)
        known->reason = "the daemon's socket is not one of this network namespace";
    else if (!find_device(&search, &device, &known->problem))
        known->reason =
            known->problem == problem_gone     ? "the device is not in this network namespace"
            : known->problem == problem_unsure ? OTHER_ADDRESS
                                               : "another device has the name of the machine's";
    if (known->reason != NULL)
        return;
    known->problem = NULL;
    known->incarnation = device.ifindex;
    known->first = device.ifindex;
    known->is_guest_end = device.is_guest_end;
    if (self->counters == COUNTERS_HYPERVISOR)
        known->reason = "option counters = 'hypervisor'";
    else if (self->kernel == NULL)
        known->reason = "the kernel gives no netlink socket";
    else if (adapter->is_unmanaged)
        known->reason = "an unmanaged device outlives its machine's runs";
    else if (!link_serves(&device, adapter->mac))
        known->reason = OTHER_ADDRESS;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* What was seen of the same run's devices before. */
static void recall_devices(struct libvirt_host *self, struct known_domain *known)
{
    pthread_mutex_lock(&self->lock);
    const struct known_domain *before = known_domain_find(self, &known->uuid);
    size_t count =
        before != NULL && before->adapters != NULL && before->domain_id == known->domain_id
            ? before->adapters->count
            : 0;
    for (size_t i = 0; i < known->adapters->count; i++) {
        const struct adapter *adapter = &known->adapters->adapters[i];
        for (size_t k = 0; k < count; k++)
            if (memcmp(before->adapters->adapters[k].mac, adapter->mac, MAC_SIZE) == 0 &&
                same_text(before->adapters->adapters[k].device, adapter->device))
                known->devices[i].first = before->devices[k].first;
    }
    pthread_mutex_unlock(&self->lock);
}

static bool has_devices_here(const struct libvirt_host *self, const struct adapter_list *adapters)
{
    for (size_t i = 0; self->is_local_qemu && self->shares_network && i < adapters->count; i++)
        if (adapters->adapters[i].device != NULL && has_host_device(adapters->adapters[i].type))
            return true;
    return false;
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

struct known_domain *known_domain_new(struct libvirt_host *self, virDomainPtr domain,
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
    recall_devices(self, known);
    struct process_taps taps = {0};
    if (has_devices_here(self, known->adapters))
        process_taps_read(virDomainGetName(domain), &known->uuid, &taps);
    for (size_t i = 0; i < count; i++) {
        look_at_device(self, &sample->adapters->adapters[i], &taps, &known->devices[i]);
        if (known->devices[i].reason != NULL)
            known->trust = TRUST_NONE;
        sample->readings[i].key.incarnation = known->devices[i].incarnation;
        sample->readings[i].problem = known->devices[i].problem;
    }
    process_taps_clear(&taps);
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
