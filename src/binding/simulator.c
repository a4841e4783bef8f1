#include "binding/simulation.h"

#include "binding/error.h"
#include "binding/objects.h"
#include "binding/resource.h"
#include "binding/text.h"

#include <lauxlib.h>
#include <limits.h>
#include <string.h>

/* User value 1: the SimulatedMachine. */
struct simulated_adapter_object {
    struct simulator_object *owner;
    simulator_adapter_id id;
};

static int raise(lua_State *L, const char *member, const struct fault *fault)
{
    return error_raise_fault(L, member, NULL, fault);
}

/* Raises the fault where ok is false; a method then returns nothing. */
static int done(lua_State *L, bool ok, const char *member, const struct fault *fault)
{
    return ok ? 0 : raise(L, member, fault);
}

struct decimal simulation_check_bytes(lua_State *L, int index)
{
    static const char expected[] =
        "a number of bytes must be an integer or a decimal string from 0 to 2^96-1";
    struct decimal bytes = DECIMAL_ZERO;
    size_t length;

    if (lua_type(L, index) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, index, &length);
        if (decimal_parse(text, length, &bytes) != DECIMAL_PARSED)
            luaL_argerror(L, index, expected);
        return bytes;
    }
    lua_Integer value = luaL_checkinteger(L, index);
    luaL_argcheck(L, value >= 0, index, expected);
    return decimal_from_uint64((uint64_t)value);
}

static const char *check_name(lua_State *L, int index)
{
    return text_check(L, index, "a machine's name");
}

/* Reads one of the fields that the table may have; the value stays on the
 * stack. Returns its Lua type. */
static int option(lua_State *L, int index, const char *field, int expected)
{
    int type = lua_getfield(L, index, field);
    if (type != LUA_TNIL && type != expected)
        luaL_argerror(L, index,
                      lua_pushfstring(L, "option '%s' must be a %s, not a %s", field,
                                      lua_typename(L, expected), lua_typename(L, type)));
    if (type == LUA_TSTRING && text_at(L, -1) == NULL)
        luaL_argerror(L, index,
                      lua_pushfstring(L, "option '%s' must be UTF-8 text without a NUL, not '%s'",
                                      field, text_push_shown(L, -1)));
    return type;
}

/* ------------------------------------------------------------------------
 * Simulator
 * ------------------------------------------------------------------------ */

static void clear_hold(void *hold)
{
    simulator_release(*(struct simulator **)hold);
    *(struct simulator **)hold = NULL;
}

/***
A host in memory whose machines do what the caller says. Its clock, by which it
counts UpTime, Since, CPUUtilization, the age of samples and the time of its tasks,
stands still unless `AdvanceClock` moves it: a figure is the same each time a suite
runs, however slow the machine. It begins at a whole second of the present.
`WaitForEvents` waits in real time nevertheless.
@within Simulator
@function new
@tparam[opt] table options `clock`: `"told"` (moves by AdvanceClock only, default) or
`"real"` (follows real time, to which AdvanceClock adds)
@treturn Simulator
@raise an argument error for an unknown option
@usage local simulator = require "vmaccountant.simulator"
local host = simulator.new()
local web01, nic = host:AddMachine("web01", { adapters = 1, running = true })
nic:Send(1500)
local objVS = host:CreateObject("VirtualServer.Application")
assert(objVS:FindVirtualMachine("web01").Accountant.NetworkBytesSent == 1500)
*/
int simulation_new(lua_State *L)
{
    static const char *const known[] = {"clock", NULL};
    static const char *const clocks[] = {"told", "real", NULL};
    bool follows_real_time = false;

    if (!lua_isnoneornil(L, 1)) {
        luaL_checktype(L, 1, LUA_TTABLE);
        simulation_check_options(L, 1, known);
        if (option(L, 1, "clock", LUA_TSTRING) != LUA_TNIL)
            follows_real_time =
                simulation_check_choice(L, 1, lua_tostring(L, -1), "clock", clocks) == 1;
    }
    struct simulator **hold = resource_new(L, sizeof *hold, clear_hold);
    struct simulator_object *object = class_new(L, &simulator_class, sizeof *object, 1);

    object->hold = hold;
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, 1);
    object->simulator = *hold = simulator_new(follows_real_time);
    return object->simulator != NULL ? 1 : luaL_error(L, "out of memory");
}

