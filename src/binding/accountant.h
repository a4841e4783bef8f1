/*
 * accountant: what the files of VMAccountant share.
 *
 * accountant.c            the object and its counts
 * accountant_processor.c  how busy the processors are, and their scheduling
 */
#ifndef VMACCOUNTANT_BINDING_ACCOUNTANT_H
#define VMACCOUNTANT_BINDING_ACCOUNTANT_H

#include "binding/error.h"
#include "binding/objects.h"

static inline struct application *accountant_application(const void *object)
{
    return ((const struct accountant_object *)object)->machine->application;
}

static inline const struct machine_uuid *accountant_uuid(const void *object)
{
    return &((const struct accountant_object *)object)->machine->uuid;
}

/* Raises the fault for a member of the accountant at index 1. Never returns. */
static inline int accountant_raise(lua_State *L, const char *member, const struct fault *fault)
{
    return error_raise_fault(L, member, machine_name_of_part(L, 1), fault);
}

/* A member of a machine that is not running: an error, or the 0 that scripts
 * for Virtual Server saw. */
static inline bool accountant_reads_zero(const void *object, const struct fault *fault)
{
    return fault->code == HRESULT_S_FALSE &&
           accountant_application(object)->options.zero_when_not_running;
}

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
