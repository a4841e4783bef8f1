#include "libvirt_host/adapter_device.h"

#include "host/sample.h"
#include "kernel/link.h"

#include <string.h>

static uint64_t unseen_incarnation(const struct adapter *adapter)
{
    const char *name = adapter->device != NULL  ? adapter->device
                       : adapter->alias != NULL ? adapter->alias
                                                : "";
    return incarnation_of_name(name);
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
 * has the adapter's address, or the one first seen in this run. */
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
 * this run's since it was first seen, be a tap, and have the adapter's address. */
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
    const struct link named = is_there ? *device : (struct link){0};
    if (find_renamed(search, device))
        return true;
    /* While an adapter is unplugged QEMU lets go of its tap some moments before
     * it is deleted. One that QEMU still holds, but that was deleted, may be
     * imitated. */
    if (!is_of_kind || !is_first || search->taps->has_deleted || !can_serve(adapter, &named))
        return false;
    *device = named;
    return true;
}

void adapter_device_find(const struct libvirt_host *self, const struct adapter *adapter,
                         const struct process_taps *taps, struct adapter_device *found)
{
    const struct search search = {.adapter = adapter, .taps = taps, .first = found->first};
    struct link device;

    found->incarnation = unseen_incarnation(adapter);
    if (!self->is_local_qemu)
        found->reason = "not a local QEMU host";
    else if (adapter->device == NULL)
        found->reason = "the adapter has no network device on the host";
    else if (!has_host_device(adapter->type))
        found->reason = "not a type whose counters are those of a network device";
    else if (!libvirt_shares_network(self))
        found->reason = "the daemon's socket is not one of this network namespace";
    else if (!find_device(&search, &device, &found->problem))
        found->reason =
            found->problem == problem_gone     ? "the device is not in this network namespace"
            : found->problem == problem_unsure ? OTHER_ADDRESS
                                               : "another device has the name of the machine's";
    if (found->reason != NULL)
        return;
    found->problem = NULL;
    found->incarnation = device.ifindex;
    found->first = device.ifindex;
    found->is_guest_end = device.is_guest_end;
    if (self->counters == COUNTERS_HYPERVISOR)
        found->reason = "option counters = 'hypervisor'";
    else if (self->kernel == NULL)
        found->reason = "the kernel gives no netlink socket";
    else if (adapter->is_unmanaged)
        found->reason = "an unmanaged device outlives its machine's runs";
    else if (!link_serves(&device, adapter->mac))
        found->reason = OTHER_ADDRESS;
}

bool adapter_devices_are_here(const struct libvirt_host *self, const struct adapter_list *adapters)
{
    for (size_t i = 0; self->is_local_qemu && libvirt_shares_network(self) && i < adapters->count;
         i++)
        if (adapters->adapters[i].device != NULL && has_host_device(adapters->adapters[i].type))
            return true;
    return false;
}
