/*
 * configuration: a simulated machine's definition beside its devices, and its host's
 * description of itself.
 */
#ifndef VMACCOUNTANT_SIMULATOR_CONFIGURATION_H
#define VMACCOUNTANT_SIMULATOR_CONFIGURATION_H

#include "host/host.h"

enum { SIMULATED_MEMORY = 512 }; /* MB of a new machine */

struct simulated_configuration {
    char *notes;     /* NULL for none */
    uint64_t memory; /* MB */
};

/* The host's description at first. */
extern const struct host_info simulated_host_info;

bool simulator_host_info_part(struct host *host, enum host_part part, struct host_info *info,
                              struct fault *fault);
bool simulator_rename(struct host *host, const struct machine_uuid *uuid, const char *name,
                      struct fault *fault);
bool simulator_set_notes(struct host *host, const struct machine_uuid *uuid, const char *notes,
                         struct fault *fault);
bool simulator_set_memory(struct host *host, const struct machine_uuid *uuid, uint64_t megabytes,
                          struct fault *fault);
bool simulator_notes(struct host *host, const struct machine_uuid *uuid, char **notes,
                     struct fault *fault);
bool simulator_memory(struct host *host, const struct machine_uuid *uuid, uint64_t *megabytes,
                      struct fault *fault);
bool simulator_saved_state_path(struct host *host, const struct machine_uuid *uuid, char **path,
                                struct fault *fault);

#endif
