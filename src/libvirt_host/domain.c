#include "libvirt_host/domain.h"

#include "libvirt_host/error.h"

#include <stdlib.h>

virDomainPtr domain_open(struct libvirt_host *self, enum access access,
                         const struct machine_uuid *uuid, struct fault *fault)
{
    virConnectPtr connection = connection_acquire(self, access, fault);
    if (connection == NULL)
        return NULL;
    virDomainPtr domain = virDomainLookupByUUID(connection, uuid->bytes);
    if (domain == NULL)
        libvirt_error_fault(fault, "the machine cannot be found", HRESULT_DISP_E_EXCEPTION);
    virConnectClose(connection); /* the domain holds it */
    return domain;
}

struct machine_uuid domain_get_uuid(virDomainPtr domain)
{
    struct machine_uuid uuid;
    virDomainGetUUID(domain, uuid.bytes);
    return uuid;
}

int64_t domain_get_id(virDomainPtr domain)
{
    unsigned id = virDomainGetID(domain);
    return id == (unsigned)-1 ? NOT_RUNNING : (int64_t)id;
}

/* libvirt's states in Virtual Server's terms. QEMU runs on, and its counters
 * with it, in all that are not TurnedOff or Saved. */
static enum machine_state state_of(virDomainPtr domain, int state, int reason)
{
    switch (state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
        return MACHINE_Running;
    case VIR_DOMAIN_PAUSED:
        return reason == VIR_DOMAIN_PAUSED_STARTING_UP ? MACHINE_TurningOn
               : reason == VIR_DOMAIN_PAUSED_SAVE      ? MACHINE_Saving
                                                       : MACHINE_Paused;
    case VIR_DOMAIN_PMSUSPENDED:
        return MACHINE_Paused;
    case VIR_DOMAIN_SHUTDOWN:
        return MACHINE_TurningOff;
    case VIR_DOMAIN_CRASHED: /* kept for inspection under on_crash=preserve */
        if (virDomainIsActive(domain) == 1)
            return MACHINE_Paused;
        return MACHINE_TurnedOff;
    case VIR_DOMAIN_SHUTOFF:
        return virDomainHasManagedSaveImage(domain, 0) == 1 ? MACHINE_Saved : MACHINE_TurnedOff;
    default:
        return MACHINE_Invalid;
    }
}

bool domain_read_state(virDomainPtr domain, enum machine_state *state, struct fault *fault)
{
    int number, reason;
    if (virDomainGetState(domain, &number, &reason, 0) < 0)
        return libvirt_error_fault(fault, "the machine's state cannot be read",
                                   HRESULT_DISP_E_EXCEPTION);
    *state = state_of(domain, number, reason);
    return true;
}

char *domain_read_xml(virDomainPtr domain, struct fault *fault)
{
    char *xml = virDomainGetXMLDesc(domain, 0);
    if (xml == NULL)
        libvirt_error_fault(fault, "the machine's definition cannot be read",
                            HRESULT_DISP_E_EXCEPTION);
    return xml;
}

bool domain_read_definition(virDomainPtr domain, struct domain_definition *definition,
                            struct fault *fault)
{
    char *xml = domain_read_xml(domain, fault);
    if (xml == NULL)
        return false;
    bool ok = domain_xml_parse(xml, definition, fault);
    free(xml);
    return ok;
}

bool domain_list_read(virConnectPtr connection, unsigned flags, struct domain_list *list,
                      struct fault *fault)
{
    *list = (struct domain_list){0};
    int count = virConnectListAllDomains(connection, &list->domains, flags);
    if (count < 0)
        return libvirt_error_fault(fault, "the machines cannot be listed",
                                   HRESULT_DISP_E_EXCEPTION);
    list->count = (size_t)count;
    return true;
}

void domain_list_release(struct domain_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        virDomainFree(list->domains[i]);
    free(list->domains);
    *list = (struct domain_list){0};
}
