/*
 * description: the tables of members as Lua tables, for help and editors.
 */
#ifndef VMACCOUNTANT_BINDING_DESCRIPTION_H
#define VMACCOUNTANT_BINDING_DESCRIPTION_H

#include "binding/class.h"

/* Pushes a table of the class: name, meaning, written and members, an array of
 * tables with name, kind ("property" or "method"), type, parameters, unit,
 * meaning and writable, each absent where there is none. [-0, +1, m] */
void description_push_class(lua_State *L, const struct class *class);

/* Pushes an array of such tables. Of two classes that share a name it has the
 * larger one. The array of classes ends with NULL. [-0, +1, m] */
void description_push(lua_State *L, const struct class *const *classes);

/* Pushes an array of what is left out: class, name and way. [-0, +1, m] */
void description_push_left_out(lua_State *L);

#endif
