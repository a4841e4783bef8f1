#include "accounting/event_queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A program that takes none for long loses the newest, and learns how many. */
enum { MOST_EVENTS = 16384, CAPACITY_AT_FIRST = 64 };

struct known_machine {
    struct machine_uuid uuid;
    char *name;
    enum machine_state reported; /* Invalid: nothing yet */
    uint64_t reported_in;        /* event_queue.reports when that was reported */
    bool may_be_paused;          /* halted, and gone before it could be asked why */
    bool is_found_on; /* a sample has found this run; the event of its start may follow */
};

struct event_queue {
    pthread_mutex_t lock;
    struct wake *wake;
    atomic_bool is_watching;

    struct machine_event *ring;
    size_t first, count, capacity;
    uint64_t lost;
    uint64_t reports;

    struct known_machine *machines;
    size_t machine_count, machine_capacity;
    bool knows_all;
};

struct event_queue *event_queue_new(struct wake *wake)
{
    struct event_queue *events = calloc(1, sizeof *events);
    if (events == NULL)
        return NULL;
    events->wake = wake;
    pthread_mutex_init(&events->lock, NULL);
    return events;
}

static void clear(struct event_queue *events)
{
    for (size_t i = 0; i < events->count; i++)
        free(events->ring[(events->first + i) % events->capacity].name);
    for (size_t i = 0; i < events->machine_count; i++)
        free(events->machines[i].name);
    free(events->ring);
    free(events->machines);
    events->ring = NULL;
    events->machines = NULL;
    events->first = events->count = events->capacity = 0;
    events->machine_count = events->machine_capacity = 0;
    events->knows_all = false;
    events->lost = 0;
}

void event_queue_free(struct event_queue *events)
{
    if (events == NULL)
        return;
    event_queue_watch(events, false);
    pthread_mutex_destroy(&events->lock);
    free(events);
}

void event_queue_watch(struct event_queue *events, bool watch)
{
    pthread_mutex_lock(&events->lock);
    if (!watch)
        clear(events);
    atomic_store(&events->is_watching, watch);
    pthread_mutex_unlock(&events->lock);
}

bool event_queue_is_watching(const struct event_queue *events)
{
    return atomic_load_explicit(&events->is_watching, memory_order_acquire);
}

/* Locks and returns true, unless nobody watches. */
static bool begin(struct event_queue *events)
{
    if (!event_queue_is_watching(events))
        return false;
    pthread_mutex_lock(&events->lock);
    if (event_queue_is_watching(events))
        return true;
    pthread_mutex_unlock(&events->lock);
    return false;
}

static void end(struct event_queue *events)
{
    pthread_mutex_unlock(&events->lock);
}

/* ------------------------------------------------------------------------
 * With the lock held
 * ------------------------------------------------------------------------ */

static struct known_machine *find(struct event_queue *events, const struct machine_uuid *uuid)
{
    for (size_t i = 0; i < events->machine_count; i++)
        if (machine_uuid_equal(&events->machines[i].uuid, uuid))
            return &events->machines[i];
    return NULL;
}

/* NULL without memory. */
static struct known_machine *find_or_add(struct event_queue *events,
                                         const struct machine_uuid *uuid)
{
    struct known_machine *machine = find(events, uuid);
    if (machine != NULL)
        return machine;
    if (events->machine_count == events->machine_capacity) {
        size_t capacity = events->machine_capacity * 2 + 16;
        struct known_machine *grown = realloc(events->machines, capacity * sizeof *grown);
        if (grown == NULL)
            return NULL;
        events->machines = grown;
        events->machine_capacity = capacity;
    }
    machine = &events->machines[events->machine_count++];
    *machine = (struct known_machine){.uuid = *uuid, .reported = MACHINE_Invalid};
    return machine;
}

static void set_name(struct known_machine *machine, const char *name)
{
    if (machine->name != NULL && strcmp(machine->name, name) == 0)
        return;
    char *copy = strdup(name);
    if (copy == NULL)
        return;
    free(machine->name);
    machine->name = copy;
}

