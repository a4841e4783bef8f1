/*
 * libvirt_host: what the files of the libvirt host share.
 *
 * driver.c            what it lists and tells of machines
 * call.c       the time that a call may take
 * connection.c opening, losing and closing connections
 * uri.c        what a URI says
 * daemon.c     which process answers a local connection
 * counters.c   samples through libvirt
 * kernel_proof.c     samples straight from the kernel
 * known_domain.c       what is kept of definitions
 * disks.c      samples of disks
 * processors.c processor time
 * scheduling.c scheduler parameters
 * change.c     the life cycle, and shared baselines
 * baseline_run.c  which run a shared baseline is of
 * configuration.c  a machine's name, notes and memory
 * host_info.c  what it tells of itself
 * events.c     what it tells by itself
 * socket_watch.c when the socket of a daemon that went may be back
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_LIBVIRT_HOST_H
#define VMACCOUNTANT_LIBVIRT_HOST_LIBVIRT_HOST_H

#include "host/host.h"
#include "kernel/link_monitor.h"
#include "kernel/link_stats.h"
#include "libvirt_host/driver.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>

struct known_domain; /* known_domain.h */
struct socket_watch; /* socket_watch.h */

enum { KNOWN_BUCKETS = 1024, EVENT_KINDS = 5 };

/* The read-only connection answers at once. What may have to wait for a
 * hypervisor process has one of its own, since a daemon serves few calls of one
 * connection at a time. The thread that samples processors has its own, too: a
 * client of libvirt before 10.4 can crash (CVE-2024-4418) where a second thread
 * calls while the first waits, on one connection, for a daemon that hangs. */
enum access { READ_ONLY, READ_WRITE, READ_ONLY_WAITING, READ_ONLY_SAMPLING, ACCESS_KINDS };

/* A connection, opened when it is first needed and again when it was lost. */
struct channel {
    virConnectPtr connection;          /* NULL while there is none */
    struct registration *registration; /* connection.c; NULL for none */
    int socket;                        /* a descriptor of its own, for call.h; -1: not known */
    bool is_opening;
    struct fault failure; /* of the last attempt, when it left no connection */
};

struct libvirt_host {
    struct host base;
    char *requested_uri; /* NULL for libvirt's choice */
    int timeout;         /* seconds that a host may be silent for */
    int64_t opened_at;   /* of the driver's monotonic_time() */
    bool is_local_qemu;  /* set by the first connection, as base.uri is */
    bool shares_network; /* a local QEMU host's daemon is in this network namespace */
    bool is_test_driver; /* in this process or in a daemon */
    bool is_in_process;  /* the test driver: its service is this process */
    /* The first connection, read-write, serves for all: another would have
     * machines of its own. Set as base.uri is. */
    bool has_one_connection;
    enum counters counters;
    struct link_stats *kernel; /* NULL where it cannot be asked */

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct opening_waiter *waiters; /* connection.c */
    struct channel channels[ACCESS_KINDS];
    bool is_closed;
    bool is_closing; /* the connections are being closed, in a thread */
    bool has_bulk_statistics;
    uint64_t definition_changes;
    struct known_domain *known[KNOWN_BUCKETS];
    struct device_counter *dump; /* what a dump fills; see kernel_proof.c */
    size_t devices_in_dump;      /* 0: to be listed anew */

    bool has_listener;
    struct host_listener listener;
    struct disk_request *disk_requests; /* disks.c: under way */
    bool lacks_disk_statistics;         /* in bulk */
    bool lacks_processor_statistics;

    int reconnect_timer;               /* -1: none */
    struct socket_watch *socket_watch; /* NULL but while the connection is lost */
    int64_t eager_until;               /* of clock_now(): the daemon may be back at any moment */
    int resynchronize_timer;
    struct link_monitor_subscriber subscriber;
};

static inline struct libvirt_host *libvirt_host(struct host *host)
{
    return (struct libvirt_host *)host;
}

/* connection.c */

/* The connection, with a reference for the caller to give back with
 * virConnectClose(). Opens it, or opens it anew when it was lost; waits for at
 * most the host's timeout. NULL with a fault of DISP_E_EXCEPTION. */