static void push_machine(lua_State *L, struct simulator_object *owner,
                         const struct machine_uuid *uuid)
{
    struct simulated_machine_object *machine =
        class_new(L, &simulated_machine_class, sizeof *machine, 1);
    machine->owner = owner;
    machine->uuid = *uuid;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
}

/* Pushes the adapter; its machine is at the index. */
static void plug(lua_State *L, int machine_index, const struct simulator_adapter_plan *plan,
                 const char *member)
{
    machine_index = lua_absindex(L, machine_index);
    const struct simulated_machine_object *machine = lua_touserdata(L, machine_index);
    struct simulated_adapter_object *adapter =
        class_new(L, &simulated_adapter_class, sizeof *adapter, 1);
    struct fault fault;

    adapter->owner = machine->owner;
    lua_pushvalue(L, machine_index);
    lua_setiuservalue(L, -2, 1);
    if (!simulator_plug(machine->owner->simulator, &machine->uuid, plan, &adapter->id, &fault))
        raise(L, member, &fault);
}

/***
Adds a machine. It is turned off and has no adapters unless the options say
otherwise.
@within Simulator
@function AddMachine
@string name
@tparam[opt] table options `adapters`: how many bridged adapters to plug;
`running`: whether to start it
@treturn SimulatedMachine
@treturn SimulatedAdapter … the adapters, in their order
@raise VM_E_CONFIG_NO_NAME; VM_E_CONFIG_DUPLICATE_NAME
*/
static int add_machine(lua_State *L, void *object)
{
    static const char *const known[] = {"adapters", "running", NULL};
    enum { MOST_ADAPTERS = 1000 };
    struct simulator *simulator = ((struct simulator_object *)object)->simulator;
    const char *name = check_name(L, 2);
    lua_Integer adapters = 0;
    bool running = false;
    struct machine_uuid uuid;
    struct fault fault;

    if (!lua_isnoneornil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        simulation_check_options(L, 3, known);
        int is_whole = 1;
        if (option(L, 3, "adapters", LUA_TNUMBER) != LUA_TNIL)
            adapters = lua_tointegerx(L, -1, &is_whole);
        luaL_argcheck(L, is_whole && adapters >= 0 && adapters <= MOST_ADAPTERS, 3,
                      "option 'adapters' must be a whole number from 0 to 1000");
        option(L, 3, "running", LUA_TBOOLEAN);
        running = lua_toboolean(L, -1);
    }
    luaL_checkstack(L, (int)adapters + 10, "too many adapters");
    if (!simulator_add_machine(simulator, name, &uuid, &fault))
        return raise(L, "AddMachine", &fault);
    push_machine(L, object, &uuid);
    int machine = lua_gettop(L);
    for (lua_Integer i = 0; i < adapters; i++)
        plug(L, machine, &(struct simulator_adapter_plan){.counted = true}, "AddMachine");
    if (running && !simulator_change(simulator, &uuid, CHANGE_STARTUP, &fault))
        return raise(L, "AddMachine", &fault);
    return (int)adapters + 1;
}

/***
The application object of this host: of the same kind as the one that
`vmaccountant.CreateObject` makes, with the same options.
@within Simulator
@function CreateObject
@string progid `"VirtualServer.Application"` or `"VirtualPC.Application"`
@tparam[opt] table options
@treturn VMVirtualServer
*/
static int create_object(lua_State *L, void *object)
{
    struct application_options options;

    bool is_virtual_pc = application_check_progid(L, 2);
    application_check_options(L, 3, &options);
    options.is_virtual_pc = is_virtual_pc;
    struct application *application = application_new(L);
    struct host *host = simulator_connect(((struct simulator_object *)object)->simulator);
    if (host == NULL)
        return luaL_error(L, "out of memory");
    application_open(L, application, host, &options);
    return 1;
}

