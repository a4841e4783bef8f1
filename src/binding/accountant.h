/*
 * accountant: what the files of VMAccountant share.
 *
 * accountant.c            the object and its counts
 * accountant_processor.c  how busy the processors are, and their scheduling
 */
#ifndef VMACCOUNTANT_BINDING_ACCOUNTANT_H
#define VMACCOUNTANT_BINDING_ACCOUNTANT_H

#include "binding/objects.h"

struct application *accountant_application(const void *object);
const struct machine_uuid *accountant_uuid(const void *object);

/* Raises the fault for a member of the accountant at index 1. Never returns. */
int accountant_raise(lua_State *L, const char *member, const struct fault *fault);

/* A member of a machine that is not running: an error, or the 0 that scripts
 * for Virtual Server saw. */
bool accountant_reads_zero(const void *object, const struct fault *fault);

/* accountant_processor.c: members, as in class.h. */
int accountant_get_cpu_utilization(lua_State *L, void *object);
int accountant_get_cpu_utilization_history(lua_State *L, void *object);
int accountant_get_maximum_system_capacity(lua_State *L, void *object);
int accountant_get_reserved_system_capacity(lua_State *L, void *object);
int accountant_get_relative_weight(lua_State *L, void *object);
int accountant_get_allowable_maximum_system_capacity(lua_State *L, void *object);
int accountant_get_allowable_reserved_system_capacity(lua_State *L, void *object);
int accountant_set_scheduling_parameters(lua_State *L, void *object);

#endif
