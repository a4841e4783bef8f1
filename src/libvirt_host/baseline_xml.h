/*
 * baseline_xml: a shared baseline as an element of a domain's libvirt
 * metadata.
 *
 *   <vmaccountant:baseline xmlns:vmaccountant="urn:vmaccountant:baseline"
 *                          version="1" domain="7"
 *                          boot="0e5b6f6a-2e3c-4a86-9d3f-1f0a1c5c9b77"
 *                          process="812345" ordinal="2" clock="8205127"
 *                          reset="1795254509123" disks="known">
 *     <vmaccountant:adapter mac="52-54-00-12-34-56" device="vnet3"
 *                           ifindex="12" sent="20882" received="4096"/>
 *     <vmaccountant:disk target="vda" read="1048576" written="512"/>
 *   </vmaccountant:baseline>
 *
 * domain, boot and process name the run of the machine: its domain ID, the boot
 * ID of the host that wrote this, and the start of the QEMU process in ticks
 * since that boot (proc(5), field 22). A writer on another host has no process to
 * see and leaves that one out. ordinal says which of the run's resets this is, 0
 * its start; clock is when that was, in milliseconds since that boot; reset is the
 * wall clock's time of it in milliseconds since 1970, which is for people only.
 * Without ordinal, clock and boot it is of an older form, which is not used.
 *
 * With disks="known" every disk of that moment has its element; without it the
 * disks' counters are not known, as in baselines of before disks were counted.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_BASELINE_XML_H
#define VMACCOUNTANT_LIBVIRT_HOST_BASELINE_XML_H

#include "host/baseline.h"

#include <libxml/tree.h>

/* The element's namespace, and the prefix that libvirt gives it. */
#define BASELINE_NAMESPACE "urn:vmaccountant:baseline"
#define BASELINE_PREFIX    "vmaccountant"

/* Reads the baseline among the children of a domain's <metadata>. NULL when
 * there is none that can be used; *complaint then says why, in a
 * constant text, or is NULL when there is none at all. */
struct baseline *baseline_xml_read(xmlNode *metadata, const char **complaint);

/* The element as text, to be freed by the caller; NULL without memory. Without
 * the namespace: virDomainSetMetadata() adds it. */
char *baseline_xml_write(const struct baseline *baseline);

#endif
