/* The machines' life cycles: their creation and their end, how they start and stop,
 * and the events of that. */
#include "simulator/state.h"

#include <stdlib.h>
#include <string.h>

void simulated_machine_free(struct simulated_machine *machine)
{
    simulated_adapters_free(machine);
    simulated_disks_free(machine);
    baseline_free(machine->baseline);
    for (size_t i = 0; i < SIMULATOR_CALL_COUNT; i++)
        free(machine->failures[i]);
    free(machine->task);
    free(machine->configuration.notes);
    free(machine->name);
    free(machine);
}

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
    NOTIFY(self, named, uuid, copy);
    return true;
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
    simulated_adapters_start(self, machine);
    NOTIFY(self, named, &machine->uuid, machine->name);
    NOTIFY(self, started, &machine->uuid, is_restored);
}

void simulated_machine_end_task(struct simulated_machine *machine, bool ok,
                                const struct fault *fault)
{
    struct simulated_task *task = machine->task;

    if (task == NULL)
        return;
    machine->task = NULL;
    if (task->ended != NULL)
        task->ended(task->context, ok, fault);
    free(task);
}

/* The devices go first, as on a real host. */
static void stop(struct simulator *self, struct simulated_machine *machine,
                 enum machine_state state, enum stop_reason reason)
{
    simulated_adapters_stop(self, machine);
    machine->state = state;
    machine->domain_id = NOT_RUNNING;
    machine->stop_reason = reason;
    if (state != MACHINE_Saved) {
        baseline_free(machine->baseline);
        machine->baseline = NULL;
    }
    NOTIFY(self, stopped, &machine->uuid, reason);
    if (machine->task != NULL && machine->task->change == CHANGE_SAVE) {
        struct fault fault;
        simulator_require_running(machine, &fault);
        simulated_machine_end_task(machine, false, &fault);
    }
}

/* A real host reports one reset twice, when the firmware restarts the machine once
 * more. The devices and their counts stay. */
static void reset(struct simulator *self, const struct simulated_machine *machine)
{
    NOTIFY(self, reset, &machine->uuid);
    NOTIFY(self, reset, &machine->uuid);
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
        NOTIFY(self, paused, uuid, MACHINE_Paused);
        break;
    case CHANGE_RESUME:
        machine->state = MACHINE_Running;
        NOTIFY(self, resumed, uuid);
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
    simulated_machine_end_task(machine, false, &gone);
    simulated_machine_free(machine);
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

/* As libvirt does it: the run ends, and the snapshot's memory is loaded by a new
 * hypervisor process. */
bool simulator_revert_machine(struct simulator *self, const struct machine_uuid *uuid,
                              bool to_running, struct fault *fault)
{
    struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    if (machine == NULL)
        return false;
    if (simulated_machine_is_running(machine))
        stop(self, machine, MACHINE_TurnedOff, STOP_REVERTED);
    machine->state = MACHINE_TurnedOff; /* a saved state does not fit the snapshot */
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