static bool grow_ring(struct event_queue *events)
{
    size_t capacity = events->capacity == 0 ? CAPACITY_AT_FIRST : events->capacity * 2;
    if (capacity > MOST_EVENTS)
        return false;
    struct machine_event *grown = calloc(capacity, sizeof *grown);
    if (grown == NULL)
        return false;
    for (size_t i = 0; i < events->count; i++)
        grown[i] = events->ring[(events->first + i) % events->capacity];
    free(events->ring);
    events->ring = grown;
    events->capacity = capacity;
    events->first = 0;
    return true;
}

static void push(struct event_queue *events, struct known_machine *machine,
                 struct machine_event event)
{
    machine->reported_in = ++events->reports;
    event.uuid = machine->uuid;
    event.name = machine->name == NULL ? NULL : strdup(machine->name);
    if (events->count == events->capacity && !grow_ring(events)) {
        free(event.name);
        events->lost++;
    } else {
        events->ring[(events->first + events->count++) % events->capacity] = event;
    }
    wake_signal(events->wake);
}

static void enter(struct event_queue *events, struct known_machine *machine,
                  enum machine_state state)
{
    machine->reported = state;
    machine->may_be_paused = false;
    push(events, machine, (struct machine_event){.kind = EVENT_STATE, .state = state});
}

/* A host may say twice that a machine is halted: of a panic, why and that. */
static void enter_pause(struct event_queue *events, struct known_machine *machine)
{
    machine->may_be_paused = false;
    if (machine->reported != MACHINE_Paused)
        enter(events, machine, MACHINE_Paused);
}

static bool is_on(enum machine_state state)
{
    return state == MACHINE_Running || state == MACHINE_Paused || state == MACHINE_Saving;
}

/* Each change passes through the states that Virtual Server documents for it. */

static void enter_stop(struct event_queue *events, struct known_machine *machine,
                       enum stop_reason reason)
{
    if (machine->reported == MACHINE_TurnedOff)
        return;
    if (machine->may_be_paused && reason != STOP_SAVED)
        enter_pause(events, machine);
    machine->is_found_on = false;
    if (reason == STOP_SAVED && machine->reported != MACHINE_Saving)
        enter(events, machine, MACHINE_Saving);
    enter(events, machine, MACHINE_TurningOff);
    enter(events, machine, MACHINE_DeleteMachine);
    enter(events, machine, MACHINE_TurnedOff);
}

static void enter_start(struct event_queue *events, struct known_machine *machine, bool is_restored)
{
    if (is_on(machine->reported))
        enter_stop(events, machine, STOP_UNKNOWN);
    enter(events, machine, MACHINE_TurningOn);
    if (is_restored)
        enter(events, machine, MACHINE_Restoring);
    enter(events, machine, MACHINE_Running);
}

bool event_queue_take(struct event_queue *events, struct machine_event *event)
{
    if (!begin(events))
        return false;
    bool is_there = events->count > 0;
    if (is_there) {
        *event = events->ring[events->first];
        events->first = (events->first + 1) % events->capacity;
        events->count--;
        /* The host may have begun to report before the machines were listed. */
        const struct known_machine *machine = find(events, &event->uuid);
        if (event->name == NULL && machine != NULL && machine->name != NULL)
            event->name = strdup(machine->name);
    }
    end(events);
    return is_there;
}

uint64_t event_queue_take_lost(struct event_queue *events)
{
    if (!begin(events))
        return 0;
    uint64_t lost = events->lost;
    events->lost = 0;
    end(events);
    return lost;
}

/* ------------------------------------------------------------------------
 * What the host reports
 * ------------------------------------------------------------------------ */

void event_queue_name(struct event_queue *events, const struct machine_uuid *uuid, const char *name)
{
    if (!begin(events))
        return;
    struct known_machine *machine = find_or_add(events, uuid);
    if (machine != NULL)
        set_name(machine, name);
    end(events);
}

void event_queue_forget(struct event_queue *events, const struct machine_uuid *uuid)
{
    if (!begin(events))
        return;
    struct known_machine *machine = find(events, uuid);
    if (machine != NULL) {
        free(machine->name);
        *machine = events->machines[--events->machine_count];
    }
    end(events);
}

uint64_t event_queue_count(struct event_queue *events)
{
    pthread_mutex_lock(&events->lock);
    uint64_t count = events->reports;
    pthread_mutex_unlock(&events->lock);
    return count;
}

