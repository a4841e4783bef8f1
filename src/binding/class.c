#include "binding/class.h"

#include "base/text.h"
#include "binding/class_members.h"
#include "binding/error.h"
#include "binding/hint.h"
#include "binding/left_out.h"
#include "binding/text.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

/* The metatable's key in the registry is the class's own address: it is unique, and
 * found without hashing a text. */
static void push_metatable(lua_State *L, const struct class *class)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, class);
}

void *class_test_object(lua_State *L, const struct class *class, int index)
{
    void *object = lua_touserdata(L, index);
    if (object == NULL || !lua_getmetatable(L, index))
        return NULL;
    push_metatable(L, class);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same ? object : NULL;
}

void *class_check_argument(lua_State *L, const struct class *class, int index)
{
    void *object = class_test_object(L, class, index);
    if (object == NULL)
        luaL_typeerror(L, index, class->name);
    return object;
}

/* A dot instead of a colon puts the first argument in the receiver's place. */
static void raise_wrong_receiver(lua_State *L, const struct class *class, int index,
                                 const char *member)
{
    const char *got = luaL_getmetafield(L, index, "__name") == LUA_TSTRING
                          ? lua_tostring(L, -1)
                          : luaL_typename(L, index);
    luaL_argerror(L, index,
                  lua_pushfstring(L,
                                  "%s expected, got %s: call the method with a colon, as in "
                                  "object:%s()",
                                  class->name, got, member));
}

void *class_check_object(lua_State *L, const struct class *class, int index, const char *member)
{
    if (lua_isnoneornil(L, index))
        error_raise(L, member, NULL, HRESULT_E_POINTER,
                    "the %s is missing: call the method with a colon, as in object:%s()",
                    class->name, member);
    void *object = class_test_object(L, class, index);
    if (object == NULL)
        raise_wrong_receiver(L, class, index, member);
    return object;
}

static int raise_for(lua_State *L, const struct class *class, const char *member,
                     const struct fault *fault)
{
    const char *machine = class->machine != NULL ? class->machine(L, 1) : NULL;
    return error_raise_fault(L, member, machine, fault);
}

int class_raise_fault(lua_State *L, const struct call *call, const struct fault *fault)
{
    return raise_for(L, call->class, call->member->name, fault);
}

int class_raise(lua_State *L, const struct call *call, enum hresult code, const char *format, ...)
{
    struct fault fault;
    va_list arguments;

    va_start(arguments, format);
    fault_set_list(&fault, code, format, arguments);
    va_end(arguments);
    return class_raise_fault(L, call, &fault);
}

/* ------------------------------------------------------------------------
 * Names
 * ------------------------------------------------------------------------ */

/* The member that the string at the index names; NULL when it names none. */
static const struct member *member_at(lua_State *L, const struct class *class, int index)
{
    const char *name = text_at(L, index);
    return name != NULL ? class_member_named(class, name) : NULL;
}

/* The registry's table of the classes by their names is under its address. */
static const char class_names;

/* Where two classes share a name, the larger one is found by it. */
static void note_name(lua_State *L, const struct class *class)
{
    if (class->larger != NULL)
        return;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &class_names) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &class_names);
    }
    lua_pushlightuserdata(L, (void *)(uintptr_t) class);
    lua_setfield(L, -2, class->name);
    lua_pop(L, 1);
}

