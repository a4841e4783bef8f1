/*
 * machine: VMVirtualMachine.
 */
#include "accounting/task.h"
#include "binding/error.h"
#include "binding/objects.h"
#include "binding/resource.h"
#include "host/configuration.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

void machine_push(lua_State *L, int application_index, const struct machine_uuid *uuid,
                  const char *name)
{
    application_index = lua_absindex(L, application_index);
    lua_getiuservalue(L, application_index, 1);
    lua_pushlstring(L, (const char *)uuid->bytes, UUID_SIZE);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pop(L, 1);
        struct machine_object *machine =
            class_new(L, &machine_class, sizeof(struct machine_object), MACHINE_USER_VALUES);
        machine->application = lua_touserdata(L, application_index);
        machine->uuid = *uuid;
        lua_pushvalue(L, application_index);
        lua_setiuservalue(L, -2, MACHINE_APPLICATION);
        lua_pushlstring(L, (const char *)uuid->bytes, UUID_SIZE);
        lua_pushvalue(L, -2);
        lua_rawset(L, -4);
    }
    lua_pushstring(L, name);
    lua_setiuservalue(L, -2, MACHINE_KNOWN_NAME);
    lua_remove(L, -2);
}

static void check(lua_State *L, const struct call *call)
{
    const struct machine_object *machine = call->object;
    application_check_open(L, call, machine->application);
}

/***
The machine's name, and the object's text: `"Machine: " .. objVM`. Asks the
host once, so that a renamed machine has its new name. Writable while the
machine is turned off, through a read-write connection; the name must be no
other machine's in any letter case, and of 247 bytes of UTF-8 at most, without
`/` and control characters.
@within VMVirtualMachine
@tfield string Name
@raise VM_E_VM_UNKNOWN when the machine is no longer defined; when it is
assigned also VM_E_CONFIG_NO_NAME, VM_E_CONFIG_NAME_TOO_LONG,
VM_E_CONFIG_NAME_INVALID_CHAR, VM_E_CONFIG_DUPLICATE_NAME, VM_E_VM_RUNNING when
the machine is running or saved, E_POINTER for nil, E_INVALIDARG for what is no
text, E_FAIL where libvirt refuses it in the machine's state, E_ACCESSDENIED
*/
static int get_name(lua_State *L, const struct call *call)
{
    const struct machine_object *machine = call->object;
    struct host *host = machine->application->host;
    char **name = resource_new(L, sizeof *name, resource_free_pointer);
    int resource = lua_gettop(L);
    struct fault fault;

    if (!host_name(host, &machine->uuid, name, &fault))
        return class_raise_fault(L, call, &fault);
    lua_pushstring(L, *name);
    resource_clear(L, resource);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, MACHINE_KNOWN_NAME);
    return 1;
}

/* The text that a property is assigned; `further` is what an error adds to what can be. */
static const char *check_text(lua_State *L, const struct call *call, const char *further,
                              size_t *length)
{
    if (lua_isnil(L, 3))
        class_raise(L, call, HRESULT_E_POINTER, "the value is missing: assign a string%s", further);
    if (!lua_isstring(L, 3)) /* nor a number */
        class_raise(L, call, HRESULT_E_INVALIDARG, "the value must be a string, not a %s",
                    luaL_typename(L, 3));
    return lua_tolstring(L, 3, length);
}

static int set_name(lua_State *L, const struct call *call)
{
    const struct machine_object *machine = call->object;
    struct fault fault;
    size_t length;

    const char *name = check_text(L, call, "", &length);
    if (!configuration_set_name(machine->application->host, &machine->uuid, name, length, &fault))
        return class_raise_fault(L, call, &fault);
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, 1, MACHINE_KNOWN_NAME);
    return 0;
}

/***
Free text about the machine, "" for none: libvirt's `description` of it. Asks
the host once. Writable at any time, through a read-write
connection: for now and for the machine's next starts. Lines end with "\n":
"\r\n", VBScript's vbCrLf, is made that.
@within VMVirtualMachine
@tfield string Notes
@raise VM_E_VM_UNKNOWN when the machine is no longer defined; when it is
assigned also E_INVALIDARG for more than 40000 characters, for control
characters and for what is no UTF-8 text, E_POINTER for nil, E_ACCESSDENIED
*/
static int get_notes(lua_State *L, const struct call *call)
{
    const struct machine_object *machine = call->object;
    struct host *host = machine->application->host;
    char **notes = resource_new(L, sizeof *notes, resource_free_pointer);
    struct fault fault;

    if (!host_notes(host, &machine->uuid, notes, &fault))
        return class_raise_fault(L, call, &fault);
    lua_pushstring(L, *notes);
    resource_clear(L, -2);
    return 1;
}

static int set_notes(lua_State *L, const struct call *call)
{
    const struct machine_object *machine = call->object;
    struct fault fault;
    size_t length;

    const char *notes = check_text(L, call, ", \"\" for no notes", &length);
    if (!configuration_set_notes(machine->application->host, &machine->uuid, notes, length, &fault))
        return class_raise_fault(L, call, &fault);
    return 0;
}

