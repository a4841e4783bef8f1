/*
 * configuration: changes of a machine's definition, with the checks that Virtual
 * Server documents and that hosts do not make, or make differently.
 *
 * A function that returns false has changed nothing.
 */
#ifndef VMACCOUNTANT_HOST_CONFIGURATION_H
#define VMACCOUNTANT_HOST_CONFIGURATION_H

#include "host/host.h"

enum {
    /* libvirt writes NAME.xml.new in a file system that takes 255 bytes. */
    LONGEST_NAME = 255 - (int)sizeof ".xml.new" + 1,
    MOST_NOTES = 40000, /* characters */
    LEAST_MEMORY = 4,   /* MB */
    MOST_MEMORY = INT32_MAX
};

/* VM_E_CONFIG_NO_NAME, VM_E_CONFIG_NAME_TOO_LONG, VM_E_CONFIG_NAME_INVALID_CHAR;
 * VM_E_CONFIG_DUPLICATE_NAME where another machine has the name in any letter
 * case; VM_E_VM_RUNNING for a machine that runs or is saved. The length reveals
 * a NUL in the name. */
bool configuration_set_name(struct host *host, const struct machine_uuid *uuid, const char *name,
                            size_t length, struct fault *fault);

/* E_INVALIDARG for a text that is too long or that no definition can hold.
 * Ends lines with a line feed, whatever they end with. */
bool configuration_set_notes(struct host *host, const struct machine_uuid *uuid, const char *notes,
                             size_t length, struct fault *fault);

/* E_INVALIDARG out of range, VM_E_VM_RUNNING as above. */
bool configuration_set_memory(struct host *host, const struct machine_uuid *uuid, int64_t megabytes,
                              struct fault *fault);

#endif
