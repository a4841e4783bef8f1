/*
 * machine_events: what has happened to machines, in Virtual Server's terms,
 * kept for the program that wants to be told until it takes it.
 *
 * Virtual Server documents the states that a machine passes through in each
 * change. Hosts tell less, in an order of their own, and some things twice; so
 * the state that was told last is kept of each machine. All functions may be
 * called from any thread.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_EVENT_QUEUE_H
#define VMACCOUNTANT_ACCOUNTING_EVENT_QUEUE_H

#include "base/wake.h"
#include "host/machine.h"

struct machine_events;

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
struct machine_events *machine_events_new(struct wake *wake);
void machine_events_free(struct machine_events *events);

/* Nothing is kept before it is watched, nor after. */
void machine_events_watch(struct machine_events *events, bool watch);
bool machine_events_is_watching(const struct machine_events *events);

/* The oldest event; false when there is none. */
bool machine_events_take(struct machine_events *events, struct machine_event *event);
/* Their number is bounded: how many had to go since this was last asked. */
uint64_t machine_events_take_lost(struct machine_events *events);

/* The name by which events tell of the machine from now on. */
void machine_events_name(struct machine_events *events, const struct machine_uuid *uuid,
                         const char *name);
/* The machine exists no more. */
void machine_events_forget(struct machine_events *events, const struct machine_uuid *uuid);

/* How many events there have been: of what is found after this was asked, some
 * may be told already. */
uint64_t machine_events_count(struct machine_events *events);
/* The state that the machine was found in. One that differs from what was told
 * last is told now: it was missed. Nothing, when it has been told something
 * since there were `count` events. */
void machine_events_found(struct machine_events *events, const struct machine_uuid *uuid,
                          const char *name, enum machine_state state, uint64_t count);
/* All machines of now have been found: one that is not known is new from here
 * on, and its state is told. */
void machine_events_found_all(struct machine_events *events);

void machine_events_started(struct machine_events *events, const struct machine_uuid *uuid,
                            bool is_restored);
void machine_events_stopped(struct machine_events *events, const struct machine_uuid *uuid,
                            enum stop_reason reason);
/* The machine was halted; `state` is what it is in by now. A halt is part of
 * saving, too, which the state tells, or the stop that follows. */
void machine_events_paused(struct machine_events *events, const struct machine_uuid *uuid,
                           enum machine_state state);
void machine_events_resumed(struct machine_events *events, const struct machine_uuid *uuid);
void machine_events_reset(struct machine_events *events, const struct machine_uuid *uuid);
void machine_events_adapter_removed(struct machine_events *events, const struct machine_uuid *uuid,
                                    const uint8_t mac[MAC_SIZE]);

#endif
