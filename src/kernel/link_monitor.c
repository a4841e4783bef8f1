#include "kernel/link_monitor.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>

/* A burst of a thousand devices is about 3 MiB of messages; the kernel charges
 * only what is queued. */
enum { RECEIVE_BUFFER = 8 * 1024 * 1024, MESSAGE_SIZE = 64 * 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mnl_socket *monitor;
static struct link_monitor_subscriber *subscribers;

static int report_gone(const struct nlmsghdr *message, void *context)
{
    struct link device;

    (void)context;
    if (message->nlmsg_type == RTM_DELLINK && link_parse(message, &device) && device.has_bytes)
        for (struct link_monitor_subscriber *one = subscribers; one != NULL; one = one->next)
            one->device_gone(one->context, &device);
    return MNL_CB_OK;
}

static void drain_locked(void)
{
    static _Alignas(struct nlmsghdr) char buffer[MESSAGE_SIZE]; /* guarded by the lock */

    while (monitor != NULL) {
        ssize_t length = mnl_socket_recvfrom(monitor, buffer, sizeof buffer);
        if (length > 0) {
            mnl_cb_run(buffer, (size_t)length, 0, 0, report_gone, NULL);
        } else if (length < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
            for (struct link_monitor_subscriber *one = subscribers; one; one = one->next)
                one->missed(one->context);
        } else if (length >= 0 || errno != EINTR) {
            break; /* EAGAIN: that was all */
        }
    }
}

void link_monitor_drain(void)
{
    pthread_mutex_lock(&lock);
    drain_locked();
    pthread_mutex_unlock(&lock);
}

int link_monitor_open(void)
{
    int size = RECEIVE_BUFFER;
    struct mnl_socket *opened = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (opened == NULL)
        return -1;
    if (mnl_socket_bind(opened, RTMGRP_LINK, MNL_SOCKET_AUTOPID) != 0) {
        mnl_socket_close(opened);
        return -1;
    }
    /* Beyond net.core.rmem_max with CAP_NET_ADMIN only. */
    int descriptor = mnl_socket_get_fd(opened);
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);

    pthread_mutex_lock(&lock);
    monitor = opened;
    pthread_mutex_unlock(&lock);
    return descriptor;
}

void link_monitor_close(void)
{
    pthread_mutex_lock(&lock);
    if (monitor != NULL)
        mnl_socket_close(monitor);
    monitor = NULL;
    pthread_mutex_unlock(&lock);
}

void link_monitor_subscribe(struct link_monitor_subscriber *subscriber)
{
    pthread_mutex_lock(&lock);
    subscriber->next = subscribers;
    subscribers = subscriber;
    pthread_mutex_unlock(&lock);
}

void link_monitor_unsubscribe(struct link_monitor_subscriber *subscriber)
{
    pthread_mutex_lock(&lock);
    struct link_monitor_subscriber **link = &subscribers;
    while (*link != NULL && *link != subscriber)
        link = &(*link)->next;
    if (*link != NULL)
        *link = subscriber->next;
    pthread_mutex_unlock(&lock);
}
