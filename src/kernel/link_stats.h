/*
 * link_stats: byte counts of this host's network devices, straight from
 * the kernel over one rtnetlink socket, with libmnl.
 *
 * RTM_GETSTATS with the filter IFLA_STATS_LINK_64 (Linux 4.7) answers with
 * nothing but the counters; where the kernel refuses it, RTM_GETLINK does.
 * Needs no privilege.
 */
#ifndef VMACCOUNTANT_KERNEL_LINK_STATS_H
#define VMACCOUNTANT_KERNEL_LINK_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_stats;

struct device_counter {
    unsigned ifindex;
    bool is_known; /* the kernel gave the counters */
    uint64_t received;
    uint64_t sent;
};

/* NULL where the kernel gives no socket. In the caller's network namespace. */
struct link_stats *link_stats_open(void);
void link_stats_close(struct link_stats *counters);

/* Fills the counters of the devices that are named by ifindex, in one batch of
 * requests. Those that are gone stay unknown. False when the kernel does not
 * answer. May be called from any thread. */
bool link_stats_read(struct link_stats *counters, struct device_counter *devices, size_t count);

/* Reads all devices in one dump, and fills those that are named: they must be
 * in the order of their ifindex. False as above, and when devices came and
 * went during every attempt. */
bool link_stats_read_all(struct link_stats *counters, struct device_counter *devices, size_t count);

#endif
