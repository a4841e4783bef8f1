/*
 * collection: VMVirtualMachineCollection and VMNetworkAdapterCollection, both
 * a snapshot of a list, counted from 1.
 */
#include "binding/error.h"
#include "binding/objects.h"
#include "binding/text.h"
#include "host/name.h"

#include <lauxlib.h>
#include <string.h>

/* User values: 1 the object that it came from, 2 the array of items, 3 the
 * items' positions, made when a generic for asks for them. */
struct collection {
    struct application *application;
    lua_Integer count;
};

void collection_push(lua_State *L, const struct class *class, int owner_index,
                     struct application *application)
{
    int items = lua_gettop(L);
    struct collection *collection = class_new(L, class, sizeof *collection, 3);

    collection->application = application;
    collection->count = (lua_Integer)lua_rawlen(L, items);
    lua_pushvalue(L, owner_index);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, items);
    lua_setiuservalue(L, -2, 2);
    lua_remove(L, items);
}

static void check(lua_State *L, const struct call *call)
{
    const struct collection *collection = call->object;
    application_check_open(L, call, collection->application);
}

/* Which of the two the object at index 1 is of. */
static const struct class *class_of(lua_State *L)
{
    return class_test_object(L, &machine_collection_class, 1) != NULL ? &machine_collection_class
                                                                      : &adapter_collection_class;
}

static struct collection *check_collection(lua_State *L)
{
    return class_check_argument(L, class_of(L), 1);
}

static int raise_bad_index(lua_State *L, const struct call *call, int index)
{
    const struct collection *collection = call->object;
    const char *given = text_push_shown(L, index);
    if (collection->count == 0)
        return class_raise(L, call, HRESULT_DISP_E_BADINDEX,
                           "there is no item %.100s: the collection is empty", given);
    return class_raise(L, call, HRESULT_DISP_E_BADINDEX,
                       "there is no item %.100s: items count from 1 to %lld", given,
                       (long long)collection->count);
}

static int push_item(lua_State *L, lua_Integer i)
{
    lua_getiuservalue(L, 1, 2);
    lua_rawgeti(L, -1, i);
    return 1;
}

/***
How many items there are.
@within Collections
@tfield integer Count
*/
static int get_count(lua_State *L, const struct call *call)
{
    const struct collection *collection = call->object;
    lua_pushinteger(L, collection->count);
    return 1;
}

/* A machine by its name: the exact name first, then the only one that differs in
 * letter case. Searches the snapshot, without a call to the host. */
static int push_named(lua_State *L, const struct call *call)
{
    const struct collection *collection = call->object;
    const char *name = text_at(L, 2);
    lua_Integer match = 0, matches = 0;

    lua_getiuservalue(L, 1, 2);
    for (lua_Integer i = 1; name != NULL && i <= collection->count; i++) {
        lua_rawgeti(L, -1, i);
        const char *known = machine_known_name(L, -1);
        bool same = strcmp(known, name) == 0;
        if (same || machine_name_equal(known, name)) {
            match = i;
            matches = same ? 1 : matches + 1;
        }
        lua_pop(L, 2);
        if (same)
            break;
    }
    if (matches != 1)
        return class_raise(L, call, HRESULT_DISP_E_BADINDEX,
                           matches == 0 ? "there is no machine '%.300s' in the collection"
                                        : "several machines are called '%.300s' in different "
                                          "letter case; give the exact name",
                           text_push_shown(L, 2));
    return push_item(L, match);
}

/***
The item at that position, or the machine of that name.
@within Collections
@function Item
@tparam integer|string index a position from 1 to Count, or a machine's name
@return the item
@raise E_POINTER for a missing index; DISP_E_BADINDEX for one outside the
valid range or a name that is not in the snapshot
*/
static int item(lua_State *L, const struct call *call)
{
    const struct collection *collection = call->object;
    int is_integer;

    if (lua_isnoneornil(L, 2))
        return class_raise(L, call, HRESULT_E_POINTER,
                           "the index is missing: give a position from 1, or a name");
    if (lua_type(L, 2) == LUA_TSTRING && call->class == &machine_collection_class)
        return push_named(L, call);
    if (lua_type(L, 2) != LUA_TNUMBER)
        luaL_typeerror(L, 2, "integer or name");
    lua_Integer i = lua_tointegerx(L, 2, &is_integer);
    if (!is_integer || i < 1 || i > collection->count)
        return raise_bad_index(L, call, 2);
    return push_item(L, i);
}

/* c[i]: nil just past the end and beyond, so that ipairs() stops there as on
 * any Lua sequence; anything that can only be a mistake raises. */
static int index_by_position(lua_State *L, const struct call *call)
{
    const struct collection *collection = call->object;
    int is_integer;

    lua_Integer i = lua_tointegerx(L, 2, &is_integer);
    if (!is_integer || i < 1)
        return raise_bad_index(L, call, 2);
    if (i > collection->count) {
        lua_pushnil(L);
        return 1;
    }
    return push_item(L, i);
}

/* The item that follows the one at index 3, for `for item in collection do`:
 * the collection itself is the iterator, and the item before is all its state,
 * so that loops over one collection may be nested. */
