#include "libvirt_host/host_info.h"

#include "base/clock.h"
#include "libvirt_host/daemon.h"
#include "libvirt_host/error.h"
#include "libvirt_host/libvirt_host.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARSE_OPTIONS = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING };

static bool refuse(struct fault *fault, const char *what)
{
    return libvirt_error_fault(fault, what, HRESULT_DISP_E_EXCEPTION);
}

/* virNodeGetInfo. libvirt counts the sockets of one NUMA cell. */
static bool read_processors(virConnectPtr connection, struct host_info *info, struct fault *fault)
{
    virNodeInfo node;

    if (virNodeGetInfo(connection, &node) < 0)
        return refuse(fault, "the host's processors cannot be read");
    info->logical_processors = node.cpus;
    info->physical_processors = node.nodes * node.sockets;
    info->megahertz = node.mhz;
    return true;
}

/* virNodeGetMemoryStats of all cells: what is free, and what the kernel only
 * keeps files in. */
static bool read_memory_statistics(virConnectPtr connection, struct host_info *info)
{
    enum { MOST = 16 };
    virNodeMemoryStats statistics[MOST];
    int count = 0;

    if (virNodeGetMemoryStats(connection, VIR_NODE_MEMORY_STATS_ALL_CELLS, NULL, &count, 0) < 0 ||
        count <= 0 || count > MOST ||
        virNodeGetMemoryStats(connection, VIR_NODE_MEMORY_STATS_ALL_CELLS, statistics, &count, 0) <
            0)
        return false;
    info->memory = info->available_memory = 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(statistics[i].field, VIR_NODE_MEMORY_STATS_TOTAL) == 0)
            info->memory = statistics[i].value;
        else if (strcmp(statistics[i].field, VIR_NODE_MEMORY_STATS_FREE) == 0 ||
                 strcmp(statistics[i].field, VIR_NODE_MEMORY_STATS_BUFFERS) == 0 ||
                 strcmp(statistics[i].field, VIR_NODE_MEMORY_STATS_CACHED) == 0)
            info->available_memory += statistics[i].value;
    }
    return info->memory > 0;
}

/* For the drivers without those statistics. */
static bool read_memory_size(virConnectPtr connection, struct host_info *info, struct fault *fault)
{
    virNodeInfo node;

    if (virNodeGetInfo(connection, &node) < 0)
        return refuse(fault, "the host's memory cannot be read");
    unsigned long long bytes = virNodeGetFreeMemory(connection);
    if (bytes == 0)
        return refuse(fault, "the host's free memory cannot be read");
    info->memory = node.memory;
    info->available_memory = bytes / 1024;
    return true;
}

static bool read_memory(virConnectPtr connection, struct host_info *info, struct fault *fault)
{
    return read_memory_statistics(connection, info) || read_memory_size(connection, info, fault);
}

static xmlNode *child(const xmlNode *parent, const char *name)
{
    xmlNode *node = parent != NULL ? parent->children : NULL;
    while (node != NULL &&
           (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, name) != 0))
        node = node->next;
    return node;
}

static xmlDoc *parse(const char *xml)
{
    size_t length = strlen(xml);
    return length > INT_MAX ? NULL : xmlReadMemory(xml, (int)length, "host", NULL, PARSE_OPTIONS);
}

/* The capabilities as a document, and its <cpu>; to be freed with
 * xmlFreeDoc. NULL with a fault. */
static xmlDoc *read_capabilities(virConnectPtr connection, xmlNode **cpu, struct fault *fault)
{
    char *xml = virConnectGetCapabilities(connection);
    if (xml == NULL) {
        refuse(fault, "the host's capabilities cannot be read");
        return NULL;
    }
    xmlDoc *document = parse(xml);
    free(xml);
    *cpu = document != NULL ? child(child(xmlDocGetRootElement(document), "host"), "cpu") : NULL;
    if (*cpu != NULL)
        return document;
    fault_set(fault, HRESULT_DISP_E_EXCEPTION,
              "the host's capabilities, as libvirt gives them, have no <cpu>");
    if (document != NULL)
        xmlFreeDoc(document);
    return NULL;
}

static void copy_content(const xmlNode *node, char *text, size_t size)
{
    xmlChar *content = node != NULL ? xmlNodeGetContent(node) : NULL;
    snprintf(text, size, "%s", content != NULL ? (const char *)content : "");
    xmlFree(content);
}

/* libvirt's own names for the model and its vendor, as in a machine's <cpu>. */
static bool read_model(virConnectPtr connection, struct host_info *info, struct fault *fault)
{
    xmlNode *cpu;
    xmlDoc *document = read_capabilities(connection, &cpu, fault);
    if (document == NULL)
        return false;
    copy_content(child(cpu, "vendor"), info->manufacturer, sizeof info->manufacturer);
    copy_content(child(cpu, "model"), info->model, sizeof info->model);
    xmlFreeDoc(document);
    return true;
}

/* The names of the <feature> elements, with a blank between them; NULL without
 * memory. */
