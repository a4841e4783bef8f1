/*
 * link: the host's own network devices, asked of the kernel through
 * rtnetlink, with libmnl.
 */
#ifndef VMACCOUNTANT_KERNEL_LINK_H
#define VMACCOUNTANT_KERNEL_LINK_H

#include "core/session.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

struct link {
    unsigned ifindex;
    uint8_t address[MAC_SIZE];
    bool has_address;
    /* The host is at the other end of a tap: what it receives, the guest has
     * sent. A macvtap is the guest's own end. */
    bool is_guest_end;
    bool is_tap;   /* "tun" to the kernel */
    bool is_moved; /* RTM_DELLINK: to another network namespace, where it lives on */
    bool has_bytes;
    uint64_t received; /* as the device counts: IFLA_STATS64 */
    uint64_t sent;
};

/* Reads an RTM_NEWLINK or RTM_DELLINK message; false when it is not one of a
 * device, or not of the whole device (AF_BRIDGE means a port). */
bool link_parse(const struct nlmsghdr *message, struct link *device);

/* The device of that name in this network namespace. One exchange with
 * the kernel; false when there is none. */
bool link_find(const char *name, struct link *device);

/* The device of that index. */
bool link_read(unsigned ifindex, struct link *device);

/* Whether the device can be the host's end of an adapter with that MAC:
 * libvirt gives a tap the guest's address but for the first byte, and a
 * macvtap the whole address. */
bool link_serves(const struct link *device, const uint8_t mac[MAC_SIZE]);

/* The device's counters from the guest's side. */
void link_bytes(const struct link *device, struct decimal bytes[DIRECTION_COUNT]);

#endif