/***
Makes a call on the host fail from now on, with DISP_E_EXCEPTION and the
message, as a host does that has lost its daemon. For one machine only:
SimulatedMachine.Fail.
@within Simulator
@function Fail
@string call `list`, `find`, `name`, `state`, `adapters`, `sample` (the
counters of one machine), `sample_all` (those of all, under `max_age`),
`sample_disks`, `processor_times`, `scheduling`, `set_scheduling`, `change` (of
the definition, too), `started_at`, `write_baseline`, `configuration` (Notes,
Memory and SavedStateFilePath), `host_info`, `product` or `uptime`
@string[opt] message nil makes the call work again
*/
static int fail(lua_State *L, void *object)
{
#define CALL_NAME(name) #name,
    static const char *const calls[] = {SIMULATOR_CALLS(CALL_NAME) NULL};
#undef CALL_NAME
    struct simulator *simulator = ((struct simulator_object *)object)->simulator;
    const char *const name = text_check(L, 2, "the name of a call");
    enum simulator_call call =
        (enum simulator_call)simulation_check_choice(L, 2, name, "call", calls);
    const char *message = lua_isnoneornil(L, 3) ? NULL : text_check(L, 3, "a message");
    struct fault fault;

    return done(L, simulator_fail(simulator, call, message, &fault), "Fail", &fault);
}

/***
Whether the host tells its applications what happens, as libvirt's drivers with
events do (true at first). An application of a host that keeps silent finds out
when it next reads.
@within Simulator
@function SetEvents
@tparam boolean told
*/
static int set_events(lua_State *L, void *object)
{
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    simulator_set_events(((struct simulator_object *)object)->simulator, lua_toboolean(L, 2));
    return 0;
}

/* A whole number of the table's, from 0; `kept` when it has none. */
static uint64_t number_option(lua_State *L, int index, const char *field, uint64_t kept,
                              uint64_t most)
{
    int is_integer;

    if (option(L, index, field, LUA_TNUMBER) == LUA_TNIL)
        return kept;
    lua_Integer value = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || value < 0 || (uint64_t)value > most)
        luaL_argerror(L, index, lua_pushfstring(L, "'%s' must be a whole number from 0", field));
    return (uint64_t)value;
}

static void text_option(lua_State *L, int index, const char *field, char *text, size_t size)
{
    if (option(L, index, field, LUA_TSTRING) == LUA_TNIL)
        return;
    if (lua_rawlen(L, -1) >= size)
        luaL_argerror(L, index, lua_pushfstring(L, "'%s' is too long", field));
    strcpy(text, lua_tostring(L, -1));
}

/***
Changes what the host tells of itself in `objVS.HostInfo`.
@within Simulator
@function SetHostInfo
@tparam table members by their names in VMHostInfo: LogicalProcessorCount,
PhysicalProcessorCount, ProcessorSpeed, ProcessorManufacturerString,
ProcessorVersionString, ProcessorFeaturesString, Memory, MemoryAvail,
OperatingSystem, OSVersionString, OSMajorVersion, OSMinorVersion; those that
are not given stay. LogicalProcessorCount, from 1 to 4096, is the same number as
SetProcessors sets
*/
static int set_host_info(lua_State *L, void *object)
{
    static const char *const known[] = {"LogicalProcessorCount",
                                        "PhysicalProcessorCount",
                                        "ProcessorSpeed",
                                        "ProcessorManufacturerString",
                                        "ProcessorVersionString",
                                        "ProcessorFeaturesString",
                                        "Memory",
                                        "MemoryAvail",
                                        "OperatingSystem",
                                        "OSVersionString",
                                        "OSMajorVersion",
                                        "OSMinorVersion",
                                        NULL};
    struct simulator *simulator = ((struct simulator_object *)object)->simulator;
    /* Its texts are the simulator's, which may change them at the next reading of
     * the table: that may call a metamethod. */
    struct host_info info = *simulator_told_host_info(simulator);
    struct fault fault;

    luaL_checktype(L, 2, LUA_TTABLE);
    simulation_check_options(L, 2, known);
    luaL_checkstack(L, 20, NULL);
#define SET_NUMBER(field, name)                                                                    \
    info.field = (unsigned)number_option(L, 2, name, info.field, UINT_MAX)
    SET_NUMBER(logical_processors, "LogicalProcessorCount");
    luaL_argcheck(L, info.logical_processors >= 1 && info.logical_processors <= 4096, 2,
                  "'LogicalProcessorCount' must be from 1 to 4096");
    SET_NUMBER(physical_processors, "PhysicalProcessorCount");
    SET_NUMBER(megahertz, "ProcessorSpeed");
    SET_NUMBER(major, "OSMajorVersion");
    SET_NUMBER(minor, "OSMinorVersion");
#undef SET_NUMBER
    info.memory = 1024 * number_option(L, 2, "Memory", info.memory / 1024, UINT32_MAX);
    info.available_memory =
        1024 * number_option(L, 2, "MemoryAvail", info.available_memory / 1024, UINT32_MAX);
    text_option(L, 2, "ProcessorManufacturerString", info.manufacturer, sizeof info.manufacturer);
    text_option(L, 2, "ProcessorVersionString", info.model, sizeof info.model);
    text_option(L, 2, "OperatingSystem", info.system, sizeof info.system);
    text_option(L, 2, "OSVersionString", info.release, sizeof info.release);
    if (option(L, 2, "ProcessorFeaturesString", LUA_TSTRING) != LUA_TNIL)
        info.features = (char *)(uintptr_t)lua_tostring(L, -1);
    else
        info.features = simulator_told_host_info(simulator)->features;
    return done(L, simulator_set_host_info(simulator, &info, &fault), "SetHostInfo", &fault);
}

