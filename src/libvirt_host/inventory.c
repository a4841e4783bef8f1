#include "libvirt_host/inventory.h"

#include "libvirt_host/domain.h"
#include "libvirt_host/error.h"
#include "libvirt_host/known_domain.h"

#include <stdlib.h>
#include <string.h>

bool libvirt_list(struct host *host, struct machine_list *list, struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);
    struct domain_list found;
    virConnectPtr connection = connection_acquire(self, READ_ONLY, fault);
    if (connection == NULL)
        return false;
    bool ok = domain_list_read(connection, 0, &found, fault);
    virConnectClose(connection);
    if (!ok)
        return false;

    pthread_mutex_lock(&self->lock);
    self->reads_of_listed = 0;
    pthread_mutex_unlock(&self->lock);
    list->entries = calloc(found.count + 1, sizeof *list->entries);
    list->count = 0;
    ok = list->entries != NULL;
    for (size_t i = 0; ok && i < found.count; i++) {
        struct machine_list_entry *entry = &list->entries[list->count];
        entry->uuid = domain_get_uuid(found.domains[i]);
        known_domain_note(self, found.domains[i]);
        entry->name = strdup(virDomainGetName(found.domains[i]));
        ok = entry->name != NULL;
        list->count += ok;
    }
    domain_list_release(&found);
    if (ok)
        return true;
    machine_list_clear(list);
    return fault_out_of_memory(fault);
}

bool libvirt_find(struct host *host, const char *name, struct machine_uuid *uuid, bool *found,
                  struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);
    virConnectPtr connection = connection_acquire(self, READ_ONLY, fault);
    if (connection == NULL)
        return false;
    virDomainPtr domain = virDomainLookupByName(connection, name);
    bool ok =
        domain != NULL || virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ||
        libvirt_error_fault(fault, "the machine cannot be looked up", HRESULT_DISP_E_EXCEPTION);
    *found = domain != NULL;
    virConnectClose(connection);
    if (domain == NULL)
        return ok;
    virDomainGetUUID(domain, uuid->bytes);
    known_domain_note(self, domain);
    virDomainFree(domain);
    return true;
}

/* libvirt renames no machine that runs, and reports the end of a run. False where it
 * is to be asked. */
static bool copy_known_name(struct libvirt_host *self, const struct machine_uuid *uuid, char **name)
{
    bool is_known = false;

    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find_locked(self, uuid);
    if (known != NULL && known->domain_id != NOT_RUNNING && connection_has_events_locked(self)) {
        is_known = true;
        *name = strdup(virDomainGetName(known->domain));
    }
    pthread_mutex_unlock(&self->lock);
    return is_known;
}

bool libvirt_name(struct host *host, const struct machine_uuid *uuid, char **name,
                  struct fault *fault)
{
    if (copy_known_name(libvirt_host(host), uuid, name))
        return *name != NULL || fault_out_of_memory(fault);
    virDomainPtr domain = domain_open(libvirt_host(host), READ_ONLY, uuid, fault);
    if (domain == NULL)
        return false;
    *name = strdup(virDomainGetName(domain));
    virDomainFree(domain);
    return *name != NULL || fault_out_of_memory(fault);
}

bool libvirt_adapters(struct host *host, const struct machine_uuid *uuid,
                      struct adapter_list **adapters, struct fault *fault)
{
    struct domain_definition definition;
    virDomainPtr domain = known_domain_open(libvirt_host(host), uuid, fault);
    if (domain == NULL)
        return false;
    bool ok = domain_read_definition(domain, &definition, fault);
    if (ok) {
        *adapters = adapter_list_hold(definition.adapters);
        domain_definition_clear(&definition);
    }
    virDomainFree(domain);
    return ok;
}

bool libvirt_state(struct host *host, const struct machine_uuid *uuid, enum machine_state *state,
                   struct fault *fault)
{
    virDomainPtr domain = known_domain_open(libvirt_host(host), uuid, fault);
    if (domain == NULL)
        return false;
    bool ok = domain_read_state(domain, state, fault);
    virDomainFree(domain);
    return ok;
}
