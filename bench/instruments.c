/*
 * instruments: what plain Lua has not and a benchmark needs.
 *
 *     now()           nanoseconds of a clock that never goes back
 *     sleep(seconds)
 *     heap()          bytes that this process has from malloc and not given back
 */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <malloc.h>
#include <time.h>

int luaopen_instruments(lua_State *L);

static int now(lua_State *L)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    lua_pushinteger(L, (lua_Integer)time.tv_sec * 1000000000 + time.tv_nsec);
    return 1;
}

static int sleep_seconds(lua_State *L)
{
    lua_Number seconds = luaL_checknumber(L, 1);
    struct timespec left = {.tv_sec = (time_t)seconds};

    left.tv_nsec = (long)((seconds - (lua_Number)left.tv_sec) * 1e9);
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
    return 0;
}

static int heap(lua_State *L)
{
    struct mallinfo2 info = mallinfo2();

    lua_pushinteger(L, (lua_Integer)(info.uordblks + info.hblkhd));
    return 1;
}

int luaopen_instruments(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"now", now}, {"sleep", sleep_seconds}, {"heap", heap}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
