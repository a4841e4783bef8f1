#include "libvirt_host/connection.h"

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/interrupt.h"
#include "base/thread.h"
#include "libvirt_host/call.h"
#include "libvirt_host/daemon.h"
#include "libvirt_host/error.h"
#include "libvirt_host/event_loop.h"
#include "libvirt_host/libvirt_host.h"
#include "libvirt_host/socket_search.h"
#include "libvirt_host/uri.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

static const int64_t PATIENCE_AFTER_SILENCE = CLOCK_SECOND;

/* What the first connection's URI says about the host. */
static void read_uri(struct libvirt_host *self)
{
    const char *uri = self->base.uri;

    self->is_local_qemu = uri_is_local_qemu(uri);
    self->is_test_driver = uri_is_test(uri);
    self->is_in_process = uri_is_in_process(uri);
    self->has_one_connection = self->is_in_process || uri_is_test_file(uri);
}

/* For connections that no call waits on, and for calls that call.h does not
 * bound: a host that is silent for the whole time is taken for dead, not
 * sooner, and up to two intervals later. libvirt asks `count` times, `interval`
 * seconds apart, and waits once more; whole seconds may be cut from its waits.
 * Drivers within this process have no such thing, and need none. */
static void keep_alive(virConnectPtr connection, int timeout)
{
    int interval = timeout / 20 > 0 ? timeout / 20 : 1;
    int count = (timeout + interval - 1) / interval;
    virConnectSetKeepAlive(connection, interval, (unsigned)count);
}

static void on_lost(virConnectPtr connection, int reason, void *context)
{
    (void)connection;
    (void)reason;
    struct libvirt_host *self = context;

    self->hooks->lost(self);
}

/* What is registered on a read-only connection. A driver without close
 * callbacks accepts one and forgets it, its free callback too, so what the
 * callback needs is freed here: after virConnectUnregisterCloseCallback()
 * none is under way. */
struct registration {
    struct libvirt_host *host; /* held */
    int event_ids[EVENT_KINDS];
};

static struct registration *register_callbacks(struct libvirt_host *self, virConnectPtr connection)
{
    struct registration *registration = malloc(sizeof *registration);
    if (registration == NULL)
        return NULL; /* the host is asked instead */
    host_hold(&self->base);
    registration->host = self;
    virConnectRegisterCloseCallback(connection, on_lost, self, NULL);
    self->hooks->register_events(self, connection, registration->event_ids);
    return registration;
}

static void close_connection(virConnectPtr connection, struct registration *registration,
                             int socket)
{
    if (registration != NULL) {
        virConnectUnregisterCloseCallback(connection, on_lost);
        registration->host->hooks->deregister_events(connection, registration->event_ids);
        host_release(&registration->host->base);
        free(registration);
    }
    virConnectClose(connection);
    call_close_socket(socket);
}

/* The same in a thread that may outlast all applications, and with them the loop. */
static void close_in_loop(virConnectPtr connection, struct registration *registration, int socket)
{
    struct fault fault;

    bool has_loop = event_loop_acquire(&fault);
    close_connection(connection, registration, socket);
    if (has_loop)
        event_loop_release();
}

/* Learns the host's URI from the first connection. False when it has none. */
static bool learn_uri(struct libvirt_host *self, virConnectPtr connection)
{
    char *uri = virConnectGetURI(connection);

    pthread_mutex_lock(&self->lock);
    if (self->base.uri == NULL && uri != NULL) {
        self->base.uri = uri;
        read_uri(self);
        uri = NULL;
    }
    bool is_known = self->base.uri != NULL;
    pthread_mutex_unlock(&self->lock);
    free(uri);
    return is_known;
}

/* Each connection may lead to another daemon. */
static void find_network(struct libvirt_host *self)
{
    if (self->is_local_qemu)
        atomic_store(&self->network, (int)daemon_network(self->base.uri));
}

static void explain_failure(struct libvirt_host *self, enum access access, struct fault *fault)
{
    if (access != READ_WRITE) {
        libvirt_error_open_fault(fault, self->requested_uri);
        return;
    }
    libvirt_error_fault(fault,
                        "changing a machine needs a read-write connection, which this user does "
                        "not get (on Debian, the group libvirt does)",
                        HRESULT_E_ACCESSDENIED);
    /* With a read-only connection at hand it is the permission that is missing. */
    if (fault->code == HRESULT_DISP_E_EXCEPTION && virGetLastErrorCode() == VIR_ERR_SYSTEM_ERROR &&
        (virGetLastError()->int1 == EACCES || virGetLastError()->int1 == EPERM))
        fault->code = HRESULT_E_ACCESSDENIED;
}