/***
Lets time pass on the host's clocks: UpTime grows, samples age, and tasks that
are due by then end, each at its own moment.
@within Simulator
@function AdvanceClock
@number seconds
*/
static int advance_clock(lua_State *L, void *object)
{
    enum { LONGEST = 1000000000 };
    lua_Number seconds = luaL_checknumber(L, 2);

    luaL_argcheck(L, seconds >= 0 && seconds <= LONGEST, 2,
                  "seconds must be from 0 to 1e9: a clock never goes back");
    simulator_advance_clock(((struct simulator_object *)object)->simulator,
                            (int64_t)(seconds * 1e9));
    return 0;
}

static const struct member simulator_members[] = {
    {.name = "AddMachine",
     .call = add_machine,
     .parameters = "name: string, options?: table",
     .type = "SimulatedMachine, ...",
     .meaning = "a new machine and its adapters; options: adapters, how many; running, whether"},
    {.name = "CreateObject",
     .call = create_object,
     .parameters = "progid: string, options?: VMOptions",
     .type = "VMVirtualServer",
     .meaning = "an application object on this host"},
    {.name = "Fail",
     .call = fail,
     .parameters = "call: string, message?: string",
     .meaning = "makes a call of the host fail until it is told otherwise"},
    {.name = "AdvanceClock",
     .call = advance_clock,
     .parameters = "seconds: number",
     .meaning = "lets the host's time pass"},
    {.name = "SetHostInfo",
     .call = set_host_info,
     .parameters = "members: table",
     .meaning = "changes what HostInfo tells of the host"},
    {.name = "SetProcessors",
     .call = simulation_set_processors,
     .parameters = "processors: integer",
     .meaning = "how many processors the host has"},
    {.name = "SetEvents",
     .call = set_events,
     .parameters = "told: boolean",
     .meaning = "whether the host tells of what happens"},
    {.name = NULL},
};

/* When a Lua state closes, the script's own finalizers may run after that of
 * the resource. */
void simulation_check(lua_State *L, const struct simulator_object *owner, const char *member)
{
    if (owner->hold == NULL || *owner->hold == NULL)
        error_raise(L, member, NULL, HRESULT_VM_E_APP_SHUTTING_DOWN,
                    "the simulator has been collected");
}

static void check_simulator(lua_State *L, void *object, const char *member)
{
    simulation_check(L, object, member);
}

const struct class simulator_class = {
    .name = "Simulator",
    .meaning = "a host in memory that does what it is told",
    .written = "host",
    .members = simulator_members,
    .check = check_simulator,
};

/* A machine or an adapter: both begin with their owner. */
static void check_owner(lua_State *L, void *object, const char *member)
{
    check_simulator(L, *(struct simulator_object **)object, member);
}

/* ------------------------------------------------------------------------
 * SimulatedMachine
 * ------------------------------------------------------------------------ */

/***
The machine's name.
@within SimulatedMachine
@tfield string Name
*/
static int get_name(lua_State *L, void *object)
{
    const struct simulated_machine_object *machine = object;
    struct fault fault;
    const char *name = simulator_machine_name(machine->owner->simulator, &machine->uuid, &fault);

    if (name == NULL)
        return raise(L, "Name", &fault);
    lua_pushstring(L, name);
    return 1;
}

