#include "libvirt_host/baseline_xml.h"

#include "host/adapter.h"
#include "host/disk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ADAPTERS = 1024, MOST_DISKS = 1024 };
static const char VERSION[] = "1";

static bool is_own(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && node->ns != NULL && node->ns->href != NULL &&
           strcmp((const char *)node->ns->href, BASELINE_NAMESPACE) == 0 &&
           strcmp((const char *)node->name, name) == 0;
}

static bool attribute_is(xmlNode *node, const char *name, const char *value)
{
    xmlChar *text = xmlGetNoNsProp(node, (const xmlChar *)name);
    bool is = text != NULL && strcmp((const char *)text, value) == 0;
    xmlFree(text);
    return is;
}

static bool read_decimal(xmlNode *node, const char *name, struct decimal *value)
{
    xmlChar *text = xmlGetNoNsProp(node, (const xmlChar *)name);
    bool ok = text != NULL && decimal_parse((const char *)text, strlen((const char *)text),
                                            value) == DECIMAL_PARSED;
    xmlFree(text);
    return ok;
}

static bool read_integer(xmlNode *node, const char *name, int64_t *value)
{
    struct decimal decimal;
    if (!read_decimal(node, name, &decimal) || !decimal_fits_int64(decimal))
        return false;
    *value = (int64_t)decimal.low;
    return true;
}

static bool read_adapter(xmlNode *node, struct baseline_adapter *adapter)
{
    xmlChar *mac = xmlGetNoNsProp(node, (const xmlChar *)"mac");
    bool ok = mac != NULL && mac_parse((const char *)mac, adapter->mac);
    xmlFree(mac);

    int64_t ifindex = 0;
    if (xmlHasProp(node, (const xmlChar *)"ifindex") != NULL)
        ok = ok && read_integer(node, "ifindex", &ifindex);
    adapter->ifindex = (uint64_t)ifindex;

    xmlChar *device = xmlGetNoNsProp(node, (const xmlChar *)"device");
    if (device != NULL) {
        adapter->device = strdup((const char *)device);
        ok = ok && adapter->device != NULL;
    }
    xmlFree(device);
    return ok && read_decimal(node, "sent", &adapter->bytes[DIRECTION_SENT]) &&
           read_decimal(node, "received", &adapter->bytes[DIRECTION_RECEIVED]);
}

static bool read_disk(xmlNode *node, struct baseline_disk *disk)
{
    xmlChar *target = xmlGetNoNsProp(node, (const xmlChar *)"target");
    disk->target = target != NULL ? strdup((const char *)target) : NULL;
    xmlFree(target);
    return disk->target != NULL && read_decimal(node, "read", &disk->bytes[DISK_READ]) &&
           read_decimal(node, "written", &disk->bytes[DISK_WRITTEN]);
}

static bool read_disks(xmlNode *element, struct baseline *baseline)
{
    size_t count = 0;

    if (!attribute_is(element, "disks", "known"))
        return true;
    for (const xmlNode *node = element->children; node != NULL; node = node->next)
        count += is_own(node, "disk");
    if (count > MOST_DISKS || !baseline_start_disks(baseline, count))
        return false;
    size_t i = 0;
    for (xmlNode *node = element->children; node != NULL; node = node->next)
        if (is_own(node, "disk") && !read_disk(node, &baseline->disks[i++]))
            return false;
    return true;
}

static bool has(xmlNode *node, const char *name)
{
    return xmlHasProp(node, (const xmlChar *)name) != NULL;
}

/* Which run it is of, and which reset. */
static bool read_reset(xmlNode *element, struct baseline *baseline)
{
    int64_t process = 0, ordinal, milliseconds;
    xmlChar *boot = xmlGetNoNsProp(element, (const xmlChar *)"boot");
    bool ok = boot != NULL && strlen((const char *)boot) < sizeof baseline->boot_id;

    if (ok)
        strcpy(baseline->boot_id, (const char *)boot);
    xmlFree(boot);
    ok = ok && read_integer(element, "domain", &baseline->domain_id) &&
         read_integer(element, "ordinal", &ordinal) &&
         read_integer(element, "clock", &milliseconds) &&
         milliseconds <= INT64_MAX / CLOCK_MILLISECOND &&
         read_integer(element, "reset", &baseline->reset_at) &&
         (!has(element, "process") || read_integer(element, "process", &process));
    if (!ok)
        return false;
    baseline->process_start = (uint64_t)process;
    baseline->ordinal = (uint64_t)ordinal;
    baseline->reset_clock = milliseconds * CLOCK_MILLISECOND;
    return true;
}

