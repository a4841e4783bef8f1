/*
 * connection: opening, losing and closing a host's connections to libvirt.
 *
 * Each is opened in a thread of its own, since virConnectOpen() knows no
 * time-out and a daemon that is stopped still has its socket.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_CONNECTION_H
#define VMACCOUNTANT_LIBVIRT_HOST_CONNECTION_H

#include "base/fault.h"

#include <libvirt/libvirt.h>
#include <stdbool.h>

struct libvirt_host; /* libvirt_host.h */

enum { EVENT_KINDS = 5 };

/* The read-only connection answers at once. What may have to wait for a
 * hypervisor process has one of its own, since a daemon serves few calls of one
 * connection at a time. The thread that samples processors has its own, too: a
 * client of libvirt before 10.4 can crash (CVE-2024-4418) where a second thread
 * calls while the first waits, on one connection, for a daemon that hangs. */
enum access { READ_ONLY, READ_WRITE, READ_ONLY_WAITING, READ_ONLY_SAMPLING, ACCESS_KINDS };

/* A connection, opened when it is first needed and again when it was lost. */
struct channel {
    struct libvirt_host *host;
    virConnectPtr connection;          /* NULL while there is none */
    struct registration *registration; /* connection.c; NULL for none */
    int socket;                        /* a descriptor of its own, for call.h; -1: not known */
    bool was_open;                     /* at some time */
    bool is_opening;
    int64_t awaited_until; /* of clock_now(): when callers wait for that no longer */
    struct fault failure;  /* of the last attempt, when it left no connection */
};

/* What is done with the read-only connection, the one that brings events, by
 * those who listen to them. All are called without the host's lock. */
struct connection_hooks {
    /* It is open: registers for its events. */
    void (*register_events)(struct libvirt_host *self, virConnectPtr connection,
                            int event_ids[EVENT_KINDS]);
    /* It was lost, and calls can be made again: much may have been missed. */
    void (*reopened)(struct libvirt_host *self);
    /* It was lost. */
    void (*lost)(struct libvirt_host *self);
    /* It is about to be closed. */
    void (*deregister_events)(virConnectPtr connection, const int event_ids[EVENT_KINDS]);
};

/* For a new host. */
void connection_init(struct libvirt_host *self);

/* Whether the process has the descriptors that a connection needs. */
bool connection_check_descriptors(struct fault *fault);

/* The connection, with a reference for the caller to give back with
 * virConnectClose(). Opens it, also when it was lost; waits for at most the
 * host's timeout. NULL with a fault of DISP_E_EXCEPTION. */
virConnectPtr connection_acquire(struct libvirt_host *self, enum access access,
                                 struct fault *fault);

/* Starts to open the read-only connection when it was lost. Does not wait. */
void connection_reopen(struct libvirt_host *self);

/* READ_ONLY_WAITING turned out to be too slow: the next call opens another. */
void connection_abandon_waiting(struct libvirt_host *self);

/* Whether the host reports changes now. */
bool connection_has_events_locked(const struct libvirt_host *self);

/* Of a closed host. */
void connection_close_all(struct libvirt_host *self);

#endif
