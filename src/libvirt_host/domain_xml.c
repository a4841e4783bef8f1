#include "libvirt_host/domain_xml.h"

#include "libvirt_host/baseline_xml.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* No XML_PARSE_NOENT and no XML_PARSE_HUGE: entities stay unexpanded and the
 * library's own limits on depth and size stay in force. */
enum {
    PARSE_OPTIONS = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS
};

/* libvirt's own elements are in no namespace; those of applications, in
 * <metadata> or beside it, may have any name. */
static bool is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && node->ns == NULL &&
           strcmp((const char *)node->name, name) == 0;
}

static xmlNode *child(const xmlNode *parent, const char *name)
{
    for (xmlNode *node = parent->children; node != NULL; node = node->next)
        if (is_element(node, name))
            return node;
    return NULL;
}

/* A copy of the attribute's text in *copy, NULL when there is no such node or
 * attribute. False without memory. */
static bool copy_attribute(xmlNode *node, const char *name, char **copy)
{
    xmlChar *text = node == NULL ? NULL : xmlGetNoNsProp(node, (const xmlChar *)name);
    if (text == NULL)
        return true;
    *copy = strdup((const char *)text);
    xmlFree(text);
    return *copy != NULL;
}

/* A network goes by its own name; its bridge is a detail of the host. */
static bool copy_source(xmlNode *source, char **copy)
{
    static const char *const attributes[] = {"network", "bridge", "dev", "path"};

    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0] && *copy == NULL; i++)
        if (!copy_attribute(source, attributes[i], copy))
            return false;
    return true;
}

static bool read_adapter(xmlNode *interface, struct adapter *adapter)
{
    char *mac = NULL, *managed = NULL;

    bool ok = copy_attribute(interface, "type", &adapter->type) &&
              copy_attribute(child(interface, "target"), "dev", &adapter->device) &&
              copy_attribute(child(interface, "target"), "managed", &managed) &&
              copy_attribute(child(interface, "alias"), "name", &adapter->alias) &&
              copy_source(child(interface, "source"), &adapter->source) &&
              copy_attribute(child(interface, "mac"), "address", &mac);
    if (ok && mac != NULL)
        mac_parse(mac, adapter->mac); /* libvirt writes no other form */
    adapter->is_unmanaged = ok && managed != NULL && strcmp(managed, "no") == 0;
    free(mac);
    free(managed);
    return ok;
}

static bool read_adapters(const xmlNode *devices, struct adapter_list **adapters)
{
    size_t count = 0;
    for (const xmlNode *node = devices->children; node != NULL; node = node->next)
        count += is_element(node, "interface");

    struct adapter_list *list = adapter_list_new(count);
    if (list == NULL)
        return false;
    size_t i = 0;
    for (xmlNode *node = devices->children; node != NULL; node = node->next) {
        if (is_element(node, "interface") && !read_adapter(node, &list->adapters[i++])) {
            adapter_list_release(list);
            return false;
        }
    }
    *adapters = adapter_list_pack(list);
    return *adapters != NULL;
}

/* -1 for a domain that does not run: libvirt then writes no id. */
static bool read_domain_id(xmlNode *domain, int64_t *domain_id)
{
    char *text = NULL, *end;

    *domain_id = NOT_RUNNING;
    if (!copy_attribute(domain, "id", &text))
        return false;
    if (text != NULL) {
        errno = 0;
        long long id = strtoll(text, &end, 10);
        if (end != text && *end == '\0' && errno == 0 && id >= 0)
            *domain_id = id;
    }
    free(text);
    return true;
}

void domain_definition_clear(struct domain_definition *definition)
{
    adapter_list_release(definition->adapters);
    baseline_free(definition->baseline);
    *definition = (struct domain_definition){.domain_id = NOT_RUNNING};
}

static bool read_domain(xmlNode *domain, struct domain_definition *definition, struct fault *fault)
{
    if (domain == NULL || !is_element(domain, "domain"))
        return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                         "the machine's definition has no <domain> element");
    xmlNode *devices = child(domain, "devices");
    if (devices == NULL)
        return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                         "the machine's definition has no <devices> element, so its adapters "
                         "cannot be known");
    if (!read_domain_id(domain, &definition->domain_id) ||
        !read_adapters(devices, &definition->adapters))
        return fault_out_of_memory(fault);
    xmlNode *metadata = child(domain, "metadata");
    if (metadata != NULL)
        definition->baseline = baseline_xml_read(metadata, &definition->complaint);
    return true;
}

static xmlDoc *read_document(const char *xml, struct fault *fault)
{
    size_t length = strlen(xml);
    xmlDoc *document =
        length > INT_MAX ? NULL : xmlReadMemory(xml, (int)length, "domain", NULL, PARSE_OPTIONS);

    if (document == NULL) {
        const xmlError *error = xmlGetLastError();
        const char *reason = error != NULL && error->message != NULL ? error->message : "";
        fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                  "the machine's definition is not well-formed XML (%.*s)",
                  (int)strcspn(reason, "\n"), reason);
    }
    return document;
}

bool domain_xml_parse(const char *xml, struct domain_definition *definition, struct fault *fault)
{
    *definition = (struct domain_definition){.domain_id = NOT_RUNNING};
    xmlDoc *document = read_document(xml, fault);
    if (document == NULL)
        return false;
    bool ok = read_domain(xmlDocGetRootElement(document), definition, fault);
    xmlFreeDoc(document);
    return ok;
}

void domain_xml_free_disks(char **targets)
{
    for (size_t i = 0; targets != NULL && targets[i] != NULL; i++)
        free(targets[i]);
    free(targets);
}

static char **read_disks(const xmlNode *domain, struct fault *fault)
{
    const xmlNode *devices = domain != NULL ? child(domain, "devices") : NULL;
    size_t count = 0;

    for (const xmlNode *node = devices != NULL ? devices->children : NULL; node; node = node->next)
        count += is_element(node, "disk");
    char **targets = calloc(count + 1, sizeof *targets);
    bool ok = targets != NULL;
    count = 0;
    for (const xmlNode *node = devices != NULL ? devices->children : NULL; ok && node;
         node = node->next) {
        if (!is_element(node, "disk"))
            continue;
        ok = copy_attribute(child(node, "target"), "dev", &targets[count]);
        count += ok && targets[count] != NULL;
    }
    if (ok)
        return targets;
    domain_xml_free_disks(targets);
    fault_out_of_memory(fault);
    return NULL;
}

char **domain_xml_disks(const char *xml, struct fault *fault)
{
    xmlDoc *document = read_document(xml, fault);
    if (document == NULL)
        return NULL;
    char **targets = read_disks(xmlDocGetRootElement(document), fault);
    xmlFreeDoc(document);
    return targets;
}
