/*
 * baseline_xml: a shared baseline as an element of a domain's libvirt
 * metadata.
 *
 *   <vmaccountant:baseline xmlns:vmaccountant="urn:vmaccountant:baseline"
 *                          version="1" domain="7" reset="1795254509123"
 *                          disks="known">
 *     <vmaccountant:adapter mac="52-54-00-12-34-56" device="vnet3"
 *                           ifindex="12" sent="20882" received="4096"/>
 *     <vmaccountant:disk target="vda" read="1048576" written="512"/>
 *   </vmaccountant:baseline>
 *
 * With disks="known" every disk of that moment has its element; without it where
 * the disks stood is not known, as in what was written before there were disks.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_BASELINE_XML_H
#define VMACCOUNTANT_LIBVIRT_HOST_BASELINE_XML_H

#include "host/machine.h"

#include <libxml/tree.h>

/* The element's namespace, and the prefix that libvirt gives it. */
#define BASELINE_NAMESPACE "urn:vmaccountant:baseline"
#define BASELINE_PREFIX    "vmaccountant"

/* Reads the baseline among the children of a domain's <metadata>. NULL when
 * there is none that can be used; *complaint then says why, in a text that
 * lives for ever, or is NULL when there is simply none. */
struct baseline *baseline_xml_read(xmlNode *metadata, const char **complaint);

/* The element as text, to be freed by the caller; NULL without memory. Without
 * the namespace: virDomainSetMetadata() adds it. */
char *baseline_xml_write(const struct baseline *baseline);

#endif
