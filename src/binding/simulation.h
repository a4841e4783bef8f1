/*
 * simulation: the Lua objects that control a simulated host.
 *
 * simulation.c           what they share
 * simulation_options.c   the members' arguments
 * simulator.c            the host
 * simulated_machine.c    its machines
 * simulated_life.c       how machines stop, fail, and take their time
 * simulated_processor.c  processors
 * simulated_adapter.c    the machines' network adapters
 * simulated_disk.c       their disks
 */
#ifndef VMACCOUNTANT_BINDING_SIMULATION_H
#define VMACCOUNTANT_BINDING_SIMULATION_H

#include "binding/class.h"
#include "simulator/simulator.h"

extern const struct class simulator_class;         /* Simulator */
extern const struct class simulated_machine_class; /* SimulatedMachine */
extern const struct class simulated_adapter_class; /* SimulatedAdapter */
extern const struct class simulated_disk_class;    /* SimulatedDisk */

/* User value 1: the resource with the hold. */
struct simulator_object {
    struct simulator *simulator; /* valid while *hold is */
    struct simulator **hold;     /* NULL in it until it is made, and once all is collected */
};

/* User value 1: the Simulator. */
struct simulated_machine_object {
    struct simulator_object *owner;
    struct machine_uuid uuid;
};

/* A SimulatedAdapter or a SimulatedDisk. User value 1: the SimulatedMachine. */
struct simulated_device_object {
    struct simulator_object *owner;
    uint64_t id; /* of the adapter or disk in the simulator */
};

/* Counts bytes for the adapter or disk of that ID. */
typedef bool simulator_count(struct simulator *simulator, uint64_t id, enum direction direction,
                             struct decimal bytes, struct fault *fault);

/* simulation.c */

/* Raises VM_E_APP_SHUTTING_DOWN where the simulator has been collected. */
void simulation_check(lua_State *L, const struct call *call, const struct simulator_object *owner);
/* The same for a machine, an adapter or a disk, each of which begins with its owner. */
void simulation_check_owner(lua_State *L, const struct call *call);
/* Raises the fault where ok is false; a method then returns nothing. */
int simulation_done(lua_State *L, const struct call *call, bool ok, const struct fault *fault);
/* A method of an adapter or a disk that counts the bytes of its argument. */
int simulation_count(lua_State *L, const struct call *call, simulator_count *count,
                     enum direction direction);

/* simulation_options.c */

/* A number of bytes: an integer or a decimal string. */
struct decimal simulation_check_bytes(lua_State *L, int index);
/* A machine's name. */
const char *simulation_check_name(lua_State *L, int index);
/* Reads one of the fields that the table may have; the value stays on the
 * stack. Returns its Lua type. */
int simulation_option(lua_State *L, int index, const char *field, int expected);
/* Raises an argument error, with all known names, where the table has another
 * key. `known` ends with NULL. */
void simulation_check_options(lua_State *L, int index, const char *const *known);
/* The number of the text among the choices, which end with NULL; else an argument
 * error that lists them. `what` says what is chosen. */
int simulation_check_choice(lua_State *L, int index, const char *text, const char *what,
                            const char *const *choices);

/* simulator.c */

/* lua_CFunction: pushes a new Simulator. */
int simulation_new(lua_State *L);

/* simulated_machine.c */

/* Pushes the machine of the Simulator at the index. */
void simulated_machine_push(lua_State *L, int owner_index, const struct machine_uuid *uuid);

/* simulated_adapter.c */

/* Plugs an adapter into the machine at the index and pushes it. */
void simulated_adapter_push(lua_State *L, const struct call *call, int machine_index,
                            const struct simulator_adapter_plan *plan);

/* simulated_disk.c */

/* Adds a disk to the machine whose method is called, and pushes it. */
void simulated_disk_push(lua_State *L, const struct call *call, const char *target, bool counted);

/* simulated_processor.c: members, as in class.h. */
int simulation_set_processors(lua_State *L, const struct call *call);
int simulated_machine_set_processors(lua_State *L, const struct call *call);
int simulated_machine_use_processor(lua_State *L, const struct call *call);

/* simulated_life.c: members, as in class.h. */
int simulated_machine_shut_down(lua_State *L, const struct call *call);
int simulated_machine_migrate_away(lua_State *L, const struct call *call);
int simulated_machine_revert(lua_State *L, const struct call *call);
int simulated_machine_fail(lua_State *L, const struct call *call);
int simulated_machine_set_task_duration(lua_State *L, const struct call *call);

#endif
