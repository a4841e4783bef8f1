#include "binding/accountant.h"

#include "binding/error.h"
#include "binding/text.h"

#include <lauxlib.h>

static const struct class *class_for(const struct application *application)
{
    return application->options.is_virtual_pc ? &virtual_pc_accountant_class : &accountant_class;
}

/***
The machine's accountant: the same object each time. Makes no call to the host.
@within VMVirtualMachine
@tfield VMAccountant Accountant
*/
int machine_get_accountant(lua_State *L, const struct call *call)
{
    struct machine_object *machine = call->object;

    if (lua_getiuservalue(L, 1, MACHINE_ACCOUNTANT) == LUA_TUSERDATA)
        return 1;
    struct accountant_object *accountant =
        class_new(L, class_for(machine->application), sizeof *accountant, 1);
    accountant->machine = machine;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, PART_MACHINE);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, MACHINE_ACCOUNTANT);
    return 1;
}

static void check(lua_State *L, const struct call *call)
{
    application_check_open(L, call, accountant_application(call));
}

typedef bool total_function(struct accounting *accounting, const struct machine_uuid *uuid,
                            enum direction direction, struct decimal *total, struct fault *fault);

static int get_total(lua_State *L, const struct call *call, total_function *read_total,
                     enum direction direction)
{
    struct application *application = accountant_application(call);
    struct decimal total;
    struct fault fault;

    bool ok = read_total(application->accounting, accountant_uuid(call), direction, &total, &fault);
    application_warn(L, application);
    if (!ok) {
        if (!accountant_reads_zero(call, &fault))
            return class_raise_fault(L, call, &fault);
        total = DECIMAL_ZERO;
    }
    application_push_decimal(L, application, total);
    return 1;
}

/***
The bytes that the machine has sent through all its network adapters since it
was last powered up, reset or restored from saved state. Counts whole Ethernet
frames, as the guest's own kernel does. An integer up to 2^63-1, above that a
decimal string. Asks the host, unless a sample is at most `max_age` old.
Documented in IVMAccountant.
@within VMAccountant
@tfield integer|string NetworkBytesSent
@raise S_FALSE when the machine is not running (unless `not_running` is
`"zero"`); VM_E_VM_UNKNOWN when it is no longer defined; DISP_E_EXCEPTION when
an adapter has no counter, which it names, or the host does not answer
*/
static int get_network_bytes_sent(lua_State *L, const struct call *call)
{
    return get_total(L, call, accounting_total, DIRECTION_SENT);
}

/***
The bytes that the machine's network adapters have received, counted and raised
as NetworkBytesSent is.
@within VMAccountant
@tfield integer|string NetworkBytesReceived
*/
static int get_network_bytes_received(lua_State *L, const struct call *call)
{
    return get_total(L, call, accounting_total, DIRECTION_RECEIVED);
}

/***
The bytes that the machine has read from all its disks since it was last powered
up, reset or restored from saved state: hard disks, CD-ROM and floppy drives, as
the machine requested them, whatever the host had to read for that. An integer up
to 2^63-1, above that a decimal string. The hypervisor process itself is asked,
for at most `timeout`, unless a sample is at most `max_age` old; what the network
has sent does not wait for it. The bytes of a disk that is unplugged stay in the
sum, as of the last sample before that. Documented in IVMAccountant.
@within VMAccountant
@tfield integer|string DiskBytesRead
@raise S_FALSE when the machine is not running (unless `not_running` is
`"zero"`); VM_E_VM_UNKNOWN; DISP_E_EXCEPTION when a disk has no counter, which it
names, when the hypervisor process does not answer, or when the machine was reset
before this process listened and the recorder of that reset did not know the disks'
counts
*/
static int get_disk_bytes_read(lua_State *L, const struct call *call)
{
    return get_total(L, call, accounting_disk_total, DISK_READ);
}

