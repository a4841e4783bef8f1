/*
 * socket_search: which socket a new connection to libvirt has.
 *
 * libvirt does not show it: it is the one that the process has after the opening
 * and had not before. Where that is not clear, the keepalive of connection.c
 * bounds the calls alone, which is later by up to two seconds.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_SOCKET_SEARCH_H
#define VMACCOUNTANT_LIBVIRT_HOST_SOCKET_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct socket_search {
    uint64_t number;
    uint64_t *before;
    size_t count;
    uint64_t found;
    bool is_complete;
};

/* Around the opening of a connection. The second gives a descriptor of its socket,
 * to be closed by call_close_socket(), or -1. */
void socket_search_begin(struct socket_search *search);
int socket_search_end(struct socket_search *search);

#endif
