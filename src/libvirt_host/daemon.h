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

/* Whether that daemon's socket was bound in this thread's network namespace:
 * there are its devices, since a UNIX socket is reached from everywhere, and
 * can be forwarded to another host, where other devices have the same names
 * and, when a machine is copied, the same addresses. */
bool daemon_shares_network(const char *uri);

#endif