/***
The machine's memory in whole MB of 2^20 bytes, as it is defined: a balloon may
leave it less. Asks the host once (virDomainGetMaxMemory). Writable while the
machine is turned off, through a read-write connection: from 4 MB up to what
libvirt takes; Virtual Server ended at 3712. Text with a number in it will do.
@within VMVirtualMachine
@tfield integer Memory
@raise VM_E_VM_UNKNOWN when the machine is no longer defined; when it is
assigned also E_INVALIDARG out of range, VM_E_VM_RUNNING when the machine is
running or saved, E_POINTER for nil, E_FAIL where libvirt refuses,
E_ACCESSDENIED
*/
static int get_memory(lua_State *L, const struct call *call)
{
    const struct machine_object *machine = call->object;
    struct host *host = machine->application->host;
    uint64_t megabytes;
    struct fault fault;

    if (!host_memory(host, &machine->uuid, &megabytes, &fault))
        return class_raise_fault(L, call, &fault);
    lua_pushinteger(L, (lua_Integer)megabytes);
    return 1;
}

static int set_memory(lua_State *L, const struct call *call)
{
    const struct machine_object *machine = call->object;
    struct fault fault;
    int is_integer;

    if (lua_isnil(L, 3))
        return class_raise(L, call, HRESULT_E_POINTER,
                           "the value is missing: assign a whole number of MB");
    lua_Integer megabytes = lua_tointegerx(L, 3, &is_integer);
    if (!is_integer)
        return class_raise(L, call, HRESULT_E_INVALIDARG,
                           "the value must be a whole number of MB, not %.100s",
                           luaL_tolstring(L, 3, NULL));
    if (!configuration_set_memory(machine->application->host, &machine->uuid, megabytes, &fault))
        return class_raise_fault(L, call, &fault);
    return 0;
}

/***
The file of the saved state that the machine will be restored from. libvirt
does not report it: on a local system host it is where QEMU's driver puts it,
`/var/lib/libvirt/qemu/save/NAME.save`, which only root may read. Asks the host
once.
@within VMVirtualMachine
@tfield string SavedStateFilePath
@raise VM_E_VM_NO_SAVED_STATE when there is none; VM_E_VM_UNKNOWN;
DISP_E_EXCEPTION on a remote host and where it is in no such file
*/
static int get_saved_state_file_path(lua_State *L, const struct call *call)
{
    const struct machine_object *machine = call->object;
    struct host *host = machine->application->host;
    char **path = resource_new(L, sizeof *path, resource_free_pointer);
    struct fault fault;

    if (!host_saved_state_path(host, &machine->uuid, path, &fault))
        return class_raise_fault(L, call, &fault);
    lua_pushstring(L, *path);
    resource_clear(L, -2);
    return 1;
}

/***
The machine's UUID, which stays the same when it is renamed. Makes no call to the host.
@within VMVirtualMachine
@tfield string ConfigID
*/
static int get_config_id(lua_State *L, const struct call *call)
{
    const struct machine_object *machine = call->object;
    char text[UUID_TEXT_SIZE];

    machine_uuid_format(&machine->uuid, text);
    lua_pushstring(L, text);
    return 1;
}

/***
The machine's state, one of `vma.vmVMState_Running` and so on. Asks the host.
One whose guest sleeps (ACPI S3), or has panicked and is kept (`on_crash` is
`preserve`), is Paused: its run and its counts continue.
@within VMVirtualMachine
@tfield integer State
@raise VM_E_VM_UNKNOWN when the machine is no longer defined
*/
static int get_state(lua_State *L, const struct call *call)
{
    const struct machine_object *machine = call->object;
    struct host *host = machine->application->host;
    enum machine_state state;
    struct fault fault;

    if (!host_state(host, &machine->uuid, &state, &fault))
        return class_raise_fault(L, call, &fault);
    state = machine_tasks_state(machine->application->accounting, &machine->uuid, state);
    lua_pushinteger(L, state);
    return 1;
}

