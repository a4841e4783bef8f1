/*
 * module: the C module vmaccountant.core, from which lua/vmaccountant/init.lua
 * and lua/vmaccountant/simulator.lua make what users require.
 */
#include "base/interrupt.h"
#include "binding/description.h"
#include "binding/error.h"
#include "binding/objects.h"
#include "binding/resource.h"
#include "binding/simulation.h"
#include "libvirt_host/driver.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int luaopen_vmaccountant_core(lua_State *L);

/* A host's name, as VBScript's CreateObject takes one, and not a URI. The
 * first letter keeps it from being an option of ssh. */
static bool is_host_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    return strchr(letters, text[0]) != NULL &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")] ==
               '\0';
}

/* The URI to open for the argument at the index: NULL for libvirt's choice.
 * May push. */
static const char *check_host(lua_State *L, int index)
{
    size_t length;

    if (lua_isnoneornil(L, index))
        return NULL;
    luaL_checktype(L, index, LUA_TSTRING);
    const char *host = lua_tolstring(L, index, &length);
    luaL_argcheck(L, strlen(host) == length, index, "a libvirt URI has no NUL in it");
    if (length == 0)
        return NULL;
    return is_host_name(host) ? lua_pushfstring(L, "qemu+ssh://%s/system", host) : host;
}

/* lua5.4 answers SIGINT by a hook of its main thread. */
struct interpreter {
    lua_State *state;
    lua_Hook hook; /* before the call */
};

static bool is_interrupted(void *context)
{
    const struct interpreter *interpreter = context;
    return lua_gethook(interpreter->state) != interpreter->hook;
}

static int do_nothing(lua_State *L)
{
    (void)L;
    return 0;
}

/***
Connects to a libvirt host, read-only, and returns its application object.
Blocks until libvirt answers, for
at most `timeout` seconds.
@function CreateObject
@string progid `"VirtualServer.Application"` or `"VirtualPC.Application"`, in any letter case;
the accountants of the latter have the members only that Virtual PC documents, and
this module's own
@string[opt] host a libvirt URI, or the name of a host for
`qemu+ssh://NAME/system`; nil for libvirt's default (LIBVIRT_DEFAULT_URI, else
its own choice)
@tparam[opt] table options `decimal = "integer"|"string"`: counts as integers
where they fit (default), or as decimal strings always; `max_age = seconds`:
how old a sample may be that answers a read (default 0, ask each time);
`not_running = "error"|"zero"`: what the counts of a stopped machine do;
`counters = "auto"|"kernel"|"hypervisor"`: read a local host's figures straight
from the kernel where they are proven to be the same (default), only so, or
never; `timeout = seconds`: how long a host may be silent before a call fails (default
30, at least 2)
@treturn VMVirtualServer
@raise an argument error for an unknown ProgID or option; DISP_E_EXCEPTION
with libvirt's own words when the host cannot be reached
*/
static int create_object(lua_State *L)
{
    struct application_options options;
    struct fault fault;

    bool is_virtual_pc = application_check_progid(L, 1);
    lua_settop(L, 3);
    application_check_options(L, 3, &options);
    options.is_virtual_pc = is_virtual_pc;
    const char *uri = check_host(L, 2);
    struct application *application = application_new(L);
    struct interpreter interpreter;
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    interpreter.state = lua_tothread(L, -1);
    interpreter.hook = lua_gethook(interpreter.state);
    lua_pop(L, 1);
    interrupt_set_check(is_interrupted, &interpreter);
    struct host *host = libvirt_open(uri, options.timeout, options.counters, &fault);
    interrupt_set_check(NULL, NULL);
    if (host == NULL && is_interrupted(&interpreter)) {
        lua_pushcfunction(L, do_nothing);
        lua_call(L, 0, 0); /* the interpreter's hook raises "interrupted!" here */
    }
    if (host == NULL)
        return error_raise_fault(L, "CreateObject", NULL, &fault);
    application_open(L, application, host, &options);
    return 1;
}

