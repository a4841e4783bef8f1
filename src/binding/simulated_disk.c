/*
 * simulated_disk: SimulatedDisk, what SimulatedMachine:AddDisk gives.
 */
#include "binding/error.h"
#include "binding/simulation.h"

#include <lauxlib.h>

void simulated_disk_push(lua_State *L, const struct call *call, const char *target, bool counted)
{
    const struct simulated_machine_object *machine = call->object;
    struct simulated_device_object *disk = class_new(L, &simulated_disk_class, sizeof *disk, 1);
    struct fault fault;

    disk->owner = machine->owner;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    if (!simulator_add_disk(machine->owner->simulator, &machine->uuid, target, counted, &disk->id,
                            &fault))
        class_raise_fault(L, call, &fault);
}

/***
The disk's name in the machine, as libvirt has it: `vda`.
@within SimulatedDisk
@tfield string Target
*/
static int get_target(lua_State *L, const struct call *call)
{
    const struct simulated_device_object *disk = call->object;
    struct fault fault;
    const char *target = simulator_disk_target(disk->owner->simulator, disk->id, &fault);

    if (target == NULL)
        return class_raise_fault(L, call, &fault);
    lua_pushstring(L, target);
    return 1;
}

/***
The machine reads so many bytes from the disk.
@within SimulatedDisk
@function Read
@tparam integer|string bytes from 0 to 2^96-1
@raise VM_E_VM_NOT_RUNNING; VM_E_DRIVE_INVALID after Remove; DISP_E_OVERFLOW when
the disk's count would be above 2^96-1
*/
static int read_bytes(lua_State *L, const struct call *call)
{
    return simulation_count(L, call, simulator_transfer_disk, DISK_READ);
}

/***
The machine writes so many bytes to the disk; raised as Read is.
@within SimulatedDisk
@function Write
@tparam integer|string bytes
*/
static int write_bytes(lua_State *L, const struct call *call)
{
    return simulation_count(L, call, simulator_transfer_disk, DISK_WRITTEN);
}

/***
Sets the disk's count of bytes read: it may fall without an event, like that of a
disk that was plugged again under the same name.
@within SimulatedDisk
@function SetBytesRead
@tparam integer|string bytes
*/
static int set_bytes_read(lua_State *L, const struct call *call)
{
    return simulation_count(L, call, simulator_set_disk_counter, DISK_READ);
}

/***
Sets the disk's count of bytes written.
@within SimulatedDisk
@function SetBytesWritten
@tparam integer|string bytes
*/
static int set_bytes_written(lua_State *L, const struct call *call)
{
    return simulation_count(L, call, simulator_set_disk_counter, DISK_WRITTEN);
}

/***
Removes the disk from the machine.
@within SimulatedDisk
@function Remove
*/
static int remove_disk(lua_State *L, const struct call *call)
{
    const struct simulated_device_object *disk = call->object;
    struct fault fault;
    return simulation_done(L, call, simulator_remove_disk(disk->owner->simulator, disk->id, &fault),
                           &fault);
}

static const struct member members[] = {
    {.name = "Target", .get = get_target, .type = "string", .meaning = "the disk's name: vda"},
    {.name = "Read",
     .call = read_bytes,
     .parameters = "bytes: integer|string",
     .meaning = "makes the guest read bytes"},
    {.name = "Write",
     .call = write_bytes,
     .parameters = "bytes: integer|string",
     .meaning = "makes the guest write bytes"},
    {.name = "SetBytesRead",
     .call = set_bytes_read,
     .parameters = "bytes: integer|string",
     .meaning = "sets the disk's count"},
    {.name = "SetBytesWritten",
     .call = set_bytes_written,
     .parameters = "bytes: integer|string",
     .meaning = "sets the disk's count"},
    {.name = "Remove", .call = remove_disk, .meaning = "removes the disk"},
    {.name = NULL},
};

const struct class simulated_disk_class = {
    .name = "SimulatedDisk",
    .meaning = "a disk of a simulated machine",
    .written = "disk",
    .members = members,
    .check = simulation_check_owner,
};
