/*
 * application: VMVirtualServer, the object that CreateObject makes.
 */
#include "base/text.h"
#include "binding/error.h"
#include "binding/objects.h"
#include "binding/resource.h"
#include "binding/text.h"
#include "libvirt_host/event_loop.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ------------------------------------------------------------------------
 * Options
 * ------------------------------------------------------------------------ */

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

/* ------------------------------------------------------------------------
 * Lifetime
 * ------------------------------------------------------------------------ */

enum { MACHINES = 1, HANDLERS, HOLD, USER_VALUES = HOLD };

/* In the child of a fork the threads and locks of libvirt are in no state to
 * be used, not even to close what is open. */
static bool is_lost_by_fork(const struct host *host)
{
    return !host->driver->is_synchronous && event_loop_is_forked();
}

/* Ends what the host and the accounting do. Their memory stays, for calls that
 * are in progress. Safe at any moment: on a hold that never opened, and twice. */
static void end_work(struct application_hold *hold)
{
    if (!hold->is_open)
        return;
    hold->is_open = false;
    if (is_lost_by_fork(hold->host))
        return;
    accounting_close(hold->accounting);
    host_close(hold->host);
}

static void clear_hold(void *resource)
{
    struct application_hold *hold = resource;

    end_work(hold);
    if (hold->host == NULL || is_lost_by_fork(hold->host))
        return;
    if (hold->accounting != NULL)
        accounting_release(hold->accounting);
    host_release(hold->host);
    hold->accounting = NULL;
    hold->host = NULL;
}

struct application *application_new(lua_State *L)
{
    struct application_hold *hold = resource_new(L, sizeof *hold, clear_hold);
    struct application *application =
        class_new(L, &application_class, sizeof(struct application), USER_VALUES);
    application->hold = hold;
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, HOLD);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_setiuservalue(L, -2, MACHINES);
    return application;
}

void application_open(lua_State *L, struct application *application, struct host *host,
                      const struct application_options *options)
{
    struct application_hold *hold = application->hold;

    hold->host = application->host = host;
    hold->is_open = true;
    hold->accounting = application->accounting = accounting_new(host, options->max_age);
    application->options = *options;
    if (application->accounting == NULL)
        luaL_error(L, "out of memory");
}

/* Closes the application at index 1. The memory goes at once where no call can
 * still work on it, so that a program that opens and closes many of them needs
 * no collector to get its descriptors back. */
static void close_application(lua_State *L, struct application *application)
{
    end_work(application->hold);
    if (class_is_running(L))
        return;
    lua_getiuservalue(L, 1, HOLD);
    resource_clear(L, -1);
    lua_pop(L, 1);
    application->host = NULL;
    application->accounting = NULL;
}

bool application_is_open(const struct application *application)
{
    return application->hold != NULL && application->hold->is_open;
}

void application_check_open(lua_State *L, const struct application *application, const char *member)
{
    if (!application_is_open(application))
        error_raise(L, member, NULL, HRESULT_VM_E_APP_SHUTTING_DOWN,
                    "the application object has been closed");
    if (is_lost_by_fork(application->host))
        error_raise(L, member, NULL, HRESULT_DISP_E_EXCEPTION,
                    "this process is a fork of the one that created the application object; "
                    "libvirt cannot be used here: use it in the parent, or in a new program");
}

void application_warn(lua_State *L, const struct application *application)
{
    struct machine_uuid uuid;
    const char *complaint;
    char text[UUID_TEXT_SIZE];

    while (accounting_take_complaint(application->accounting, &uuid, &complaint)) {
        machine_uuid_format(&uuid, text);
        lua_warning(L, "vmaccountant: the shared baseline of machine ", 1);
        lua_warning(L, text, 1);
        lua_warning(L, " is ignored: ", 1);
        lua_warning(L, complaint, 0);
    }
}

void application_push_decimal(lua_State *L, const struct application *application,
                              struct decimal value)
{
    char text[DECIMAL_TEXT_SIZE];

    if (!application->options.decimal_as_string && decimal_fits_int64(value)) {
        lua_pushinteger(L, (lua_Integer)value.low);
        return;
    }
    size_t length = decimal_format(value, text);
    lua_pushlstring(L, text, length);
}

