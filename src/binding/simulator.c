/*
 * simulator: Simulator, the host in memory that a script makes.
 */
#include "binding/error.h"
#include "binding/objects.h"
#include "binding/resource.h"
#include "binding/simulation.h"
#include "binding/text.h"

#include <lauxlib.h>
#include <limits.h>
#include <string.h>

static void clear_hold(void *hold)
{
    simulator_release(*(struct simulator **)hold);
    *(struct simulator **)hold = NULL;
}

/***
A host in memory whose machines do what the caller says. Its clock, which is used
for UpTime, Since, CPUUtilization, the age of samples and the time of its tasks,
moves only by `AdvanceClock`: values are the same each time a suite runs, however
slow the machine. It begins at the current time, in whole seconds.
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
        if (simulation_option(L, 1, "clock", LUA_TSTRING) != LUA_TNIL)
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
static int add_machine(lua_State *L, const struct call *call)
{
    static const char *const known[] = {"adapters", "running", NULL};
    enum { MOST_ADAPTERS = 1000 };
    struct simulator *simulator = ((struct simulator_object *)call->object)->simulator;
    const char *name = simulation_check_name(L, 2);
    lua_Integer adapters = 0;
    bool running = false;
    struct machine_uuid uuid;
    struct fault fault;

    if (!lua_isnoneornil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        simulation_check_options(L, 3, known);
        int is_whole = 1;
        if (simulation_option(L, 3, "adapters", LUA_TNUMBER) != LUA_TNIL)
            adapters = lua_tointegerx(L, -1, &is_whole);
        luaL_argcheck(L, is_whole && adapters >= 0 && adapters <= MOST_ADAPTERS, 3,
                      "option 'adapters' must be a whole number from 0 to 1000");
        simulation_option(L, 3, "running", LUA_TBOOLEAN);
        running = lua_toboolean(L, -1);
    }
    luaL_checkstack(L, (int)adapters + 10, "too many adapters");
    if (!simulator_add_machine(simulator, name, &uuid, &fault))
        return class_raise_fault(L, call, &fault);
    simulated_machine_push(L, 1, &uuid);
    int machine = lua_gettop(L);
    for (lua_Integer i = 0; i < adapters; i++)
        simulated_adapter_push(L, call, machine, &(struct simulator_adapter_plan){.counted = true});
    if (running && !simulator_change(simulator, &uuid, CHANGE_STARTUP, &fault))
        return class_raise_fault(L, call, &fault);
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
static int create_object(lua_State *L, const struct call *call)
{
    struct application_options options;

    bool is_virtual_pc = application_check_progid(L, 2);
    application_check_options(L, 3, &options);
    options.is_virtual_pc = is_virtual_pc;
    struct application *application = application_new(L);
    struct host *host = simulator_connect(((struct simulator_object *)call->object)->simulator);
    if (host == NULL)
        return luaL_error(L, "out of memory");
    application_open(L, application, host, &options);
    return 1;
}

/***
Makes a call on the host fail from now on, with DISP_E_EXCEPTION and the
message, like a host that has lost its daemon. For one machine only:
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
static int fail(lua_State *L, const struct call *call)
{
#define CALL_NAME(name) #name,
    static const char *const calls[] = {SIMULATOR_CALLS(CALL_NAME) NULL};
#undef CALL_NAME
    struct simulator *simulator = ((struct simulator_object *)call->object)->simulator;
    const char *const name = text_check(L, 2, "the name of a call");
    enum simulator_call failing =
        (enum simulator_call)simulation_check_choice(L, 2, name, "call", calls);
    const char *message = lua_isnoneornil(L, 3) ? NULL : text_check(L, 3, "a message");
    struct fault fault;

    return simulation_done(L, call, simulator_fail(simulator, failing, message, &fault), &fault);
}

/***
Whether the host reports events to its applications, as libvirt's drivers with
events do (true at first). Without them an application notices a change when it
next reads.
@within Simulator
@function SetEvents
@tparam boolean enabled
*/
static int set_events(lua_State *L, const struct call *call)
{
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    simulator_set_events(((struct simulator_object *)call->object)->simulator, lua_toboolean(L, 2));
    return 0;
}

