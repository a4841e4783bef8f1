/*
 * process: what the specs need of processes and threads and Lua has not.
 *
 *     local process = require("spec.support.compiled").module "process"
 */
#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* fork(): the child's process id; 0 in the child. */
static int process_fork(lua_State *L)
{
    lua_pushinteger(L, fork());
    return 1;
}

/* exit(status): ends the process at once: closes and flushes nothing. */
static int process_exit(lua_State *L)
{
    _exit((int)luaL_checkinteger(L, 1));
}

static void sleep_for(double seconds)
{
    struct timespec left = {.tv_sec = (time_t)seconds};
    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* sleep(seconds) */
static int process_sleep(lua_State *L)
{
    sleep_for(luaL_checknumber(L, 1));
    return 0;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* now(): seconds of a clock that never goes back. */
static int process_now(lua_State *L)
{
    lua_pushnumber(L, now());
    return 1;
}

/* id(): this process's. */
static int process_id(lua_State *L)
{
    lua_pushinteger(L, getpid());
    return 1;
}

/* kill(pid, signal): whether it was sent. */
static int process_kill(lua_State *L)
{
    lua_pushboolean(L, kill((pid_t)luaL_checkinteger(L, 1), (int)luaL_checkinteger(L, 2)) == 0);
    return 1;
}

/* wait(pid, seconds): "exit" or "signal" and its number; nil when the child
 * still runs then. */
static int process_wait(lua_State *L)
{
    pid_t pid = (pid_t)luaL_checkinteger(L, 1);
    double deadline = now() + luaL_checknumber(L, 2);
    int status = 0;
    pid_t ended;

    while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && now() < deadline)
        sleep_for(0.002);
    if (ended == 0)
        return 0;
    if (ended < 0)
        return luaL_error(L, "waitpid %d: %s", (int)pid, strerror(errno));
    lua_pushstring(L, WIFEXITED(status) ? "exit" : "signal");
    lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return 2;
}

struct state {
    pthread_t thread;
    lua_State *L;
    int status;
};

static void *run_state(void *argument)
{
    struct state *state = argument;
    state->status = lua_pcall(state->L, 1, 1, 0);
    return NULL;
}

/* run_states(count, script, path, cpath): runs the script in so many Lua
 * states at once, each in a thread of its own with its number as `...`, and
 * closes them. Returns a list of what each returned or raised, as text. */
static int process_run_states(lua_State *L)
{
    enum { MOST = 64 };
    struct state states[MOST];
    int count = (int)luaL_checkinteger(L, 1);
    const char *script = luaL_checkstring(L, 2);

    luaL_argcheck(L, count >= 1 && count <= MOST, 1, "too many");
    for (int i = 0; i < count; i++) {
        lua_State *own = luaL_newstate();
        states[i].L = own;
        luaL_openlibs(own);
        lua_getglobal(own, "package");
        lua_pushstring(own, luaL_checkstring(L, 3));
        lua_setfield(own, -2, "path");
        lua_pushstring(own, luaL_checkstring(L, 4));
        lua_setfield(own, -2, "cpath");
        lua_pop(own, 1);
        if (luaL_loadstring(own, script) != LUA_OK)
            return luaL_error(L, "%s", lua_tostring(own, -1));
        lua_pushinteger(own, i + 1);
    }
    for (int i = 0; i < count; i++)
        if (pthread_create(&states[i].thread, NULL, run_state, &states[i]) != 0)
            abort();
    for (int i = 0; i < count; i++)
        pthread_join(states[i].thread, NULL);
    lua_newtable(L);
    for (int i = 0; i < count; i++) {
        lua_pushstring(L, luaL_tolstring(states[i].L, -1, NULL));
        lua_rawseti(L, -2, i + 1);
        lua_close(states[i].L);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"fork", process_fork},
    {"exit", process_exit},
    {"sleep", process_sleep},
    {"now", process_now},
    {"id", process_id},
    {"kill", process_kill},
    {"wait", process_wait},
    {"run_states", process_run_states},
    {NULL, NULL},
};

int luaopen_process(lua_State *L);

int luaopen_process(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
