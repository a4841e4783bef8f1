/*
 * daemon: which process answers a connection to this host's own QEMU driver.
 *
 * Several daemons may run on one host: the system's, one for each user's
 * session, modular ones beside the monolithic, others at sockets of their own.
 * A PID file does not show which of them answers. The kernel does: it knows, for
 * each connected UNIX socket of this process, the path that the other end was
 * bound to and the process that listened there.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_DAEMON_H
#define VMACCOUNTANT_LIBVIRT_HOST_DAEMON_H

#include "base/fault.h"

#include <stdint.h>

/* Both are for a URI of the local QEMU driver to which this process is
 * connected, and make no call to libvirt. */

/* How long the daemon behind that URI has been running, in seconds. A fault
 * when it cannot be told apart from others. */
bool daemon_uptime(const char *uri, int64_t *seconds, struct fault *fault);

/* Where the daemon's network devices are. A UNIX socket is reached from
 * everywhere, and can be forwarded to another host, where other devices have the
 * same names and, when a machine is copied, the same addresses. */
enum daemon_network {
    DAEMON_NETWORK_OTHER,    /* not in this thread's network namespace */
    DAEMON_NETWORK_PROBABLE, /* its socket was bound here; the process may not be seen */
    DAEMON_NETWORK_SHARED    /* and the process is in this namespace */
};
enum daemon_network daemon_network(const char *uri);

#endif