void event_queue_found(struct event_queue *events, const struct machine_uuid *uuid,
                       const char *name, enum machine_state state, uint64_t count)
{
    if (!begin(events))
        return;
    struct known_machine *machine = find_or_add(events, uuid);
    if (machine != NULL)
        set_name(machine, name);
    if (machine != NULL && machine->reported_in <= count) {
        bool is_off = state == MACHINE_TurnedOff || state == MACHINE_Saved;
        bool is_unknown = machine->reported == MACHINE_Invalid;

        if (is_unknown)
            machine->reported = is_on(state) && !events->knows_all ? state : MACHINE_TurnedOff;
        if (is_off)
            enter_stop(events, machine, state == MACHINE_Saved ? STOP_SAVED : STOP_UNKNOWN);
        else if (is_on(state) && !is_on(machine->reported))
            enter_start(events, machine, false);
        if ((state == MACHINE_Paused || state == MACHINE_Running) && machine->reported != state)
            enter(events, machine, state);
        machine->is_found_on = is_on(state);
    }
    end(events);
}

void event_queue_found_all(struct event_queue *events)
{
    if (!begin(events))
        return;
    events->knows_all = true;
    end(events);
}

void event_queue_started(struct event_queue *events, const struct machine_uuid *uuid,
                         bool is_restored)
{
    if (!begin(events))
        return;
    struct known_machine *machine = find_or_add(events, uuid);
    /* Of a run before the one that was found, the end would come first. */
    if (machine != NULL && !(machine->is_found_on && is_on(machine->reported)))
        enter_start(events, machine, is_restored);
    if (machine != NULL)
        machine->is_found_on = false;
    end(events);
}

void event_queue_stopped(struct event_queue *events, const struct machine_uuid *uuid,
                         enum stop_reason reason)
{
    if (!begin(events))
        return;
    struct known_machine *machine = find_or_add(events, uuid);
    if (machine != NULL)
        enter_stop(events, machine, reason);
    end(events);
}

void event_queue_paused(struct event_queue *events, const struct machine_uuid *uuid,
                        enum machine_state state)
{
    if (!begin(events))
        return;
    struct known_machine *machine = find_or_add(events, uuid);
    if (machine != NULL && state == MACHINE_Saving)
        enter(events, machine, MACHINE_Saving);
    else if (machine != NULL && is_on(state))
        enter_pause(events, machine);
    else if (machine != NULL && !is_on(state))
        machine->may_be_paused = true;
    end(events);
}

void event_queue_resumed(struct event_queue *events, const struct machine_uuid *uuid)
{
    if (!begin(events))
        return;
    struct known_machine *machine = find_or_add(events, uuid);
    if (machine != NULL && machine->may_be_paused) /* it was, since it goes on */
        enter_pause(events, machine);
    /* QEMU's processors are let go in the course of a start, too. */
    if (machine != NULL && machine->reported != MACHINE_Running &&
        machine->reported != MACHINE_TurnedOff)
        enter(events, machine, MACHINE_Running);
    end(events);
}

void event_queue_reset(struct event_queue *events, const struct machine_uuid *uuid)
{
    if (!begin(events))
        return;
    struct known_machine *machine = find_or_add(events, uuid);
    if (machine != NULL) {
        bool was_paused = machine->reported == MACHINE_Paused;
        enter(events, machine, MACHINE_TurningOff);
        enter(events, machine, MACHINE_DeleteMachine);
        enter(events, machine, MACHINE_TurningOn);
        enter(events, machine, MACHINE_Running);
        if (was_paused)
            enter(events, machine, MACHINE_Paused);
        push(events, machine, (struct machine_event){.kind = EVENT_RESET});
    }
    end(events);
}

void event_queue_adapter_removed(struct event_queue *events, const struct machine_uuid *uuid,
                                 const uint8_t mac[MAC_SIZE])
{
    struct machine_event event = {.kind = EVENT_ADAPTER_REMOVED};

    if (!begin(events))
        return;
    struct known_machine *machine = find_or_add(events, uuid);
    memcpy(event.mac, mac, MAC_SIZE);
    if (machine != NULL)
        push(events, machine, event);
    end(events);
}