/***
The bytes that the machine has written to all its disks, counted and raised as
DiskBytesRead is.
@within VMAccountant
@tfield integer|string DiskBytesWritten
*/
static int get_disk_bytes_written(lua_State *L, const struct call *call)
{
    return get_total(L, call, accounting_disk_total, DISK_WRITTEN);
}

/***
When the counts started, in whole seconds since 1970: the machine's start as
this process saw it or, on a local host, the start of its QEMU process in
/proc. libvirt itself has no call for it. It is the wall clock's time of that
moment, and is not corrected when the clock is set later.
@within VMAccountant
@tfield integer Since
@raise S_FALSE when the machine is not running; DISP_E_EXCEPTION where the
start cannot be known
*/
static int get_since(lua_State *L, const struct call *call)
{
    struct fault fault;
    struct moment since;

    if (!accounting_since(accountant_application(call)->accounting, accountant_uuid(call), &since,
                          &fault)) {
        if (!accountant_reads_zero(call, &fault))
            return class_raise_fault(L, call, &fault);
        since.wall = 0;
    }
    lua_pushinteger(L, since.wall);
    return 1;
}

/***
For how long the machine has been running, in whole seconds; restarts with its
counts. It is measured by the monotonic clock, so it differs from the wall clock's
time since Since when that was set meanwhile. Known and raised as Since
is.
@within VMAccountant
@tfield integer UpTime
*/
static int get_uptime(lua_State *L, const struct call *call)
{
    struct fault fault;
    int64_t uptime;

    if (!accounting_uptime(accountant_application(call)->accounting, accountant_uuid(call), &uptime,
                           &fault)) {
        if (!accountant_reads_zero(call, &fault))
            return class_raise_fault(L, call, &fault);
        uptime = 0;
    }
    lua_pushinteger(L, uptime);
    return 1;
}

/***
The machine that is accounted. Makes no call to the host.
@within VMAccountant
@tfield VMVirtualMachine VirtualMachine
*/

/* Raises DISP_E_UNKNOWNNAME for the string at index 2 of the accountant at index
 * 1; upvalue 1 is the class. */
static int raise_no_name(lua_State *L)
{
    class_find_property(L, lua_touserdata(L, lua_upvalueindex(1)), 2);
    return 0;
}

/***
A property's value without an error for what the host may answer: for scripts
that continue when one machine cannot be read.
@within VMAccountant
@function Get
@string name a property's name, in any letter case
@return[1] its value
@return[2] nil
@treturn[2] VMError what reading it would have raised; DISP_E_UNKNOWNNAME for a
name that has a NUL in it or is no UTF-8: it comes from data, not from a script
@raise E_POINTER for a missing name; DISP_E_UNKNOWNNAME for one that is not a
property; VM_E_APP_SHUTTING_DOWN
*/
static int get(lua_State *L, const struct call *call)
{
    if (lua_isnoneornil(L, 2))
        return error_raise(L, call->member->name, NULL, HRESULT_E_POINTER,
                           "the property's name is missing, as in accountant:Get("
                           "\"NetworkBytesSent\")");
    luaL_checkstring(L, 2);
    if (text_at(L, 2) == NULL) {
        lua_settop(L, 2);
        lua_pushnil(L);
        lua_pushlightuserdata(L, (void *)(uintptr_t)call->class);
        lua_pushcclosure(L, raise_no_name, 1);
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 2);
        if (lua_pcall(L, 2, 0, 0) != LUA_OK && !error_is(L, -1))
            return lua_error(L);
        return 2;
    }
    const struct member *member = class_find_property(L, call->class, 2);
    class_get_property(L, call->class, member);
    if (lua_toboolean(L, -2))
        return 1;
    lua_pushnil(L);
    lua_replace(L, -3);
    return 2;
}

static const char *reason_text(enum stop_reason reason)
{
    switch (reason) {
    case STOP_SHUT_DOWN:
        return "ShutDown";
    case STOP_TURNED_OFF:
        return "TurnedOff";
    case STOP_CRASHED:
        return "Crashed";
    case STOP_SAVED:
        return "Saved";
    case STOP_MIGRATED_AWAY:
        return "MigratedAway";
    case STOP_REVERTED:
        return "Reverted";
    case STOP_RESET:
        return "Reset";
    case STOP_UNKNOWN:
    default:
        return "Unknown";
    }
}

