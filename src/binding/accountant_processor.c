/*
 * accountant_processor: the members of VMAccountant for the use of a machine's
 * processors and their scheduling.
 */
#include "binding/accountant.h"
#include "binding/error.h"

#include <lauxlib.h>

static struct utilization read_utilization(lua_State *L, const struct call *call)
{
    struct utilization utilization;
    struct fault fault;

    if (!accounting_utilization(accountant_application(call)->accounting, accountant_uuid(call),
                                &utilization, &fault)) {
        if (!accountant_reads_zero(call, &fault))
            class_raise_fault(L, call, &fault);
        utilization = (struct utilization){0};
    }
    return utilization;
}

/***
How busy the machine's processors are: the processor time that its hypervisor
process used in the last sampled second, in percent of what its virtual
processors could have used, 0 to 100 and whole. From the first request on a
thread samples all machines of the host once a second, at no cost to the
machines; so the interval is one second that ended at most a second ago. The
first request, and the first for a machine that has just started, blocks for
the quarter of a second that the first interval takes. What the hypervisor
itself needs, to emulate devices say, counts too, up to 100. A paused machine
reads 0. Documented in IVMAccountant.
@within VMAccountant
@tfield integer CPUUtilization
@raise S_FALSE when the machine is not running (unless `not_running` is
`"zero"`); VM_E_VM_UNKNOWN; DISP_E_EXCEPTION when the host does not answer
*/
int accountant_get_cpu_utilization(lua_State *L, const struct call *call)
{
    struct utilization utilization = read_utilization(L, call);
    lua_pushinteger(L, utilization.latest);
    return 1;
}

