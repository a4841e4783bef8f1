/*
 * domain: one domain of a libvirt host, found and asked, and the list of
 * them all.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_DOMAIN_H
#define VMACCOUNTANT_LIBVIRT_HOST_DOMAIN_H

#include "libvirt_host/domain_xml.h"
#include "libvirt_host/libvirt_host.h"

/* The domain on a connection of that kind; NULL with a fault. */
virDomainPtr domain_open(struct libvirt_host *self, enum access access,
                         const struct machine_uuid *uuid, struct fault *fault);

struct machine_uuid domain_get_uuid(virDomainPtr domain);

/* NOT_RUNNING for one that does not run. Makes no call to the host: libvirt
 * found the ID with the domain. */
int64_t domain_get_id(virDomainPtr domain);

bool domain_read_state(virDomainPtr domain, enum machine_state *state, struct fault *fault);

/* The definition as XML, to be freed by the caller; NULL with a fault. */
char *domain_read_xml(virDomainPtr domain, struct fault *fault);

/* The definition, to be cleared by the caller. */
bool domain_read_definition(virDomainPtr domain, struct domain_definition *definition,
                            struct fault *fault);

/* The domains that virConnectListAllDomains() finds with those flags, to be
 * released by the caller. */
struct domain_list {
    virDomainPtr *domains;
    size_t count;
};
bool domain_list_read(virConnectPtr connection, unsigned flags, struct domain_list *list,
                      struct fault *fault);
void domain_list_release(struct domain_list *list);

#endif