struct baseline *baseline_xml_read(xmlNode *metadata, const char **complaint)
{
    xmlNode *element = metadata->children;
    while (element != NULL && !is_own(element, "baseline"))
        element = element->next;
    *complaint = NULL;
    if (element == NULL)
        return NULL;
    if (!attribute_is(element, "version", VERSION)) {
        *complaint = "it has another schema version than 1";
        return NULL;
    }
    if (!has(element, "boot") && !has(element, "clock") && !has(element, "ordinal")) {
        *complaint = "it is of an older form, which does not name the machine's run";
        return NULL;
    }

    size_t count = 0;
    for (const xmlNode *node = element->children; node != NULL; node = node->next)
        count += is_own(node, "adapter");
    struct baseline *baseline = count <= MOST_ADAPTERS ? baseline_new(count) : NULL;
    bool ok = baseline != NULL && read_reset(element, baseline);
    size_t i = 0;
    for (xmlNode *node = element->children; ok && node != NULL; node = node->next)
        if (is_own(node, "adapter"))
            ok = read_adapter(node, &baseline->adapters[i++]);
    if (ok && read_disks(element, baseline))
        return baseline;
    baseline_free(baseline);
    *complaint = "it is malformed";
    return NULL;
}

static bool set(xmlNode *node, const char *name, const char *value)
{
    return xmlNewProp(node, (const xmlChar *)name, (const xmlChar *)value) != NULL;
}

static bool set_integer(xmlNode *node, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    return set(node, name, text);
}

static bool set_decimal(xmlNode *node, const char *name, struct decimal value)
{
    char text[DECIMAL_TEXT_SIZE];
    decimal_format(value, text);
    return set(node, name, text);
}

static bool add_adapter(xmlNode *parent, const struct baseline_adapter *adapter)
{
    char mac[MAC_TEXT_SIZE];
    xmlNode *node = xmlNewChild(parent, NULL, (const xmlChar *)"adapter", NULL);

    mac_format(adapter->mac, mac);
    return node != NULL && set(node, "mac", mac) &&
           (adapter->device == NULL || set(node, "device", adapter->device)) &&
           (adapter->ifindex == 0 || set_integer(node, "ifindex", (int64_t)adapter->ifindex)) &&
           set_decimal(node, "sent", adapter->bytes[DIRECTION_SENT]) &&
           set_decimal(node, "received", adapter->bytes[DIRECTION_RECEIVED]);
}

static bool add_disk(xmlNode *parent, const struct baseline_disk *disk)
{
    xmlNode *node = xmlNewChild(parent, NULL, (const xmlChar *)"disk", NULL);
    return node != NULL && set(node, "target", disk->target) &&
           set_decimal(node, "read", disk->bytes[DISK_READ]) &&
           set_decimal(node, "written", disk->bytes[DISK_WRITTEN]);
}

char *baseline_xml_write(const struct baseline *baseline)
{
    xmlNode *element = xmlNewNode(NULL, (const xmlChar *)"baseline");
    xmlBuffer *buffer = xmlBufferCreate();
    char *text = NULL;

    bool ok = element != NULL && buffer != NULL && set(element, "version", VERSION) &&
              set_integer(element, "domain", baseline->domain_id) &&
              set(element, "boot", baseline->boot_id) &&
              (baseline->process_start == 0 ||
               set_integer(element, "process", (int64_t)baseline->process_start)) &&
              set_integer(element, "ordinal", (int64_t)baseline->ordinal) &&
              set_integer(element, "clock", baseline->reset_clock / CLOCK_MILLISECOND) &&
              set_integer(element, "reset", baseline->reset_at) &&
              (!baseline->has_disks || set(element, "disks", "known"));
    for (size_t i = 0; ok && i < baseline->count; i++)
        ok = add_adapter(element, &baseline->adapters[i]);
    for (size_t i = 0; ok && i < baseline->disk_count; i++)
        ok = add_disk(element, &baseline->disks[i]);
    if (ok && xmlNodeDump(buffer, NULL, element, 0, 0) > 0)
        text = strdup((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    xmlFreeNode(element);
    return text;
}
