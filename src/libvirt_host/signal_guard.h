/*
 * signal_guard: keeps SIGPIPE from the program while libvirt is called.
 *
 * libvirt's client writes to its daemon's socket without MSG_NOSIGNAL. When
 * the daemon has just died, the kernel sends the calling thread SIGPIPE, which
 * ends a program that has not said otherwise, and Lua's interpreter has not.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_SIGNAL_GUARD_H
#define VMACCOUNTANT_LIBVIRT_HOST_SIGNAL_GUARD_H

#include <signal.h>
#include <stdbool.h>

struct signal_guard {
    sigset_t before;
    bool is_needed; /* SIGPIPE was neither blocked nor pending in this thread */
};

void signal_guard_begin(struct signal_guard *guard);
/* Takes back a SIGPIPE that came since, and unblocks it again. */
void signal_guard_end(const struct signal_guard *guard);

#endif