/* The array has room for MOST_NEIGHBOURS and a final NULL, and is all NULL. */
static void find_neighbours(lua_State *L, const struct class *class,
                            const struct class **neighbours)
{
    size_t count = 0;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &class_names);
    for (; count < MOST_NEIGHBOURS && class->neighbours[count] != NULL; count++) {
        lua_getfield(L, -1, class->neighbours[count]);
        neighbours[count] = lua_touserdata(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Fills the fault of an unknown name, and returns the name for the error. May
 * push. */
static const char *describe_unknown(lua_State *L, const struct class *class, const char *name,
                                    struct fault *fault)
{
    const struct left_out *left_out = left_out_find(class->name, name);
    const struct class *neighbours[MOST_NEIGHBOURS + 1] = {NULL};

    if (class->larger != NULL && class_member_named(class->larger, name) != NULL) {
        fault_set(fault, HRESULT_DISP_E_UNKNOWNNAME, "%s has no member '%.100s': %s", class->name,
                  name, class->larger_hint);
        return name;
    }
    if (left_out != NULL) {
        fault_set(fault, HRESULT_DISP_E_UNKNOWNNAME,
                  "I%s.%s of Virtual Server is left out here; %s", class->name, left_out->name,
                  left_out->way);
        return left_out->name;
    }
    find_neighbours(L, class, neighbours);
    fault_set(fault, HRESULT_DISP_E_UNKNOWNNAME, "%s has no member '%.100s'%s", class->name, name,
              hint_for_member(L, class, neighbours, name));
    return name;
}

/* Of the value at the index. */
static int raise_unknown(lua_State *L, const struct class *class, int index)
{
    struct fault fault;
    const char *member = describe_unknown(L, class, text_push_shown(L, index), &fault);
    return raise_for(L, class, member, &fault);
}

const struct member *class_find_member(lua_State *L, const struct class *class, int index)
{
    luaL_checkstring(L, index);
    const struct member *member = member_at(L, class, index);
    struct fault fault;

    if (member == NULL) {
        const char *shown = describe_unknown(L, class, text_push_shown(L, index), &fault);
        error_raise_fault(L, shown, NULL, &fault);
    }
    return member;
}

const struct member *class_find_property(lua_State *L, const struct class *class, int index)
{
    luaL_checkstring(L, index);
    const struct member *member = member_at(L, class, index);

    if (member == NULL)
        raise_unknown(L, class, index);
    else if (member->get == NULL)
        error_raise(L, member->name, NULL, HRESULT_DISP_E_UNKNOWNNAME,
                    "this is a method of %s and has no value; call it with a colon, as in "
                    "object:%s()",
                    class->name, member->name);
    return member;
}

/* ------------------------------------------------------------------------
 * Calls in progress
 *
 * An object of Lua owns nothing of C itself. What it works on lies in a resource
 * that it holds in a user value, and is freed with that. In a call the object
 * stays at index 1, and so keeps all of it until the call is over, however it
 * ends. Each function of a class has the class as its first upvalue.
 * ------------------------------------------------------------------------ */

static bool is_of_a_class(lua_State *L, lua_Debug *call)
{
    int top = lua_gettop(L);
    bool is = false;

    lua_getinfo(L, "f", call);
    if (lua_iscfunction(L, -1) && lua_getupvalue(L, -1, 1) != NULL && lua_islightuserdata(L, -1))
        is = lua_rawgetp(L, LUA_REGISTRYINDEX, lua_touserdata(L, -1)) == LUA_TTABLE;
    lua_settop(L, top);
    return is;
}

bool class_is_running(lua_State *L)
{
    lua_Debug call;
    bool is_main = lua_pushthread(L) == 1;

    lua_pop(L, 1);
    if (!is_main || !lua_checkstack(L, 3))
        return true;
    for (int level = 1; lua_getstack(L, level, &call); level++)
        if (is_of_a_class(L, &call))
            return true;
    return false;
}

/* ------------------------------------------------------------------------
 * Metamethods. Upvalue 1 is the class; upvalue 2 of __index maps the names to
 * a light userdata (the member of a property) or a function (a method).
 * ------------------------------------------------------------------------ */

static const struct class *class_of_closure(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static void check(lua_State *L, const struct call *call)
{
    if (call->class->check != NULL)
        call->class->check(L, call);
}

static int use(lua_State *L, member_function *function, const struct call *call)
{
    check(L, call);
    return function(L, call);
}

struct call class_begin_call(lua_State *L, const struct class *class, const char *member)
{
    struct call call = {class, class_member_named(class, member),
                        class_check_argument(L, class, 1)};
    check(L, &call);
    return call;
}

int class_get_user_value(lua_State *L, const struct call *call)
{
    lua_getiuservalue(L, 1, call->member->user_value);
    return 1;
}

static int index_member(lua_State *L)
{
    const struct class *class = class_of_closure(L);
    void *object = class_check_argument(L, class, 1);

    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(2));
    if (lua_isnil(L, -1) && lua_type(L, 2) == LUA_TSTRING) {
        const struct member *member = member_at(L, class, 2);
        if (member == NULL)
            return raise_unknown(L, class, 2);
        lua_pop(L, 1);
        lua_pushstring(L, member->name);
        lua_rawget(L, lua_upvalueindex(2));
    }
    if (lua_islightuserdata(L, -1)) {
        struct call call = {class, lua_touserdata(L, -1), object};
        lua_settop(L, 1);
        return use(L, call.member->get, &call);
    }
    if (lua_isfunction(L, -1))
        return 1;
    if (class->index == NULL)
        return raise_unknown(L, class, 2);
    struct call call = class_begin_call(L, class, "Item");
    lua_settop(L, 2);
    return class->index(L, &call);
}

static int call_method(lua_State *L)
{
    const struct class *class = class_of_closure(L);
    const struct member *member = lua_touserdata(L, lua_upvalueindex(2));
    struct call call = {class, member, class_check_object(L, class, 1, member->name)};

    return use(L, member->call, &call);
}

/* Whether the member's values are objects of the model, whose types alone
 * begin with a capital. */
static bool is_object(const struct member *member)
{
    return member->type != NULL && member->type[0] >= 'A' && member->type[0] <= 'Z';
}

static int raise_not_assignable(lua_State *L, const struct class *class,
                                const struct member *member)
{
    struct fault fault;

    if (member->call != NULL)
        fault_set(&fault, HRESULT_DISP_E_MEMBERNOTFOUND,
                  "this is a method of %s and cannot be assigned; call it, as in object:%s()",
                  class->name, member->name);
    else if (is_object(member))
        fault_set(&fault, HRESULT_DISP_E_MEMBERNOTFOUND,
                  "this object of %s is read-only; what Set does in VBScript, to name an object, "
                  "is local x = object.%s",
                  class->name, member->name);
    else
        fault_set(&fault, HRESULT_DISP_E_MEMBERNOTFOUND, "this member of %s is read-only",
                  class->name);
    return raise_for(L, class, member->name, &fault);
}

static int new_index(lua_State *L)
{
    const struct class *class = class_of_closure(L);
    void *object = class_check_argument(L, class, 1);
    const struct member *member = member_at(L, class, 2);
    struct fault fault;

    if (member == NULL && class->index != NULL && lua_type(L, 2) == LUA_TNUMBER) {
        fault_set(&fault, HRESULT_DISP_E_UNKNOWNNAME,
                  "the items of %s are read-only: it is a snapshot of a list", class->name);
        return raise_for(L, class, text_push_shown(L, 2), &fault);
    }
    if (member == NULL)
        return raise_unknown(L, class, 2);
    if (member->set == NULL)
        return raise_not_assignable(L, class, member);
    struct call call = {class, member, object};
    lua_settop(L, 3);
    return use(L, member->set, &call);
}

/* objVM.Accountant(): parentheses after something that is no method; or a generic
 * for over something that is no collection, which calls with the state and the
 * control variable. */
static int call_object(lua_State *L)
{
    const struct class *class = class_of_closure(L);
    struct fault fault;

    class_check_argument(L, class, 1);
    if (lua_gettop(L) == 3 && lua_isnil(L, 2) && lua_isnil(L, 3))
        fault_set(&fault, HRESULT_DISP_E_MEMBERNOTFOUND,
                  "%s is not a collection: a loop needs one, such as objVS.VirtualMachines, or "
                  "pairs(object) for the object's members",
                  class->name);
    else
        fault_set(&fault, HRESULT_DISP_E_MEMBERNOTFOUND,
                  "%s is an object, not a method: write %s, without parentheses", class->name,
                  class->written);
    return raise_for(L, class, NULL, &fault);
}

static int read_property(lua_State *L)
{
    const struct class *class = class_of_closure(L);
    const struct member *member = lua_touserdata(L, lua_upvalueindex(2));
    struct call call = {class, member, class_check_argument(L, class, 1)};

    return use(L, member->get, &call);
}

void class_get_property(lua_State *L, const struct class *class, const struct member *member)
{
    lua_pushlightuserdata(L, (void *)(uintptr_t) class);
    lua_pushlightuserdata(L, (void *)(uintptr_t)member);
    lua_pushcclosure(L, read_property, 2);
    lua_pushvalue(L, 1);
    bool ok = lua_pcall(L, 1, 1, 0) == LUA_OK;
    if (!ok && !error_is(L, -1))
        lua_error(L); /* out of memory, or a hook's: not the property's */
    lua_pushboolean(L, ok);
    lua_insert(L, -2);
}

/* The iterator of pairs: the state is the object, the control variable a name.
 * A property that raises gives its error object as the value. */
static int next_property(lua_State *L)
{
    const struct class *class = class_of_closure(L);
    class_check_argument(L, class, 1);
    const struct member *member = NULL;

    if (!lua_isnoneornil(L, 2)) {
        luaL_checkstring(L, 2);
        member = member_at(L, class, 2);
        if (member == NULL)
            return luaL_argerror(L, 2, "not a member's name");
    }
    do
        member = class_next_member(class, member);
    while (member != NULL && member->get == NULL);
    if (member == NULL)
        return 0;
    lua_settop(L, 1);
    lua_pushstring(L, member->name);
    class_get_property(L, class, member);
    lua_remove(L, -2);
    return 2;
}

static int pairs(lua_State *L)
{
    const struct class *class = class_of_closure(L);
    class_check_argument(L, class, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, next_property, 1);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

static void push_members(lua_State *L, const struct class *class)
{
    const struct member *member = NULL;

    lua_newtable(L);
    while ((member = class_next_member(class, member)) != NULL) {
        if (member->get != NULL) {
            lua_pushlightuserdata(L, (void *)(uintptr_t)member);
        } else {
            lua_pushlightuserdata(L, (void *)(uintptr_t) class);
            lua_pushlightuserdata(L, (void *)(uintptr_t)member);
            lua_pushcclosure(L, call_method, 2);
        }
        lua_setfield(L, -2, member->name);
    }
}

void class_register(lua_State *L, const struct class *class)
{
    /* When the module is loaded again, objects from before have this metatable and
     * are still to be finalized. */
    bool is_registered = lua_rawgetp(L, LUA_REGISTRYINDEX, class) != LUA_TNIL;
    lua_pop(L, 1);
    if (is_registered)
        return;
    note_name(L, class);
    lua_newtable(L);
    lua_pushstring(L, class->name);
    lua_setfield(L, -2, "__name");

    lua_pushlightuserdata(L, (void *)(uintptr_t) class);
    push_members(L, class);
    lua_pushcclosure(L, index_member, 2);
    lua_setfield(L, -2, "__index");

    lua_pushlightuserdata(L, (void *)(uintptr_t) class);
    lua_pushcclosure(L, new_index, 1);
    lua_setfield(L, -2, "__newindex");

    lua_pushlightuserdata(L, (void *)(uintptr_t) class);
    lua_pushcclosure(L, pairs, 1);
    lua_setfield(L, -2, "__pairs");

    lua_pushlightuserdata(L, (void *)(uintptr_t) class);
    lua_pushcclosure(L, call_object, 1);
    lua_setfield(L, -2, "__call");

    if (class->metamethods != NULL) {
        lua_pushlightuserdata(L, (void *)(uintptr_t) class);
        luaL_setfuncs(L, class->metamethods, 1);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, class);
}

void *class_new(lua_State *L, const struct class *class, size_t size, int user_values)
{
    void *object = lua_newuserdatauv(L, size, user_values);
    memset(object, 0, size);
    push_metatable(L, class);
    lua_setmetatable(L, -2);
    return object;
}
