/*
 * adapter: VMNetworkAdapter, and VMVirtualNetwork, what it is plugged into.
 */
#include "host/adapter.h"
#include "binding/error.h"
#include "binding/objects.h"
#include "binding/resource.h"

#include <lauxlib.h>
#include <limits.h>

/* The user values of an adapter after its machine: its type, and the name of what it is
 * plugged into or nil. */
enum { TYPE = PART_MACHINE + 1, SOURCE, USER_VALUES = SOURCE };

/* The user values of a network. */
enum { NETWORK_ADAPTER = 1, NETWORK_NAME, NETWORK_USER_VALUES = NETWORK_NAME };

static void clear_snapshot(void *snapshot)
{
    adapter_snapshot_clear(snapshot);
}

static void push_adapter(lua_State *L, int machine_index, const struct adapter_snapshot *snapshot,
                         size_t i)
{
    const struct adapter *adapter = &snapshot->adapters->adapters[i];
    struct adapter_object *object = class_new(L, &adapter_class, sizeof *object, USER_VALUES);

    object->machine = lua_touserdata(L, machine_index);
    object->key = snapshot->keys[i];
    object->counted = snapshot->counted[i];
    lua_pushvalue(L, machine_index);
    lua_setiuservalue(L, -2, PART_MACHINE);
    lua_pushstring(L, adapter->type); /* nil for NULL */
    lua_setiuservalue(L, -2, TYPE);
    lua_pushstring(L, adapter->source);
    lua_setiuservalue(L, -2, SOURCE);
}

/***
The machine's network adapters as they are now: a snapshot, in the order of
its definition. Of a machine that is not running they are those of its
definition, and none is counted. Asks the host.
@within VMVirtualMachine
@tfield VMNetworkAdapterCollection NetworkAdapters
@raise VM_E_VM_UNKNOWN when the machine is no longer defined
*/
int machine_get_network_adapters(lua_State *L, const struct call *call)
{
    const struct machine_object *machine = call->object;
    struct adapter_snapshot *snapshot = resource_new(L, sizeof *snapshot, clear_snapshot);
    int resource = lua_gettop(L);
    struct fault fault;

    if (!accounting_adapters(machine->application->accounting, &machine->uuid, snapshot, &fault))
        class_raise_fault(L, call, &fault);
    size_t count = snapshot->adapters->count;
    lua_createtable(L, count < INT_MAX ? (int)count : 0, 0);
    for (size_t i = 0; i < count; i++) {
        push_adapter(L, 1, snapshot, i);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    resource_clear(L, resource);
    collection_push(L, &adapter_collection_class, 1, machine->application);
    return 1;
}

static void check(lua_State *L, const struct call *call)
{
    const struct adapter_object *adapter = call->object;
    application_check_open(L, call, adapter->machine->application);
}

static void push_address(lua_State *L, const struct adapter_object *adapter)
{
    char text[MAC_TEXT_SIZE];
    mac_format(adapter->key.mac, text);
    lua_pushstring(L, text);
}

/***
The adapter's MAC address as `52-54-00-12-34-56`. Makes no call to the host.
@within VMNetworkAdapter
@tfield string EthernetAddress
*/
static int get_ethernet_address(lua_State *L, const struct call *call)
{
    push_address(L, call->object);
    return 1;
}

/***
The network, bridge or host device that the adapter is plugged into; nil when
it is plugged into none (`Type` is then `user` or the like). Makes no call to the host.
@within VMNetworkAdapter
@tfield ?VMVirtualNetwork VirtualNetwork
*/
static int get_virtual_network(lua_State *L, const struct call *call)
{
    const struct adapter_object *adapter = call->object;

    if (lua_getiuservalue(L, 1, SOURCE) != LUA_TSTRING)
        return 1;
    struct application **network =
        class_new(L, &network_class, sizeof *network, NETWORK_USER_VALUES);
    *network = adapter->machine->application;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, NETWORK_ADAPTER);
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, NETWORK_NAME);
    return 1;
}

/***
The machine that has the adapter. Makes no call to the host.
@within VMNetworkAdapter
@tfield VMVirtualMachine VirtualMachine
*/

static int get_bytes(lua_State *L, const struct call *call, enum direction direction)
{
    const struct adapter_object *adapter = call->object;
    struct application *application = adapter->machine->application;
    struct decimal total;
    struct fault fault;

    if (!accounting_adapter_total(application->accounting, &adapter->machine->uuid, &adapter->key,
                                  direction, &total, &fault)) {
        if (fault.code != HRESULT_S_FALSE || !application->options.zero_when_not_running)
            return class_raise_fault(L, call, &fault);
        total = DECIMAL_ZERO;
    }
    application_push_decimal(L, application, total);
    return 1;
}

/***
The bytes that the machine sent through this adapter in the running session.
Asks the host as NetworkBytesSent does.
@within VMNetworkAdapter
@tfield integer|string BytesSent
@raise S_FALSE when the machine is not running; VM_E_ADAPTER_NOT_FOUND when
the adapter has been unplugged; DISP_E_EXCEPTION when it has no counter
*/
static int get_bytes_sent(lua_State *L, const struct call *call)
{
    return get_bytes(L, call, DIRECTION_SENT);
}

