/*
 * counter_sources: Accounting of VMVirtualServer: how each adapter's counters are
 * read.
 */
#include "binding/error.h"
#include "binding/objects.h"
#include "binding/resource.h"
#include "host/adapter.h"
#include "host/name.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdlib.h>

/* The sources of a host's counters, in the order of their arrival; grown by malloc,
 * since the host holds its lock meanwhile. */
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

/* The first sweep finds the devices and the second proves them, unless another
 * thread's came between: then it takes one more. What is known is returned even
 * while libvirt is down. */
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
    lua_pushstring(L, source->machine);
    lua_setfield(L, -2, "machine");
    lua_pushstring(L, mac);
    lua_setfield(L, -2, "adapter");
    lua_pushstring(L, source->device);
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
How the counters of each running machine's adapters are read, and why: an array
of tables with the fields `machine`, `adapter` (its address), `device`,
`ifindex`, `source` (`kernel`, `libvirt`, `simulator`) and `reason`; tostring
returns a table with a heading and a line for each. A diagnosis: it samples all
machines. Empty for a driver that is read adapter by adapter, and so keeps nothing.
@within VMVirtualServer
@tfield VMCounterSource[] Accounting
@raise DISP_E_EXCEPTION when the host does not answer, and nothing is known
*/
int application_get_accounting(lua_State *L, const struct call *call)
{
    const struct application *application = call->object;
    struct source_list *list = resource_new(L, sizeof *list, clear_sources);
    int resource = lua_gettop(L);
    struct fault fault;

    bool ok = collect_sources(application, list, &fault);
    if (!ok && list->count == 0)
        return class_raise_fault(L, call, &fault);
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
