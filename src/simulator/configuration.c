#include "simulator/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct host_info simulated_host_info = {
    .logical_processors = 1,
    .physical_processors = 1,
    .megahertz = 2600,
    .manufacturer = "Simulated",
    .model = "simulated-v1",
    .features = "mmx sse sse2",
    .memory = UINT64_C(16384) * 1024,
    .available_memory = UINT64_C(8192) * 1024,
    .system = "Simulated Linux 1.0",
    .release = "6.1.0-simulated",
    .major = 6,
    .minor = 1,
};

bool simulator_host_info_part(struct host *host, enum host_part part, struct host_info *info,
                              struct fault *fault)
{
    (void)part;
    const struct host_info *kept = simulator_host_info(host, fault);
    if (kept == NULL)
        return false;
    *info = *kept;
    info->features = strdup(kept->features);
    info->unix_time = host_unix_time(host);
    return info->features != NULL || fault_out_of_memory(fault);
}

bool simulator_rename(struct host *host, const struct machine_uuid *uuid, const char *name,
                      struct fault *fault)
{
    return simulator_configuration(host, SIMULATOR_CALL_change, uuid, fault) != NULL &&
           simulator_rename_machine(simulator_of(host), uuid, name, fault);
}

bool simulator_set_notes(struct host *host, const struct machine_uuid *uuid, const char *notes,
                         struct fault *fault)
{
    struct simulated_configuration *configuration =
        simulator_configuration(host, SIMULATOR_CALL_change, uuid, fault);
    if (configuration == NULL)
        return false;
    char *copy = strdup(notes);
    if (copy == NULL)
        return fault_out_of_memory(fault);
    free(configuration->notes);
    configuration->notes = copy;
    return true;
}

bool simulator_set_memory(struct host *host, const struct machine_uuid *uuid, uint64_t megabytes,
                          struct fault *fault)
{
    struct simulated_configuration *configuration =
        simulator_configuration(host, SIMULATOR_CALL_change, uuid, fault);
    if (configuration != NULL)
        configuration->memory = megabytes;
    return configuration != NULL;
}

bool simulator_notes(struct host *host, const struct machine_uuid *uuid, char **notes,
                     struct fault *fault)
{
    const struct simulated_configuration *configuration =
        simulator_configuration(host, SIMULATOR_CALL_configuration, uuid, fault);
    if (configuration == NULL)
        return false;
    *notes = strdup(configuration->notes != NULL ? configuration->notes : "");
    return *notes != NULL || fault_out_of_memory(fault);
}

bool simulator_memory(struct host *host, const struct machine_uuid *uuid, uint64_t *megabytes,
                      struct fault *fault)
{
    const struct simulated_configuration *configuration =
        simulator_configuration(host, SIMULATOR_CALL_configuration, uuid, fault);
    if (configuration != NULL)
        *megabytes = configuration->memory;
    return configuration != NULL;
}

bool simulator_saved_state_path(struct host *host, const struct machine_uuid *uuid, char **path,
                                struct fault *fault)
{
    enum machine_state state;

    if (simulator_configuration(host, SIMULATOR_CALL_configuration, uuid, fault) == NULL ||
        !host_state(host, uuid, &state, fault))
        return false;
    if (state != MACHINE_Saved)
        return fault_set(fault, HRESULT_VM_E_VM_NO_SAVED_STATE, "the machine has no saved state");
    const char *name = simulator_machine_name(simulator_of(host), uuid, fault);
    return name != NULL && (asprintf(path, "/var/lib/simulator/save/%s.save", name) >= 0 ||
                            fault_out_of_memory(fault));
}