static char *join_features(const xmlNode *cpu)
{
    char *joined = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&joined, &length);

    if (stream == NULL)
        return NULL;
    for (xmlNode *node = cpu->children; node != NULL; node = node->next) {
        if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, "feature") != 0)
            continue;
        xmlChar *name = xmlGetNoNsProp(node, (const xmlChar *)"name");
        if (name != NULL)
            fprintf(stream, ftell(stream) > 0 ? " %s" : "%s", (const char *)name);
        xmlFree(name);
    }
    if (fclose(stream) == 0)
        return joined;
    free(joined);
    return NULL;
}

/* The capabilities name a model and what the host has beyond it. libvirt
 * spells the model's own features out when it is asked for the baseline of
 * this one processor. */
static bool expand_features(virConnectPtr connection, xmlDoc *document, xmlNode *cpu,
                            struct host_info *info, struct fault *fault)
{
    xmlBuffer *buffer = xmlBufferCreate();
    if (buffer == NULL || xmlNodeDump(buffer, document, cpu, 0, 0) < 0) {
        xmlBufferFree(buffer);
        return fault_out_of_memory(fault);
    }
    const char *description = (const char *)xmlBufferContent(buffer);
    char *xml = virConnectBaselineCPU(connection, &description, 1,
                                      VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
    xmlBufferFree(buffer);
    if (xml == NULL)
        return refuse(fault, "the features of the host's processor cannot be read");
    xmlDoc *expanded = parse(xml);
    free(xml);
    xmlNode *root = expanded != NULL ? xmlDocGetRootElement(expanded) : NULL;
    info->features = root != NULL ? join_features(root) : NULL;
    if (expanded != NULL)
        xmlFreeDoc(expanded);
    return info->features != NULL || fault_out_of_memory(fault);
}

static bool read_features(virConnectPtr connection, struct host_info *info, struct fault *fault)
{
    xmlNode *cpu;
    xmlDoc *document = read_capabilities(connection, &cpu, fault);
    if (document == NULL)
        return false;
    bool ok = expand_features(connection, document, cpu, info, fault);
    xmlFreeDoc(document);
    return ok;
}

/* libvirt has no call for the rest, so only the system that this process
 * shares with the host's daemon can be described. */
static bool read_system(const struct libvirt_host *self, enum host_part part,
                        struct host_info *info, struct fault *fault)
{
    if (!libvirt_shares_network(self) && !self->is_in_process)
        return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                         part == HOST_CLOCK
                             ? "the clock of a host that is not this one cannot be read: libvirt "
                               "does not report the time"
                             : "the operating system of a host that is not this one cannot be "
                               "known: libvirt does not report it");
    if (part == HOST_CLOCK) {
        info->unix_time = clock_unix() / CLOCK_SECOND;
        return true;
    }
    return host_info_of_this_system(info, fault);
}

bool libvirt_host_info(struct host *host, enum host_part part, struct host_info *info,
                       struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);
    virConnectPtr connection = connection_acquire(self, READ_ONLY, fault);
    if (connection == NULL)
        return false;
    bool ok = false;
    switch (part) {
    case HOST_PROCESSORS:
        ok = read_processors(connection, info, fault);
        break;
    case HOST_PROCESSOR_MODEL:
        ok = read_model(connection, info, fault);
        break;
    case HOST_PROCESSOR_FEATURES:
        ok = read_features(connection, info, fault);
        break;
    case HOST_MEMORY:
        ok = read_memory(connection, info, fault);
        break;
    case HOST_SYSTEM:
    case HOST_CLOCK:
        ok = read_system(self, part, info, fault);
        break;
    }
    virConnectClose(connection);
    return ok;
}

bool libvirt_product(struct host *host, struct product *product, struct fault *fault)
{
    unsigned long version = 0;
    virConnectPtr connection = connection_acquire(libvirt_host(host), READ_ONLY, fault);
    if (connection == NULL)
        return false;
    const char *type = virConnectGetType(connection);
    bool ok = type != NULL && virConnectGetLibVersion(connection, &version) == 0;

    if (ok)
        snprintf(product->name, sizeof product->name, "libvirt %s", type);
    else
        libvirt_error_fault(fault, "the host's version cannot be read", HRESULT_DISP_E_EXCEPTION);
    virConnectClose(connection);
    /* libvirt.h: 1,000,000 * major + 1,000 * minor + release */
    snprintf(product->version, sizeof product->version, "%lu.%lu.%lu", version / 1000000,
             version / 1000 % 1000, version % 1000);
    return ok;
}

bool libvirt_uptime(struct host *host, int64_t *seconds, struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);

    if (self->is_in_process) {
        *seconds = (clock_since_boot() - self->opened_at) / 1000000000;
        return true;
    }
    if (!self->is_local_qemu)
        return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                         "how long a remote host's service has been running cannot be known: "
                         "libvirt does not report it");
    /* The daemon is known by the connection, which may have been lost. */
    virConnectPtr connection = connection_acquire(self, READ_ONLY, fault);
    if (connection == NULL)
        return false;
    bool ok = daemon_uptime(host->uri, seconds, fault);
    virConnectClose(connection);
    return ok;
}
