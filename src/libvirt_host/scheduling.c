#include "libvirt_host/scheduling.h"

#include "libvirt_host/call.h"
#include "libvirt_host/domain.h"
#include "libvirt_host/error.h"
#include "libvirt_host/known_domain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The defaults of a group, in either version of cgroups. */
enum { DEFAULT_SHARES = 1024, DEFAULT_WEIGHT = 100 };

/* libvirt's scheduler parameters of a domain; 0 for those it does not report. */
struct parameters {
    const char *weight_name; /* cpu_shares, or weight in other drivers; NULL for none */
    long long weight;
    bool has_quota;
    long long quota, global_quota; /* -1 or 0 for none */
    unsigned long long period, global_period;
};

static void read_parameters(const virTypedParameter *list, int count, struct parameters *parameters)
{
    for (int i = 0; i < count; i++) {
        const virTypedParameter *one = &list[i];
        const char *name = one->field;
        /* The test driver's weight is an unsigned int, QEMU's shares a long. */
        long long number = one->type == VIR_TYPED_PARAM_ULLONG  ? (long long)one->value.ul
                           : one->type == VIR_TYPED_PARAM_LLONG ? one->value.l
                           : one->type == VIR_TYPED_PARAM_UINT  ? (long long)one->value.ui
                           : one->type == VIR_TYPED_PARAM_INT   ? one->value.i
                                                                : 0;
        if (strcmp(name, VIR_DOMAIN_SCHEDULER_CPU_SHARES) == 0 ||
            strcmp(name, VIR_DOMAIN_SCHEDULER_WEIGHT) == 0) {
            parameters->weight_name = strcmp(name, VIR_DOMAIN_SCHEDULER_WEIGHT) == 0
                                          ? VIR_DOMAIN_SCHEDULER_WEIGHT
                                          : VIR_DOMAIN_SCHEDULER_CPU_SHARES;
            parameters->weight = number;
        } else if (strcmp(name, VIR_DOMAIN_SCHEDULER_VCPU_QUOTA) == 0) {
            parameters->has_quota = true;
            parameters->quota = number;
        } else if (strcmp(name, VIR_DOMAIN_SCHEDULER_VCPU_PERIOD) == 0) {
            parameters->period = (unsigned long long)number;
        } else if (strcmp(name, VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA) == 0) {
            parameters->global_quota = number;
        } else if (strcmp(name, VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD) == 0) {
            parameters->global_period = (unsigned long long)number;
        }
    }
}

static bool ask_for_parameters(virDomainPtr domain, struct parameters *parameters,
                               struct fault *fault)
{
    static const char failed[] = "the machine's scheduler parameters cannot be read";
    int count = 0;
    char *type = virDomainGetSchedulerType(domain, &count);

    *parameters = (struct parameters){0};
    if (type == NULL)
        return libvirt_error_fault(fault, failed, HRESULT_DISP_E_EXCEPTION);
    free(type);
    virTypedParameterPtr list = calloc((size_t)count + 1, sizeof *list);
    if (list == NULL)
        return fault_out_of_memory(fault);
    /* As it runs, or, when it does not, as it will. Libvirt's client adds a flag
     * to the call that has flags, which the test driver refuses. */
    bool ok = virDomainGetSchedulerParameters(domain, list, &count) == 0;
    if (ok)
        read_parameters(list, count, parameters);
    else
        libvirt_error_fault(fault, failed, HRESULT_DISP_E_EXCEPTION);
    virTypedParamsClear(list, count);
    free(list);
    return ok;
}

static bool count_processors(virDomainPtr domain, struct scheduling *scheduling,
                             struct fault *fault)
{
    virDomainInfo info;
    virNodeInfo node;

    if (virDomainGetInfo(domain, &info) < 0)
        return libvirt_error_fault(fault, "the machine's processors cannot be counted",
                                   HRESULT_DISP_E_EXCEPTION);
    if (virNodeGetInfo(virDomainGetConnect(domain), &node) < 0)
        return libvirt_error_fault(fault, "the host's processors cannot be counted",
                                   HRESULT_DISP_E_EXCEPTION);
    scheduling->processors = info.nrVirtCpu > 0 ? info.nrVirtCpu : 1;
    scheduling->host_processors = node.cpus > 0 ? node.cpus : 1;
    return true;
}

/* The least of what the quotas allow, and of what the processors can do. A
 * quota that was never set is 0 in a definition and -1 in a running machine. */
static double maximum_of(const struct parameters *parameters, const struct scheduling *scheduling)
{
    double maximum = scheduling_allowable_maximum(scheduling);

    if (parameters->quota > 0 && parameters->period > 0) {
        double limit = scheduling_percent(parameters->quota, parameters->period,
                                          scheduling->processors, scheduling->host_processors);
        maximum = limit < maximum ? limit : maximum;
    }
    if (parameters->global_quota > 0 && parameters->global_period > 0) {
        double limit = scheduling_percent(parameters->global_quota, parameters->global_period, 1,
                                          scheduling->host_processors);
        maximum = limit < maximum ? limit : maximum;
    }
    return maximum;
}

