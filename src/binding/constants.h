/*
 * constants: the numbers that Virtual Server has names for, and the errors for
 * unknown names.
 *
 * A misspelt constant would be nil, and every comparison with it false: so it
 * is an error. Other names stay nil, so that a script can test for them.
 */
#ifndef VMACCOUNTANT_BINDING_CONSTANTS_H
#define VMACCOUNTANT_BINDING_CONSTANTS_H

#include <lua.h>

/* Pushes a table of the enumerations' values by their names. [-0, +1, m] */
void constants_push(lua_State *L);

/* lua_CFunction, __index of the module's table: nil, or DISP_E_UNKNOWNNAME for
 * a name that begins as a constant's does. */
int constants_index(lua_State *L);

/* lua_CFunction, __index of the table of result codes: the same for a name
 * that begins as a code's does. */
int constants_hresult_index(lua_State *L);

/* lua_CFunction: a state's name. */
int constants_state_name(lua_State *L);

#endif
