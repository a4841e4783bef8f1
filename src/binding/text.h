/*
 * text: what Lua gives as a text. A string of Lua has a length and may have any
 * bytes; what C compares, keeps or hands on is UTF-8 that ends with its NUL.
 */
#ifndef VMACCOUNTANT_BINDING_TEXT_H
#define VMACCOUNTANT_BINDING_TEXT_H

#include <lua.h>

/* The string at the index, as long as it stays there. NULL for what is no
 * string, has a NUL in it or is not UTF-8: it is no name of anything.
 * [-0, +0, -] */
const char *text_at(lua_State *L, int index);

/* The same of an argument, for what is kept or handed on: raises an argument
 * error that says what it is. A number will do, as everywhere in Lua.
 * [-0, +0, e] */
const char *text_check(lua_State *L, int index, const char *what);

/* Pushes the value at the index as a text for a message, in which the bytes that
 * are in no text are escaped: it is the value's own name for those only that
 * text_at takes. [-0, +1, e] */
const char *text_push_shown(lua_State *L, int index);

#endif
