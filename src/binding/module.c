/*
 * module: the C module vmaccountant.core, from which lua/vmaccountant/init.lua
 * and lua/vmaccountant/simulator.lua make what users require.
 */
#include "base/clock.h"
#include "base/interrupt.h"
#include "binding/constants.h"
#include "binding/description.h"
#include "binding/error.h"
#include "binding/hint.h"
#include "binding/objects.h"
#include "binding/resource.h"
#include "binding/simulation.h"
#include "binding/text.h"
#include "binding/version.h"
#include "libvirt_host/driver.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* All else in the module is hidden from the other libraries of the process. */
__attribute__((visibility("default"))) int luaopen_vmaccountant_core(lua_State *L);

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
    if (lua_isnoneornil(L, index))
        return NULL;
    luaL_checktype(L, index, LUA_TSTRING);
    const char *host = text_check(L, index, "a libvirt URI");
    if (host[0] == '\0')
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
Blocks until libvirt answers, for at most `timeout` seconds; Ctrl-C ends that.
@function CreateObject
@string progid `"VirtualServer.Application"` or `"VirtualPC.Application"`, in any letter case;
the accountants of the latter have only the members that Virtual PC documents, and
this module's own
@string[opt] host a libvirt URI, or the name of a host for
`qemu+ssh://NAME/system`; nil for libvirt's default (LIBVIRT_DEFAULT_URI, else
its own choice, which for everyone but root is `qemu:///session` with the user's own
machines: those of the system are on `qemu:///system`)
@tparam[opt] table options `decimal = "integer"|"string"`: counts as integers
where they fit (default), or as decimal strings always; `max_age = seconds`:
how old a sample may be that answers a read (default 0, ask each time);
`not_running = "error"|"zero"`: what the counts of a stopped machine do;
`counters = "auto"|"kernel"|"hypervisor"`: read a local host's counters directly
from the kernel where they are proven to be the same (default), only so, or
never; `timeout = seconds`: how long a call to the host may take before it fails
(default 30, at least 2)
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
    clock_sleep((int64_t)(seconds * (lua_Number)CLOCK_SECOND));
    return 0;
}

/* monotonic_time(): seconds on the monotonic clock. */
static int monotonic_time(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_now() / (lua_Number)CLOCK_SECOND);
    return 1;
}

/***
Compares two counts. A count is a Lua integer up to 2^63-1 and a decimal string
above, which Lua's own `<` and `>` refuse to compare: `vma.compare(a, b) > 0` says
whether a is more than b, whichever of both they are.
@function compare
@tparam integer|string a a count: from 0 to 2^96-1
@tparam integer|string b another
@treturn integer -1 where a is less than b, 0 where they are equal, 1 where it is more
@raise an argument error for anything else
@usage if vma.compare(objAccountant.NetworkBytesSent, "9223372036854775808") > 0 then
*/
static int compare(lua_State *L)
{
    struct decimal a = simulation_check_bytes(L, 1), b = simulation_check_bytes(L, 2);
    int order = decimal_compare(a, b);

    lua_pushinteger(L, (order > 0) - (order < 0));
    return 1;
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

/* terminal_columns(): how wide the terminal is that standard output goes to;
 * nil where it goes elsewhere. */
static int terminal_columns(lua_State *L)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        lua_pushinteger(L, size.ws_col);
    else
        lua_pushnil(L);
    return 1;
}

/* distance(a, b): how far apart two spellings are. */
static int spelling_distance(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)hint_distance(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
    return 1;
}

/* raise_unknown_name(name, message): DISP_E_UNKNOWNNAME. */
static int raise_unknown_name(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    return error_raise(L, name, NULL, HRESULT_DISP_E_UNKNOWNNAME, "%s", luaL_checkstring(L, 2));
}

/* lua_CFunction: what description_push pushes of all classes. */
static int describe_classes(lua_State *L)
{
    description_push(L, classes);
    return 1;
}

/* The class of the object at the index; NULL when it is none of ours. */
static const struct class *class_at(lua_State *L, int index)
{
    const struct class *const *class = classes;

    while (*class != NULL && class_test_object(L, *class, index) == NULL)
        class ++;
    return *class;
}

/* class_of(object): the table of its class; nil where the object is none of ours. */
static int describe_class_of(lua_State *L)
{
    const struct class *class = class_at(L, 1);

    if (class != NULL)
        description_push_class(L, class);
    else
        lua_pushnil(L);
    return 1;
}

/* lua_CFunction: what is left out. */
static int describe_left_out(lua_State *L)
{
    description_push_left_out(L);
    return 1;
}

static const struct class *find_class(lua_State *L, const char *name)
{
    const struct class *const *class = classes;

    while (*class != NULL && (strcmp((*class)->name, name) != 0 || (*class)->larger != NULL))
        class ++;
    luaL_argcheck(L, *class != NULL, 1, "not the name of a class");
    return *class;
}

/* find_member(object or class, name): the name, as it is documented, of the member of
 * the object, or of the class of that name; raises DISP_E_UNKNOWNNAME with the nearest
 * one. */
static int find_member(lua_State *L)
{
    const struct class *class = class_at(L, 1);

    if (class == NULL)
        class = find_class(L, text_check(L, 1, "a class"));
    lua_pushstring(L, class_find_member(L, class, 2)->name);
    return 1;
}

int luaopen_vmaccountant_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"CreateObject", create_object},
        {"new_simulator", simulation_new},
        {"sleep", sleep_seconds},
        {"monotonic_time", monotonic_time},
        {"classes", describe_classes},
        {"left_out", describe_left_out},
        {"class_of", describe_class_of},
        {"find_member", find_member},
        {"stateName", constants_state_name},
        {"unknown_name", constants_index},
        {"terminal_columns", terminal_columns},
        {"distance", spelling_distance},
        {"raise_unknown_name", raise_unknown_name},
        {"compare", compare},
        {NULL, NULL},
    };

    luaL_checkversion(L);
    for (const struct class *const *class = classes; *class != NULL; class ++)
        class_register(L, *class);
    luaL_newlib(L, functions);
    lua_pushliteral(L, "vmaccountant " VMACCOUNTANT_VERSION);
    lua_setfield(L, -2, "_VERSION");
    error_push_hresults(L);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, constants_hresult_index);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "hresult");
    constants_push(L);
    lua_setfield(L, -2, "constants");
    return 1;
}