/* A host's only connection must be able to change it, and no caller has seen the
 * machines of the first one yet. Where a daemon refuses, reading is better than
 * nothing: libvirt then refuses the changes. */
static virConnectPtr open_for_all(struct libvirt_host *self, virConnectPtr read_only)
{
    virConnectPtr connection = virConnectOpen(self->base.uri);
    if (connection == NULL)
        return read_only;
    virConnectClose(read_only);
    return connection;
}

/* GLib, in which libvirt keeps a loop for each connection, ends the process
 * when it gets no descriptor. So the few that are needed are tried before:
 * sockets, loops, what NSS and TLS open meanwhile. */
bool connection_check_descriptors(struct fault *fault)
{
    return descriptors_check(16, "cannot connect", fault);
}

static virConnectPtr open_connection(struct libvirt_host *self, enum access access, int *socket,
                                     struct fault *fault)
{
    struct socket_search search;

    *socket = -1;
    if (!connection_check_descriptors(fault))
        return NULL;
    socket_search_begin(&search);
    virConnectPtr connection = access == READ_ONLY    ? virConnectOpenReadOnly(self->requested_uri)
                               : access == READ_WRITE ? virConnectOpen(self->base.uri)
                                                      : virConnectOpenReadOnly(self->base.uri);
    if (connection == NULL)
        explain_failure(self, access, fault);
    *socket = socket_search_end(&search);
    if (connection != NULL && !learn_uri(self, connection)) {
        explain_failure(self, access, fault);
        virConnectClose(connection);
        connection = NULL;
    }
    if (connection != NULL && self->has_one_connection)
        connection = open_for_all(self, connection);
    if (connection == NULL) {
        call_close_socket(*socket);
        *socket = -1;
    }
    return connection;
}

/* One that waits for an opening, in a way that a signal ends: a condition
 * variable would go on waiting. */
struct opening_waiter {
    struct opening_waiter *next;
    sem_t is_over;
};

/* Drops the lock while it waits. False when the time is over, or the program
 * wants its thread back. */
static bool wait_for_opening_locked(struct libvirt_host *self, int64_t deadline)
{
    struct opening_waiter waiter = {.next = self->waiters};
    const struct timespec until = {.tv_sec = deadline / CLOCK_SECOND,
                                   .tv_nsec = deadline % CLOCK_SECOND};
    bool goes_on = true;
    int error = EINTR;

    sem_init(&waiter.is_over, 0, 0);
    /* cppcheck-suppress autoVariables ; taken out again below */
    self->waiters = &waiter;
    pthread_mutex_unlock(&self->lock);
    while (goes_on && error == EINTR) {
        error = sem_clockwait(&waiter.is_over, CLOCK_MONOTONIC, &until) == 0 ? 0 : errno;
        goes_on = error == 0 || (error == EINTR && !interrupt_is_pending());
    }
    pthread_mutex_lock(&self->lock);
    struct opening_waiter **link = &self->waiters;
    while (*link != &waiter)
        link = &(*link)->next;
    *link = waiter.next;
    sem_destroy(&waiter.is_over);
    return goes_on;
}

static void open_channel(struct libvirt_host *self, enum access access)
{
    struct fault failure = {.code = HRESULT_S_OK};
    struct registration *registration = NULL;
    struct fault fault;
    int socket;
    bool has_loop = event_loop_acquire(&fault); /* the host may be closed meanwhile */
    virConnectPtr connection = open_connection(self, access, &socket, &failure);

    if (connection != NULL) {
        keep_alive(connection, self->bound.timeout);
        if (access == READ_ONLY) {
            find_network(self);
            registration = register_callbacks(self, connection);
        }
    }
    if (has_loop)
        event_loop_release(); /* before anybody is told, who may close and then wait for its end */

    pthread_mutex_lock(&self->lock);
    struct channel *channel = &self->channels[access];
    bool is_late = self->is_closed, is_again = channel->was_open;
    channel->is_opening = false;
    channel->failure = failure;
    if (connection != NULL && !is_late) {
        channel->was_open = true;
        atomic_store(&self->bound.is_silent, false);
        channel->connection = connection;
        channel->registration = registration;
        channel->socket = socket;
    }
    for (struct opening_waiter *waiter = self->waiters; waiter != NULL; waiter = waiter->next)
        sem_post(&waiter->is_over);
    pthread_mutex_unlock(&self->lock);
    if (connection != NULL && is_late)
        close_in_loop(connection, registration, socket);
    else if (connection != NULL && access == READ_ONLY && is_again)
        self->hooks->reopened(self);
}

static void open_in_thread(void *context)
{
    const struct channel *channel = context;
    struct libvirt_host *self = channel->host;

    open_channel(self, (enum access)(channel - self->channels));
    host_release(&self->base);
}

