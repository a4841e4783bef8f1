/*
 * class: Lua objects from tables of their members.
 *
 * Each object type has one table of members, in its own file, for the dispatch in
 * any letter case, the errors for unknown and read-only names with the nearest
 * one as a hint, and pairs().
 */
#ifndef VMACCOUNTANT_BINDING_CLASS_H
#define VMACCOUNTANT_BINDING_CLASS_H

#include "base/fault.h"

#include <lua.h>
#include <stdbool.h>

enum { MOST_NEIGHBOURS = 4 };

/* One use of a member. */
struct call {
    const struct class *class;
    const struct member *member;
    void *object; /* which is at index 1 */
};

typedef int member_function(lua_State *L, const struct call *call);

struct member {
    const char *name;
    /* A property: pushes its value and returns 1. NULL for a method. */
    member_function *get;
    /* A method: arguments from index 2. NULL for a property. */
    member_function *call;
    /* Gives the property the value at index 3. NULL: it is read-only. */
    member_function *set;
    int user_value; /* which class_get_user_value pushes */

    /* For people and editors, in LuaCATS' terms: a method's parameters, as in
     * "name: string, options?: table"; what it returns, NULL for nothing. */
    const char *parameters;
    const char *type;
    const char *unit;    /* NULL for none */
    const char *meaning; /* one line */
};

struct class
{
    const char *name;             /* the type's name; __name of its metatable */
    const char *meaning;          /* one line, for people and editors */
    const char *written;          /* what a script writes to get one, for hints */
    const struct member *members; /* its own, one at least; the last one has no name */
    /* The class whose members this one has, too; before its own. NULL: there is none. */
    const struct class *base;
    /* Raises when the object can no longer be used. */
    void (*check)(lua_State *L, const struct call *call);
    /* The name of the machine for an error, or NULL; may push. */
    const char *(*machine)(lua_State *L, int index);
    /* Answers a key that is not a string, as c[i] does for Item. NULL: there are none. */
    member_function *index;
    /* What to write instead of an unknown member's name; %s stands for the name.
     * NULL for nothing. */
    const char *unknown_hint;
    /* The names of the classes of the objects that are reached from this one, nearest
     * first, for hints; NULL after the last one. By name: each knows the other. */
    const char *neighbours[MOST_NEIGHBOURS + 1];
    const struct luaL_Reg *metamethods; /* beyond those made from the members; may be NULL */
    /* The class of the same name that has this one as its base, and what to say where
     * a script asks for a member that only that one has. NULL: there is none. */
    const struct class *larger;
    const char *larger_hint;
};

/* Registers the class in this Lua state, once. [-0, +0, e] */
void class_register(lua_State *L, const struct class *class);

/* Pushes a zeroed object with user_values user values. [-0, +1, e] */
void *class_new(lua_State *L, const struct class *class, size_t size, int user_values);

/* The object at the index. Raises E_POINTER where it is missing or nil, as in
 * `acct.Get()`, and an argument error where it is something else. [-0, +0, e] */
void *class_check_object(lua_State *L, const struct class *class, int index, const char *member);

/* The same for a metamethod, whose object is never missing: an argument error
 * where it is anything else. [-0, +0, e] */
void *class_check_argument(lua_State *L, const struct class *class, int index);

/* The same without an error: NULL. For __gc, __tostring and __eq. [-0, +0, -] */
void *class_test_object(lua_State *L, const struct class *class, int index);

/* For a metamethod that stands for a member, such as Item: its use on the object at
 * index 1, which is checked. [-0, +0, e] */
struct call class_begin_call(lua_State *L, const struct class *class, const char *member);

/* The getter of a property that is one of its object's user values. */
int class_get_user_value(lua_State *L, const struct call *call);

/* Raises the fault for the member and its object. Never returns. */
int class_raise_fault(lua_State *L, const struct call *call, const struct fault *fault);

/* Raises a fault made on the spot. Never returns. */
int class_raise(lua_State *L, const struct call *call, enum hresult code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Whether a member or metamethod of any class is in progress below the running
 * function, or may be: a coroutine does not see its caller's. A finalizer may have
 * interrupted it at an allocation, or it may have called back into Lua. [-0, +0, -] */
bool class_is_running(lua_State *L);

/* Finds a property by its name in any letter case, the string at the index;
 * raises DISP_E_UNKNOWNNAME for a name that is not one. */
const struct member *class_find_property(lua_State *L, const struct class *class, int index);

/* The member of that name in any letter case, for help: raises
 * DISP_E_UNKNOWNNAME for the name at the index when there is none. Needs no object. */
const struct member *class_find_member(lua_State *L, const struct class *class, int index);

/* Calls the property's getter on the object at index 1 and pushes true and the
 * value, or false and the error object. Other errors are raised. [-0, +2, e] */
void class_get_property(lua_State *L, const struct class *class, const struct member *member);

#endif
