/*
 * libvirt_host: the state of a libvirt host, and the lock that guards it.
 *
 * A function libvirt_X is a libvirt host's X of host/host.h.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_LIBVIRT_HOST_H
#define VMACCOUNTANT_LIBVIRT_HOST_LIBVIRT_HOST_H

#include "host/host.h"
#include "kernel/link_monitor.h"
#include "kernel/link_stats.h"
#include "libvirt_host/bulk_statistics.h"
#include "libvirt_host/call.h"
#include "libvirt_host/connection.h"
#include "libvirt_host/daemon.h"
#include "libvirt_host/driver.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdatomic.h>

struct known_domain; /* known_domain.h */
struct socket_watch; /* socket_watch.h */

struct libvirt_host {
    struct host base;
    char *requested_uri; /* NULL for libvirt's choice */
    struct call_bound bound;
    int64_t opened_at;  /* of the driver's monotonic_time() */
    bool is_local_qemu; /* set by the first connection, as base.uri is */
    /* An enum daemon_network, of the latest connection; proven, too, by a count. */
    atomic_int network;
    bool is_test_driver; /* in this process or in a daemon */
    bool is_in_process;  /* the test driver: its service is this process */
    /* The first connection, read-write, serves for all: another would have
     * machines of its own. Set as base.uri is. */
    bool has_one_connection;
    enum counters counters;
    struct link_stats *kernel; /* NULL where it cannot be asked */
    const struct connection_hooks *hooks;

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct opening_waiter *waiters; /* connection.c */
    struct channel channels[ACCESS_KINDS];
    bool is_closed;
    bool is_closing;             /* the connections are being closed, in a thread */
    bool lacks_bulk[BULK_KINDS]; /* bulk_statistics.c */
    uint64_t definition_changes;
    struct known_domain *known;  /* a hash table; known_domain.c */
    unsigned reads_of_listed;    /* machines read that were listed and not known; since then */
    bool knows_all;              /* every machine has been listed since all was forgotten */
    struct device_counter *dump; /* what a dump fills; see kernel_proof.c */
    size_t devices_in_dump;      /* 0: to be listed again */

    bool has_listener;
    struct host_listener listener;
    struct disk_request *disk_requests; /* disks.c: under way */

    int reconnect_timer;               /* -1: none */
    struct socket_watch *socket_watch; /* NULL but while the connection is lost */
    int64_t eager_until;               /* of clock_now(): the daemon may be back at any moment */
    int resynchronize_timer;
    bool has_missed; /* when that fires; else the process stays */
    struct link_monitor_subscriber subscriber;
};

static inline struct libvirt_host *libvirt_host(struct host *host)
{
    return (struct libvirt_host *)host;
}

/* Whether the machines' devices are those of this process's network namespace. */
static inline bool libvirt_shares_network(const struct libvirt_host *self)
{
    return atomic_load(&self->network) != DAEMON_NETWORK_OTHER;
}

/* Whether the kernel is asked for counters at all. */
static inline bool libvirt_reads_kernel(const struct libvirt_host *self)
{
    return self->is_local_qemu && libvirt_shares_network(self) && self->kernel != NULL &&
           self->counters != COUNTERS_HYPERVISOR;
}

#endif
