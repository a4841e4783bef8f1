/* The machines' network adapters, and the devices that count for them. */
#include "simulator/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_adapter(struct simulated_adapter *adapter)
{
    free(adapter->type);
    free(adapter->source);
    free(adapter);
}

static void make_device(struct simulator *self, struct simulated_adapter *adapter)
{
    adapter->incarnation = ++self->device_serial;
    snprintf(adapter->device, sizeof adapter->device, "vnet%u", (unsigned)adapter->incarnation - 1);
    memset(adapter->bytes, 0, sizeof adapter->bytes);
}

static void remove_device(struct simulator *self, const struct simulated_adapter *adapter)
{
    if (adapter->counted)
        NOTIFY(self, device_gone, adapter->incarnation, adapter->bytes);
}

static struct simulated_adapter *find_adapter(const struct simulator *self, simulator_adapter_id id,
                                              struct simulated_machine **owner, struct fault *fault)
{
    for (struct simulated_machine *machine = self->machines; machine; machine = machine->next) {
        for (struct simulated_adapter *adapter = machine->adapters; adapter;
             adapter = adapter->next) {
            if (adapter->id == id) {
                *owner = machine;
                return adapter;
            }
        }
    }
    fault_set(fault, HRESULT_VM_E_ADAPTER_NOT_FOUND, "the adapter has been unplugged");
    return NULL;
}

bool simulator_plug(struct simulator *self, const struct machine_uuid *uuid,
                    const struct simulator_adapter_plan *plan, simulator_adapter_id *id,
                    struct fault *fault)
{
    struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    if (machine == NULL)
        return false;
    struct simulated_adapter *adapter = calloc(1, sizeof *adapter);
    if (adapter == NULL)
        return fault_out_of_memory(fault);
    adapter->type = strdup(plan->type != NULL ? plan->type : "bridge");
    adapter->source = strdup(plan->source != NULL ? plan->source : "br0");
    if (adapter->type == NULL || adapter->source == NULL) {
        free_adapter(adapter);
        return fault_out_of_memory(fault);
    }
    adapter->id = ++self->adapter_serial;
    if (plan->mac != NULL) {
        memcpy(adapter->mac, plan->mac, MAC_SIZE);
    } else {
        /* QEMU's range of addresses. */
        const uint8_t mac[MAC_SIZE] = {0x52,
                                       0x54,
                                       0x00,
                                       (uint8_t)(adapter->id >> 16),
                                       (uint8_t)(adapter->id >> 8),
                                       (uint8_t)adapter->id};
        memcpy(adapter->mac, mac, MAC_SIZE);
    }
    adapter->counted = plan->counted;
    make_device(self, adapter);

    struct simulated_adapter **link = &machine->adapters;
    while (*link != NULL)
        link = &(*link)->next;
    *link = adapter;
    *id = adapter->id;
    if (simulated_machine_is_running(machine))
        NOTIFY(self, adapters_changed, &machine->uuid);
    return true;
}

bool simulator_unplug(struct simulator *self, simulator_adapter_id id, struct fault *fault)
{
    struct simulated_machine *machine;
    struct simulated_adapter *adapter = find_adapter(self, id, &machine, fault);
    if (adapter == NULL)
        return false;
    struct simulated_adapter **link = &machine->adapters;
    while (*link != adapter)
        link = &(*link)->next;
    *link = adapter->next;
    if (simulated_machine_is_running(machine))
        remove_device(self, adapter);
    free_adapter(adapter);
    if (simulated_machine_is_running(machine))
        NOTIFY(self, adapters_changed, &machine->uuid);
    return true;
}

bool simulator_transfer(struct simulator *self, simulator_adapter_id id, enum direction direction,
                        struct decimal bytes, struct fault *fault)
{
    struct simulated_machine *machine;
    struct simulated_adapter *adapter = find_adapter(self, id, &machine, fault);
    if (adapter == NULL || !simulator_require_running(machine, fault))
        return false;
    return simulator_require(
        decimal_add(adapter->bytes[direction], bytes, &adapter->bytes[direction]), fault,
        HRESULT_DISP_E_OVERFLOW, "the adapter's count would be above 2^96-1");
}

bool simulator_set_counter(struct simulator *self, simulator_adapter_id id,
                           enum direction direction, struct decimal bytes, struct fault *fault)
{
    struct simulated_machine *machine;
    struct simulated_adapter *adapter = find_adapter(self, id, &machine, fault);
    if (adapter == NULL || !simulator_require_running(machine, fault))
        return false;
    adapter->bytes[direction] = bytes;
    return true;
}

bool simulator_adapter_mac(struct simulator *self, simulator_adapter_id id, uint8_t mac[MAC_SIZE],
                           struct fault *fault)
{
    struct simulated_machine *machine;
    const struct simulated_adapter *adapter = find_adapter(self, id, &machine, fault);
    if (adapter == NULL)
        return false;
    memcpy(mac, adapter->mac, MAC_SIZE);
    return true;
}

void simulated_adapters_start(struct simulator *self, struct simulated_machine *machine)
{
    for (struct simulated_adapter *adapter = machine->adapters; adapter; adapter = adapter->next)
        make_device(self, adapter);
}

void simulated_adapters_stop(struct simulator *self, const struct simulated_machine *machine)
{
    for (const struct simulated_adapter *adapter = machine->adapters; adapter;
         adapter = adapter->next)
        remove_device(self, adapter);
}

void simulated_adapters_free(struct simulated_machine *machine)
{
    for (struct simulated_adapter *adapter = machine->adapters, *next; adapter; adapter = next) {
        next = adapter->next;
        free_adapter(adapter);
    }
    machine->adapters = NULL;
}
