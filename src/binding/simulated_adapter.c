/*
 * simulated_adapter: SimulatedAdapter, what SimulatedMachine:Plug gives.
 */
#include "binding/error.h"
#include "binding/simulation.h"
#include "host/adapter.h"

#include <lauxlib.h>

void simulated_adapter_push(lua_State *L, const struct call *call, int machine_index,
                            const struct simulator_adapter_plan *plan)
{
    machine_index = lua_absindex(L, machine_index);
    const struct simulated_machine_object *machine = lua_touserdata(L, machine_index);
    struct simulated_device_object *adapter =
        class_new(L, &simulated_adapter_class, sizeof *adapter, 1);
    struct fault fault;

    adapter->owner = machine->owner;
    lua_pushvalue(L, machine_index);
    lua_setiuservalue(L, -2, 1);
    if (!simulator_plug(machine->owner->simulator, &machine->uuid, plan, &adapter->id, &fault))
        class_raise_fault(L, call, &fault);
}

/***
The adapter's MAC address as `52-54-00-12-34-56`.
@within SimulatedAdapter
@tfield string EthernetAddress
*/
static int get_ethernet_address(lua_State *L, const struct call *call)
{
    const struct simulated_device_object *adapter = call->object;
    uint8_t mac[MAC_SIZE];
    char text[MAC_TEXT_SIZE];
    struct fault fault;

    if (!simulator_adapter_mac(adapter->owner->simulator, adapter->id, mac, &fault))
        return class_raise_fault(L, call, &fault);
    mac_format(mac, text);
    lua_pushstring(L, text);
    return 1;
}

/***
The machine sends so many bytes through the adapter.
@within SimulatedAdapter
@function Send
@tparam integer|string bytes from 0 to 2^96-1
@raise VM_E_VM_NOT_RUNNING; VM_E_ADAPTER_NOT_FOUND after Unplug;
DISP_E_OVERFLOW when the device's count would be above 2^96-1
*/
static int send_bytes(lua_State *L, const struct call *call)
{
    return simulation_count(L, call, simulator_transfer, DIRECTION_SENT);
}

/***
The adapter receives so many bytes; raised as Send is.
@within SimulatedAdapter
@function Receive
@tparam integer|string bytes
*/
static int receive_bytes(lua_State *L, const struct call *call)
{
    return simulation_count(L, call, simulator_transfer, DIRECTION_RECEIVED);
}

/***
Sets the device's count of sent bytes: it may fall without an event, like that of
a device that was recreated under the same name.
@within SimulatedAdapter
@function SetBytesSent
@tparam integer|string bytes
*/
static int set_bytes_sent(lua_State *L, const struct call *call)
{
    return simulation_count(L, call, simulator_set_counter, DIRECTION_SENT);
}

/***
Sets the device's count of received bytes.
@within SimulatedAdapter
@function SetBytesReceived
@tparam integer|string bytes
*/
static int set_bytes_received(lua_State *L, const struct call *call)
{
    return simulation_count(L, call, simulator_set_counter, DIRECTION_RECEIVED);
}

/***
Unplugs the adapter; its device goes.
@within SimulatedAdapter
@function Unplug
*/
static int unplug(lua_State *L, const struct call *call)
{
    const struct simulated_device_object *adapter = call->object;
    struct fault fault;
    return simulation_done(
        L, call, simulator_unplug(adapter->owner->simulator, adapter->id, &fault), &fault);
}

static const struct member members[] = {
    {.name = "EthernetAddress",
     .get = get_ethernet_address,
     .type = "string",
     .meaning = "the MAC address"},
    {.name = "Send",
     .call = send_bytes,
     .parameters = "bytes: integer|string",
     .meaning = "makes the guest send bytes"},
    {.name = "Receive",
     .call = receive_bytes,
     .parameters = "bytes: integer|string",
     .meaning = "makes the guest receive bytes"},
    {.name = "SetBytesSent",
     .call = set_bytes_sent,
     .parameters = "bytes: integer|string",
     .meaning = "sets the device's count, which may thus fall"},
    {.name = "SetBytesReceived",
     .call = set_bytes_received,
     .parameters = "bytes: integer|string",
     .meaning = "sets the device's count, which may thus fall"},
    {.name = "Unplug", .call = unplug, .meaning = "unplugs the adapter"},
    {.name = NULL},
};

const struct class simulated_adapter_class = {
    .name = "SimulatedAdapter",
    .meaning = "a network adapter of a simulated machine",
    .written = "adapter",
    .members = members,
    .check = simulation_check_owner,
};
