/*
 * event_queue: what has happened to machines, in Virtual Server's terms,
 * kept until the program takes it.
 *
 * Virtual Server documents the states that a machine passes through in each
 * change. Hosts report less, in an order of their own, and some things twice; so
 * the state that was reported last is kept of each machine. All functions may be
 * called from any thread.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_EVENT_QUEUE_H
#define VMACCOUNTANT_ACCOUNTING_EVENT_QUEUE_H

#include "base/wake.h"
#include "core/session.h"
#include "host/machine.h"

struct event_queue;

enum machine_event_kind { EVENT_STATE, EVENT_RESET, EVENT_ADAPTER_REMOVED };

struct machine_event {
    enum machine_event_kind kind;
    enum machine_state state; /* of EVENT_STATE */
    uint8_t mac[MAC_SIZE];    /* of EVENT_ADAPTER_REMOVED */
    struct machine_uuid uuid;
    char *name; /* the machine's then, to be freed; NULL when it is not known */
};

/* `wake` is signalled for each event; it must outlive the events. NULL without
 * memory. */
struct event_queue *event_queue_new(struct wake *wake);
void event_queue_free(struct event_queue *events);

/* Nothing is kept before it is watched, nor after. */
void event_queue_watch(struct event_queue *events, bool watch);
bool event_queue_is_watching(const struct event_queue *events);

/* The oldest event; false when there is none. */
bool event_queue_take(struct event_queue *events, struct machine_event *event);
/* Their number is bounded: how many had to go since this was last asked. */
uint64_t event_queue_take_lost(struct event_queue *events);

/* The name that events give the machine from now on. */
void event_queue_name(struct event_queue *events, const struct machine_uuid *uuid,
                      const char *name);
/* The machine exists no more. */
void event_queue_forget(struct event_queue *events, const struct machine_uuid *uuid);

/* How many events there have been: of what is found after this was asked, some
 * may have been reported already. */
uint64_t event_queue_count(struct event_queue *events);
/* The state that the machine was found in. One that differs from what was reported
 * last is reported now: it was missed. Nothing, when something has been reported
 * since there were `count` events. */
void event_queue_found(struct event_queue *events, const struct machine_uuid *uuid,
                       const char *name, enum machine_state state, uint64_t count);
/* All present machines have been found: one that is not known is new from here
 * on, and its state is reported. */
void event_queue_found_all(struct event_queue *events);

void event_queue_started(struct event_queue *events, const struct machine_uuid *uuid,
                         bool is_restored);
void event_queue_stopped(struct event_queue *events, const struct machine_uuid *uuid,
                         enum stop_reason reason);
/* The machine was halted; `state` is what it is in by now. A halt is part of
 * saving, too, which the state says, or the stop that follows. */
void event_queue_paused(struct event_queue *events, const struct machine_uuid *uuid,
                        enum machine_state state);
void event_queue_resumed(struct event_queue *events, const struct machine_uuid *uuid);
void event_queue_reset(struct event_queue *events, const struct machine_uuid *uuid);
void event_queue_adapter_removed(struct event_queue *events, const struct machine_uuid *uuid,
                                 const uint8_t mac[MAC_SIZE]);

#endif
