/*
 * error: Lua error objects with the codes of Virtual Server.
 *
 * An error is a table with the fields name ("S_FALSE"), hresult (1), message,
 * member ("NetworkBytesSent"), machine (its name), where ("script.lua:3:")
 * and cause ({ code, domain, message } of libvirt), each absent where it has
 * no value. tostring returns one line.
 */
#ifndef VMACCOUNTANT_BINDING_ERROR_H
#define VMACCOUNTANT_BINDING_ERROR_H

#include "base/fault.h"

#include <lua.h>

/* Raises the fault; member and machine may be NULL. Never returns. */
int error_raise_fault(lua_State *L, const char *member, const char *machine,
                      const struct fault *fault);

/* Raises a fault made on the spot. Never returns. */
int error_raise(lua_State *L, const char *member, const char *machine, enum hresult code,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Whether the value at the index is an error object. [-0, +0, -] */
bool error_is(lua_State *L, int index);

/* Pushes the table of all codes by name. [-0, +1, m] */
void error_push_hresults(lua_State *L);

#endif