/***
The machine's last session that is over: of a machine that has been turned
off, saved, reset, has crashed or is no longer defined. It is known only if this
process was listening when it ended: an application listens from CreateObject
on. On a local host the bytes are the devices' final counts, as the kernel gave
them when the devices went; on a remote one those of the last sample.
@within VMAccountant
@function LastSession
@treturn[1] table `Started` (Unix seconds; absent when not known), `Ended`
(never before it: by its duration when the wall clock was set meanwhile),
`Reason` (`ShutDown` by the guest, `TurnedOff`, `Crashed`, `Saved`, `Reset`,
`MigratedAway`, `Reverted` to a snapshot, or `Unknown`), `NetworkBytesSent` and
`NetworkBytesReceived` (absent when an adapter had no counter)
@treturn[2] nil when this process has seen none end
*/
static int last_session(lua_State *L, const struct call *call)
{
    static const char *const bytes[DIRECTION_COUNT] = {
        [DIRECTION_SENT] = "NetworkBytesSent", [DIRECTION_RECEIVED] = "NetworkBytesReceived"};
    struct application *application = accountant_application(call);
    struct last_session last;
    struct fault fault;
    bool exists;

    if (!accounting_last_session(application->accounting, accountant_uuid(call), &last, &exists,
                                 &fault))
        return class_raise_fault(L, call, &fault);
    if (!exists) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, 0, 5);
    if (last.start_known) {
        lua_pushinteger(L, last.started_at);
        lua_setfield(L, -2, "Started");
    }
    lua_pushinteger(L, last.ended_at);
    lua_setfield(L, -2, "Ended");
    lua_pushstring(L, reason_text(last.reason));
    lua_setfield(L, -2, "Reason");
    for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
        if (!last.known[direction])
            continue;
        application_push_decimal(L, application, last.bytes[direction]);
        lua_setfield(L, -2, bytes[direction]);
    }
    return 1;
}

/* What Virtual Server and Virtual PC both document, and what this module adds. */
static const struct member virtual_pc_members[] = {
    {.name = "NetworkBytesSent",
     .get = get_network_bytes_sent,
     .type = "integer|string",
     .unit = "bytes",
     .meaning = "sent through all network adapters since the machine was last powered up, reset or "
                "restored"},
    {.name = "NetworkBytesReceived",
     .get = get_network_bytes_received,
     .type = "integer|string",
     .unit = "bytes",
     .meaning = "received through all network adapters since the machine was last powered up, "
                "reset or restored"},
    {.name = "UpTime",
     .get = get_uptime,
     .type = "integer",
     .unit = "seconds",
     .meaning = "for how long the machine has been running; restarts with its counts"},
    {.name = "DiskBytesRead",
     .get = get_disk_bytes_read,
     .type = "integer|string",
     .unit = "bytes",
     .meaning = "read from all disks since the machine was last powered up, reset or restored"},
    {.name = "DiskBytesWritten",
     .get = get_disk_bytes_written,
     .type = "integer|string",
     .unit = "bytes",
     .meaning = "written to all disks since the machine was last powered up, reset or restored"},
    {.name = "CPUUtilization",
     .get = accountant_get_cpu_utilization,
     .type = "integer",
     .unit = "percent",
     .meaning = "how busy the machine's own processors were in the last second"},
    {.name = "CPUUtilizationHistory",
     .get = accountant_get_cpu_utilization_history,
     .type = "integer[]",
     .unit = "percent",
     .meaning = "how busy they were in each of the last 60 seconds, oldest first"},
    {.name = "Since",
     .get = get_since,
     .type = "integer",
     .unit = "seconds since 1970",
     .meaning = "when the counts started"},
    {.name = "VirtualMachine",
     .get = class_get_user_value,
     .user_value = PART_MACHINE,
     .type = "VMVirtualMachine",
     .meaning = "the machine that is accounted"},
    {.name = "Get",
     .call = get,
     .parameters = "name: string",
     .type = "any, VMError?",
     .meaning = "a property's value, or nil and the error that reading it would have raised"},
    {.name = "LastSession",
     .call = last_session,
     .type = "VMSession?",
     .meaning = "the last session that is over, with its final counts; nil when this process has "
                "seen none end"},
    {.name = NULL},
};

