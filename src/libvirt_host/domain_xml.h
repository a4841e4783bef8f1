/*
 * domain_xml: what the accountant needs of a libvirt domain definition, read
 * with libxml2.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_DOMAIN_XML_H
#define VMACCOUNTANT_LIBVIRT_HOST_DOMAIN_XML_H

#include "base/fault.h"
#include "host/adapter.h"
#include "host/baseline.h"
#include "host/machine.h"

/* What a definition says. */
struct domain_definition {
    int64_t domain_id; /* NOT_RUNNING in the definition of a domain that does not run */
    struct adapter_list *adapters;
    struct baseline *baseline; /* NULL when there is none that can be used */
    const char *complaint;     /* why the one that is there cannot be, or NULL */
};

/* Entities are not expanded and nothing is loaded. The definition is to be
 * cleared by the caller when the function has succeeded. */
bool domain_xml_parse(const char *xml, struct domain_definition *definition, struct fault *fault);

/* The targets of all disks in the definition ("vda"), with a final NULL; to be
 * freed by the caller with domain_xml_free_disks(). NULL with a fault. */
char **domain_xml_disks(const char *xml, struct fault *fault);
void domain_xml_free_disks(char **targets);

void domain_definition_clear(struct domain_definition *definition);

#endif
