/*
 * accountant: what the files of VMAccountant share.
 *
 * accountant.c            the object and its counts
 * accountant_processor.c  how busy the processors are, and their scheduling
 */
#ifndef VMACCOUNTANT_BINDING_ACCOUNTANT_H
#define VMACCOUNTANT_BINDING_ACCOUNTANT_H

#include "binding/objects.h"

static inline struct application *accountant_application(const struct call *call)
{
    return ((const struct accountant_object *)call->object)->machine->application;
}

static inline const struct machine_uuid *accountant_uuid(const struct call *call)
{
    return &((const struct accountant_object *)call->object)->machine->uuid;
}

/* A member of a machine that is not running: an error, or the 0 that scripts
 * for Virtual Server saw. */
static inline bool accountant_reads_zero(const struct call *call, const struct fault *fault)
{
    return fault->code == HRESULT_S_FALSE &&
           accountant_application(call)->options.zero_when_not_running;
}

/* accountant_processor.c: members, as in class.h. */
int accountant_get_cpu_utilization(lua_State *L, const struct call *call);
int accountant_get_cpu_utilization_history(lua_State *L, const struct call *call);
int accountant_get_maximum_system_capacity(lua_State *L, const struct call *call);
int accountant_get_reserved_system_capacity(lua_State *L, const struct call *call);
int accountant_get_relative_weight(lua_State *L, const struct call *call);
int accountant_get_allowable_maximum_system_capacity(lua_State *L, const struct call *call);
int accountant_get_allowable_reserved_system_capacity(lua_State *L, const struct call *call);
int accountant_set_scheduling_parameters(lua_State *L, const struct call *call);

#endif
