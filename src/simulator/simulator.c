#include "base/clock.h"
#include "simulator/state.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
/* Calls the listener's function on each host that has one. */
#define TELL(simulator, event, ...)                                                            \
    for (struct simulated_host *host = (simulator)->keeps_silent ? NULL : (simulator)->hosts;  \
         host != NULL; host = host->next)                                                      \
        if (host->is_listened_to)                                                              \
            host->listener.event(host->listener.context, __VA_ARGS__)
/* clang-format on */

const struct host_info *simulator_told_host_info(const struct simulator *self)
{
    return &self->host_info;
}

bool simulator_set_host_info(struct simulator *self, const struct host_info *info,
                             struct fault *fault)
{
    char *features = strdup(info->features);
    if (features == NULL)
        return fault_out_of_memory(fault);
    host_info_clear(&self->host_info);
    self->host_info = *info;
    self->host_info.features = features;
    return true;
}

struct simulator *simulator_new(bool follows_real_time)
{
    static atomic_uint simulators;
    struct simulator *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->serial = atomic_fetch_add(&simulators, 1) + 1;
    self->references = 1;
    self->next_domain_id = 1;
    self->follows_real_time = follows_real_time;
    /* A whole second, lest it be chance how many seconds a part of one makes. */
    self->frozen_unix_time = clock_unix() / CLOCK_SECOND * CLOCK_SECOND;
    self->frozen_monotonic_time = clock_now();
    self->created_at = simulator_unix_time(self);
    struct fault fault;
    if (!simulator_set_host_info(self, &simulated_host_info, &fault)) {
        free(self);
        return NULL;
    }
    return self;
}

static void free_adapter(struct simulated_adapter *adapter)
{
    free(adapter->type);
    free(adapter->source);
    free(adapter);
}

static void free_machine(struct simulated_machine *machine)
{
    for (struct simulated_adapter *adapter = machine->adapters, *next; adapter; adapter = next) {
        next = adapter->next;
        free_adapter(adapter);
    }
    simulated_disks_free(machine);
    baseline_free(machine->baseline);
    for (size_t i = 0; i < SIMULATOR_CALL_COUNT; i++)
        free(machine->failures[i]);
    free(machine->task);
    free(machine->configuration.notes);
    free(machine->name);
    free(machine);
}

void simulator_release(struct simulator *self)
{
    if (self == NULL || --self->references > 0)
        return;
    for (struct simulated_machine *machine = self->machines, *next; machine; machine = next) {
        next = machine->next;
        free_machine(machine);
    }
    for (size_t i = 0; i < SIMULATOR_CALL_COUNT; i++)
        free(self->failures[i]);
    host_info_clear(&self->host_info);
    free(self);
}

void simulator_set_events(struct simulator *self, bool told)
{
    self->keeps_silent = !told;
}

static bool set_failure(char **failure, const char *message, struct fault *fault)
{
    char *copy = message == NULL ? NULL : strdup(message);
    if (message != NULL && copy == NULL)
        return fault_out_of_memory(fault);
    free(*failure);
    *failure = copy;
    return true;
}

bool simulator_fail(struct simulator *self, enum simulator_call call, const char *message,
                    struct fault *fault)
{
    return set_failure(&self->failures[call], message, fault);
}

bool simulator_fail_machine(struct simulator *self, const struct machine_uuid *uuid,
                            enum simulator_call call, const char *message, struct fault *fault)
{
    struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    return machine != NULL && set_failure(&machine->failures[call], message, fault);
}

/* ------------------------------------------------------------------------
 * Machines
 * ------------------------------------------------------------------------ */

static bool check_name(const struct simulator *self, const char *name, struct fault *fault)
{
    if (name[0] == '\0')
        return fault_set(fault, HRESULT_VM_E_CONFIG_NO_NAME, "a machine needs a name");
    for (const struct simulated_machine *machine = self->machines; machine; machine = machine->next)
        if (strcmp(machine->name, name) == 0)
            return fault_set(fault, HRESULT_VM_E_CONFIG_DUPLICATE_NAME,
                             "there is a machine '%s' already", name);
    return true;
}

