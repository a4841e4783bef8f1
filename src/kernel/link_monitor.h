/*
 * link_monitor: the kernel's notification when a network device of this host goes
 * away, with the device's final counters (RTM_DELLINK on RTNLGRP_LINK).
 */
#ifndef VMACCOUNTANT_KERNEL_LINK_MONITOR_H
#define VMACCOUNTANT_KERNEL_LINK_MONITOR_H

#include "kernel/link.h"

/* Both are called with the monitor's lock held: they must not call the monitor. */
struct link_monitor_subscriber {
    void (*device_gone)(void *context, const struct link *device);
    void (*missed)(void *context); /* the socket overflowed: some have been lost */
    void *context;
    struct link_monitor_subscriber *next;
};

/* Opens the monitor; returns the descriptor that is readable when there is
 * something to drain, or -1 where the kernel refuses a socket. */
int link_monitor_open(void);
void link_monitor_close(void);

void link_monitor_subscribe(struct link_monitor_subscriber *subscriber);
/* Returns when no call to the subscriber is under way or to come. */
void link_monitor_unsubscribe(struct link_monitor_subscriber *subscriber);

/* Calls the subscribers on this thread for what the kernel has reported so far.
 * Does not block. */
void link_monitor_drain(void);

#endif
