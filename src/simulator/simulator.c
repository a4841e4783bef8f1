/* The simulator itself: its creation and its end, its host's description, and the calls
 * that are to fail. */
#include "base/clock.h"
#include "simulator/state.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const struct host_info *simulator_configured_host_info(const struct simulator *self)
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
    /* A whole second, so that a part of one adds the same number of seconds in each run. */
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

void simulator_release(struct simulator *self)
{
    if (self == NULL || --self->references > 0)
        return;
    for (struct simulated_machine *machine = self->machines, *next; machine; machine = next) {
        next = machine->next;
        simulated_machine_free(machine);
    }
    for (size_t i = 0; i < SIMULATOR_CALL_COUNT; i++)
        free(self->failures[i]);
    host_info_clear(&self->host_info);
    free(self);
}

void simulator_set_events(struct simulator *self, bool enabled)
{
    self->is_silent = !enabled;
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
