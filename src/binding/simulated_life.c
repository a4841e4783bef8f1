/*
 * simulated_life: the members of SimulatedMachine that are about how it stops,
 * what fails for it, and how long its tasks take.
 */
#include "binding/error.h"
#include "binding/simulation.h"
#include "binding/text.h"

#include <lauxlib.h>

static int stop(lua_State *L, const struct call *call, enum stop_reason reason)
{
    const struct simulated_machine_object *machine = call->object;
    struct fault fault;
    return simulation_done(
        L, call, simulator_stop_machine(machine->owner->simulator, &machine->uuid, reason, &fault),
        &fault);
}

/***
The guest shuts itself down: the session's Reason is `ShutDown`.
@within SimulatedMachine
@function ShutDown
@raise VM_E_VM_NOT_RUNNING
*/
int simulated_machine_shut_down(lua_State *L, const struct call *call)
{
    return stop(L, call, STOP_SHUT_DOWN);
}

/***
The machine migrates to another host: it is off here, where its definition stays,
and the session's Reason is `MigratedAway`. Startup brings it back.
@within SimulatedMachine
@function MigrateAway
@raise VM_E_VM_NOT_RUNNING
*/
int simulated_machine_migrate_away(lua_State *L, const struct call *call)
{
    return stop(L, call, STOP_MIGRATED_AWAY);
}

/***
Takes the machine back to a snapshot. A session that was running is over, with the
Reason `Reverted`; of a snapshot of a running machine a new one begins, on new
devices. A saved state is gone.
@within SimulatedMachine
@function Revert
@tparam[opt] boolean running whether the machine ran when the snapshot was taken;
as it is now without it
*/
int simulated_machine_revert(lua_State *L, const struct call *call)
{
    const struct simulated_machine_object *machine = call->object;
    struct simulator *simulator = machine->owner->simulator;
    bool to_running = false;
    struct fault fault;

    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TBOOLEAN);
        to_running = lua_toboolean(L, 2);
    } else if (!simulator_machine_is_running(simulator, &machine->uuid, &to_running, &fault)) {
        return class_raise_fault(L, call, &fault);
    }
    if (!simulator_revert_machine(simulator, &machine->uuid, to_running, &fault))
        return class_raise_fault(L, call, &fault);
    return 0;
}

/***
Makes a call fail for this machine only, from now on, with DISP_E_EXCEPTION and the
message. The machine is also left out of samples of all machines: under `max_age`
it is then sampled alone, which fails. An open task fails with the message of
`change` when its time is over.
@within SimulatedMachine
@function Fail
@string call `find`, `name`, `state`, `adapters`, `sample`, `sample_disks`,
`processor_times`, `scheduling`, `set_scheduling`, `change`, `started_at`,
`write_baseline` or `configuration`, as of Simulator.Fail
@string[opt] message nil makes the call work again
@usage web01:Fail("sample", "the machine's monitor does not answer")
*/
int simulated_machine_fail(lua_State *L, const struct call *call)
{
#define CALL_NAME(name) #name,
    static const char *const names[] = {SIMULATOR_MACHINE_CALLS(CALL_NAME) NULL};
#undef CALL_NAME
#define CALL_NUMBER(name) SIMULATOR_CALL_##name,
    static const enum simulator_call calls[] = {SIMULATOR_MACHINE_CALLS(CALL_NUMBER)};
#undef CALL_NUMBER
    const struct simulated_machine_object *machine = call->object;
    int failing = simulation_check_choice(L, 2, text_check(L, 2, "the name of a call"),
                                          "call of one machine", names);
    const char *message = lua_isnoneornil(L, 3) ? NULL : text_check(L, 3, "a message");
    struct fault fault;

    if (!simulator_fail_machine(machine->owner->simulator, &machine->uuid, calls[failing], message,
                                &fault))
        return class_raise_fault(L, call, &fault);
    return 0;
}

/***
How long a Startup or Save by VMVirtualMachine takes, on the host's clock: its
VMTask stays open, a Save's PercentCompleted grows with AdvanceClock, and it ends
when the time is over. 0 at first: tasks are complete when the method returns.
It holds for an open task, too: `math.huge` keeps it open and 0 ends it now. A task
fails by `Fail("change", message)`, and when the machine has stopped or been
removed meanwhile. WaitForCompletion advances the clock.
@within SimulatedMachine
@function SetTaskDuration
@number seconds from 0 to 1e9, or `math.huge`
@usage web01:SetTaskDuration(10)
local objTask = objVM:Save()
host:AdvanceClock(4)
assert(objTask.PercentCompleted == 40 and not objTask.IsComplete)
web01:Fail("change", "no space left on device")
host:AdvanceClock(6)
assert(objTask.ErrorDescription == "no space left on device")
*/
int simulated_machine_set_task_duration(lua_State *L, const struct call *call)
{
    enum { LONGEST = 1000000000 };
    const struct simulated_machine_object *machine = call->object;
    lua_Number seconds = luaL_checknumber(L, 2);
    bool is_endless = seconds > LONGEST && seconds / 2 >= seconds; /* infinity only */
    struct fault fault;

    luaL_argcheck(L, is_endless || (seconds >= 0 && seconds <= LONGEST), 2,
                  "seconds must be from 0 to 1e9, or math.huge");
    if (!simulator_set_task_duration(machine->owner->simulator, &machine->uuid,
                                     is_endless ? SIMULATOR_ENDLESS : (int64_t)(seconds * 1e9),
                                     &fault))
        return class_raise_fault(L, call, &fault);
    return 0;
}
