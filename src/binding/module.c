/*
 * module: the C module vmaccountant.core, from which lua/vmaccountant/init.lua
 * and lua/vmaccountant/simulator.lua make what users require.
 */
#include "binding/error.h"
#include "binding/objects.h"
#include "binding/resource.h"
#include "binding/simulation.h"
#include "hypervisor/libvirt.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

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
    struct hypervisor *host = libvirt_open(uri, options.timeout, options.counters, &fault);
    if (host == NULL)
        return error_raise_fault(L, "CreateObject", NULL, &fault);
    application_open(L, application, host, &options);
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

int luaopen_vmaccountant_core(lua_State *L)
{
    static const struct class *const classes[] = {
        &application_class,
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
    };
    static const luaL_Reg functions[] = {
        {"CreateObject", create_object},
        {"new_simulator", simulation_new},
        {NULL, NULL},
    };

    luaL_checkversion(L);
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        class_register(L, classes[i]);
    luaL_newlib(L, functions);
    error_push_hresults(L);
    lua_setfield(L, -2, "hresult");
    lua_newtable(L);
    set_constants(L);
    lua_setfield(L, -2, "constants");
    return 1;
}