static int change(lua_State *L, const struct simulated_machine_object *machine,
                  enum machine_change change, const char *member)
{
    struct fault fault;
    return done(L, simulator_change(machine->owner->simulator, &machine->uuid, change, &fault),
                member, &fault);
}

/***
Starts the machine, from its saved state if it has one: its devices count from
zero. This and the methods below are what an administrator does with another
tool, or the machine by itself.
@within SimulatedMachine
@function Startup
@raise VM_E_VM_RUNNING
*/
static int startup(lua_State *L, void *object)
{
    return change(L, object, CHANGE_STARTUP, "Startup");
}

/***
Turns the machine off; its devices go.
@within SimulatedMachine
@function TurnOff
@raise VM_E_VM_NOT_RUNNING
*/
static int turn_off(lua_State *L, void *object)
{
    return change(L, object, CHANGE_TURN_OFF, "TurnOff");
}

/***
Resets the machine. As on a real host its devices stay and count on.
@within SimulatedMachine
@function Reset
@raise VM_E_VM_NOT_RUNNING
*/
static int reset(lua_State *L, void *object)
{
    return change(L, object, CHANGE_RESET, "Reset");
}

/***
Saves the machine's state and stops it. Startup restores it, on new devices.
@within SimulatedMachine
@function Save
@raise VM_E_VM_NOT_RUNNING
*/
static int save(lua_State *L, void *object)
{
    return change(L, object, CHANGE_SAVE, "Save");
}

/***
Pauses the machine.
@within SimulatedMachine
@function Pause
@raise E_FAIL; VM_E_VM_NOT_RUNNING
*/
static int pause_machine(lua_State *L, void *object)
{
    return change(L, object, CHANGE_PAUSE, "Pause");
}

/***
Lets a paused machine go on.
@within SimulatedMachine
@function Resume
@raise E_FAIL; VM_E_VM_NOT_RUNNING
*/
static int resume(lua_State *L, void *object)
{
    return change(L, object, CHANGE_RESUME, "Resume");
}

/***
The machine stops by itself, as when its process is killed.
@within SimulatedMachine
@function Crash
@raise VM_E_VM_NOT_RUNNING
*/
static int crash(lua_State *L, void *object)
{
    const struct simulated_machine_object *machine = object;
    struct fault fault;
    return done(
        L, simulator_stop_machine(machine->owner->simulator, &machine->uuid, STOP_CRASHED, &fault),
        "Crash", &fault);
}

/***
Gives the machine another name.
@within SimulatedMachine
@function Rename
@string name
@raise VM_E_CONFIG_NO_NAME; VM_E_CONFIG_DUPLICATE_NAME
*/
static int rename_machine(lua_State *L, void *object)
{
    const struct simulated_machine_object *machine = object;
    struct fault fault;
    return done(L,
                simulator_rename_machine(machine->owner->simulator, &machine->uuid,
                                         check_name(L, 2), &fault),
                "Rename", &fault);
}

/***
Removes the machine, running or not.
@within SimulatedMachine
@function Remove
*/
static int remove_machine(lua_State *L, void *object)
{
    const struct simulated_machine_object *machine = object;
    struct fault fault;
    return done(L, simulator_remove_machine(machine->owner->simulator, &machine->uuid, &fault),
                "Remove", &fault);
}

/***
Plugs an adapter, whose device counts from zero.
@within SimulatedMachine
@function Plug
@tparam[opt] table options `type` ("bridge"), `network` (what it is plugged
into, "br0"), `mac` (the next free one), `counted` (true; false for an adapter
without a counter, as one of type "user" is on a real host)
@treturn SimulatedAdapter
*/
static int plug_adapter(lua_State *L, void *object)
{
    static const char *const known[] = {"type", "network", "mac", "counted", NULL};
    struct simulator_adapter_plan plan = {.counted = true};
    uint8_t mac[MAC_SIZE];

    (void)object;
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        simulation_check_options(L, 2, known);
        if (option(L, 2, "type", LUA_TSTRING) != LUA_TNIL)
            plan.type = lua_tostring(L, -1);
        if (option(L, 2, "network", LUA_TSTRING) != LUA_TNIL)
            plan.source = lua_tostring(L, -1);
        if (option(L, 2, "counted", LUA_TBOOLEAN) != LUA_TNIL)
            plan.counted = lua_toboolean(L, -1);
        if (option(L, 2, "mac", LUA_TSTRING) != LUA_TNIL) {
            luaL_argcheck(L, mac_parse(lua_tostring(L, -1), mac), 2,
                          "option 'mac' must be an address such as 52:54:00:12:34:56");
            plan.mac = mac;
        }
    }
    plug(L, 1, &plan, "Plug");
    return 1;
}

