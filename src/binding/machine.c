/*
 * machine: VMVirtualMachine.
 */
#include "binding/error.h"
#include "binding/objects.h"
#include "binding/resource.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

enum { APPLICATION = 1, KNOWN_NAME, ACCOUNTANT, USER_VALUES = ACCOUNTANT };

void machine_push(lua_State *L, int application_index, const struct machine_uuid *uuid,
                  const char *name)
{
    application_index = lua_absindex(L, application_index);
    lua_getiuservalue(L, application_index, 1);
    lua_pushlstring(L, (const char *)uuid->bytes, UUID_SIZE);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pop(L, 1);
        struct machine_object *machine =
            class_new(L, &machine_class, sizeof(struct machine_object), USER_VALUES);
        machine->application = lua_touserdata(L, application_index);
        machine->uuid = *uuid;
        lua_pushvalue(L, application_index);
        lua_setiuservalue(L, -2, APPLICATION);
        lua_pushlstring(L, (const char *)uuid->bytes, UUID_SIZE);
        lua_pushvalue(L, -2);
        lua_rawset(L, -4);
    }
    lua_pushstring(L, name);
    lua_setiuservalue(L, -2, KNOWN_NAME);
    lua_remove(L, -2);
}

const char *machine_known_name(lua_State *L, int index)
{
    lua_getiuservalue(L, index, KNOWN_NAME);
    const char *name = lua_tostring(L, -1);
    lua_pop(L, 1); /* the object still holds it */
    return name;
}

static void check(lua_State *L, void *object, const char *member)
{
    const struct machine_object *machine = object;
    application_check_open(L, machine->application, member);
}

static int raise(lua_State *L, const char *member, const struct fault *fault)
{
    return class_raise(L, &machine_class, member, fault);
}

/***
The machine's name, and the object's text: `"Machine: " .. objVM`. Asks the
host once, so that a renamed machine tells its new name.
@within VMVirtualMachine
@tfield string Name
@raise VM_E_VM_UNKNOWN when the machine is no longer defined
*/
static int get_name(lua_State *L, void *object)
{
    const struct machine_object *machine = object;
    struct hypervisor *host = machine->application->host;
    char **name = resource_new(L, sizeof *name, resource_free_pointer);
    int resource = lua_gettop(L);
    struct fault fault;

    if (!host->driver->name(host, &machine->uuid, name, &fault))
        return raise(L, "Name", &fault);
    lua_pushstring(L, *name);
    resource_clear(L, resource);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, KNOWN_NAME);
    return 1;
}

/***
The machine's UUID, which stays the same when it is renamed. Asks nobody.
@within VMVirtualMachine
@tfield string ConfigID
*/
static int get_config_id(lua_State *L, void *object)
{
    const struct machine_object *machine = object;
    char text[UUID_TEXT_SIZE];

    machine_uuid_format(&machine->uuid, text);
    lua_pushstring(L, text);
    return 1;
}

/***
The machine's state, one of `vma.vmVMState_Running` and so on. Asks the host.
@within VMVirtualMachine
@tfield integer State
@raise VM_E_VM_UNKNOWN when the machine is no longer defined
*/
static int get_state(lua_State *L, void *object)
{
    const struct machine_object *machine = object;
    struct hypervisor *host = machine->application->host;
    enum machine_state state;
    struct fault fault;

    if (!host->driver->state(host, &machine->uuid, &state, &fault))
        return raise(L, "State", &fault);
    lua_pushinteger(L, state);
    return 1;
}

/***
The machine's accountant: the same object each time. Asks nobody.
@within VMVirtualMachine
@tfield VMAccountant Accountant
*/
static int get_accountant(lua_State *L, void *object)
{
    if (lua_getiuservalue(L, 1, ACCOUNTANT) == LUA_TUSERDATA)
        return 1;
    const struct machine_object *machine = object;
    const struct class *class = machine->application->options.is_virtual_pc
                                    ? &virtual_pc_accountant_class
                                    : &accountant_class;
    struct accountant_object *accountant = class_new(L, class, sizeof(struct accountant_object), 1);
    accountant->machine = object;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, ACCOUNTANT);
    return 1;
}

/***
The machine's network adapters as they are now: a snapshot, in the order of
its definition. Of a machine that is not running they are those of its
definition, and none is counted. Asks the host.
@within VMVirtualMachine
@tfield VMNetworkAdapterCollection NetworkAdapters
@raise VM_E_VM_UNKNOWN when the machine is no longer defined
*/
static int get_network_adapters(lua_State *L, void *object)
{
    (void)object;
    adapter_collection_push(L, 1);
    return 1;
}

static int change(lua_State *L, const struct machine_object *machine, enum machine_change change,
                  const char *method)
{
    struct fault fault;

    if (!accounting_change(machine->application->accounting, &machine->uuid, change, &fault))
        return raise(L, method, &fault);
    task_push(L, 1, method);
    return 1;
}

