/*
 * application: VMVirtualServer, the object that CreateObject makes.
 */
#include "binding/error.h"
#include "binding/objects.h"
#include "binding/resource.h"
#include "binding/text.h"

#include <lauxlib.h>
#include <limits.h>
#include <string.h>

enum { MACHINES = 1, HANDLERS, HOLD, USER_VALUES = HOLD };

/* Ends what the host and the accounting do. Their memory stays, for calls that
 * are in progress. Safe at any moment: on a hold that never opened, and twice. */
static void end_work(struct application_hold *hold)
{
    if (!hold->is_open)
        return;
    hold->is_open = false;
    if (host_is_lost_by_fork(hold->host))
        return;
    accounting_close(hold->accounting);
    host_close(hold->host);
}

static void clear_hold(void *resource)
{
    struct application_hold *hold = resource;

    end_work(hold);
    if (hold->host == NULL || host_is_lost_by_fork(hold->host))
        return;
    if (hold->accounting != NULL)
        accounting_release(hold->accounting);
    host_release(hold->host);
    hold->accounting = NULL;
    hold->host = NULL;
}

struct application *application_new(lua_State *L)
{
    struct application_hold *hold = resource_new(L, sizeof *hold, clear_hold);
    struct application *application =
        class_new(L, &application_class, sizeof(struct application), USER_VALUES);
    application->hold = hold;
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, HOLD);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_setiuservalue(L, -2, MACHINES);
    return application;
}

void application_open(lua_State *L, struct application *application, struct host *host,
                      const struct application_options *options)
{
    struct application_hold *hold = application->hold;

    hold->host = application->host = host;
    hold->is_open = true;
    hold->accounting = application->accounting = accounting_new(host, options->max_age);
    application->options = *options;
    if (application->accounting == NULL)
        luaL_error(L, "out of memory");
}

/* Closes the application at index 1. Frees its memory at once where no call can
 * still use it, so that a program that opens and closes many of them gets its
 * descriptors back without the collector. */
static void close_application(lua_State *L, struct application *application)
{
    end_work(application->hold);
    if (class_is_running(L))
        return;
    lua_getiuservalue(L, 1, HOLD);
    resource_clear(L, -1);
    lua_pop(L, 1);
    application->host = NULL;
    application->accounting = NULL;
}

static struct product ask_product(lua_State *L, const struct call *call)
{
    const struct application *application = call->object;
    struct product product;
    struct fault fault;

    if (!host_product(application->host, &product, &fault))
        class_raise_fault(L, call, &fault);
    return product;
}

/***
The name of the product behind the object: `libvirt QEMU`, `libvirt TEST`,
`simulator`. Not the host's name, as in Virtual Server. Asks the host once.
@within VMVirtualServer
@tfield string Name
@raise DISP_E_EXCEPTION when the host does not answer
*/
static int get_name(lua_State *L, const struct call *call)
{
    lua_pushstring(L, ask_product(L, call).name);
    return 1;
}

/***
The version of the host's service: for libvirt that of the daemon's library
(virConnectGetLibVersion), as `9.0.0`. Asks the host once.
@within VMVirtualServer
@tfield string Version
@raise DISP_E_EXCEPTION when the host does not answer
*/
static int get_version(lua_State *L, const struct call *call)
{
    lua_pushstring(L, ask_product(L, call).version);
    return 1;
}

/***
How long the host's service has been running, in whole seconds. libvirt has no
call for it: on a local QEMU host it is the age of the process, libvirtd or
virtqemud, that this very connection leads to, so that of `qemu:///session` is
the user's own daemon. The test driver counts from the opening of the
connection. Makes no call to the host, but connects again where the connection
was lost.
@within VMVirtualServer
@tfield integer UpTime
@raise DISP_E_EXCEPTION on a remote host, when the host does not answer, and where it cannot be
proven which process the daemon is: it is behind a program that forwards, or one process is
connected to several that the URI may mean
*/
static int get_uptime(lua_State *L, const struct call *call)
{
    const struct application *application = call->object;
    struct fault fault;
    int64_t seconds;

    if (!host_uptime(application->host, &seconds, &fault))
        return class_raise_fault(L, call, &fault);
    lua_pushinteger(L, seconds);
    return 1;
}

static void clear_list(void *list)
{
    machine_list_clear(list);
}

