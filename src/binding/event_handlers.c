/*
 * event_handlers: Connect and WaitForEvents of VMVirtualServer. Other threads queue
 * the events; handlers run on the caller's thread, inside WaitForEvents.
 */
#include "base/clock.h"
#include "base/text.h"
#include "binding/error.h"
#include "binding/objects.h"
#include "binding/resource.h"
#include "binding/text.h"
#include "host/adapter.h"

#include <lauxlib.h>
#include <stdlib.h>

static const char *const handler_names[] = {[EVENT_STATE] = "OnVMStateChange",
                                            [EVENT_RESET] = "OnReset",
                                            [EVENT_ADAPTER_REMOVED] = "OnAdapterRemoved"};
enum {
    HANDLERS = sizeof handler_names / sizeof handler_names[0],
    HANDLERS_VALUE = 2 /* the application's user value */
};

/* The table at index 2 as one by the names above; pushes it. */
static void push_handlers(lua_State *L, const struct call *call)
{
    lua_createtable(L, 0, HANDLERS);
    lua_pushnil(L);
    while (lua_next(L, 2) != 0) {
        const char *given = text_at(L, -2);
        int kind = 0;
        while (kind < HANDLERS && (given == NULL || !text_same_name(handler_names[kind], given)))
            kind++;
        if (kind == HANDLERS)
            class_raise(L, call, HRESULT_E_INVALIDARG,
                        "there is no event '%.100s'; the handlers are OnVMStateChange(name, "
                        "state), OnReset(name) and OnAdapterRemoved(name, address)",
                        text_push_shown(L, -2));
        if (!lua_isfunction(L, -1))
            class_raise(L, call, HRESULT_E_INVALIDARG,
                        "the handler %s must be a function, not a %s value", handler_names[kind],
                        luaL_typename(L, -1));
        lua_setfield(L, -3, handler_names[kind]);
    }
}

/***
From now on queues the events of the host's machines for WaitForEvents, which
calls the handlers. They replace those that were connected before; an empty
table ends it. Asks the host for the states of all machines.

`OnVMStateChange(name, state)` is called for each state that a machine passes
through, in the order that Virtual Server documents: a startup is
vmVMState_TurningOn, vmVMState_Running (from a saved state with
vmVMState_Restoring between them); a turn-off vmVMState_TurningOff,
vmVMState_DeleteMachine, vmVMState_TurnedOff, with vmVMState_Saving first when
it is saved; a reset vmVMState_TurningOff, vmVMState_DeleteMachine,
vmVMState_TurningOn, vmVMState_Running. `OnReset(name)` follows these of a reset,
and `OnAdapterRemoved(name, address)` is called when an adapter was unplugged.
What happened while the connection to libvirt was lost is reported, when it is
back, as the difference of the states; a machine that is no longer defined then
is not reported.
@within VMVirtualServer
@function Connect
@tparam VMEventHandlers handlers functions by these names, in any letter case
@raise E_POINTER for missing handlers; E_INVALIDARG for an unknown one;
DISP_E_EXCEPTION when the host does not answer, or its driver has no events
*/
int application_connect(lua_State *L, const struct call *call)
{
    const struct application *application = call->object;
    struct fault fault;

    if (lua_isnoneornil(L, 2))
        return class_raise(L, call, HRESULT_E_POINTER,
                           "the table of handlers is missing, as in objVS:Connect{ "
                           "OnVMStateChange = function(name, state) print(name, state) end }");
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    push_handlers(L, call);
    lua_pushnil(L);
    bool is_empty = lua_next(L, -2) == 0;
    lua_settop(L, 3);
    if (is_empty) {
        accounting_unwatch(application->accounting);
    } else {
        lua_getiuservalue(L, 1, HANDLERS_VALUE);
        bool is_watched = !lua_isnil(L, -1);
        lua_pop(L, 1);
        if (!is_watched && !accounting_watch(application->accounting, &fault))
            return class_raise_fault(L, call, &fault);
    }
    if (is_empty) {
        lua_pushnil(L);
        lua_replace(L, 3);
    }
    lua_setiuservalue(L, 1, HANDLERS_VALUE);
    return 0;
}

