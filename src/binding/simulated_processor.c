/*
 * simulated_processor: the members of Simulator and SimulatedMachine that are
 * about processors.
 */
#include "binding/error.h"
#include "binding/simulation.h"

#include <lauxlib.h>

enum { MOST_PROCESSORS = 4096 };

static unsigned check_processors(lua_State *L, int index)
{
    lua_Integer processors = luaL_checkinteger(L, index);
    luaL_argcheck(L, processors >= 1 && processors <= MOST_PROCESSORS, index,
                  "a number of processors must be from 1 to 4096");
    return (unsigned)processors;
}

/***
How many processors the host has; 1 at first. HostInfo.LogicalProcessorCount
is the same number.
@within Simulator
@function SetProcessors
@tparam integer processors from 1 to 4096
*/
int simulation_set_processors(lua_State *L, const struct call *call)
{
    unsigned processors = check_processors(L, 2);
    simulator_set_processors(((struct simulator_object *)call->object)->simulator, processors);
    return 0;
}

/***
How many virtual processors the machine has; 1 at first.
@within SimulatedMachine
@function SetProcessors
@tparam integer processors from 1 to 4096
*/
int simulated_machine_set_processors(lua_State *L, const struct call *call)
{
    const struct simulated_machine_object *machine = call->object;
    unsigned processors = check_processors(L, 2);
    struct fault fault;

    if (!simulator_set_machine_processors(machine->owner->simulator, &machine->uuid, processors,
                                          &fault))
        return class_raise_fault(L, call, &fault);
    return 0;
}

/***
The machine uses so much processor time. Advance the host's clock as well: half a
second used in a second is a CPUUtilization of 50. A simulated host is sampled when
CPUUtilization or its history is read, and what was used since the sample before
is spread evenly over the seconds between.
@within SimulatedMachine
@function UseProcessor
@number seconds
@raise VM_E_VM_NOT_RUNNING
@usage web01:UseProcessor(0.5)
host:AdvanceClock(1)
assert(objVM.Accountant.CPUUtilization == 50)
*/
int simulated_machine_use_processor(lua_State *L, const struct call *call)
{
    enum { LONGEST = 1000000000 };
    const struct simulated_machine_object *machine = call->object;
    lua_Number seconds = luaL_checknumber(L, 2);
    struct fault fault;

    luaL_argcheck(L, seconds >= 0 && seconds <= LONGEST, 2, "seconds must be from 0 to 1e9");
    if (!simulator_use_processor(machine->owner->simulator, &machine->uuid,
                                 (uint64_t)(seconds * 1e9), &fault))
        return class_raise_fault(L, call, &fault);
    return 0;
}