/* A whole number of the table's, from 0; `kept` when it has none. */
static uint64_t number_option(lua_State *L, int index, const char *field, uint64_t kept,
                              uint64_t most)
{
    int is_integer;

    if (simulation_option(L, index, field, LUA_TNUMBER) == LUA_TNIL)
        return kept;
    lua_Integer value = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || value < 0 || (uint64_t)value > most)
        luaL_argerror(L, index, lua_pushfstring(L, "'%s' must be a whole number from 0", field));
    return (uint64_t)value;
}

static void text_option(lua_State *L, int index, const char *field, char *text, size_t size)
{
    if (simulation_option(L, index, field, LUA_TSTRING) == LUA_TNIL)
        return;
    if (lua_rawlen(L, -1) >= size)
        luaL_argerror(L, index, lua_pushfstring(L, "'%s' is too long", field));
    strcpy(text, lua_tostring(L, -1));
}

/***
Changes the host's description of itself in `objVS.HostInfo`.
@within Simulator
@function SetHostInfo
@tparam table members by their names in VMHostInfo: LogicalProcessorCount,
PhysicalProcessorCount, ProcessorSpeed, ProcessorManufacturerString,
ProcessorVersionString, ProcessorFeaturesString, Memory, MemoryAvail,
OperatingSystem, OSVersionString, OSMajorVersion, OSMinorVersion; those that
are not given stay. LogicalProcessorCount, from 1 to 4096, is the same number as
SetProcessors sets
*/
static int set_host_info(lua_State *L, const struct call *call)
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
    struct simulator *simulator = ((struct simulator_object *)call->object)->simulator;
    /* Its texts are the simulator's, which may change them at the next reading of
     * the table: that may call a metamethod. */
    struct host_info info = *simulator_configured_host_info(simulator);
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
    if (simulation_option(L, 2, "ProcessorFeaturesString", LUA_TSTRING) != LUA_TNIL)
        info.features = (char *)(uintptr_t)lua_tostring(L, -1);
    else
        info.features = simulator_configured_host_info(simulator)->features;
    return simulation_done(L, call, simulator_set_host_info(simulator, &info, &fault), &fault);
}

/***
Advances the host's clocks: UpTime grows, samples age, and tasks that are due by
then end, each at its own moment.
@within Simulator
@function AdvanceClock
@number seconds
*/
static int advance_clock(lua_State *L, const struct call *call)
{
    enum { LONGEST = 1000000000 };
    lua_Number seconds = luaL_checknumber(L, 2);

    luaL_argcheck(L, seconds >= 0 && seconds <= LONGEST, 2,
                  "seconds must be from 0 to 1e9: a clock never goes back");
    simulator_advance_clock(((struct simulator_object *)call->object)->simulator,
                            (int64_t)(seconds * 1e9));
    return 0;
}

static const struct member members[] = {
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
     .meaning = "makes a call of the host fail until further notice"},
    {.name = "AdvanceClock",
     .call = advance_clock,
     .parameters = "seconds: number",
     .meaning = "advances the host's clocks"},
    {.name = "SetHostInfo",
     .call = set_host_info,
     .parameters = "members: table",
     .meaning = "changes the host's description in HostInfo"},
    {.name = "SetProcessors",
     .call = simulation_set_processors,
     .parameters = "processors: integer",
     .meaning = "how many processors the host has"},
    {.name = "SetEvents",
     .call = set_events,
     .parameters = "enabled: boolean",
     .meaning = "whether the host reports events"},
    {.name = NULL},
};

static void check(lua_State *L, const struct call *call)
{
    simulation_check(L, call, call->object);
}

const struct class simulator_class = {
    .name = "Simulator",
    .meaning = "a host in memory that does what the script says",
    .written = "host",
    .members = members,
    .check = check,
};