/***
Starts the machine, or restores it from its saved state. Returns when the
machine's state allows it and the host has the request; the task shows when it
is done. The methods that change a machine open a read-write connection at
their first use.
@within VMVirtualMachine
@function Startup
@treturn VMTask
@raise VM_E_VM_RUNNING when it is running; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int startup(lua_State *L, const struct call *call)
{
    return task_begin(L, call, CHANGE_STARTUP);
}

/***
Turns the machine off at once, like pulling the plug.
@within VMVirtualMachine
@function TurnOff
@treturn VMTask a task that is complete
@raise VM_E_VM_NOT_RUNNING; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int turn_off(lua_State *L, const struct call *call)
{
    return task_begin(L, call, CHANGE_TURN_OFF);
}

/***
Resets the machine, like its reset button. Its counts start at zero when this
returns.
@within VMVirtualMachine
@function Reset
@treturn VMTask a task that is complete
@raise VM_E_VM_NOT_RUNNING; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int reset(lua_State *L, const struct call *call)
{
    return task_begin(L, call, CHANGE_RESET);
}

/***
Saves the machine's state to the host's disk and stops it. Returns when the
host has the request; the task shows how much of the memory is written, and can
be cancelled.
@within VMVirtualMachine
@function Save
@treturn VMTask
@raise VM_E_VM_NOT_RUNNING; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int save(lua_State *L, const struct call *call)
{
    return task_begin(L, call, CHANGE_SAVE);
}

/***
Halts the machine's processors. Its counts stay readable.
@within VMVirtualMachine
@function Pause
@treturn VMTask a task that is complete
@raise E_FAIL when it is paused already; VM_E_VM_NOT_RUNNING; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int pause_machine(lua_State *L, const struct call *call)
{
    return task_begin(L, call, CHANGE_PAUSE);
}

/***
Resumes a paused machine, and wakes one whose guest sleeps (ACPI S3), which
is Paused, too. Waits up to two seconds for the wake-up.
@within VMVirtualMachine
@function Resume
@treturn VMTask a task that is complete
@raise E_FAIL when it is not paused, or sleeps and cannot be woken; VM_E_VM_NOT_RUNNING;
VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int resume(lua_State *L, const struct call *call)
{
    return task_begin(L, call, CHANGE_RESUME);
}

/***
Deletes the saved state, so that the machine boots at its next start.
@within VMVirtualMachine
@function DiscardSavedState
@treturn VMTask a task that is complete
@raise VM_E_VM_NO_SAVED_STATE; VM_E_VM_RUNNING; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
static int discard_saved_state(lua_State *L, const struct call *call)
{
    return task_begin(L, call, CHANGE_DISCARD_SAVED_STATE);
}

static const struct member members[] = {
    {.name = "Name",
     .get = get_name,
     .set = set_name,
     .type = "string",
     .meaning = "the machine's current name"},
    {.name = "ConfigID", .get = get_config_id, .type = "string", .meaning = "the machine's UUID"},
    {.name = "State",
     .get = get_state,
     .type = "integer",
     .meaning = "vmVMState_Running and its like"},
    {.name = "Notes",
     .get = get_notes,
     .set = set_notes,
     .type = "string",
     .meaning = "free text about the machine; empty for none"},
    {.name = "Memory",
     .get = get_memory,
     .set = set_memory,
     .type = "integer",
     .unit = "MB of 2^20 bytes",
     .meaning = "the machine's memory, as it is defined"},
    {.name = "SavedStateFilePath",
     .get = get_saved_state_file_path,
     .type = "string",
     .meaning = "the file of the saved state; an error where there is none"},
    {.name = "Accountant",
     .get = machine_get_accountant,
     .type = "VMAccountant",
     .meaning = "the machine's accounts"},
    {.name = "NetworkAdapters",
     .get = machine_get_network_adapters,
     .type = "VMNetworkAdapterCollection",
     .meaning = "the current network adapters"},
    {.name = "Startup",
     .call = startup,
     .type = "VMTask",
     .meaning = "starts the machine; restores it when it is saved"},
    {.name = "TurnOff",
     .call = turn_off,
     .type = "VMTask",
     .meaning = "turns the machine off, like pulling the plug"},
    {.name = "Reset",
     .call = reset,
     .type = "VMTask",
     .meaning = "resets the machine, like its reset button"},
    {.name = "Save",
     .call = save,
     .type = "VMTask",
     .meaning = "saves the state of the machine and turns it off"},
    {.name = "Pause",
     .call = pause_machine,
     .type = "VMTask",
     .meaning = "halts the machine; its counts stay"},
    {.name = "Resume",
     .call = resume,
     .type = "VMTask",
     .meaning = "resumes a paused machine, or wakes it"},
    {.name = "DiscardSavedState",
     .call = discard_saved_state,
     .type = "VMTask",
     .meaning = "deletes the saved state"},
    {.name = NULL},
};

static int to_string(lua_State *L)
{
    class_check_argument(L, &machine_class, 1);
    lua_getiuservalue(L, 1, MACHINE_KNOWN_NAME);
    return 1;
}

/* "Machine: " .. objVM, and the other way round: Name is the default member. */
static int concat(lua_State *L)
{
    for (int i = 1; i <= 2; i++) {
        if (class_test_object(L, &machine_class, i) != NULL)
            lua_getiuservalue(L, i, MACHINE_KNOWN_NAME);
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
        same = application_is_open(a->application) && application_is_open(b->application) &&
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
    .meaning = "a machine, running or not; its text is its name",
    .written = "objVM",
    .neighbours = {"VMAccountant", "VMNetworkAdapter", "VMVirtualServer"},
    .members = members,
    .check = check,
    .machine = machine_known_name,
    .metamethods = metamethods,
};