bool simulator_add_machine(struct simulator *self, const char *name, struct machine_uuid *uuid,
                           struct fault *fault)
{
    if (!check_name(self, name, fault))
        return false;
    struct simulated_machine *machine = calloc(1, sizeof *machine);
    if (machine == NULL)
        return fault_out_of_memory(fault);
    machine->name = strdup(name);
    if (machine->name == NULL) {
        free(machine);
        return fault_out_of_memory(fault);
    }
    uint32_t serial = ++self->machine_serial;
    machine->uuid.bytes[6] = 0x40; /* the version and variant of a random UUID */
    machine->uuid.bytes[8] = 0x80;
    for (int i = 0; i < 4; i++)
        machine->uuid.bytes[15 - i] = (unsigned char)(serial >> 8 * i);
    machine->state = MACHINE_TurnedOff;
    machine->domain_id = NOT_RUNNING;
    machine->configuration.memory = SIMULATED_MEMORY;
    machine->processors = 1;
    machine->scheduling = (struct scheduling){.maximum = 100, .weight = 100};
    machine->next = self->machines;
    self->machines = machine;
    *uuid = machine->uuid;
    return true;
}

bool simulator_rename_machine(struct simulator *self, const struct machine_uuid *uuid,
                              const char *name, struct fault *fault)
{
    struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    if (machine == NULL || !check_name(self, name, fault))
        return false;
    char *copy = strdup(name);
    if (copy == NULL)
        return fault_out_of_memory(fault);
    free(machine->name);
    machine->name = copy;
    TELL(self, named, uuid, copy);
    return true;
}

static void make_device(struct simulator *self, struct simulated_adapter *adapter)
{
    adapter->incarnation = ++self->device_serial;
    snprintf(adapter->device, sizeof adapter->device, "vnet%u", (unsigned)adapter->incarnation - 1);
    memset(adapter->bytes, 0, sizeof adapter->bytes);
}

static void start(struct simulator *self, struct simulated_machine *machine)
{
    bool is_restored = machine->state == MACHINE_Saved;
    machine->state = MACHINE_Running;
    machine->domain_id = self->next_domain_id++;
    machine->started_at = simulator_unix_time(self);
    machine->begun_at = simulator_monotonic_time(self);
    machine->processor_time = 0;
    simulated_disks_start(machine);
    for (struct simulated_adapter *adapter = machine->adapters; adapter; adapter = adapter->next)
        make_device(self, adapter);
    TELL(self, named, &machine->uuid, machine->name);
    TELL(self, started, &machine->uuid, is_restored);
}

static void remove_device(struct simulator *self, const struct simulated_adapter *adapter)
{
    if (adapter->counted)
        TELL(self, device_gone, adapter->incarnation, adapter->bytes);
}

/* The devices go first, as on a real host. */
static void stop(struct simulator *self, struct simulated_machine *machine,
                 enum machine_state state, enum stop_reason reason)
{
    for (const struct simulated_adapter *adapter = machine->adapters; adapter;
         adapter = adapter->next)
        remove_device(self, adapter);
    machine->state = state;
    machine->domain_id = NOT_RUNNING;
    machine->stop_reason = reason;
    if (state != MACHINE_Saved) {
        baseline_free(machine->baseline);
        machine->baseline = NULL;
    }
    TELL(self, stopped, &machine->uuid, reason);
    if (machine->task != NULL && machine->task->change == CHANGE_SAVE) {
        struct fault fault;
        simulator_require_running(machine, &fault);
        simulated_task_fail(machine, &fault);
    }
}

/* A real host tells of one reset twice, when the firmware restarts the machine
 * once more. The devices and their counts stay. */
static void reset(struct simulator *self, const struct simulated_machine *machine)
{
    TELL(self, reset, &machine->uuid);
    TELL(self, reset, &machine->uuid);
}

bool simulator_check_change(const struct simulated_machine *machine, enum machine_change change,
                            struct fault *fault)
{
    bool is_running = simulated_machine_is_running(machine);

