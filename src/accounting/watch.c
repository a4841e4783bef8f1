#include "accounting/watch.h"

bool accounting_compare_states(struct accounting *accounting, struct fault *fault)
{
    struct host *host = accounting->host;
    struct machine_list list = {0};

    if (!event_queue_is_watching(accounting->events))
        return true;
    if (!host_list(host, &list, fault))
        return false;
    for (size_t i = 0; i < list.count; i++) {
        const struct machine_list_entry *machine = &list.entries[i];
        uint64_t count = event_queue_count(accounting->events);
        enum machine_state state;
        struct fault gone;
        if (host_state(host, &machine->uuid, &state, &gone))
            event_queue_found(accounting->events, &machine->uuid, machine->name, state, count);
    }
    event_queue_found_all(accounting->events);
    machine_list_clear(&list);
    return true;
}

bool accounting_watch(struct accounting *accounting, struct fault *fault)
{
    struct host *host = accounting->host;

    if (!host_has_events(host))
        return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                         "this host's driver reports no events; ask for State instead");
    if (accounting->wake.descriptor < 0 && !wake_open(&accounting->wake, fault))
        return false;
    /* First, so that nothing is missed between the two. */
    event_queue_watch(accounting->events, true);
    /* What is reported from here on has a session that can be asked for. */
    accounting_sweep(accounting, fault);
    if (accounting_compare_states(accounting, fault))
        return true;
    event_queue_watch(accounting->events, false);
    return false;
}

void accounting_unwatch(struct accounting *accounting)
{
    event_queue_watch(accounting->events, false);
}

bool accounting_take_event(struct accounting *accounting, struct machine_event *event)
{
    return event_queue_take(accounting->events, event);
}

uint64_t accounting_take_lost_events(struct accounting *accounting)
{
    return event_queue_take_lost(accounting->events);
}

bool accounting_wait(struct accounting *accounting, int64_t milliseconds, enum wake_result *result,
                     struct fault *fault)
{
    if (accounting->wake.descriptor < 0 && !wake_open(&accounting->wake, fault))
        return false;
    *result = wake_wait(&accounting->wake, milliseconds);
    return true;
}
