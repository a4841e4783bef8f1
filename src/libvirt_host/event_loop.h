/*
 * event_loop: the one background thread of the process, which runs libvirt's
 * event loop.
 *
 * It starts with the first host that needs it and stops with the last. It
 * blocks all signals, so that they reach the program's own threads, and never
 * touches Lua. After a fork there is no such thread in the child, and libvirt
 * cannot be used there: every call is to be refused.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_EVENT_LOOP_H
#define VMACCOUNTANT_LIBVIRT_HOST_EVENT_LOOP_H

#include "base/fault.h"

#include <stdbool.h>

/* Registers libvirt's event loop for this process. Before any connection. */
void event_loop_prepare(void);

/* Starts the thread for the first user: a host, or a thread that opens or closes a
 * connection and may outlast it. What libvirt takes out of the loop is freed by a
 * later turn of it. */
bool event_loop_acquire(struct fault *fault);

/* Stops the thread when nobody else uses it. Waits for its end for a short
 * while only: a callback may be waiting for a host that does not answer, and
 * the thread then ends after it. */
void event_loop_release(void);

/* Between the two the thread takes no turn. libvirt wakes it for each call that
 * another thread makes, which nearly doubles what a short call costs: for many
 * calls in a row, which the host's time-out bounds. */
void event_loop_pause(void);
void event_loop_resume(void);

/* As event_loop_pause(), for the only user, who is about to come or to go: others
 * would wait for their events. Returns whether event_loop_resume() is due. */
bool event_loop_pause_to_come(void);
bool event_loop_pause_to_go(void);

/* Whether this process is the child of a fork of one that used libvirt. */
bool event_loop_is_forked(void);

/* Passed by whoever gives something to the event loop, and by each callback.
 * The loop hands it over by locks of its own, which neither Helgrind nor
 * ThreadSanitizer can see; by this one they see that all was written before. */
void event_loop_hand_over(void);

/* A virFreeCallback for a host that is held for a callback. */
void event_loop_release_host(void *host);

#endif