/***
The bytes that this adapter was given in the running session, known and raised
as BytesSent is.
@within VMNetworkAdapter
@tfield integer|string BytesReceived
*/
static int get_bytes_received(lua_State *L, const struct call *call)
{
    return get_bytes(L, call, DIRECTION_RECEIVED);
}

/***
Whether the host had byte counters for the adapter when the collection was
made. Makes no call to the host.
@within VMNetworkAdapter
@tfield boolean IsCounted
*/
static int get_is_counted(lua_State *L, const struct call *call)
{
    const struct adapter_object *adapter = call->object;
    lua_pushboolean(L, adapter->counted);
    return 1;
}

/***
The adapter's type in the terms of libvirt's domain XML: `bridge`, `network`,
`direct`, `user` and so on. Makes no call to the host.
@within VMNetworkAdapter
@tfield string Type
*/

static const struct member members[] = {
    {.name = "EthernetAddress",
     .get = get_ethernet_address,
     .type = "string",
     .meaning = "the MAC address, as 52-54-00-12-34-56"},
    {.name = "VirtualNetwork",
     .get = get_virtual_network,
     .type = "VMVirtualNetwork?",
     .meaning = "what the adapter is plugged into; nil when it is unplugged"},
    {.name = "VirtualMachine",
     .get = class_get_user_value,
     .user_value = PART_MACHINE,
     .type = "VMVirtualMachine",
     .meaning = "the machine that has the adapter"},
    {.name = "BytesSent",
     .get = get_bytes_sent,
     .type = "integer|string",
     .unit = "bytes",
     .meaning = "sent through this adapter since the counts started"},
    {.name = "BytesReceived",
     .get = get_bytes_received,
     .type = "integer|string",
     .unit = "bytes",
     .meaning = "received through this adapter since the counts started"},
    {.name = "IsCounted",
     .get = get_is_counted,
     .type = "boolean",
     .meaning = "whether the host gives byte counters of the adapter"},
    {.name = "Type",
     .get = class_get_user_value,
     .user_value = TYPE,
     .type = "string",
     .meaning = "libvirt's type of the adapter: network, bridge, user, …"},
    {.name = NULL},
};

static int to_string(lua_State *L)
{
    const struct adapter_object *adapter = class_check_argument(L, &adapter_class, 1);
    push_address(L, adapter);
    const char *address = lua_tostring(L, -1); /* before the name is pushed */
    lua_pushfstring(L, "VMNetworkAdapter %s of %s", address, machine_name_of_part(L, 1));
    return 1;
}

static int equal(lua_State *L)
{
    const struct adapter_object *a = class_test_object(L, &adapter_class, 1);
    const struct adapter_object *b = class_test_object(L, &adapter_class, 2);
    bool same = a != NULL && b != NULL && device_key_equal(&a->key, &b->key);

    if (same) {
        lua_getiuservalue(L, 1, PART_MACHINE);
        lua_getiuservalue(L, 2, PART_MACHINE);
        same = lua_compare(L, -1, -2, LUA_OPEQ);
    }
    lua_pushboolean(L, same);
    return 1;
}

static const luaL_Reg metamethods[] = {
    {"__tostring", to_string},
    {"__eq", equal},
    {NULL, NULL},
};

const struct class adapter_class = {
    .name = "VMNetworkAdapter",
    .meaning = "a network adapter of a machine",
    .written = "objVM.NetworkAdapters[1]",
    .neighbours = {"VMVirtualMachine", "VMAccountant"},
    .members = members,
    .check = check,
    .machine = machine_name_of_part,
    .metamethods = metamethods,
};

/* The object is a pointer to the application. */
static void check_network(lua_State *L, const struct call *call)
{
    application_check_open(L, call, *(struct application **)call->object);
}

/***
The name of the network, bridge or host device.
@within VMVirtualNetwork
@tfield string Name
*/

static const struct member network_members[] = {
    {.name = "Name",
     .get = class_get_user_value,
     .user_value = NETWORK_NAME,
     .type = "string",
     .meaning = "the name of the network, bridge or host device"},
    {.name = NULL},
};

static int network_to_string(lua_State *L)
{
    class_check_argument(L, &network_class, 1);
    lua_getiuservalue(L, 1, NETWORK_NAME);
    lua_pushfstring(L, "VMVirtualNetwork %s", lua_tostring(L, -1));
    return 1;
}

static int network_equal(lua_State *L)
{
    struct application *const *a = class_test_object(L, &network_class, 1);
    struct application *const *b = class_test_object(L, &network_class, 2);
    bool same = a != NULL && b != NULL && *a == *b;

    if (same) {
        lua_getiuservalue(L, 1, NETWORK_NAME);
        lua_getiuservalue(L, 2, NETWORK_NAME);
        same = lua_rawequal(L, -1, -2);
    }
    lua_pushboolean(L, same);
    return 1;
}

static const luaL_Reg network_metamethods[] = {
    {"__tostring", network_to_string},
    {"__eq", network_equal},
    {NULL, NULL},
};

const struct class network_class = {
    .name = "VMVirtualNetwork",
    .meaning = "what an adapter is plugged into",
    .written = "objAdapter.VirtualNetwork",
    .neighbours = {"VMNetworkAdapter", "VMVirtualMachine"},
    .members = network_members,
    .check = check_network,
    .metamethods = network_metamethods,
};