/***
The host's machines, running or not: a snapshot in the order of their names.
Asks the host once.
@within VMVirtualServer
@tfield VMVirtualMachineCollection VirtualMachines
@raise DISP_E_EXCEPTION when the host does not answer
*/
static int get_virtual_machines(lua_State *L, const struct call *call)
{
    struct application *application = call->object;
    struct machine_list *list = resource_new(L, sizeof *list, clear_list);
    int resource = lua_gettop(L);
    struct fault fault;

    if (!host_list(application->host, list, &fault))
        return class_raise_fault(L, call, &fault);
    machine_list_sort(list);
    lua_createtable(L, list->count < INT_MAX ? (int)list->count : 0, 0);
    for (size_t i = 0; i < list->count; i++) {
        machine_push(L, 1, &list->entries[i].uuid, list->entries[i].name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    resource_clear(L, resource);
    collection_push(L, &machine_collection_class, 1, application);
    return 1;
}

/***
The machine of that name, without regard to letter case; the one that has the
exact name comes first. Asks the host once, and a second time where no machine
has the exact name.
@within VMVirtualServer
@function FindVirtualMachine
@string name
@treturn[1] VMVirtualMachine
@treturn[2] nil when there is no such machine, as Virtual Server returns Nothing
@raise E_POINTER for a missing name; DISP_E_EXCEPTION when several machines
differ from the name in letter case only, or the host does not answer
*/
static int find_virtual_machine(lua_State *L, const struct call *call)
{
    struct application *application = call->object;
    struct machine_uuid uuid;
    struct fault fault;
    bool found;

    if (lua_isnoneornil(L, 2))
        return class_raise(L, call, HRESULT_E_POINTER, "the machine's name is missing");
    luaL_checkstring(L, 2); /* a number is made one */
    const char *wanted = text_at(L, 2);
    if (wanted == NULL) {
        lua_pushnil(L);
        return 1;
    }
    if (!host_find(application->host, wanted, &uuid, &found, &fault))
        return class_raise_fault(L, call, &fault);
    if (!found) {
        lua_pushnil(L);
        return 1;
    }
    char **name = resource_new(L, sizeof *name, resource_free_pointer);
    if (!host_name(application->host, &uuid, name, &fault)) {
        if (fault.code != HRESULT_VM_E_VM_UNKNOWN)
            return class_raise_fault(L, call, &fault);
        lua_pushnil(L); /* it is gone since it was found */
        return 1;
    }
    machine_push(L, 1, &uuid, *name);
    /* At once: a finalizer that finds no memory for its call is not run. */
    resource_clear(L, -2);
    return 1;
}

/***
From now on writes each machine's baseline, the counters' values at a reset,
into the live libvirt definition of the machine, where every other process
finds it: a reset is visible only to those that were listening. Returns at
once; a thread of its own writes until the object is closed.
@within VMVirtualServer
@function RecordResets
@raise E_ACCESSDENIED when this user gets no read-write connection
*/
static int record_resets(lua_State *L, const struct call *call)
{
    const struct application *application = call->object;
    struct fault fault;

    if (!accounting_record_resets(application->accounting, &fault))
        return class_raise_fault(L, call, &fault);
    return 0;
}

/***
Closes the connection. Every member of every object that came from this one
raises VM_E_APP_SHUTTING_DOWN from here on. A second call does nothing.
@within VMVirtualServer
@function Close
*/
static int close_method(lua_State *L, const struct call *call)
{
    close_application(L, call->object);
    return 0;
}

/* Close does not raise on a closed application. */
static void check(lua_State *L, const struct call *call)
{
    if (call->member->call != close_method)
        application_check_open(L, call, call->object);
}

static const struct member members[] = {
    {.name = "Name",
     .get = get_name,
     .type = "string",
     .meaning = "the product's name, such as libvirt QEMU; not the host's"},
    {.name = "Version",
     .get = get_version,
     .type = "string",
     .meaning = "the version of the host's service"},
    {.name = "UpTime",
     .get = get_uptime,
     .type = "integer",
     .unit = "seconds",
     .meaning = "how long the host's service has been running"},
    {.name = "VirtualMachines",
     .get = get_virtual_machines,
     .type = "VMVirtualMachineCollection",
     .meaning = "the current machines, in the order of their names"},
    {.name = "HostInfo",
     .get = application_get_host_info,
     .type = "VMHostInfo",
     .meaning = "the host's processors, memory and operating system"},
    {.name = "Accounting",
     .get = application_get_accounting,
     .type = "VMCounterSource[]",
     .meaning = "how the counters of each adapter are read, and why"},
    {.name = "FindVirtualMachine",
     .call = find_virtual_machine,
     .parameters = "name: string",
     .type = "VMVirtualMachine?",
     .meaning = "the machine of that name in any letter case, or nil"},
    {.name = "Connect",
     .call = application_connect,
     .parameters = "handlers: VMEventHandlers",
     .meaning = "from now on queues the events of machines for WaitForEvents"},
    {.name = "WaitForEvents",
     .call = application_wait_for_events,
     .parameters = "milliseconds: integer",
     .type = "integer",
     .meaning =
         "calls the handlers for what has happened, and waits for the first event if nothing "
         "has; returns how many were called"},
    {.name = "RecordResets",
     .call = record_resets,
     .meaning = "from now on writes the baseline of each reset for other processes"},
    {.name = "Close",
     .call = close_method,
     .meaning = "closes the connection; also at the end of the scope of a <close> variable"},
    {.name = NULL},
};

static int collect(lua_State *L)
{
    struct application *application = class_test_object(L, &application_class, 1);
    if (application != NULL && application->hold != NULL)
        close_application(L, application);
    return 0;
}

static int to_string(lua_State *L)
{
    const struct application *application = class_check_argument(L, &application_class, 1);
    lua_pushfstring(L, "VMVirtualServer (%s)",
                    application_is_open(application) ? application->host->uri : "closed");
    return 1;
}

static int equal(lua_State *L)
{
    const struct application *a = class_test_object(L, &application_class, 1);
    const struct application *b = class_test_object(L, &application_class, 2);
    lua_pushboolean(L, a != NULL && a == b);
    return 1;
}

static const luaL_Reg metamethods[] = {
    {"__gc", collect}, {"__close", collect}, {"__tostring", to_string},
    {"__eq", equal},   {NULL, NULL},
};

const struct class application_class = {
    .name = "VMVirtualServer",
    .meaning = "a host, as CreateObject gives it",
    .written = "objVS",
    .neighbours = {"VMVirtualMachine", "VMAccountant", "VMHostInfo", "VMNetworkAdapter"},
    .members = members,
    .check = check,
    .metamethods = metamethods,
};
