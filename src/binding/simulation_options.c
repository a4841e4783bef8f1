/*
 * simulation_options: the arguments of the simulator's members. The error for a
 * misspelt name lists the known ones.
 */
#include "binding/simulation.h"
#include "binding/text.h"

#include <lauxlib.h>
#include <string.h>

/* Pushes "'a', 'b' and 'c'". */
static const char *push_names(lua_State *L, const char *const *names)
{
    luaL_Buffer buffer;

    luaL_buffinit(L, &buffer);
    for (const char *const *name = names; *name != NULL; name++) {
        if (name != names)
            luaL_addstring(&buffer, name[1] == NULL ? " and " : ", ");
        luaL_addchar(&buffer, '\'');
        luaL_addstring(&buffer, *name);
        luaL_addchar(&buffer, '\'');
    }
    luaL_pushresult(&buffer);
    return lua_tostring(L, -1);
}

static int find_name(const char *const *names, const char *text, size_t length)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0)
            return i;
    return -1;
}

void simulation_check_options(lua_State *L, int index, const char *const *known)
{
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        size_t length = 0;
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : "";
        if (find_name(known, key, length) < 0) {
            const char *text = text_push_shown(L, -2);
            luaL_argerror(L, index,
                          lua_pushfstring(L, "unknown option '%s'; the known ones are %s", text,
                                          push_names(L, known)));
        }
        lua_pop(L, 1);
    }
}

int simulation_check_choice(lua_State *L, int index, const char *text, const char *what,
                            const char *const *choices)
{
    int choice = find_name(choices, text, strlen(text));

    if (choice < 0)
        luaL_argerror(L, index,
                      lua_pushfstring(L, "unknown %s '%s'; the known ones are %s", what, text,
                                      push_names(L, choices)));
    return choice;
}

int simulation_option(lua_State *L, int index, const char *field, int expected)
{
    int type = lua_getfield(L, index, field);
    if (type != LUA_TNIL && type != expected)
        luaL_argerror(L, index,
                      lua_pushfstring(L, "option '%s' must be a %s, not a %s", field,
                                      lua_typename(L, expected), lua_typename(L, type)));
    if (type == LUA_TSTRING && text_at(L, -1) == NULL)
        luaL_argerror(L, index,
                      lua_pushfstring(L, "option '%s' must be UTF-8 text without a NUL, not '%s'",
                                      field, text_push_shown(L, -1)));
    return type;
}

const char *simulation_check_name(lua_State *L, int index)
{
    return text_check(L, index, "a machine's name");
}

struct decimal simulation_check_bytes(lua_State *L, int index)
{
    static const char expected[] =
        "a number of bytes must be an integer or a decimal string from 0 to 2^96-1";
    struct decimal bytes = DECIMAL_ZERO;
    size_t length;

    if (lua_type(L, index) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, index, &length);
        if (decimal_parse(text, length, &bytes) != DECIMAL_PARSED)
            luaL_argerror(L, index, expected);
        return bytes;
    }
    lua_Integer value = luaL_checkinteger(L, index);
    luaL_argcheck(L, value >= 0, index, expected);
    return decimal_from_uint64((uint64_t)value);
}