/* Calls the handler of the event, if there is one. */
static void call_handler(lua_State *L, const struct machine_event *event)
{
    int top = lua_gettop(L);
    char mac[MAC_TEXT_SIZE], uuid[UUID_TEXT_SIZE];

    lua_getiuservalue(L, 1, HANDLERS_VALUE);
    if (lua_istable(L, -1) && lua_getfield(L, -1, handler_names[event->kind]) == LUA_TFUNCTION) {
        if (event->name == NULL)
            machine_uuid_format(&event->uuid, uuid);
        lua_pushstring(L, event->name != NULL ? event->name : uuid);
        if (event->kind == EVENT_STATE) {
            lua_pushinteger(L, event->state);
        } else if (event->kind == EVENT_ADAPTER_REMOVED) {
            mac_format(event->mac, mac);
            lua_pushstring(L, mac);
        }
        lua_call(L, event->kind == EVENT_RESET ? 1 : 2, 0);
    }
    lua_settop(L, top);
}

/* Calls the handlers for all events until now, and returns their number. A handler
 * may close the application. */
static lua_Integer deliver(lua_State *L, const struct application *application)
{
    struct machine_event event;
    lua_Integer count = 0;
    char **name = resource_new(L, sizeof *name, resource_free_pointer);
    int resource = lua_gettop(L);

    while (application_is_open(application) &&
           accounting_take_event(application->accounting, &event)) {
        free(*name);
        *name = event.name; /* a handler may raise */
        call_handler(L, &event);
        count++;
    }
    resource_clear(L, resource);
    lua_settop(L, resource - 1);
    return count;
}

/***
Calls the connected handlers for the events since the last call, in their order;
without an event it waits for one. An error in a handler is raised here, and the
events after that one are kept for the next call. Without handlers it only waits. A
signal to the process, as that of Ctrl-C, ends the wait early.
@within VMVirtualServer
@function WaitForEvents
@int milliseconds how long to wait for the first event, -1 for ever
@treturn integer how many events there were; 0 when the time was over
@raise E_POINTER for a missing time; E_INVALIDARG for one below -1;
DISP_E_EXCEPTION when more than 16384 events were waiting and newer ones were lost;
VM_E_APP_SHUTTING_DOWN
*/
int application_wait_for_events(lua_State *L, const struct call *call)
{
    const struct application *application = call->object;
    enum wake_result result = WAKE_SIGNALLED;
    struct fault fault;
    int is_number;

    if (lua_isnoneornil(L, 2))
        return class_raise(L, call, HRESULT_E_POINTER,
                           "the time in milliseconds is missing, as in objVS:WaitForEvents(1000)");
    lua_Number milliseconds = lua_tonumberx(L, 2, &is_number);
    if (!is_number || !(milliseconds >= 0 || milliseconds == -1) || milliseconds > 1e15)
        return class_raise(L, call, HRESULT_E_INVALIDARG,
                           "the time must be -1, for ever, or milliseconds from 0, not '%.100s'",
                           luaL_tolstring(L, 2, NULL));
    uint64_t lost = accounting_take_lost_events(application->accounting);
    if (lost > 0)
        return class_raise(L, call, HRESULT_DISP_E_EXCEPTION,
                           "%llu events were lost, since more than 16384 were waiting; call "
                           "WaitForEvents more often. The next call delivers those before them",
                           (unsigned long long)lost);

    lua_settop(L, 1);
    lua_Integer count = deliver(L, application);
    int64_t until = count > 0 ? 0 : clock_now() / CLOCK_MILLISECOND + (int64_t)milliseconds;
    /* A handler or a finalizer may close it: then no more events come. */
    while (count == 0 && result == WAKE_SIGNALLED && application_is_open(application)) {
        int64_t left = until - clock_now() / CLOCK_MILLISECOND;
        if (!accounting_wait(application->accounting,
                             milliseconds < 0 ? -1
                             : left > 0       ? left
                                              : 0,
                             &result, &fault))
            return class_raise_fault(L, call, &fault);
        count = deliver(L, application);
    }
    lua_pushinteger(L, count);
    return 1;
}
