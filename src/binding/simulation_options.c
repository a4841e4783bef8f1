/*
 * simulation_options: arguments of the simulator that name one of several things.
 * Whoever misspells a name is shown those that there are.
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
