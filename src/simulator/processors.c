/* The machines' and the host's processors: their number, use and scheduling. */
#include "simulator/state.h"

void simulator_set_processors(struct simulator *self, unsigned processors)
{
    self->host_info.logical_processors = processors;
}

bool simulator_set_machine_processors(struct simulator *self, const struct machine_uuid *uuid,
                                      unsigned processors, struct fault *fault)
{
    struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    if (machine == NULL)
        return false;
    machine->processors = processors;
    return true;
}

bool simulator_use_processor(struct simulator *self, const struct machine_uuid *uuid,
                             uint64_t nanoseconds, struct fault *fault)
{
    struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    if (machine == NULL || !simulator_require_running(machine, fault))
        return false;
    machine->processor_time += nanoseconds;
    return true;
}

bool simulated_processor_times(struct host *host, processor_time_receiver *receive, void *context,
                               struct fault *fault)
{
    if (simulator_call_fails(host, SIMULATOR_CALL_processor_times, fault))
        return false;
    for (const struct simulated_machine *machine = simulator_of(host)->machines; machine;
         machine = machine->next) {
        const struct processor_time time = {
            .uuid = machine->uuid,
            .domain_id = machine->domain_id,
            .at = host_monotonic_time(host),
            .begun_at = machine->begun_at,
            .used = machine->processor_time,
            .processors = machine->processors,
        };
        struct fault unread; /* the machine alone is left out */
        if (simulated_machine_is_running(machine) &&
            !simulated_machine_fails(machine, SIMULATOR_CALL_processor_times, &unread))
            receive(context, &time);
    }
    return true;
}

bool simulated_scheduling(struct host *host, const struct machine_uuid *uuid,
                          struct scheduling *scheduling, struct fault *fault)
{
    const struct simulated_machine *machine =
        simulator_machine_for(host, SIMULATOR_CALL_scheduling, uuid, fault);
    if (machine == NULL)
        return false;
    *scheduling = machine->scheduling;
    scheduling->processors = machine->processors;
    scheduling->host_processors = simulator_of(host)->host_info.logical_processors;
    scheduling->can_limit = true;
    double allowable = scheduling_allowable_maximum(scheduling);
    if (scheduling->maximum > allowable)
        scheduling->maximum = allowable;
    return true;
}

bool simulated_set_scheduling(struct host *host, const struct machine_uuid *uuid,
                              const struct scheduling *scheduling, struct fault *fault)
{
    struct simulated_machine *machine =
        simulator_machine_for(host, SIMULATOR_CALL_set_scheduling, uuid, fault);
    if (machine == NULL)
        return false;
    machine->scheduling = *scheduling;
    if (scheduling->maximum >= scheduling_allowable_maximum(scheduling))
        machine->scheduling.maximum = 100; /* no limit, however many processors it gets */
    return true;
}
