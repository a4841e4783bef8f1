/*
 * simulation: the Lua objects that make a simulated host do things.
 */
#ifndef VMACCOUNTANT_BINDING_SIMULATION_H
#define VMACCOUNTANT_BINDING_SIMULATION_H

#include "binding/class.h"

extern const struct class simulator_class;         /* Simulator */
extern const struct class simulated_machine_class; /* SimulatedMachine */
extern const struct class simulated_adapter_class; /* SimulatedAdapter */

/* lua_CFunction: pushes a new Simulator. */
int simulation_new(lua_State *L);

#endif