static void say_farewell(void *context)
{
    struct channel *lost = context;

    close_in_loop(lost->connection, lost->registration, lost->socket);
    free(lost);
}

/* Closes a lost connection without waiting for a host that may be silent. */
static void drop_lost_locked(struct channel *channel)
{
    struct channel *lost = malloc(sizeof *lost);
    struct fault fault;

    if (lost == NULL)
        return; /* it stays, lost; the next call tries again */
    *lost = *channel;
    if (thread_run(say_farewell, lost, &fault))
        channel->connection = NULL;
    else
        free(lost);
}

/* All callers together wait once for a host that hangs: the rest of them fail at
 * once, until it answers. One whose call has just waited in vain waits only as long
 * as a host needs that answers again. */
static int64_t end_of_patience(const struct libvirt_host *self)
{
    int64_t patience = atomic_load(&self->bound.is_silent) ? PATIENCE_AFTER_SILENCE
                                                           : self->bound.timeout * CLOCK_SECOND;
    return clock_deadline(patience);
}

/* The channel is usable, or on its way to be. */
static bool begin_opening_locked(struct libvirt_host *self, enum access access, struct fault *fault)
{
    struct channel *channel = &self->channels[access];

    if (channel->connection != NULL && virConnectIsAlive(channel->connection) != 1)
        drop_lost_locked(channel);
    if (channel->connection != NULL || channel->is_opening)
        return true;
    host_hold(&self->base);
    channel->awaited_until = end_of_patience(self);
    channel->is_opening = thread_run(open_in_thread, channel, fault);
    if (!channel->is_opening)
        host_release(&self->base);
    return channel->is_opening;
}

virConnectPtr connection_acquire(struct libvirt_host *self, enum access access, struct fault *fault)
{
    int64_t deadline = call_deadline(&self->bound);
    virConnectPtr connection = NULL;
    bool goes_on = true;

    pthread_mutex_lock(&self->lock);
    if (self->has_one_connection)
        access = READ_ONLY;
    struct channel *channel = &self->channels[access];
    bool ok = !self->is_closed || fault_set(fault, HRESULT_VM_E_APP_SHUTTING_DOWN,
                                            "the application object has been closed");
    ok = ok && begin_opening_locked(self, access, fault);
    while (ok && channel->is_opening && goes_on)
        goes_on = wait_for_opening_locked(
            self, deadline < channel->awaited_until ? deadline : channel->awaited_until);
    if (ok && channel->connection != NULL && !call_uses(channel->socket)) {
        fault_set(fault, HRESULT_DISP_E_EXCEPTION, "the host has not answered in time");
    } else if (ok && channel->connection != NULL) {
        connection = channel->connection;
        virConnectRef(connection);
    } else if (ok && channel->is_opening) {
        fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                  "cannot connect to %s: no answer within %d seconds; the daemon may be stopped "
                  "or overloaded (option 'timeout')",
                  self->requested_uri != NULL ? self->requested_uri : "the default libvirt host",
                  self->bound.timeout);
    } else if (ok) {
        *fault = channel->failure;
    }
    pthread_mutex_unlock(&self->lock);
    return connection;
}

void connection_abandon_waiting(struct libvirt_host *self)
{
    pthread_mutex_lock(&self->lock);
    if (!self->is_closed && self->channels[READ_ONLY_WAITING].connection != NULL)
        drop_lost_locked(&self->channels[READ_ONLY_WAITING]);
    pthread_mutex_unlock(&self->lock);
}

bool connection_has_events_locked(const struct libvirt_host *self)
{
    const struct channel *channel = &self->channels[READ_ONLY];
    if (channel->connection == NULL || channel->registration == NULL ||
        virConnectIsAlive(channel->connection) != 1)
        return false;
    for (int kind = 0; kind < EVENT_KINDS; kind++)
        if (channel->registration->event_ids[kind] < 0)
            return false;
    return true;
}

void connection_reopen(struct libvirt_host *self)
{
    struct fault fault;

    pthread_mutex_lock(&self->lock);
    if (!self->is_closed)
        begin_opening_locked(self, READ_ONLY, &fault);
    pthread_mutex_unlock(&self->lock);
}

void connection_init(struct libvirt_host *self)
{
    for (int access = 0; access < ACCESS_KINDS; access++)
        self->channels[access] = (struct channel){.host = self, .socket = -1};
}

void connection_close_all(struct libvirt_host *self)
{
    /* Nobody else touches the channels of a closed host. */
    for (int access = 0; access < ACCESS_KINDS; access++)
        if (self->channels[access].connection != NULL)
            close_connection(self->channels[access].connection, self->channels[access].registration,
                             self->channels[access].socket);
}
