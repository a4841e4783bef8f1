#include "libvirt_host/run.h"

#include "libvirt_host/domain.h"
#include "libvirt_host/known_domain.h"
#include "libvirt_host/process_time.h"
#include "libvirt_host/uri.h"

#include <stdlib.h>
#include <string.h>

/* The name under which the system's daemon keeps the machine's PID file; NULL when
 * it is not known. To be freed by the caller. */
static char *known_name(struct libvirt_host *self, const struct machine_uuid *uuid)
{
    char *name = NULL;

    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find_locked(self, uuid);
    if (known != NULL && !uri_is_session(self->base.uri))
        name = strdup(virDomainGetName(known->domain));
    pthread_mutex_unlock(&self->lock);
    return name;
}

bool libvirt_started_at(struct host *host, const struct machine_uuid *uuid, int64_t domain_id,
                        struct moment *started, struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);

    (void)domain_id;
    if (!self->is_local_qemu)
        return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                         "when the machine started cannot be known: this process did not see it "
                         "start, and libvirt does not report it");
    char *name = known_name(self, uuid);
    bool ok = qemu_process_started_at(uuid, name, started, fault);
    free(name);
    return ok;
}

/* virDomainShutoffReason, kept by the daemon for as long as it runs. */
bool libvirt_stop_reason(struct host *host, const struct machine_uuid *uuid,
                         enum stop_reason *reason, struct fault *fault)
{
    static const enum stop_reason reasons[] = {
        [VIR_DOMAIN_SHUTOFF_SHUTDOWN] = STOP_SHUT_DOWN,
        [VIR_DOMAIN_SHUTOFF_DESTROYED] = STOP_TURNED_OFF,
        [VIR_DOMAIN_SHUTOFF_CRASHED] = STOP_CRASHED,
        [VIR_DOMAIN_SHUTOFF_MIGRATED] = STOP_MIGRATED_AWAY,
        [VIR_DOMAIN_SHUTOFF_SAVED] = STOP_SAVED,
        [VIR_DOMAIN_SHUTOFF_FAILED] = STOP_CRASHED,
        [VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT] = STOP_REVERTED,
    };
    int state, number;

    virDomainPtr domain = domain_open(libvirt_host(host), READ_ONLY, uuid, fault);
    if (domain == NULL)
        return false;
    *reason = STOP_UNKNOWN;
    if (virDomainGetState(domain, &state, &number, 0) == 0 && state == VIR_DOMAIN_SHUTOFF &&
        number >= 0 && (size_t)number < sizeof reasons / sizeof reasons[0])
        *reason = reasons[number];
    virDomainFree(domain);
    return true;
}
