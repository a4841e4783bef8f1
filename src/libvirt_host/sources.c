#include "libvirt_host/sources.h"

#include "libvirt_host/known_domain.h"

#include <string.h>

static const char *reason_of_locked(struct libvirt_host *self, const struct known_domain *known,
                                    size_t i)
{
    if (known->trust == TRUST_PROVEN && known->devices[i].is_overruled)
        return "the device is the machine's own; libvirt's counter is another device's or missing";
    if (known->trust == TRUST_PROVEN && known->proof == PROOF_IDENTITY)
        return connection_has_events_locked(self)
                   ? "the device is the adapter's own"
                   : "libvirt does not answer; the device was the adapter's own before";
    if (known->trust == TRUST_PROVEN)
        return connection_has_events_locked(self)
                   ? "the kernel's counter was checked against libvirt's"
                   : "libvirt does not answer; the kernel's counter was "
                     "checked against libvirt's before";
    if (known->trust == TRUST_UNPROVEN)
        return "the kernel's counter is not yet checked against libvirt's";
    if (known->devices[i].at.reason != NULL)
        return known->devices[i].at.reason;
    return "another adapter of the machine is read through libvirt";
}

static void give_sources_locked(struct libvirt_host *self, const struct known_domain *known,
                                source_receiver *receive, void *context)
{
    for (size_t i = 0; known->adapters != NULL && i < known->adapters->count; i++) {
        const struct adapter *adapter = &known->adapters->adapters[i];
        struct counter_source source = {
            .machine = strdup(virDomainGetName(known->domain)),
            .device = adapter->device != NULL ? strdup(adapter->device) : NULL,
            .ifindex = incarnation_is_ifindex(known->devices[i].at.incarnation)
                           ? known->devices[i].at.incarnation
                           : 0,
            .source = known->trust == TRUST_PROVEN ? "kernel" : "libvirt",
            .reason = reason_of_locked(self, known, i),
            .is_unproven = known->trust == TRUST_UNPROVEN};
        memcpy(source.mac, adapter->mac, MAC_SIZE);
        receive(context, &source);
    }
}

bool libvirt_sources(struct host *host, source_receiver *receive, void *context,
                     struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);

    (void)fault;
    pthread_mutex_lock(&self->lock);
    for (const struct known_domain *known = self->known; known; known = known->hh.next)
        give_sources_locked(self, known, receive, context);
    pthread_mutex_unlock(&self->lock);
    return true;
}
