/* The clocks, the machine that a call is about, and whether the call is to fail. */
#include "simulator/state.h"
#include "base/clock.h"

int64_t simulator_unix_time(const struct simulator *self)
{
    int64_t now = self->follows_real_time ? clock_unix() : self->frozen_unix_time;
    return (now + self->clock_offset) / CLOCK_SECOND;
}

int64_t simulator_monotonic_time(const struct simulator *self)
{
    int64_t now = self->follows_real_time ? clock_now() : self->frozen_monotonic_time;
    return now + self->clock_offset;
}

struct simulated_machine *simulator_find_machine(const struct simulator *self,
                                                 const struct machine_uuid *uuid,
                                                 struct fault *fault)
{
    for (struct simulated_machine *machine = self->machines; machine; machine = machine->next)
        if (machine_uuid_equal(&machine->uuid, uuid))
            return machine;
    fault_set(fault, HRESULT_VM_E_VM_UNKNOWN, "the machine cannot be found");
    return NULL;
}

const char *simulator_machine_name(struct simulator *self, const struct machine_uuid *uuid,
                                   struct fault *fault)
{
    const struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    return machine == NULL ? NULL : machine->name;
}

bool simulator_require(bool condition, struct fault *fault, enum hresult code, const char *message)
{
    return condition || fault_set(fault, code, "%s", message);
}

bool simulator_require_running(const struct simulated_machine *machine, struct fault *fault)
{
    return simulator_require(simulated_machine_is_running(machine), fault,
                             HRESULT_VM_E_VM_NOT_RUNNING, "the machine is not running");
}

static bool fails(const char *message, struct fault *fault)
{
    if (message != NULL)
        fault_set(fault, HRESULT_DISP_E_EXCEPTION, "%s", message);
    return message != NULL;
}

bool simulator_call_fails(struct host *host, enum simulator_call call, struct fault *fault)
{
    return fails(simulator_of(host)->failures[call], fault);
}

bool simulated_machine_fails(const struct simulated_machine *machine, enum simulator_call call,
                             struct fault *fault)
{
    return fails(machine->failures[call], fault);
}

struct simulated_machine *simulator_machine_for(struct host *host, enum simulator_call call,
                                                const struct machine_uuid *uuid,
                                                struct fault *fault)
{
    if (simulator_call_fails(host, call, fault))
        return NULL;
    struct simulated_machine *machine = simulator_find_machine(simulator_of(host), uuid, fault);
    return machine == NULL || simulated_machine_fails(machine, call, fault) ? NULL : machine;
}

struct simulated_configuration *simulator_configuration(struct host *host, enum simulator_call call,
                                                        const struct machine_uuid *uuid,
                                                        struct fault *fault)
{
    struct simulated_machine *machine = simulator_machine_for(host, call, uuid, fault);
    return machine == NULL ? NULL : &machine->configuration;
}

const struct host_info *simulator_host_info(struct host *host, struct fault *fault)
{
    return simulator_call_fails(host, SIMULATOR_CALL_host_info, fault)
               ? NULL
               : &simulator_of(host)->host_info;
}