    switch (change) {
    case CHANGE_STARTUP:
        return simulator_require(!is_running, fault, HRESULT_VM_E_VM_RUNNING,
                                 "the machine is running already");
    case CHANGE_DISCARD_SAVED_STATE:
        return simulator_require(!is_running, fault, HRESULT_VM_E_VM_RUNNING,
                                 "the machine is running, so it has no saved state to discard") &&
               simulator_require(machine->state == MACHINE_Saved, fault,
                                 HRESULT_VM_E_VM_NO_SAVED_STATE, "the machine has no saved state");
    case CHANGE_PAUSE:
        return simulator_require_running(machine, fault) &&
               simulator_require(machine->state != MACHINE_Paused, fault, HRESULT_E_FAIL,
                                 "the machine is already paused");
    case CHANGE_RESUME:
        return simulator_require_running(machine, fault) &&
               simulator_require(machine->state == MACHINE_Paused, fault, HRESULT_E_FAIL,
                                 "the machine is not paused");
    case CHANGE_TURN_OFF:
    case CHANGE_SAVE:
    case CHANGE_RESET:
    default:
        return simulator_require_running(machine, fault);
    }
}

bool simulator_change(struct simulator *self, const struct machine_uuid *uuid,
                      enum machine_change change, struct fault *fault)
{
    struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    if (machine == NULL || !simulator_check_change(machine, change, fault))
        return false;

    switch (change) {
    case CHANGE_STARTUP:
        start(self, machine);
        break;
    case CHANGE_DISCARD_SAVED_STATE:
        machine->state = MACHINE_TurnedOff;
        break;
    case CHANGE_TURN_OFF:
        stop(self, machine, MACHINE_TurnedOff, STOP_TURNED_OFF);
        break;
    case CHANGE_SAVE:
        stop(self, machine, MACHINE_Saved, STOP_SAVED);
        break;
    case CHANGE_PAUSE:
        machine->state = MACHINE_Paused;
        TELL(self, paused, uuid, MACHINE_Paused);
        break;
    case CHANGE_RESUME:
        machine->state = MACHINE_Running;
        TELL(self, resumed, uuid);
        break;
    case CHANGE_RESET:
        reset(self, machine);
        break;
    }
    return true;
}

bool simulator_remove_machine(struct simulator *self, const struct machine_uuid *uuid,
                              struct fault *fault)
{
    struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    if (machine == NULL)
        return false;
    if (simulated_machine_is_running(machine))
        stop(self, machine, MACHINE_TurnedOff, STOP_TURNED_OFF);
    struct simulated_machine **link = &self->machines;
    while (*link != machine)
        link = &(*link)->next;
    *link = machine->next;
    struct fault gone;
    simulator_find_machine(self, uuid, &gone);
    simulated_task_fail(machine, &gone);
    free_machine(machine);
    return true;
}

bool simulator_stop_machine(struct simulator *self, const struct machine_uuid *uuid,
                            enum stop_reason reason, struct fault *fault)
{
    struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    if (machine == NULL || !simulator_require_running(machine, fault))
        return false;
    stop(self, machine, MACHINE_TurnedOff, reason);
    return true;
}

/* As libvirt does it: the run that was is over, and the snapshot's memory is
 * that of a new hypervisor process. */
bool simulator_revert_machine(struct simulator *self, const struct machine_uuid *uuid,
                              bool to_running, struct fault *fault)
{
    struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    if (machine == NULL)
        return false;
    if (simulated_machine_is_running(machine))
        stop(self, machine, MACHINE_TurnedOff, STOP_REVERTED);
    machine->state = MACHINE_TurnedOff; /* a saved state is of another past */
    baseline_free(machine->baseline);
    machine->baseline = NULL;
    if (to_running)
        start(self, machine);
    return true;
}

bool simulator_machine_is_running(struct simulator *self, const struct machine_uuid *uuid,
                                  bool *is_running, struct fault *fault)
{
    const struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    if (machine != NULL)
        *is_running = simulated_machine_is_running(machine);
    return machine != NULL;
}

/* ------------------------------------------------------------------------
 * Adapters
 * ------------------------------------------------------------------------ */

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
        TELL(self, adapters_changed, &machine->uuid);
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
        TELL(self, adapters_changed, &machine->uuid);
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