/* ------------------------------------------------------------------------
 * Members
 * ------------------------------------------------------------------------ */

static void check(lua_State *L, void *object, const char *member)
{
    application_check_open(L, object, member);
}

static int raise(lua_State *L, const char *member, const struct fault *fault)
{
    return class_raise(L, &application_class, member, fault);
}

/***
The name of the product behind the object: `libvirt QEMU`, `libvirt TEST`,
`simulator`. Not the host's name, as in Virtual Server. Asks the host once.
@within VMVirtualServer
@tfield string Name
@raise DISP_E_EXCEPTION when the host does not answer
*/
static int get_name(lua_State *L, void *object)
{
    const struct application *application = object;
    struct product product;
    struct fault fault;

    if (!host_product(application->host, &product, &fault))
        return raise(L, "Name", &fault);
    lua_pushstring(L, product.name);
    return 1;
}

/***
The version of the host's service: for libvirt that of the daemon's library
(virConnectGetLibVersion), as `9.0.0`. Asks the host once.
@within VMVirtualServer
@tfield string Version
@raise DISP_E_EXCEPTION when the host does not answer
*/
static int get_version(lua_State *L, void *object)
{
    const struct application *application = object;
    struct product product;
    struct fault fault;

    if (!host_product(application->host, &product, &fault))
        return raise(L, "Version", &fault);
    lua_pushstring(L, product.version);
    return 1;
}

/***
How long the host's service has been running, in whole seconds. libvirt has no
call for it: on a local QEMU host it is the age of the process, libvirtd or
virtqemud, that this very connection leads to, so that of `qemu:///session` is
the user's own daemon. The test driver counts from the opening of the
connection. Makes no call to the host, but connects again where the connection
was lost.
@within VMVirtualServer
@tfield integer UpTime
@raise DISP_E_EXCEPTION on a remote host, when the host does not answer, and where it cannot be
proven which process the daemon is: it is behind a program that forwards, or one process is
connected to several that the URI may mean
*/
static int get_uptime(lua_State *L, void *object)
{
    const struct application *application = object;
    struct fault fault;
    int64_t seconds;

    if (!host_uptime(application->host, &seconds, &fault))
        return raise(L, "UpTime", &fault);
    lua_pushinteger(L, seconds);
    return 1;
}

static void clear_list(void *list)
{
    machine_list_clear(list);
}