/* What only Virtual Server documents. */
static const struct member members[] = {
    {.name = "MaximumSystemCapacity",
     .get = accountant_get_maximum_system_capacity,
     .type = "number",
     .unit = "percent of the host",
     .meaning = "what the machine may use of the host's processors at most"},
    {.name = "ReservedSystemCapacity",
     .get = accountant_get_reserved_system_capacity,
     .type = "number",
     .unit = "percent of the host",
     .meaning = "what the machine is guaranteed: 0, since no host can reserve"},
    {.name = "RelativeWeight",
     .get = accountant_get_relative_weight,
     .type = "integer",
     .meaning = "the machine's weight among those that want a processor at the same time"},
    {.name = "AllowableMaximumSystemCapacity",
     .get = accountant_get_allowable_maximum_system_capacity,
     .type = "number",
     .unit = "percent of the host",
     .meaning = "the largest maximum that can be set"},
    {.name = "AllowableReservedSystemCapacity",
     .get = accountant_get_allowable_reserved_system_capacity,
     .type = "number",
     .unit = "percent of the host",
     .meaning = "the largest reserve that can be set: 0"},
    {.name = "SetSchedulingParameters",
     .call = accountant_set_scheduling_parameters,
     .parameters = "reserved: number|string, maximum: number|string, weight: integer|string",
     .meaning = "sets the capacities, in percent of the host, and the weight"},
    {.name = NULL},
};

/* The object is of either class. */
static const struct class *class_of(lua_State *L, int index)
{
    return class_test_object(L, &accountant_class, index) != NULL ? &accountant_class
                                                                  : &virtual_pc_accountant_class;
}

static int to_string(lua_State *L)
{
    class_check_argument(L, class_of(L, 1), 1);
    lua_pushfstring(L, "VMAccountant of %s", machine_name_of_part(L, 1));
    return 1;
}

static int equal(lua_State *L)
{
    if (class_test_object(L, class_of(L, 1), 1) == NULL ||
        class_test_object(L, class_of(L, 2), 2) == NULL) {
        lua_pushboolean(L, false);
        return 1;
    }
    lua_getiuservalue(L, 1, PART_MACHINE);
    lua_getiuservalue(L, 2, PART_MACHINE);
    lua_pushboolean(L, lua_compare(L, -1, -2, LUA_OPEQ));
    return 1;
}

static const luaL_Reg metamethods[] = {
    {"__tostring", to_string},
    {"__eq", equal},
    {NULL, NULL},
};

const struct class accountant_class = {
    .name = "VMAccountant",
    .meaning = "the accounts of a machine",
    .written = "objVM.Accountant",
    .neighbours = {"VMVirtualMachine", "VMNetworkAdapter"},
    .members = members,
    .base = &virtual_pc_accountant_class,
    .check = check,
    .machine = machine_name_of_part,
    .metamethods = metamethods,
};

const struct class virtual_pc_accountant_class = {
    .name = "VMAccountant",
    .meaning = "the accounts of a machine",
    .written = "objVM.Accountant",
    .members = virtual_pc_members,
    .neighbours = {"VMVirtualMachine", "VMNetworkAdapter"},
    .check = check,
    .machine = machine_name_of_part,
    .metamethods = metamethods,
    .larger = &accountant_class,
    .larger_hint = "Virtual PC's accountant had none; create \"VirtualServer.Application\" for it",
};
