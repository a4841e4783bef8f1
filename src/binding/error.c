#include "binding/error.h"

#include <lauxlib.h>
#include <stdio.h>

static const char ERROR[] = "vmaccountant.VMError";

static void set_text(lua_State *L, const char *field, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
}

static void push_cause(lua_State *L, const struct fault *fault)
{
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, fault->cause_code);
    lua_setfield(L, -2, "code");
    lua_pushinteger(L, fault->cause_domain);
    lua_setfield(L, -2, "domain");
    set_text(L, "message", fault->cause);
}

/* Adds the text with its control characters escaped, so that a machine's name
 * with a newline in it still gives one line. */
static void add_line(luaL_Buffer *buffer, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f) {
            char escape[8];
            snprintf(escape, sizeof escape, "\\x%02x", c);
            luaL_addstring(buffer, escape);
        } else {
            luaL_addchar(buffer, *text);
        }
    }
}

/* Leaves the field's value on the stack for the text to stay alive. */
static const char *push_field(lua_State *L, const char *field)
{
    lua_getfield(L, 1, field);
    return lua_tostring(L, -1);
}

static int to_string(lua_State *L)
{
    luaL_Buffer buffer;
    char number[16];

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    const char *where = push_field(L, "where");
    const char *machine = push_field(L, "machine");
    const char *member = push_field(L, "member");
    const char *message = push_field(L, "message");
    const char *name = push_field(L, "name");
    lua_getfield(L, 1, "hresult");
    snprintf(number, sizeof number, "0x%08X", (unsigned)lua_tointeger(L, -1));

    luaL_buffinit(L, &buffer);
    if (where != NULL) {
        add_line(&buffer, where);
        luaL_addchar(&buffer, ' ');
    }
    if (machine != NULL) {
        add_line(&buffer, machine);
        luaL_addstring(&buffer, ": ");
    }
    if (member != NULL) {
        add_line(&buffer, member);
        luaL_addstring(&buffer, ": ");
    }
    add_line(&buffer, message != NULL ? message : "unknown error");
    luaL_addstring(&buffer, " (");
    add_line(&buffer, name != NULL ? name : "HRESULT");
    luaL_addchar(&buffer, ' ');
    luaL_addstring(&buffer, number);
    luaL_addchar(&buffer, ')');
    luaL_pushresult(&buffer);
    return 1;
}

static void push_metatable(lua_State *L)
{
    if (luaL_newmetatable(L, ERROR)) {
        lua_pushliteral(L, "VMError");
        lua_setfield(L, -2, "__name");
        lua_pushcfunction(L, to_string);
        lua_setfield(L, -2, "__tostring");
    }
}

bool error_is(lua_State *L, int index)
{
    if (!lua_istable(L, index) || !lua_getmetatable(L, index))
        return false;
    luaL_getmetatable(L, ERROR);
    bool is = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is;
}

int error_raise_fault(lua_State *L, const char *member, const char *machine,
                      const struct fault *fault)
{
    lua_createtable(L, 0, 7);
    set_text(L, "name", hresult_name(fault->code));
    lua_pushinteger(L, (lua_Integer)(uint32_t)fault->code);
    lua_setfield(L, -2, "hresult");
    set_text(L, "message", fault->message);
    set_text(L, "member", member);
    set_text(L, "machine", machine);
    if (fault->cause[0] != '\0') {
        push_cause(L, fault);
        lua_setfield(L, -2, "cause");
    }
    luaL_where(L, 1);
    const char *where = lua_tostring(L, -1);
    size_t length = lua_rawlen(L, -1);
    if (length > 0) { /* without the space that luaL_where ends with */
        lua_pushlstring(L, where, length - 1);
        lua_setfield(L, -3, "where");
    }
    lua_pop(L, 1);
    push_metatable(L);
    lua_setmetatable(L, -2);
    return lua_error(L);
}

int error_raise(lua_State *L, const char *member, const char *machine, enum hresult code,
                const char *format, ...)
{
    struct fault fault;
    va_list arguments;

    va_start(arguments, format);
    fault_set_list(&fault, code, format, arguments);
    va_end(arguments);
    return error_raise_fault(L, member, machine, &fault);
}

void error_push_hresults(lua_State *L)
{
    lua_newtable(L);
    for (const struct hresult_entry *entry = hresult_table; entry->name != NULL; entry++) {
        lua_pushinteger(L, entry->number);
        lua_setfield(L, -2, entry->name);
    }
}
