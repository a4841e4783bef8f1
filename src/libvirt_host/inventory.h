/*
 * inventory: which machines a host has, their names, states and adapters.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_INVENTORY_H
#define VMACCOUNTANT_LIBVIRT_HOST_INVENTORY_H

#include "host/host.h"

bool libvirt_list(struct host *host, struct machine_list *list, struct fault *fault);
bool libvirt_find(struct host *host, const char *name, struct machine_uuid *uuid, bool *found,
                  struct fault *fault);
bool libvirt_name(struct host *host, const struct machine_uuid *uuid, char **name,
                  struct fault *fault);
bool libvirt_adapters(struct host *host, const struct machine_uuid *uuid,
                      struct adapter_list **adapters, struct fault *fault);
bool libvirt_state(struct host *host, const struct machine_uuid *uuid, enum machine_state *state,
                   struct fault *fault);

#endif
