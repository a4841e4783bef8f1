#include "libvirt_host/baseline_store.h"

#include "libvirt_host/baseline_run.h"
#include "libvirt_host/baseline_xml.h"
#include "libvirt_host/domain.h"
#include "libvirt_host/error.h"

#include <stdlib.h>

bool libvirt_write_baseline(struct host *host, const struct machine_uuid *uuid,
                            const struct baseline *baseline, struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);
    virDomainPtr domain = domain_open(self, READ_WRITE, uuid, fault);
    if (domain == NULL)
        return false;
    struct baseline *named = baseline_copy(baseline);
    bool ok = named != NULL || fault_out_of_memory(fault);
    ok = ok && (baseline_run_name(self, domain, named) ||
                fault_set(fault, HRESULT_S_FALSE, "the machine has been started since"));
    char *element = ok ? baseline_xml_write(named) : NULL;
    ok = ok && (element != NULL || fault_out_of_memory(fault));
    /* Into the live definition only: what it says is of this run. */
    if (ok && virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, element, BASELINE_PREFIX,
                                   BASELINE_NAMESPACE, VIR_DOMAIN_AFFECT_LIVE) < 0)
        ok =
            libvirt_error_fault(fault, "the machine's baseline cannot be written", HRESULT_S_FALSE);
    virDomainFree(domain);
    baseline_free(named);
    free(element);
    return ok;
}

bool libvirt_prepare_writing(struct host *host, struct fault *fault)
{
    virConnectPtr connection = connection_acquire(libvirt_host(host), READ_WRITE, fault);
    if (connection == NULL)
        return false;
    virConnectClose(connection);
    return true;
}