/* The weight of a machine's start where its definition has none, for which
 * libvirt reports 0. Another host's version of cgroups cannot be seen: hardly any
 * has the old one. */
static long long default_weight(const struct libvirt_host *self)
{
    bool is_first_version =
        self->is_local_qemu && access("/sys/fs/cgroup/cgroup.controllers", F_OK) != 0;

    return is_first_version ? DEFAULT_SHARES : DEFAULT_WEIGHT;
}

static bool read_scheduling(const struct libvirt_host *self, virDomainPtr domain,
                            struct scheduling *scheduling, struct fault *fault)
{
    struct parameters parameters;

    *scheduling = (struct scheduling){0};
    if (!ask_for_parameters(domain, &parameters, fault) ||
        !count_processors(domain, scheduling, fault))
        return false;
    scheduling->can_limit = parameters.has_quota;
    scheduling->maximum = maximum_of(&parameters, scheduling);
    scheduling->weight = parameters.weight_name != NULL && parameters.weight <= 0
                             ? default_weight(self)
                             : parameters.weight;
    return true;
}

bool libvirt_scheduling(struct host *host, const struct machine_uuid *uuid,
                        struct scheduling *scheduling, struct fault *fault)
{
    struct libvirt_call call;

    call_begin(&call, &libvirt_host(host)->bound);
    virDomainPtr domain = known_domain_open(libvirt_host(host), uuid, fault);
    bool ok = domain != NULL && read_scheduling(libvirt_host(host), domain, scheduling, fault);
    if (domain != NULL)
        virDomainFree(domain);
    return call_end(&call, ok, fault);
}

static bool add_weight(virTypedParameterPtr *list, int *count, int *capacity, const char *name,
                       long long weight)
{
    if (name == NULL)
        return true;
    if (strcmp(name, VIR_DOMAIN_SCHEDULER_WEIGHT) == 0)
        return virTypedParamsAddUInt(list, count, capacity, name, (unsigned)weight) == 0;
    return virTypedParamsAddULLong(list, count, capacity, name, (unsigned long long)weight) == 0;
}

/* The test driver knows no flags: its machines are all it has. */
static bool set_parameters(const struct libvirt_host *self, virDomainPtr domain,
                           virTypedParameterPtr list, int count)
{
    unsigned flags = (virDomainIsActive(domain) == 1 ? VIR_DOMAIN_AFFECT_LIVE : 0u) |
                     (virDomainIsPersistent(domain) == 1 ? VIR_DOMAIN_AFFECT_CONFIG : 0u);
    if (self->is_in_process)
        return virDomainSetSchedulerParameters(domain, list, count) == 0;
    return virDomainSetSchedulerParametersFlags(domain, list, count, flags) == 0;
}

static bool write_scheduling(const struct libvirt_host *self, virDomainPtr domain,
                             const struct scheduling *scheduling, struct fault *fault)
{
    struct parameters present;
    virTypedParameterPtr list = NULL;
    int count = 0, capacity = 0;
    unsigned long long period;
    long long quota = scheduling_quota(scheduling, &period);

    if (!ask_for_parameters(domain, &present, fault))
        return false;
    bool ok = add_weight(&list, &count, &capacity, present.weight_name, scheduling->weight);
    if (present.has_quota)
        ok = ok &&
             virTypedParamsAddULLong(&list, &count, &capacity, VIR_DOMAIN_SCHEDULER_VCPU_PERIOD,
                                     period) == 0 &&
             virTypedParamsAddLLong(&list, &count, &capacity, VIR_DOMAIN_SCHEDULER_VCPU_QUOTA,
                                    quota) == 0;
    if (!ok)
        fault_out_of_memory(fault);
    else if (!set_parameters(self, domain, list, count)) {
        ok = libvirt_error_fault(fault, "the machine's scheduler parameters cannot be set",
                                 HRESULT_DISP_E_EXCEPTION);
        /* The host's own limits: cgroups of version 1 know no weight of 1. */
        if (virGetLastErrorCode() == VIR_ERR_INVALID_ARG)
            fault->code = HRESULT_E_INVALIDARG;
    }
    virTypedParamsFree(list, count);
    return ok;
}

bool libvirt_set_scheduling(struct host *host, const struct machine_uuid *uuid,
                            const struct scheduling *scheduling, struct fault *fault)
{
    struct libvirt_call call;

    call_begin(&call, &libvirt_host(host)->bound);
    virDomainPtr domain = domain_open(libvirt_host(host), READ_WRITE, uuid, fault);
    bool ok = domain != NULL && write_scheduling(libvirt_host(host), domain, scheduling, fault);
    if (domain != NULL)
        virDomainFree(domain);
    return call_end(&call, ok, fault);
}