/* sleep(seconds): returns after that time, or sooner when a signal has come, so
 * that Ctrl-C reaches the interpreter. Nothing else waits in plain Lua. */
static int sleep_seconds(lua_State *L)
{
    enum { LONGEST = 1000000000 };
    lua_Number seconds = luaL_checknumber(L, 1);

    luaL_argcheck(L, seconds >= 0 && seconds <= LONGEST, 1, "seconds must be from 0 to 1e9");
    time_t whole = (time_t)seconds;
    struct timespec duration = {.tv_sec = whole,
                                .tv_nsec = (long)((seconds - (lua_Number)whole) * 1e9)};
    nanosleep(&duration, NULL);
    return 0;
}

/* monotonic_time(): seconds on a clock that nobody sets. */
static int monotonic_time(lua_State *L)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
    return 1;
}

static void set_constants(lua_State *L)
{
#define SET_STATE(name, number)                                                                    \
    lua_pushinteger(L, number);                                                                    \
    lua_setfield(L, -2, "vmVMState_" #name);
    MACHINE_STATES(SET_STATE)
#undef SET_STATE

    /* The documented values of VMTaskResult are the positions, from 0. */
    static const char *const task_results[] = {
        "Success",          "Cancelled",         "UnexpectedError",
        "OutOfMemoryError", "DiskRelatedError",  "IncompatibleSavedStateError",
        "TimeOutError",     "IllegalValueError", "ThreadCrashError"};
    for (size_t i = 0; i < sizeof task_results / sizeof task_results[0]; i++) {
        lua_pushfstring(L, "vmTaskResult_%s", task_results[i]);
        lua_pushinteger(L, (lua_Integer)i);
        lua_rawset(L, -3);
    }
}

/* clang-format off */
/* All of them, in the order in which help lists those that have all members. */
static const struct class *const classes[] = {
    &application_class,
    &host_info_class,
    &machine_collection_class,
    &machine_class,
    &accountant_class,
    &virtual_pc_accountant_class,
    &adapter_collection_class,
    &adapter_class,
    &network_class,
    &task_class,
    &simulator_class,
    &simulated_machine_class,
    &simulated_adapter_class,
    &simulated_disk_class,
    NULL,
};
/* clang-format on */

/* lua_CFunction: what description_push pushes of all classes. */
static int describe_classes(lua_State *L)
{
    description_push(L, classes);
    return 1;
}

/* lua_CFunction: what is left out. */
static int describe_left_out(lua_State *L)
{
    description_push_left_out(L);
    return 1;
}

/* lua_CFunction: the name, as it is documented, of the member of the class of
 * that name; raises DISP_E_UNKNOWNNAME with the nearest one. */
static int find_member(lua_State *L)
{
    const char *class_name = luaL_checkstring(L, 1);
    const char *name = luaL_checkstring(L, 2);
    const struct class *const *class = classes;

    while (*class != NULL && strcmp((*class)->name, class_name) != 0)
        class ++;
    luaL_argcheck(L, *class != NULL, 1, "not the name of a class");
    lua_pushstring(L, class_find_member(L, *class, name)->name);
    return 1;
}

int luaopen_vmaccountant_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"CreateObject", create_object}, {"new_simulator", simulation_new},
        {"sleep", sleep_seconds},        {"monotonic_time", monotonic_time},
        {"classes", describe_classes},   {"left_out", describe_left_out},
        {"find_member", find_member},    {NULL, NULL},
    };

    luaL_checkversion(L);
    for (const struct class *const *class = classes; *class != NULL; class ++)
        class_register(L, *class);
    luaL_newlib(L, functions);
    error_push_hresults(L);
    lua_setfield(L, -2, "hresult");
    lua_newtable(L);
    set_constants(L);
    lua_setfield(L, -2, "constants");
    return 1;
}