virConnectPtr libvirt_connection(struct libvirt_host *self, enum access access,
                                 struct fault *fault);
/* Starts to open the read-only connection when it was lost. Does not wait. */
void libvirt_reconnect(struct libvirt_host *self);
void libvirt_close(struct host *host);
void libvirt_destroy(struct host *host);

/* driver.c */

extern const struct host_driver libvirt_driver;

/* counters.c; of the interface in host.h where it says nothing */

bool libvirt_sample(struct host *host, const struct machine_uuid *uuid,
                    struct machine_sample *sample, struct fault *fault);
bool libvirt_sample_all(struct host *host, sample_receiver *receive, void *context,
                        struct fault *fault);
/* What is kept of the definition, or of all, no longer holds. */
void libvirt_forget_definition(struct libvirt_host *self, const struct machine_uuid *uuid);
void libvirt_forget_definitions(struct libvirt_host *self);

/* disks.c, processors.c, scheduling.c */

bool libvirt_sample_disks(struct host *host, const struct machine_uuid *uuid,
                          disk_receiver *receive, void *context, struct fault *fault);
bool libvirt_processor_times(struct host *host, processor_time_receiver *receive, void *context,
                             struct fault *fault);
bool libvirt_scheduling(struct host *host, const struct machine_uuid *uuid,
                        struct scheduling *scheduling, struct fault *fault);
bool libvirt_set_scheduling(struct host *host, const struct machine_uuid *uuid,
                            const struct scheduling *scheduling, struct fault *fault);
/* For a connection that one has found to be too slow: the next call opens another. */
void libvirt_abandon_waiting(struct libvirt_host *self);

/* change.c */

bool libvirt_change(struct host *host, const struct machine_uuid *uuid, enum machine_change change,
                    struct fault *fault);
bool libvirt_takes_time(struct host *host, enum machine_change change);
bool libvirt_check_change(struct host *host, const struct machine_uuid *uuid,
                          enum machine_change change, struct fault *fault);
bool libvirt_progress(struct host *host, const struct machine_uuid *uuid, int *percent);
bool libvirt_cancel(struct host *host, const struct machine_uuid *uuid, struct fault *fault);
bool libvirt_write_baseline(struct host *host, const struct machine_uuid *uuid,
                            const struct baseline *baseline, struct fault *fault);
bool libvirt_prepare_writing(struct host *host, struct fault *fault);

/* configuration.c */

bool libvirt_rename(struct host *host, const struct machine_uuid *uuid, const char *name,
                    struct fault *fault);
bool libvirt_notes(struct host *host, const struct machine_uuid *uuid, char **notes,
                   struct fault *fault);
bool libvirt_set_notes(struct host *host, const struct machine_uuid *uuid, const char *notes,
                       struct fault *fault);
bool libvirt_memory(struct host *host, const struct machine_uuid *uuid, uint64_t *megabytes,
                    struct fault *fault);
bool libvirt_set_memory(struct host *host, const struct machine_uuid *uuid, uint64_t megabytes,
                        struct fault *fault);
bool libvirt_saved_state_path(struct host *host, const struct machine_uuid *uuid, char **path,
                              struct fault *fault);

/* host_info.c */

bool libvirt_host_info(struct host *host, enum host_part part, struct host_info *info,
                       struct fault *fault);

/* events.c */

void libvirt_listen(struct host *host, const struct host_listener *listener);
void libvirt_settle(struct host *host);
bool libvirt_tells(struct host *host);
/* The read-only connection was lost: connects again as soon as the daemon is back. */
void libvirt_await_return(struct libvirt_host *self);
/* For a new read-only connection: registers for its events. */
void libvirt_register_events(struct libvirt_host *self, virConnectPtr connection,
                             int event_ids[EVENT_KINDS]);
/* Before the connection is closed. */
void libvirt_deregister_events(virConnectPtr connection, const int event_ids[EVENT_KINDS]);
/* With the lock held: whether the host tells of changes now. */
bool libvirt_has_events(const struct libvirt_host *self);
/* Nothing that is kept holds any more: lets the event thread look at
 * everything anew. */
void libvirt_resynchronize(struct libvirt_host *self);

#endif
