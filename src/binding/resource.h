/*
 * resource: memory or a handle of C in a userdata, so that a Lua error between its
 * creation and its release leaks nothing.
 */
#ifndef VMACCOUNTANT_BINDING_RESOURCE_H
#define VMACCOUNTANT_BINDING_RESOURCE_H

#include <lua.h>
#include <stddef.h>

/* Pushes a userdata with `size` zeroed bytes for the caller to fill, and
 * returns them. `clear` is called on them once: by resource_clear, or when
 * the userdata is collected. [-0, +1, m] */
void *resource_new(lua_State *L, size_t size, void (*clear)(void *));

/* Clears the resource at the index now. [-0, +0, -] */
void resource_clear(lua_State *L, int index);

/* A `clear` for a resource that is one pointer from malloc. */
void resource_free_pointer(void *pointer);

#endif