static int next_item(lua_State *L, const struct collection *collection)
{
    lua_Integer i = 0;

    if (!lua_isnoneornil(L, 3)) {
        if (lua_getiuservalue(L, 1, 3) != LUA_TTABLE) {
            lua_newtable(L);
            lua_getiuservalue(L, 1, 2);
            for (lua_Integer k = 1; k <= collection->count; k++) {
                lua_rawgeti(L, -1, k);
                lua_pushinteger(L, k);
                lua_rawset(L, -4);
            }
            lua_pop(L, 1);
            lua_pushvalue(L, -1);
            lua_setiuservalue(L, 1, 3);
        }
        lua_pushvalue(L, 3);
        lua_rawget(L, -2);
        i = lua_tointeger(L, -1);
        luaL_argcheck(L, i > 0, 3, "not an item of the collection");
    }
    if (i >= collection->count) {
        lua_pushnil(L);
        return 1;
    }
    return push_item(L, i + 1);
}

/* collection(i) is Item(i), as in VBScript; a generic for calls with nil. */
static int call_item(lua_State *L)
{
    struct call call = class_begin_call(L, class_of(L), "Item");

    if (lua_gettop(L) == 1)
        return error_raise(L, NULL, NULL, HRESULT_DISP_E_MEMBERNOTFOUND,
                           "the collection is an object, not a method: write it without "
                           "parentheses, or with the index of an item in them");
    if (!lua_isnoneornil(L, 2))
        return item(L, &call);
    lua_settop(L, 3);
    return next_item(L, call.object);
}

static int length(lua_State *L)
{
    lua_pushinteger(L, check_collection(L)->count);
    return 1;
}

/* When nothing is found, the user needs to know on which host. For everyone but root
 * libvirt's default is a daemon of their own. */
static void push_empty_host(lua_State *L, const char *uri)
{
    if (strncmp(uri, "qemu:///session", strlen("qemu:///session")) == 0)
        lua_pushfstring(
            L, ": %s, the user's own, has no machines; the system's are on qemu:///system", uri);
    else
        lua_pushfstring(L, ": %s has no machines", uri);
}

static int to_string(lua_State *L)
{
    const struct collection *collection = check_collection(L);

    luaL_getmetafield(L, 1, "__name");
    lua_pushfstring(L, "%s of %I", lua_tostring(L, -1), collection->count);
    if (collection->count > 0 || !application_is_open(collection->application) ||
        class_test_object(L, &machine_collection_class, 1) == NULL)
        return 1;
    push_empty_host(L, collection->application->host->uri);
    lua_concat(L, 2);
    return 1;
}

static int next_accountant(lua_State *L)
{
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(2)) + 1;

    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    const struct collection *collection = check_collection(L);
    if (i > collection->count) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, i);
    lua_replace(L, lua_upvalueindex(2));
    push_item(L, i);
    lua_getfield(L, -1, "Accountant");
    return 1;
}

/***
An iterator over the accountants of the machines, in their order.
@within Collections
@function Accountants
@usage for accountant in objVS.VirtualMachines:Accountants() do
  print(accountant.VirtualMachine, accountant.NetworkBytesSent)
end
*/
static int accountants(lua_State *L, const struct call *call)
{
    (void)call; /* the iterator finds its collection in an upvalue */
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_accountant, 2);
    return 1;
}

static const struct member machine_members[] = {
    {.name = "Count", .get = get_count, .type = "integer", .meaning = "how many there are"},
    {.name = "Item",
     .call = item,
     .parameters = "index: integer|string",
     .type = "VMVirtualMachine",
     .meaning = "the one at that place, from 1, or of that name"},
    {.name = "Accountants",
     .call = accountants,
     .type = "fun(): VMAccountant?",
     .meaning = "iterates over the machines' accountants"},
    {.name = NULL},
};

static const struct member adapter_members[] = {
    {.name = "Count", .get = get_count, .type = "integer", .meaning = "how many there are"},
    {.name = "Item",
     .call = item,
     .parameters = "index: integer",
     .type = "VMNetworkAdapter",
     .meaning = "the one at that place, from 1"},
    {.name = NULL},
};

static const luaL_Reg metamethods[] = {
    {"__call", call_item},
    {"__len", length},
    {"__tostring", to_string},
    {NULL, NULL},
};

const struct class machine_collection_class = {
    .name = "VMVirtualMachineCollection",
    .meaning = "the machines of a host: a snapshot, counted from 1",
    .written = "objVS.VirtualMachines",
    .neighbours = {"VMVirtualMachine", "VMAccountant"},
    .unknown_hint = "; the machine of that name is collection:Item(\"%s\")",
    .members = machine_members,
    .check = check,
    .index = index_by_position,
    .metamethods = metamethods,
};

const struct class adapter_collection_class = {
    .name = "VMNetworkAdapterCollection",
    .meaning = "the network adapters of a machine: a snapshot, counted from 1",
    .written = "objVM.NetworkAdapters",
    .neighbours = {"VMNetworkAdapter", "VMVirtualMachine", "VMAccountant"},
    .members = adapter_members,
    .check = check,
    .index = index_by_position,
    .metamethods = metamethods,
};
