/* Which events of a machine are reported when samples and the host's events overlap. */
#include "accounting/event_queue.h"

#include "../support/check.h"

#include <stdlib.h>

static const struct machine_uuid WEB = {{1}};

/* Takes all that is reported, and compares it with the states up to Invalid. */
static bool is_reported(struct event_queue *events, const enum machine_state *expected)
{
    struct machine_event event;
    bool ok = true;

    for (; event_queue_take(events, &event); free(event.name))
        ok = ok && event.kind == EVENT_STATE && event.state == *expected && *expected++ != 0;
    return ok && *expected == MACHINE_Invalid;
}

#define TOLD(...) is_reported(events, (const enum machine_state[]){__VA_ARGS__, MACHINE_Invalid})

static void the_event_of_a_start_may_follow_the_sample_that_found_it(struct event_queue *events)
{
    event_queue_found(events, &WEB, "web", MACHINE_Running, event_queue_count(events));
    event_queue_started(events, &WEB, false);
    CHECK(TOLD(MACHINE_Invalid));
    event_queue_stopped(events, &WEB, STOP_TURNED_OFF);
    CHECK(TOLD(MACHINE_TurningOff, MACHINE_DeleteMachine, MACHINE_TurnedOff));
    event_queue_started(events, &WEB, false);
    CHECK(TOLD(MACHINE_TurningOn, MACHINE_Running));
}

static void a_run_that_ended_unheard_ends_with_the_next_start(struct event_queue *events)
{
    event_queue_started(events, &WEB, false);
    CHECK(TOLD(MACHINE_TurningOff, MACHINE_DeleteMachine, MACHINE_TurnedOff, MACHINE_TurningOn,
               MACHINE_Running));
}

static void a_run_that_ended_and_began_during_a_sample_is_reported(struct event_queue *events)
{
    event_queue_found(events, &WEB, "web", MACHINE_Running, event_queue_count(events));
    event_queue_stopped(events, &WEB, STOP_TURNED_OFF);
    event_queue_started(events, &WEB, false);
    CHECK(TOLD(MACHINE_TurningOff, MACHINE_DeleteMachine, MACHINE_TurnedOff, MACHINE_TurningOn,
               MACHINE_Running));
}

/* A panic: the host says that the machine halts, and why, in either order, and the
 * machine may have gone before it can be asked for its state. */
static void a_pause_is_reported_once(struct event_queue *events)
{
    static const enum machine_state answers[][2] = {
        {MACHINE_Paused, MACHINE_Paused},
        {MACHINE_Paused, MACHINE_TurnedOff},
        {MACHINE_TurnedOff, MACHINE_Paused},
        {MACHINE_TurnedOff, MACHINE_TurnedOff},
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        for (int goes_on = 0; goes_on < 2; goes_on++) {
            event_queue_started(events, &WEB, false);
            CHECK(TOLD(MACHINE_TurningOn, MACHINE_Running));
            event_queue_paused(events, &WEB, answers[i][0]);
            event_queue_paused(events, &WEB, answers[i][1]);
            if (goes_on != 0) {
                event_queue_resumed(events, &WEB);
                CHECK(TOLD(MACHINE_Paused, MACHINE_Running));
                event_queue_stopped(events, &WEB, STOP_CRASHED);
                CHECK(TOLD(MACHINE_TurningOff, MACHINE_DeleteMachine, MACHINE_TurnedOff));
            } else {
                event_queue_stopped(events, &WEB, STOP_CRASHED);
                CHECK(TOLD(MACHINE_Paused, MACHINE_TurningOff, MACHINE_DeleteMachine,
                           MACHINE_TurnedOff));
            }
        }
    }
}

static void doubt_about_a_pause_ends_with_what_is_found(struct event_queue *events)
{
    event_queue_started(events, &WEB, false);
    event_queue_paused(events, &WEB, MACHINE_Invalid);
    event_queue_found(events, &WEB, "web", MACHINE_Paused, event_queue_count(events));
    event_queue_stopped(events, &WEB, STOP_CRASHED);
    CHECK(TOLD(MACHINE_TurningOn, MACHINE_Running, MACHINE_Paused, MACHINE_TurningOff,
               MACHINE_DeleteMachine, MACHINE_TurnedOff));
}

int main(void)
{
    struct wake wake = {.descriptor = -1};
    struct event_queue *events = event_queue_new(&wake);

    if (events == NULL)
        abort();
    event_queue_watch(events, true);
    the_event_of_a_start_may_follow_the_sample_that_found_it(events);
    a_run_that_ended_unheard_ends_with_the_next_start(events);
    a_run_that_ended_and_began_during_a_sample_is_reported(events);
    event_queue_stopped(events, &WEB, STOP_TURNED_OFF);
    CHECK(TOLD(MACHINE_TurningOff, MACHINE_DeleteMachine, MACHINE_TurnedOff));
    a_pause_is_reported_once(events);
    doubt_about_a_pause_ends_with_what_is_found(events);
    event_queue_free(events);
    return check_report();
}
