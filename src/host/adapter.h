/*
 * adapter: a machine's network adapters as its definition describes them.
 */
#ifndef VMACCOUNTANT_HOST_ADAPTER_H
#define VMACCOUNTANT_HOST_ADAPTER_H

#include "core/session.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAC_TEXT_SIZE = 18 };

/* One adapter as the machine's live definition describes it. The texts are
 * NULL where the definition does not say. */
struct adapter {
    uint8_t mac[MAC_SIZE];
    char *type;        /* "bridge", "network", "user", … */
    char *source;      /* the network, bridge or host device that it is plugged into */
    char *device;      /* the host's network device: the name of the tap */
    char *alias;       /* the hypervisor's own name for the device */
    bool is_unmanaged; /* an administrator's device, which outlives the machine's runs */
};

/* The adapters of one machine: shared between samples, never changed once it
 * is filled. */
struct adapter_list {
    atomic_uint references;
    bool is_packed; /* the texts are in the list's own block */
    size_t count;
    struct adapter adapters[];
};

/* "52-54-00-12-34-56", the form that Virtual Server documents. */
void mac_format(const uint8_t mac[MAC_SIZE], char text[MAC_TEXT_SIZE]);

/* Reads six pairs of hexadecimal digits with ':' or '-' between them. */
bool mac_parse(const char *text, uint8_t mac[MAC_SIZE]);

/* Room for count adapters, all zero, held once; NULL without memory. */
struct adapter_list *adapter_list_new(size_t count);
/* A copy in one block of memory, texts and all, since one is kept for each
 * machine; releases the list. NULL without memory: the list is released too. */
struct adapter_list *adapter_list_pack(struct adapter_list *list);
struct adapter_list *adapter_list_hold(struct adapter_list *list);
void adapter_list_release(struct adapter_list *list);

#endif