/***
How busy the machine's processors were in each second of the last minute: a
table of exactly 60 whole percents, oldest first, as CPUUtilization counts them.
Sampled from the first request for it, or for CPUUtilization, on, and from the
machine's start; the seconds before are 0. The last is what CPUUtilization gives:
so the first request blocks as that of CPUUtilization does, and has one value,
of a second that has just begun. Seconds without a sample have the average of
the time between. Continues through a reset. Virtual Server gave 60 zeros with
S_FALSE for a machine that is not running: so does `not_running = "zero"`.
@within VMAccountant
@tfield {integer,...} CPUUtilizationHistory
@raise as CPUUtilization
*/
int accountant_get_cpu_utilization_history(lua_State *L, const struct call *call)
{
    struct utilization utilization = read_utilization(L, call);

    lua_createtable(L, UTILIZATION_SECONDS, 0);
    for (int i = 0; i < UTILIZATION_SECONDS; i++) {
        lua_pushinteger(L, utilization.history[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static struct scheduling read_scheduling(lua_State *L, const struct call *call)
{
    struct scheduling scheduling;
    struct fault fault;

    if (!accounting_scheduling(accountant_application(call)->accounting, accountant_uuid(call),
                               &scheduling, &fault))
        class_raise_fault(L, call, &fault);
    return scheduling;
}

/***
The percent of the whole host's processors that the machine may use at most: the
quota that libvirt's `vcpu_quota` and `vcpu_period` give each of its virtual
processors, times their number, or what `global_quota` leaves, if that is less.
Without a quota it is AllowableMaximumSystemCapacity. Of a machine that runs it is
what holds now, else what will at its start. Asks the host, unless an answer is at
most `max_age` old.
@within VMAccountant
@tfield number MaximumSystemCapacity
@raise VM_E_VM_UNKNOWN; DISP_E_EXCEPTION where the host does not know, as without
the cgroup controller cpu
*/
int accountant_get_maximum_system_capacity(lua_State *L, const struct call *call)
{
    lua_pushnumber(L, read_scheduling(L, call).maximum);
    return 1;
}

static int push_no_reserve(lua_State *L, const struct call *call)
{
    struct fault fault;

    if (!accounting_has_machine(accountant_application(call)->accounting, accountant_uuid(call),
                                &fault))
        class_raise_fault(L, call, &fault);
    lua_pushnumber(L, 0);
    return 1;
}

/***
The percent of the whole host's processors that the machine is guaranteed. The
schedulers behind libvirt share by weight and cannot reserve anything, so this
is always 0. Asks the host whether there is the machine, unless a sample is at most
`max_age` old.
@within VMAccountant
@tfield number ReservedSystemCapacity
@raise VM_E_VM_UNKNOWN; DISP_E_EXCEPTION when the host does not answer
*/
int accountant_get_reserved_system_capacity(lua_State *L, const struct call *call)
{
    return push_no_reserve(L, call);
}

/***
The machine's weight among those that want a processor at the same time: one of
twice the weight gets twice the time. It is libvirt's `cpu_shares` (with other
drivers, `weight`) as it stands, for all machines of a host to be compared by.
Unless it was set it is 100, Virtual Server's own, on a host with cgroups of
version 2, and 1024 on one with version 1, whose shares go up to 262144 where
libvirt's tools set them. Asks the host as MaximumSystemCapacity does.
@within VMAccountant
@tfield integer RelativeWeight
@raise as MaximumSystemCapacity
*/
int accountant_get_relative_weight(lua_State *L, const struct call *call)
{
    lua_pushinteger(L, read_scheduling(L, call).weight);
    return 1;
}

/***
The largest MaximumSystemCapacity that can be set: the percent of the host's
processors that the machine's virtual ones can keep busy. Of a machine with one
processor that is 100 divided by the host's, as Virtual Server documents; one with
n can use n times that, up to 100. Asks the host as MaximumSystemCapacity does.
@within VMAccountant
@tfield number AllowableMaximumSystemCapacity
@raise as MaximumSystemCapacity
*/
int accountant_get_allowable_maximum_system_capacity(lua_State *L, const struct call *call)
{
    struct scheduling scheduling = read_scheduling(L, call);
    lua_pushnumber(L, scheduling_allowable_maximum(&scheduling));
    return 1;
}

/***
The largest ReservedSystemCapacity that can be set: 0, since the schedulers
behind libvirt cannot reserve anything. Asks the host as ReservedSystemCapacity
does.
@within VMAccountant
@tfield number AllowableReservedSystemCapacity
@raise as ReservedSystemCapacity
*/
int accountant_get_allowable_reserved_system_capacity(lua_State *L, const struct call *call)
{
    return push_no_reserve(L, call);
}

/* Numbers, or the text of one: scripts for Virtual Server pass what was typed. */
static void check_present(lua_State *L, const struct call *call, int index, const char *argument)
{
    if (lua_isnoneornil(L, index))
        error_raise(L, call->member->name, NULL, HRESULT_E_POINTER,
                    "the argument '%s' is missing, as in accountant:SetSchedulingParameters("
                    "reserved, maximum, weight)",
                    argument);
}

/***
Sets how the machine's processors are scheduled, from now on and for its next
starts. The maximum becomes libvirt's `vcpu_quota`, in a `vcpu_period` of a tenth
of a second (of a whole one where the quota would be below the kernel's least),
and none at all when it is AllowableMaximumSystemCapacity; the weight becomes
`cpu_shares`. Opens a read-write connection at its first use. On an error nothing
is changed.
@within VMAccountant
@function SetSchedulingParameters
@tparam number|string reserved percent of the host: 0, see ReservedSystemCapacity
@tparam number|string maximum percent of the host, from 1 to
AllowableMaximumSystemCapacity
@tparam integer|string weight from 1 to 10000; on a host with cgroups of version
1, from 2
@raise E_INVALIDARG for a number out of its range, a reserve above the maximum, a
reserve other than 0, and a limit where the host has none (libvirt's test
driver); E_POINTER for a missing argument; VM_E_VM_UNKNOWN; E_ACCESSDENIED
*/
int accountant_set_scheduling_parameters(lua_State *L, const struct call *call)
{
    struct fault fault;

    check_present(L, call, 2, "reserved");
    check_present(L, call, 3, "maximum");
    check_present(L, call, 4, "weight");
    const struct scheduling wanted = {.reserved = luaL_checknumber(L, 2),
                                      .maximum = luaL_checknumber(L, 3),
                                      .weight = luaL_checkinteger(L, 4)};
    if (!accounting_set_scheduling(accountant_application(call)->accounting, accountant_uuid(call),
                                   &wanted, &fault))
        return class_raise_fault(L, call, &fault);
    return 0;
}
