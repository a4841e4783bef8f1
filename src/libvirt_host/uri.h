/*
 * uri: what a libvirt URI says about the host: DRIVER[+TRANSPORT]://[USER@][HOST]/PATH.
 *
 * For a text that is no URI all answers are false, or NULL.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_URI_H
#define VMACCOUNTANT_LIBVIRT_HOST_URI_H

#include <stdbool.h>

/* Without a host, and over no transport but a UNIX socket, the machines are
 * this host's. */
bool uri_is_local_qemu(const char *uri);

/* The test driver, in this process or in a daemon. */
bool uri_is_test(const char *uri);

/* The test driver in this process. */
bool uri_is_in_process(const char *uri);

/* By a daemon on this host, over a UNIX socket. */
bool uri_is_served_here(const char *uri);

/* The test driver makes a host of a file for each connection to it, also in a
 * daemon; only its `default` is shared by all connections of a process. */
bool uri_is_test_file(const char *uri);

/* The daemon of the user, not the system's. */
bool uri_is_session(const char *uri);

/* The value of the parameter `socket`, to be freed; NULL for none. */
char *uri_socket_parameter(const char *uri);

#endif