/***
The host's machines, running or not: a snapshot in the order of their names.
Asks the host once.
@within VMVirtualServer
@tfield VMVirtualMachineCollection VirtualMachines
@raise DISP_E_EXCEPTION when the host does not answer
*/
static int get_virtual_machines(lua_State *L, void *object)
{
    struct application *application = object;
    struct machine_list *list = resource_new(L, sizeof *list, clear_list);
    int resource = lua_gettop(L);
    struct fault fault;

    if (!host_list(application->host, list, &fault))
        return raise(L, "VirtualMachines", &fault);
    machine_list_sort(list);
    lua_createtable(L, list->count < INT_MAX ? (int)list->count : 0, 0);
    for (size_t i = 0; i < list->count; i++) {
        machine_push(L, 1, &list->entries[i].uuid, list->entries[i].name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    resource_clear(L, resource);
    collection_push(L, &machine_collection_class, 1, application);
    return 1;
}

/***
The machine of that name, without regard to letter case; the one that has the
very name comes first. Asks the host once, and a second time where no machine
has the very name.
@within VMVirtualServer
@function FindVirtualMachine
@string name
@treturn[1] VMVirtualMachine
@treturn[2] nil when there is no such machine, as Virtual Server returns Nothing
@raise E_POINTER for a missing name; DISP_E_EXCEPTION when several machines
differ from the name in letter case only, or the host does not answer
*/
static int find_virtual_machine(lua_State *L, void *object)
{
    struct application *application = object;
    struct machine_uuid uuid;
    struct fault fault;
    bool found;

    if (lua_isnoneornil(L, 2))
        return error_raise(L, "FindVirtualMachine", NULL, HRESULT_E_POINTER,
                           "the machine's name is missing");
    luaL_checkstring(L, 2); /* a number is made one */
    const char *wanted = text_at(L, 2);
    if (wanted == NULL) {
        lua_pushnil(L);
        return 1;
    }
    if (!host_find(application->host, wanted, &uuid, &found, &fault))
        return raise(L, "FindVirtualMachine", &fault);
    if (!found) {
        lua_pushnil(L);
        return 1;
    }
    char **name = resource_new(L, sizeof *name, resource_free_pointer);
    if (!host_name(application->host, &uuid, name, &fault)) {
        if (fault.code != HRESULT_VM_E_VM_UNKNOWN)
            return raise(L, "FindVirtualMachine", &fault);
        lua_pushnil(L); /* it has gone since it was found */
        return 1;
    }
    machine_push(L, 1, &uuid, *name);
    /* At once: a finalizer that finds no memory for its call is not run. */
    resource_clear(L, -2);
    return 1;
}

/***
The host that the machines are on: its processors, memory and operating system.
Asks nobody until one of its members is read.
@within VMVirtualServer
@tfield VMHostInfo HostInfo
*/
static int get_host_info(lua_State *L, void *object)
{
    (void)object;
    host_info_push(L, 1);
    return 1;
}

static void push_text(lua_State *L, const char *text)
{
    if (text != NULL)
        lua_pushstring(L, text);
    else
        lua_pushnil(L);
}

/* The sources of a host's counters, as they are told; grown by malloc, since
 * the host tells them with its lock held. */
struct source_list {
    struct counter_source *sources;
    size_t count, capacity;
    bool is_incomplete;
    bool has_unproven;
};

static void receive_source(void *context, struct counter_source *source)
{
    struct source_list *list = context;

    list->has_unproven = list->has_unproven || source->is_unproven;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity * 2 + 16;
        struct counter_source *grown = realloc(list->sources, capacity * sizeof *grown);
        if (grown != NULL) {
            list->sources = grown;
            list->capacity = capacity;
        }
    }
    if (list->count < list->capacity) {
        list->sources[list->count++] = *source;
        return;
    }
    list->is_incomplete = true;
    free(source->machine);
    free(source->device);
}

static void clear_sources(void *context)
{
    struct source_list *list = context;
    for (size_t i = 0; i < list->count; i++) {
        free(list->sources[i].machine);
        free(list->sources[i].device);
    }
    free(list->sources);
    *list = (struct source_list){0};
}

/* The first sweep finds the devices and the second proves them, unless that of
 * another thread came between: then it takes one more. What is known is given
 * even while libvirt is down. */
static bool collect_sources(const struct application *application, struct source_list *list,
                            struct fault *fault)
{
    enum { MOST_SWEEPS = 6 };
    struct fault none;
    bool ok = true, is_settled = false;

    for (int sweeps = 0; ok && !is_settled && sweeps < MOST_SWEEPS; sweeps++) {
        ok = accounting_sweep(application->accounting, fault);
        clear_sources(list);
        host_sources(application->host, receive_source, list, &none);
        is_settled = sweeps > 0 && !list->has_unproven;
    }
    return ok;
}

static int compare_sources(const void *a, const void *b)
{
    const char *left = ((const struct counter_source *)a)->machine;
    const char *right = ((const struct counter_source *)b)->machine;
    return machine_name_compare(left != NULL ? left : "", right != NULL ? right : "");
}

enum { SOURCE_COLUMNS = 5 };

static const char *const source_headings[SOURCE_COLUMNS] = {"machine", "adapter", "device (index)",
                                                            "read from", "why"};

/* Pushes what the source at the top of the stack has in that column. */
static void push_source_cell(lua_State *L, int column)
{
    static const char *const fields[SOURCE_COLUMNS] = {"machine", "adapter", "device", "source",
                                                       "reason"};
    int source = lua_gettop(L);

    lua_getfield(L, source, fields[column]);
    if (lua_isnil(L, -1))
        lua_pushliteral(L, "-");
    else
        luaL_tolstring(L, -1, NULL);
    const char *text = lua_tostring(L, -1);
    if (column == 2 && lua_getfield(L, source, "ifindex") != LUA_TNIL)
        lua_pushfstring(L, "%s (%s)", text, luaL_tolstring(L, -1, NULL));
    else if (column == 2)
        lua_pop(L, 1);
    lua_replace(L, source + 1);
    lua_settop(L, source + 1);
}

/* How many characters of UTF-8 the text has. */
static size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

/* A line of the table whose cells are at index 2, one after the other. */
static void add_source_line(lua_State *L, luaL_Buffer *buffer, lua_Integer line,
                            const size_t widths[SOURCE_COLUMNS])
{
    for (int column = 0; column < SOURCE_COLUMNS; column++) {
        lua_rawgeti(L, 2, line * SOURCE_COLUMNS + column + 1);
        size_t width = text_width(lua_tostring(L, -1));
        luaL_addvalue(buffer);
        if (column == SOURCE_COLUMNS - 1)
            break;
        for (; width < widths[column] + 2; width++)
            luaL_addchar(buffer, ' ');
    }
    luaL_addchar(buffer, '\n');
}

/* A heading, and one line for each source. */
static int sources_to_string(lua_State *L)
{
    size_t widths[SOURCE_COLUMNS] = {0};
    luaL_Buffer buffer;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_Integer count = luaL_len(L, 1);
    if (count == 0) {
        lua_pushliteral(L, "no counters are kept: no machine runs, or the host is asked for each "
                           "adapter when it is read\n");
        return 1;
    }
    lua_newtable(L);
    for (lua_Integer line = 0; line <= count; line++) {
        if (line > 0) {
            lua_rawgeti(L, 1, line);
            luaL_argcheck(L, lua_istable(L, -1), 1, "not a table of counter sources");
        }
        for (int column = 0; column < SOURCE_COLUMNS; column++) {
            if (line == 0)
                lua_pushstring(L, source_headings[column]);
            else
                push_source_cell(L, column);
            size_t width = text_width(lua_tostring(L, -1));
            widths[column] = width > widths[column] ? width : widths[column];
            lua_rawseti(L, 2, line * SOURCE_COLUMNS + column + 1);
        }
        lua_settop(L, 2);
    }
    luaL_buffinit(L, &buffer);
    for (lua_Integer line = 0; line <= count; line++)
        add_source_line(L, &buffer, line, widths);
    luaL_pushresult(&buffer);
    return 1;
}

static void push_source(lua_State *L, const struct counter_source *source)
{
    char mac[MAC_TEXT_SIZE];

    mac_format(source->mac, mac);
    lua_createtable(L, 0, 6);
    push_text(L, source->machine);
    lua_setfield(L, -2, "machine");
    lua_pushstring(L, mac);
    lua_setfield(L, -2, "adapter");
    push_text(L, source->device);
    lua_setfield(L, -2, "device");
    if (source->ifindex != 0) {
        lua_pushinteger(L, (lua_Integer)source->ifindex);
        lua_setfield(L, -2, "ifindex");
    }
    lua_pushstring(L, source->source);
    lua_setfield(L, -2, "source");
    lua_pushstring(L, source->reason);
    lua_setfield(L, -2, "reason");
}

/***
Which way the counters of each running machine's adapters are read, and why:
an array of tables with the fields `machine`, `adapter` (its address),
`device`, `ifindex`, `source` (`kernel`, `libvirt`, `simulator`) and `reason`;
tostring gives a table with a heading and a line for each. For people who wonder; it samples all
machines. Empty for a driver that is asked adapter by adapter, and so keeps nothing.
@within VMVirtualServer
@tfield VMCounterSource[] Accounting
@raise DISP_E_EXCEPTION when the host does not answer, and nothing is known
*/
static int get_accounting(lua_State *L, void *object)
{
    const struct application *application = object;
    struct source_list *list = resource_new(L, sizeof *list, clear_sources);
    int resource = lua_gettop(L);
    struct fault fault;

    bool ok = collect_sources(application, list, &fault);
    if (!ok && list->count == 0)
        return raise(L, "Accounting", &fault);
    if (list->is_incomplete)
        return luaL_error(L, "out of memory");
    if (list->count > 0)
        qsort(list->sources, list->count, sizeof *list->sources, compare_sources);
    lua_createtable(L, list->count < INT_MAX ? (int)list->count : 0, 0);
    for (size_t i = 0; i < list->count; i++) {
        push_source(L, &list->sources[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    resource_clear(L, resource);
    if (luaL_newmetatable(L, "vmaccountant.VMAccounting")) {
        lua_pushliteral(L, "VMAccounting");
        lua_setfield(L, -2, "__name");
        lua_pushcfunction(L, sources_to_string);
        lua_setfield(L, -2, "__tostring");
    }
    lua_setmetatable(L, -2);
    return 1;
}

/***
From now on writes each machine's baseline, the counters' values at a reset,
into the live libvirt definition of the machine, where every other process
finds it: a reset is visible only to those that were listening. Returns at
once; a thread of its own writes until the object is closed.
@within VMVirtualServer
@function RecordResets
@raise E_ACCESSDENIED when this user gets no read-write connection
*/
static int record_resets(lua_State *L, void *object)
{
    const struct application *application = object;
    struct fault fault;

    if (!accounting_record_resets(application->accounting, &fault))
        return raise(L, "RecordResets", &fault);
    return 0;
}

/***
Closes the connection. Every member of every object that came from this one
raises VM_E_APP_SHUTTING_DOWN from here on. A second call does nothing.
@within VMVirtualServer
@function Close
*/
static int close_method(lua_State *L, void *object)
{
    close_application(L, object);
    return 0;
}

/* Close must not raise on a closed application, so it stands beside `check`. */
static void check_unless_closing(lua_State *L, void *object, const char *member)
{
    if (strcmp(member, "Close") != 0)
        check(L, object, member);
}

static const struct member members[] = {
    {.name = "Name",
     .get = get_name,
     .type = "string",
     .meaning = "the product's name, such as libvirt QEMU; not the host's"},
    {.name = "Version",
     .get = get_version,
     .type = "string",
     .meaning = "the version of the host's service"},
    {.name = "UpTime",
     .get = get_uptime,
     .type = "integer",
     .unit = "seconds",
     .meaning = "how long the host's service has been running"},
    {.name = "VirtualMachines",
     .get = get_virtual_machines,
     .type = "VMVirtualMachineCollection",
     .meaning = "the machines of now, in the order of their names"},
    {.name = "HostInfo",
     .get = get_host_info,
     .type = "VMHostInfo",
     .meaning = "the host's processors, memory and operating system"},
    {.name = "Accounting",
     .get = get_accounting,
     .type = "VMCounterSource[]",
     .meaning = "how the counters of each adapter are read, and why"},
    {.name = "FindVirtualMachine",
     .call = find_virtual_machine,
     .parameters = "name: string",
     .type = "VMVirtualMachine?",
     .meaning = "the machine of that name in any letter case, or nil"},
    {.name = "Connect",
     .call = application_connect,
     .parameters = "handlers: VMEventHandlers",
     .meaning = "from now on keeps what happens to machines for WaitForEvents"},
    {.name = "WaitForEvents",
     .call = application_wait_for_events,
     .parameters = "milliseconds: integer",
     .type = "integer",
     .meaning = "calls the handlers for what has happened, and waits for the first if nothing has; "
                "how many were called"},
    {.name = "RecordResets",
     .call = record_resets,
     .meaning = "from now on writes the baseline of each reset for other processes"},
    {.name = "Close",
     .call = close_method,
     .meaning = "closes the connection; also at the end of the scope of a <close> variable"},
    {.name = NULL},
};

static int collect(lua_State *L)
{
    struct application *application = class_test_object(L, &application_class, 1);
    if (application != NULL && application->hold != NULL)
        close_application(L, application);
    return 0;
}

static int to_string(lua_State *L)
{
    const struct application *application = class_check_argument(L, &application_class, 1);
    lua_pushfstring(L, "VMVirtualServer (%s)",
                    application_is_open(application) ? application->host->uri : "closed");
    return 1;
}

static int equal(lua_State *L)
{
    const struct application *a = class_test_object(L, &application_class, 1);
    const struct application *b = class_test_object(L, &application_class, 2);
    lua_pushboolean(L, a != NULL && a == b);
    return 1;
}

static const luaL_Reg metamethods[] = {
    {"__gc", collect}, {"__close", collect}, {"__tostring", to_string},
    {"__eq", equal},   {NULL, NULL},
};

const struct class application_class = {
    .name = "VMVirtualServer",
    .meaning = "a host, as CreateObject gives it",
    .written = "objVS",
    .neighbours = (const struct class *const[]){&machine_class, &accountant_class, &host_info_class,
                                                &adapter_class, NULL},
    .members = members,
    .check = check_unless_closing,
    .metamethods = metamethods,
};