/***
Starts the machine, or restores it from its saved state. This and the other
methods that change a machine open a read-write connection at their first use
and return when the host has done it.
@within VMVirtualMachine
@function Startup
@treturn VMTask a task that is complete
@raise VM_E_VM_RUNNING when it is running; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int startup(lua_State *L, void *object)
{
    return change(L, object, CHANGE_STARTUP, "Startup");
}

/***
Turns the machine off at once, as pulling the plug does.
@within VMVirtualMachine
@function TurnOff
@treturn VMTask a task that is complete
@raise VM_E_VM_NOT_RUNNING; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int turn_off(lua_State *L, void *object)
{
    return change(L, object, CHANGE_TURN_OFF, "TurnOff");
}

/***
Resets the machine, as its reset button does.
@within VMVirtualMachine
@function Reset
@treturn VMTask a task that is complete
@raise VM_E_VM_NOT_RUNNING; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int reset(lua_State *L, void *object)
{
    return change(L, object, CHANGE_RESET, "Reset");
}

/***
Saves the machine's state to the host's disk and stops it. Blocks until the
memory is written.
@within VMVirtualMachine
@function Save
@treturn VMTask a task that is complete
@raise VM_E_VM_NOT_RUNNING; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int save(lua_State *L, void *object)
{
    return change(L, object, CHANGE_SAVE, "Save");
}

/***
Halts the machine's processors. Its counts stay readable.
@within VMVirtualMachine
@function Pause
@treturn VMTask a task that is complete
@raise E_FAIL when it is paused already; VM_E_VM_NOT_RUNNING; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int pause_machine(lua_State *L, void *object)
{
    return change(L, object, CHANGE_PAUSE, "Pause");
}

/***
Lets a paused machine go on.
@within VMVirtualMachine
@function Resume
@treturn VMTask a task that is complete
@raise E_FAIL when it is not paused; VM_E_VM_NOT_RUNNING; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int resume(lua_State *L, void *object)
{
    return change(L, object, CHANGE_RESUME, "Resume");
}

/***
Deletes the saved state, so that the machine starts afresh.
@within VMVirtualMachine
@function DiscardSavedState
@treturn VMTask a task that is complete
@raise VM_E_VM_NO_SAVED_STATE; VM_E_VM_RUNNING; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int discard_saved_state(lua_State *L, void *object)
{
    return change(L, object, CHANGE_DISCARD_SAVED_STATE, "DiscardSavedState");
}

static const struct member members[] = {
    {.name = "Name", .get = get_name, .type = "string", .meaning = "the machine's name of now"},
    {.name = "ConfigID", .get = get_config_id, .type = "string", .meaning = "the machine's UUID"},
    {.name = "State",
     .get = get_state,
     .type = "integer",
     .meaning = "vmVMState_Running and its like"},
    {.name = "Accountant",
     .get = get_accountant,
     .type = "VMAccountant",
     .meaning = "the machine's accounts"},
    {.name = "NetworkAdapters",
     .get = get_network_adapters,
     .type = "VMNetworkAdapterCollection",
     .meaning = "the network adapters of now"},
    {.name = "Startup",
     .call = startup,
     .type = "VMTask",
     .meaning = "starts the machine; restores it when it is saved"},
    {.name = "TurnOff",
     .call = turn_off,
     .type = "VMTask",
     .meaning = "turns the machine off, as pulling the plug does"},
    {.name = "Reset",
     .call = reset,
     .type = "VMTask",
     .meaning = "resets the machine, as its reset button does"},
    {.name = "Save",
     .call = save,
     .type = "VMTask",
     .meaning = "saves the state of the machine and turns it off"},
    {.name = "Pause",
     .call = pause_machine,
     .type = "VMTask",
     .meaning = "halts the machine; its counts stay"},
    {.name = "Resume", .call = resume, .type = "VMTask", .meaning = "lets a paused machine go on"},
    {.name = "DiscardSavedState",
     .call = discard_saved_state,
     .type = "VMTask",
     .meaning = "throws the saved state away"},
    {.name = NULL},
};

static int to_string(lua_State *L)
{
    luaL_checkudata(L, 1, machine_class.name);
    lua_getiuservalue(L, 1, KNOWN_NAME);
    return 1;
}

/* "Machine: " .. objVM, and the other way round: Name is the default member. */
static int concat(lua_State *L)
{
    for (int i = 1; i <= 2; i++) {
        if (class_test_object(L, &machine_class, i) != NULL)
            lua_getiuservalue(L, i, KNOWN_NAME);
        else if (lua_isstring(L, i)) /* or a number */
            lua_pushvalue(L, i);
        else
            return luaL_error(L, "attempt to concatenate a %s value with a machine's name",
                              luaL_typename(L, i));
    }
    lua_concat(L, 2);
    return 1;
}

static int equal(lua_State *L)
{
    const struct machine_object *a = class_test_object(L, &machine_class, 1);
    const struct machine_object *b = class_test_object(L, &machine_class, 2);
    bool same = a != NULL && b != NULL && machine_uuid_equal(&a->uuid, &b->uuid);

    if (same && a->application != b->application)
        same = a->application->host != NULL && b->application->host != NULL &&
               strcmp(a->application->host->uri, b->application->host->uri) == 0;
    lua_pushboolean(L, same);
    return 1;
}

static const luaL_Reg metamethods[] = {
    {"__tostring", to_string},
    {"__concat", concat},
    {"__eq", equal},
    {NULL, NULL},
};

const struct class machine_class = {
    .name = "VMVirtualMachine",
    .members = members,
    .check = check,
    .machine = machine_known_name,
    .metamethods = metamethods,
};
