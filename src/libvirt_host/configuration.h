/*
 * configuration: a machine's name, notes and memory, and the file of its saved
 * state.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_CONFIGURATION_H
#define VMACCOUNTANT_LIBVIRT_HOST_CONFIGURATION_H

#include "host/host.h"

bool libvirt_rename(struct host *host, const struct machine_uuid *uuid, const char *name,
                    struct fault *fault);
bool libvirt_notes(struct host *host, const struct machine_uuid *uuid, char **notes,
                   struct fault *fault);
bool libvirt_set_notes(struct host *host, const struct machine_uuid *uuid, const char *notes,
                       struct fault *fault);
bool libvirt_memory(struct host *host, const struct machine_uuid *uuid, uint64_t *megabytes,
                    struct fault *fault);
bool libvirt_set_memory(struct host *host, const struct machine_uuid *uuid, uint64_t megabytes,
                        struct fault *fault);
bool libvirt_saved_state_path(struct host *host, const struct machine_uuid *uuid, char **path,
                              struct fault *fault);

#endif
