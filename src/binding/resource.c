#include "binding/resource.h"

#include <lauxlib.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char RESOURCE[] = "vmaccountant.resource";

struct resource {
    void (*clear)(void *);
    max_align_t bytes[];
};

static int collect(lua_State *L)
{
    if (luaL_testudata(L, 1, RESOURCE) != NULL)
        resource_clear(L, 1);
    return 0;
}

void *resource_new(lua_State *L, size_t size, void (*clear)(void *))
{
    struct resource *resource = lua_newuserdatauv(L, sizeof *resource + size, 0);
    memset(resource, 0, sizeof *resource + size);
    if (luaL_newmetatable(L, RESOURCE)) {
        lua_pushcfunction(L, collect);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    resource->clear = clear;
    return resource->bytes;
}

void resource_clear(lua_State *L, int index)
{
    struct resource *resource = lua_touserdata(L, index);
    if (resource->clear == NULL)
        return;
    resource->clear(resource->bytes);
    resource->clear = NULL;
}

void resource_free_pointer(void *pointer)
{
    free(*(void **)pointer);
}
