/*
 * call: bounds the time that a call to a libvirt host takes, as a whole.
 *
 * libvirt's calls know no time-out, and its keepalive counts whole seconds
 * from the last packet. So each call of the driver records its deadline and
 * the socket it waits on; a thread that does nothing else shuts that socket down
 * then. The call fails as with a lost connection, and its fault names the
 * time-out. The next call connects again.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_CALL_H
#define VMACCOUNTANT_LIBVIRT_HOST_CALL_H

#include "base/fault.h"
#include "libvirt_host/signal_guard.h"

#include <stdatomic.h>
#include <stdint.h>

/* What bounds the calls to one host. */
struct call_bound {
    int timeout;           /* seconds that a call may take */
    atomic_bool is_silent; /* a call's time was over, and no connection was opened since */
};

struct libvirt_call {
    struct libvirt_call *next;
    struct signal_guard guard;
    struct call_bound *bound; /* outlives the call */
    int64_t deadline;         /* of clock_now() */
    int socket;               /* that it waits on; -1 for none, and for a call that may take long */
    bool is_timed_out;        /* its socket has been shut down, or would have been */
    bool is_inner;            /* within another one of this thread, whose bound holds */
};

/* The thread that watches, from the first host to the last. */
bool call_watch_start(struct fault *fault);
void call_watch_stop(void);

/* Around each call of the driver, in the caller's thread: bounds it, and keeps
 * SIGPIPE from the program. */
void call_begin(struct libvirt_call *call, struct call_bound *bound);
/* Returns ok. A call that failed after its deadline gets a fault that names the
 * time-out. */
bool call_end(struct libvirt_call *call, bool ok, struct fault *fault);

/* When the time of this thread's call is over; outside of calls, when that of one
 * would be that begins now. */
int64_t call_deadline(const struct call_bound *bound);
/* This thread's call is about to wait on that socket. False when its time is over. */
bool call_uses(int socket);
/* The rest of this thread's call has no deadline. */
void call_takes_time(void);

/* Closes a socket that calls have used, see socket_search.h; -1 is allowed. */
void call_close_socket(int socket);

#endif
