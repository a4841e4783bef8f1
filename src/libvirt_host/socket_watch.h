/*
 * socket_watch: reports when the socket of a local daemon may have come back.
 *
 * A daemon that starts binds its socket again. The kernel reports that at once
 * to those who watch the socket's folder, long before the daemon answers, so
 * that a client which then connects is among the first to be served. Where
 * nothing can be watched (a remote host, no inotify instances left) the caller
 * has to try again from time to time, as it has to where the watch may have
 * missed something.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_SOCKET_WATCH_H
#define VMACCOUNTANT_LIBVIRT_HOST_SOCKET_WATCH_H

#include <libvirt/libvirt.h>

struct socket_watch;

/* Starts to watch the places where the socket of the daemon behind the URI can
 * be. `changed` is called from the event loop. NULL where nothing can be
 * watched; else `release` is called with the context some time after
 * socket_watch_stop(), when `changed` cannot be called any more. */
struct socket_watch *socket_watch_start(const char *uri, void (*changed)(void *context),
                                        void *context, virFreeCallback release);

/* Also watches folders that have been created since. */
void socket_watch_renew(struct socket_watch *watch);

void socket_watch_stop(struct socket_watch *watch);

#endif
