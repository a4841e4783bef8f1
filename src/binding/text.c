#include "binding/text.h"

#include "base/text.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>

const char *text_at(lua_State *L, int index)
{
    size_t length;

    if (lua_type(L, index) != LUA_TSTRING)
        return NULL;
    const char *text = lua_tolstring(L, index, &length);
    return text_is_valid(text, length) ? text : NULL;
}

const char *text_check(lua_State *L, int index, const char *what)
{
    size_t length;
    const char *text = luaL_checklstring(L, index, &length);

    if (!text_is_valid(text, length))
        luaL_argerror(L, index,
                      lua_pushfstring(L, "%s must be UTF-8 text without a NUL, not '%s'", what,
                                      text_push_shown(L, index)));
    return text;
}

const char *text_push_shown(lua_State *L, int index)
{
    size_t length;
    luaL_Buffer buffer;
    const char *text = luaL_tolstring(L, index, &length);

    if (text_is_valid(text, length))
        return text;
    luaL_buffinit(L, &buffer);
    for (size_t i = 0, step; i < length; i += step) {
        step = text_character_length(text + i, length - i);
        if (step > 0 && text[i] != '\0') {
            luaL_addlstring(&buffer, text + i, step);
            continue;
        }
        char escape[8];
        step = 1;
        snprintf(escape, sizeof escape, "\\x%02X", (unsigned)(unsigned char)text[i]);
        luaL_addstring(&buffer, escape);
    }
    luaL_pushresult(&buffer);
    lua_remove(L, -2);
    return lua_tostring(L, -1);
}