/***
Adds a disk, which counts from zero, running or not.
@within SimulatedMachine
@function AddDisk
@tparam[opt] table options `target` (the first free one of "vda", "vdb", …),
`counted` (true; false for a disk without a counter)
@treturn SimulatedDisk
@raise VM_E_DRIVE_BUS_LOC_IN_USE when there is a disk of that target
*/
static int add_disk(lua_State *L, void *object)
{
    static const char *const known[] = {"target", "counted", NULL};
    const char *target = NULL;
    bool counted = true;

    (void)object;
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        simulation_check_options(L, 2, known);
        if (option(L, 2, "target", LUA_TSTRING) != LUA_TNIL)
            target = lua_tostring(L, -1);
        if (option(L, 2, "counted", LUA_TBOOLEAN) != LUA_TNIL)
            counted = lua_toboolean(L, -1);
    }
    simulated_disk_push(L, 1, target, counted);
    return 1;
}

static const struct member machine_members[] = {
    {.name = "Name", .get = get_name, .type = "string", .meaning = "the machine's name"},
    {.name = "Startup",
     .call = startup,
     .meaning = "starts the machine; restores it when it is saved"},
    {.name = "TurnOff", .call = turn_off, .meaning = "turns it off"},
    {.name = "Reset", .call = reset, .meaning = "resets it"},
    {.name = "Save", .call = save, .meaning = "saves its state"},
    {.name = "Pause", .call = pause_machine, .meaning = "halts it"},
    {.name = "Resume", .call = resume, .meaning = "lets it go on"},
    {.name = "Crash",
     .call = crash,
     .meaning = "ends it as a crash of its hypervisor process does"},
    {.name = "ShutDown",
     .call = simulated_machine_shut_down,
     .meaning = "ends it as its guest does that shuts down"},
    {.name = "MigrateAway",
     .call = simulated_machine_migrate_away,
     .meaning = "ends it here, since it goes on on another host"},
    {.name = "Revert",
     .call = simulated_machine_revert,
     .parameters = "running?: boolean",
     .meaning = "takes it back to a snapshot"},
    {.name = "Fail",
     .call = simulated_machine_fail,
     .parameters = "call: string, message?: string",
     .meaning = "makes a call fail for this machine only"},
    {.name = "SetTaskDuration",
     .call = simulated_machine_set_task_duration,
     .parameters = "seconds: number",
     .meaning = "how long its Startup and Save take"},
    {.name = "Rename",
     .call = rename_machine,
     .parameters = "name: string",
     .meaning = "gives it another name"},
    {.name = "Remove", .call = remove_machine, .meaning = "takes its definition from the host"},
    {.name = "Plug",
     .call = plug_adapter,
     .parameters = "options?: table",
     .type = "SimulatedAdapter",
     .meaning = "plugs in a new adapter"},
    {.name = "AddDisk",
     .call = add_disk,
     .parameters = "options?: table",
     .type = "SimulatedDisk",
     .meaning = "adds a disk"},
    {.name = "SetProcessors",
     .call = simulated_machine_set_processors,
     .parameters = "processors: integer",
     .meaning = "how many virtual processors the machine has"},
    {.name = "UseProcessor",
     .call = simulated_machine_use_processor,
     .parameters = "seconds: number",
     .meaning = "lets it use processor time"},
    {.name = NULL},
};

const struct class simulated_machine_class = {
    .name = "SimulatedMachine",
    .meaning = "a machine of a simulated host",
    .written = "machine",
    .members = machine_members,
    .check = check_owner,
};

/* ------------------------------------------------------------------------
 * SimulatedAdapter
 * ------------------------------------------------------------------------ */

