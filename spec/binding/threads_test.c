/*
 * The module in several threads at once, each with a Lua state of its own:
 * for ThreadSanitizer and Helgrind, which see what a race is even when it does
 * no harm.
 *
 *     threads_test [SECONDS [URI]]
 *
 * What the threads do is in threads.lua. The machines of the URI are read,
 * reset, paused and, on the test driver, turned off.
 */
#include "../support/check.h"

#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

int luaopen_vmaccountant_core(lua_State *L); /* src/binding/module.c */

enum { MOST_THREADS = 8 };

static const char *uri = "test:///default";
static int seconds = 1;

struct worker {
    const char *role;
    pthread_t thread;
    bool ok;
    long long rounds;
    char message[512];
};

static void run_role(lua_State *L, struct worker *worker)
{
    luaL_openlibs(L);
    luaL_requiref(L, "vmaccountant.core", luaopen_vmaccountant_core, 0);
    lua_getglobal(L, "package");
    lua_pushliteral(L, "./lua/?.lua;./lua/?/init.lua");
    lua_setfield(L, -2, "path");
    lua_settop(L, 0);

    worker->ok = luaL_dofile(L, "spec/binding/threads.lua") == LUA_OK;
    if (worker->ok) {
        lua_getfield(L, -1, worker->role);
        lua_pushstring(L, uri);
        lua_pushinteger(L, seconds);
        worker->ok = lua_pcall(L, 2, 1, 0) == LUA_OK;
    }
    if (worker->ok)
        worker->rounds = lua_tointeger(L, -1);
    else
        snprintf(worker->message, sizeof worker->message, "%s", luaL_tolstring(L, -1, NULL));
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    lua_State *L = luaL_newstate();
    if (L == NULL)
        abort();
    run_role(L, worker);
    lua_close(L);
    return NULL;
}

/* Runs one thread for each role; a NULL ends the list. */
static void run_together(const char *const *roles)
{
    struct worker workers[MOST_THREADS] = {{0}};
    size_t count = 0;

    for (; roles[count] != NULL; count++) {
        workers[count].role = roles[count];
        CHECK(pthread_create(&workers[count].thread, NULL, work, &workers[count]) == 0);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        printf("%s: %lld rounds %s\n", workers[i].role, workers[i].rounds, workers[i].message);
        CHECK(workers[i].ok);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seconds = atoi(argv[1]);
    if (argc > 2)
        uri = argv[2];
    /* The background thread comes and goes with the applications. */
    run_together((const char *const[]){"open", "open", NULL});
    run_together((const char *const[]){"read", "read_aged", "change", "watch", "start_and_save",
                                       "open", "simulate", NULL});
    return check_report();
}
