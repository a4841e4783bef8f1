/*
 * options: the ProgID and the options table of CreateObject.
 */
#include "base/text.h"
#include "binding/objects.h"
#include "binding/text.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

static const char *const progids[] = {"VirtualServer.Application", "VirtualPC.Application", NULL};

bool application_check_progid(lua_State *L, int index)
{
    luaL_checkstring(L, index);
    const char *progid = text_at(L, index);
    for (const char *const *known = progids; progid != NULL && *known != NULL; known++)
        if (text_same_name(*known, progid))
            return known != progids;
    return luaL_argerror(L, index,
                         lua_pushfstring(L, "unknown ProgID '%s'; the known ones are '%s' and '%s'",
                                         text_push_shown(L, index), progids[0], progids[1])) != 0;
}

/* The option's value is at the top of the stack. */
static int option_error(lua_State *L, int index, const char *option, const char *expected)
{
    const char *value = text_push_shown(L, -1);
    return luaL_argerror(
        L, index, lua_pushfstring(L, "option '%s' must be %s, not '%s'", option, expected, value));
}

/* True when the value at the top of the stack is `yes`, false when it is `no`. */
static bool check_choice(lua_State *L, int index, const char *option, const char *no,
                         const char *yes)
{
    const char *value = text_at(L, -1);
    char expected[64];

    if (value != NULL && strcmp(value, yes) == 0)
        return true;
    snprintf(expected, sizeof expected, "'%s' or '%s'", no, yes);
    if (value == NULL || strcmp(value, no) != 0)
        option_error(L, index, option, expected);
    return false;
}

static int64_t check_seconds(lua_State *L, int index, const char *option)
{
    enum { LONGEST = 1000000000 };
    lua_Number seconds = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
    if (!(seconds >= 0 && seconds <= LONGEST)) /* NaN, too */
        option_error(L, index, option, "a number of seconds from 0 to 1e9");
    return (int64_t)(seconds * 1e9);
}

static enum counters check_counters(lua_State *L, int index, const char *option)
{
    static const char *const choices[] = {[COUNTERS_AUTO] = "auto",
                                          [COUNTERS_KERNEL] = "kernel",
                                          [COUNTERS_HYPERVISOR] = "hypervisor"};
    const char *value = text_at(L, -1);

    for (size_t i = 0; value != NULL && i < sizeof choices / sizeof choices[0]; i++)
        if (strcmp(choices[i], value) == 0)
            return (enum counters)i;
    option_error(L, index, option, "'auto', 'kernel' or 'hypervisor'");
    return COUNTERS_AUTO;
}

static int check_timeout(lua_State *L, int index, const char *option)
{
    int is_integer;
    lua_Integer seconds = lua_tointegerx(L, -1, &is_integer);
    if (lua_type(L, -1) != LUA_TNUMBER || !is_integer || seconds < 2 || seconds > 3600)
        option_error(L, index, option, "a whole number of seconds from 2 to 3600");
    return (int)seconds;
}

void application_check_options(lua_State *L, int index, struct application_options *options)
{
    *options = (struct application_options){.timeout = DEFAULT_TIMEOUT};
    if (lua_isnoneornil(L, index))
        return;
    luaL_checktype(L, index, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        const char *option = text_at(L, -2);
        if (option == NULL)
            option = ""; /* unknown */
        if (strcmp(option, "decimal") == 0)
            options->decimal_as_string = check_choice(L, index, option, "integer", "string");
        else if (strcmp(option, "not_running") == 0)
            options->zero_when_not_running = check_choice(L, index, option, "error", "zero");
        else if (strcmp(option, "max_age") == 0)
            options->max_age = check_seconds(L, index, option);
        else if (strcmp(option, "counters") == 0)
            options->counters = check_counters(L, index, option);
        else if (strcmp(option, "timeout") == 0)
            options->timeout = check_timeout(L, index, option);
        else
            luaL_argerror(L, index,
                          lua_pushfstring(L,
                                          "unknown option '%s'; the known ones are 'counters', "
                                          "'decimal', 'max_age', 'not_running' and 'timeout'",
                                          text_push_shown(L, -2)));
        lua_pop(L, 1);
    }
}