/***
The adapter's MAC address as `52-54-00-12-34-56`.
@within SimulatedAdapter
@tfield string EthernetAddress
*/
static int get_ethernet_address(lua_State *L, void *object)
{
    const struct simulated_adapter_object *adapter = object;
    uint8_t mac[MAC_SIZE];
    char text[MAC_TEXT_SIZE];
    struct fault fault;

    if (!simulator_adapter_mac(adapter->owner->simulator, adapter->id, mac, &fault))
        return raise(L, "EthernetAddress", &fault);
    mac_format(mac, text);
    lua_pushstring(L, text);
    return 1;
}

static int transfer(lua_State *L, const struct simulated_adapter_object *adapter,
                    enum direction direction, const char *member)
{
    struct decimal bytes = simulation_check_bytes(L, 2);
    struct fault fault;
    return done(
        L, simulator_transfer(adapter->owner->simulator, adapter->id, direction, bytes, &fault),
        member, &fault);
}

/***
The machine sends so many bytes through the adapter.
@within SimulatedAdapter
@function Send
@tparam integer|string bytes from 0 to 2^96-1
@raise VM_E_VM_NOT_RUNNING; VM_E_ADAPTER_NOT_FOUND after Unplug;
DISP_E_OVERFLOW when the device's count would be above 2^96-1
*/
static int send_bytes(lua_State *L, void *object)
{
    return transfer(L, object, DIRECTION_SENT, "Send");
}

/***
The adapter is given so many bytes; raised as Send is.
@within SimulatedAdapter
@function Receive
@tparam integer|string bytes
*/
static int receive_bytes(lua_State *L, void *object)
{
    return transfer(L, object, DIRECTION_RECEIVED, "Receive");
}

static int set_counter(lua_State *L, const struct simulated_adapter_object *adapter,
                       enum direction direction, const char *member)
{
    struct decimal bytes = simulation_check_bytes(L, 2);
    struct fault fault;
    return done(
        L, simulator_set_counter(adapter->owner->simulator, adapter->id, direction, bytes, &fault),
        member, &fault);
}

/***
Sets the device's count of sent bytes: it falls without an event, as that of a
device does that was made anew under the same name.
@within SimulatedAdapter
@function SetBytesSent
@tparam integer|string bytes
*/
static int set_bytes_sent(lua_State *L, void *object)
{
    return set_counter(L, object, DIRECTION_SENT, "SetBytesSent");
}

/***
Sets the device's count of received bytes.
@within SimulatedAdapter
@function SetBytesReceived
@tparam integer|string bytes
*/
static int set_bytes_received(lua_State *L, void *object)
{
    return set_counter(L, object, DIRECTION_RECEIVED, "SetBytesReceived");
}

/***
Unplugs the adapter; its device goes.
@within SimulatedAdapter
@function Unplug
*/
static int unplug(lua_State *L, void *object)
{
    const struct simulated_adapter_object *adapter = object;
    struct fault fault;
    return done(L, simulator_unplug(adapter->owner->simulator, adapter->id, &fault), "Unplug",
                &fault);
}

static const struct member adapter_members[] = {
    {.name = "EthernetAddress",
     .get = get_ethernet_address,
     .type = "string",
     .meaning = "the MAC address"},
    {.name = "Send",
     .call = send_bytes,
     .parameters = "bytes: integer|string",
     .meaning = "lets the guest send bytes"},
    {.name = "Receive",
     .call = receive_bytes,
     .parameters = "bytes: integer|string",
     .meaning = "gives the guest bytes"},
    {.name = "SetBytesSent",
     .call = set_bytes_sent,
     .parameters = "bytes: integer|string",
     .meaning = "sets what the device counts, which may so fall"},
    {.name = "SetBytesReceived",
     .call = set_bytes_received,
     .parameters = "bytes: integer|string",
     .meaning = "sets what the device counts, which may so fall"},
    {.name = "Unplug", .call = unplug, .meaning = "takes the adapter out"},
    {.name = NULL},
};

const struct class simulated_adapter_class = {
    .name = "SimulatedAdapter",
    .meaning = "a network adapter of a simulated machine",
    .written = "adapter",
    .members = adapter_members,
    .check = check_owner,
};
