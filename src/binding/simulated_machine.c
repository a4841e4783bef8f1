/*
 * simulated_machine: SimulatedMachine, what Simulator:AddMachine gives.
 */
#include "binding/error.h"
#include "binding/simulation.h"
#include "host/adapter.h"

#include <lauxlib.h>

void simulated_machine_push(lua_State *L, int owner_index, const struct machine_uuid *uuid)
{
    owner_index = lua_absindex(L, owner_index);
    struct simulated_machine_object *machine =
        class_new(L, &simulated_machine_class, sizeof *machine, 1);

    machine->owner = lua_touserdata(L, owner_index);
    machine->uuid = *uuid;
    lua_pushvalue(L, owner_index);
    lua_setiuservalue(L, -2, 1);
}

/***
The machine's name.
@within SimulatedMachine
@tfield string Name
*/
static int get_name(lua_State *L, const struct call *call)
{
    const struct simulated_machine_object *machine = call->object;
    struct fault fault;
    const char *name = simulator_machine_name(machine->owner->simulator, &machine->uuid, &fault);

    if (name == NULL)
        return class_raise_fault(L, call, &fault);
    lua_pushstring(L, name);
    return 1;
}

static int change(lua_State *L, const struct call *call, enum machine_change change)
{
    const struct simulated_machine_object *machine = call->object;
    struct fault fault;
    return simulation_done(
        L, call, simulator_change(machine->owner->simulator, &machine->uuid, change, &fault),
        &fault);
}

/***
Starts the machine, from its saved state if it has one: its devices count from
zero. This and the methods below stand for what an administrator does with
another tool, or the machine by itself.
@within SimulatedMachine
@function Startup
@raise VM_E_VM_RUNNING
*/
static int startup(lua_State *L, const struct call *call)
{
    return change(L, call, CHANGE_STARTUP);
}

/***
Turns the machine off; its devices go.
@within SimulatedMachine
@function TurnOff
@raise VM_E_VM_NOT_RUNNING
*/
static int turn_off(lua_State *L, const struct call *call)
{
    return change(L, call, CHANGE_TURN_OFF);
}

/***
Resets the machine. As on a real host its devices stay and count on.
@within SimulatedMachine
@function Reset
@raise VM_E_VM_NOT_RUNNING
*/
static int reset(lua_State *L, const struct call *call)
{
    return change(L, call, CHANGE_RESET);
}

/***
Saves the machine's state and stops it. Startup restores it, on new devices.
@within SimulatedMachine
@function Save
@raise VM_E_VM_NOT_RUNNING
*/
static int save(lua_State *L, const struct call *call)
{
    return change(L, call, CHANGE_SAVE);
}

/***
Pauses the machine.
@within SimulatedMachine
@function Pause
@raise E_FAIL; VM_E_VM_NOT_RUNNING
*/
static int pause_machine(lua_State *L, const struct call *call)
{
    return change(L, call, CHANGE_PAUSE);
}

/***
Resumes a paused machine.
@within SimulatedMachine
@function Resume
@raise E_FAIL; VM_E_VM_NOT_RUNNING
*/
static int resume(lua_State *L, const struct call *call)
{
    return change(L, call, CHANGE_RESUME);
}

/***
The machine stops by itself, as when its process is killed.
@within SimulatedMachine
@function Crash
@raise VM_E_VM_NOT_RUNNING
*/
static int crash(lua_State *L, const struct call *call)
{
    const struct simulated_machine_object *machine = call->object;
    struct fault fault;
    return simulation_done(
        L, call,
        simulator_stop_machine(machine->owner->simulator, &machine->uuid, STOP_CRASHED, &fault),
        &fault);
}

/***
Gives the machine another name.
@within SimulatedMachine
@function Rename
@string name
@raise VM_E_CONFIG_NO_NAME; VM_E_CONFIG_DUPLICATE_NAME
*/
static int rename_machine(lua_State *L, const struct call *call)
{
    const struct simulated_machine_object *machine = call->object;
    struct fault fault;
    return simulation_done(L, call,
                           simulator_rename_machine(machine->owner->simulator, &machine->uuid,
                                                    simulation_check_name(L, 2), &fault),
                           &fault);
}

/***
Removes the machine, running or not.
@within SimulatedMachine
@function Remove
*/
static int remove_machine(lua_State *L, const struct call *call)
{
    const struct simulated_machine_object *machine = call->object;
    struct fault fault;
    return simulation_done(
        L, call, simulator_remove_machine(machine->owner->simulator, &machine->uuid, &fault),
        &fault);
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
static int plug_adapter(lua_State *L, const struct call *call)
{
    static const char *const known[] = {"type", "network", "mac", "counted", NULL};
    struct simulator_adapter_plan plan = {.counted = true};
    uint8_t mac[MAC_SIZE];

    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        simulation_check_options(L, 2, known);
        if (simulation_option(L, 2, "type", LUA_TSTRING) != LUA_TNIL)
            plan.type = lua_tostring(L, -1);
        if (simulation_option(L, 2, "network", LUA_TSTRING) != LUA_TNIL)
            plan.source = lua_tostring(L, -1);
        if (simulation_option(L, 2, "counted", LUA_TBOOLEAN) != LUA_TNIL)
            plan.counted = lua_toboolean(L, -1);
        if (simulation_option(L, 2, "mac", LUA_TSTRING) != LUA_TNIL) {
            luaL_argcheck(L, mac_parse(lua_tostring(L, -1), mac), 2,
                          "option 'mac' must be an address such as 52:54:00:12:34:56");
            plan.mac = mac;
        }
    }
    simulated_adapter_push(L, call, 1, &plan);
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
static int add_disk(lua_State *L, const struct call *call)
{
    static const char *const known[] = {"target", "counted", NULL};
    const char *target = NULL;
    bool counted = true;

    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        simulation_check_options(L, 2, known);
        if (simulation_option(L, 2, "target", LUA_TSTRING) != LUA_TNIL)
            target = lua_tostring(L, -1);
        if (simulation_option(L, 2, "counted", LUA_TBOOLEAN) != LUA_TNIL)
            counted = lua_toboolean(L, -1);
    }
    simulated_disk_push(L, call, target, counted);
    return 1;
}

static const struct member members[] = {
    {.name = "Name", .get = get_name, .type = "string", .meaning = "the machine's name"},
    {.name = "Startup",
     .call = startup,
     .meaning = "starts the machine; restores it when it is saved"},
    {.name = "TurnOff", .call = turn_off, .meaning = "turns it off"},
    {.name = "Reset", .call = reset, .meaning = "resets it"},
    {.name = "Save", .call = save, .meaning = "saves its state"},
    {.name = "Pause", .call = pause_machine, .meaning = "halts it"},
    {.name = "Resume", .call = resume, .meaning = "resumes it"},
    {.name = "Crash", .call = crash, .meaning = "ends it like a crash of its hypervisor process"},
    {.name = "ShutDown",
     .call = simulated_machine_shut_down,
     .meaning = "ends it like a guest that shuts down"},
    {.name = "MigrateAway",
     .call = simulated_machine_migrate_away,
     .meaning = "ends it here: it migrates to another host"},
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
    {.name = "Remove", .call = remove_machine, .meaning = "removes its definition from the host"},
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
     .meaning = "makes it use processor time"},
    {.name = NULL},
};

const struct class simulated_machine_class = {
    .name = "SimulatedMachine",
    .meaning = "a machine of a simulated host",
    .written = "machine",
    .members = members,
    .check = simulation_check_owner,
};
