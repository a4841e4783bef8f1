#include "libvirt_host/counters.h"

#include "libvirt_host/call.h"
#include "libvirt_host/domain.h"
#include "libvirt_host/domain_sample.h"
#include "libvirt_host/error.h"
#include "libvirt_host/kernel_proof.h"
#include "libvirt_host/kernel_sample.h"
#include "libvirt_host/known_domain.h"
#include "libvirt_host/learning.h"

#include <stdlib.h>

static const unsigned BULK_STATISTICS = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_INTERFACE;

/* Without ENFORCE_STATS a driver that has no interface statistics answers with
 * an empty record, as if the machine had no adapters. */
static const unsigned BULK_FLAGS =
    VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;

static bool sample_domain(struct libvirt_host *self, virDomainPtr domain,
                          struct machine_sample *sample, struct fault *fault)
{
    bool ok = false;

    if (bulk_statistics_exist(self, BULK_INTERFACES)) {
        virDomainPtr domains[] = {domain, NULL};
        virDomainStatsRecordPtr *records = NULL;
        uint64_t asked_in = known_domain_changes(self);
        int count = virDomainListGetStats(domains, BULK_STATISTICS, &records, BULK_FLAGS);
        if (count >= 1)
            ok = domain_sample_from_record(self, records[0], asked_in, sample, fault);
        else if (count == 0) /* libvirt leaves a domain that is gone out of the answer */
            fault_set(fault, HRESULT_VM_E_VM_UNKNOWN,
                      "the machine cannot be found: it has just gone");
        else if (!bulk_statistics_are_unsupported(self, BULK_INTERFACES))
            libvirt_error_fault(fault, "the machine's counters cannot be read", HRESULT_S_FALSE);
        virDomainStatsRecordListFree(records);
    }
    if (!bulk_statistics_exist(self, BULK_INTERFACES))
        ok = domain_sample_one_by_one(self, domain, sample, fault);
    return ok;
}

static bool ask_libvirt(struct libvirt_host *self, const struct machine_uuid *uuid,
                        struct machine_sample *sample, struct fault *fault)
{
    struct libvirt_call call;

    call_begin(&call, &self->bound);
    virDomainPtr domain = known_domain_open(self, uuid, fault);
    if (domain != NULL)
        kernel_proof_begin(self, uuid);
    bool ok = domain != NULL && sample_domain(self, domain, sample, fault);
    if (!ok)
        machine_sample_clear(sample);
    if (domain != NULL)
        virDomainFree(domain);
    return call_end(&call, ok, fault);
}

/* For counters = 'kernel': libvirt's counters serve as the proof only. */
static bool prove_sample(struct libvirt_host *self, const struct machine_uuid *uuid,
                         struct machine_sample *sample, struct fault *fault)
{
    enum { PROOF_ATTEMPTS = 8 };
    const char *refusal = NULL;

    for (int attempt = 0; refusal == NULL && attempt < PROOF_ATTEMPTS; attempt++) {
        if (!ask_libvirt(self, uuid, sample, fault))
            return false;
        if (sample->domain_id == NOT_RUNNING || sample->adapters->count == 0)
            return true;
        machine_sample_clear(sample);
        if (kernel_sample(self, uuid, sample))
            return true;
        refusal = kernel_proof_refusal(self, uuid);
    }
    return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                     "the kernel's counters cannot be used (option counters = 'kernel'): %s",
                     refusal != NULL ? refusal : "the machine's devices keep changing");
}

bool libvirt_sample(struct host *host, const struct machine_uuid *uuid,
                    struct machine_sample *sample, struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);
    bool is_sampled = kernel_sample(self, uuid, sample);

    if (!is_sampled && libvirt_reads_kernel(self) &&
        !learning_sample(self, uuid, sample, &is_sampled, fault))
        return false;
    if (is_sampled)
        return true;
    if (self->counters != COUNTERS_KERNEL)
        return ask_libvirt(self, uuid, sample, fault);
    return prove_sample(self, uuid, sample, fault);
}

typedef bool sample_function(struct libvirt_host *self, virDomainPtr domain,
                             struct machine_sample *sample, struct fault *fault);

/* Samples each machine alone. One that fails is left out: sampling it alone
 * reports why. */
static bool sample_each(struct libvirt_host *self, virConnectPtr connection,
                        sample_function *sample, sample_receiver *receive, void *context,
                        struct fault *fault)
{
    struct domain_list list;
    if (!domain_list_read(connection, 0, &list, fault))
        return false;
    for (size_t i = 0; i < list.count; i++) {
        struct machine_sample one = {.domain_id = NOT_RUNNING};
        struct fault ignored;
        if (sample(self, list.domains[i], &one, &ignored))
            receive(context, &one);
        machine_sample_clear(&one);
    }
    domain_list_release(&list);
    return true;
}

/* For counters = 'kernel', while some machines are not proven. */
static bool sample_proven(struct libvirt_host *self, virDomainPtr domain,
                          struct machine_sample *sample, struct fault *fault)
{
    const struct machine_uuid uuid = domain_get_uuid(domain);
    return libvirt_sample(&self->base, &uuid, sample, fault);
}

static void receive_records(struct libvirt_host *self, virDomainStatsRecordPtr *records, int count,
                            uint64_t asked_in, sample_receiver *receive, void *context)
{
    for (int i = 0; i < count; i++) {
        struct machine_sample one = {.domain_id = NOT_RUNNING};
        struct fault fault; /* sampling the machine alone reports it */
        if (domain_sample_from_record(self, records[i], asked_in, &one, &fault))
            receive(context, &one);
        machine_sample_clear(&one);
    }
}

static bool sample_all_at_once(struct libvirt_host *self, virConnectPtr connection,
                               sample_receiver *receive, void *context, struct fault *fault)
{
    virDomainStatsRecordPtr *records = NULL;
    uint64_t asked_in = known_domain_changes(self);

    kernel_proof_begin(self, NULL);
    int count = virConnectGetAllDomainStats(connection, BULK_STATISTICS, &records, BULK_FLAGS);
    if (count < 0 && bulk_statistics_are_unsupported(self, BULK_INTERFACES))
        return sample_each(self, connection, domain_sample_one_by_one, receive, context, fault);
    if (count < 0)
        return libvirt_error_fault(fault, "the machines' counters cannot be read",
                                   HRESULT_DISP_E_EXCEPTION);
    receive_records(self, records, count, asked_in, receive, context);
    virDomainStatsRecordListFree(records);
    return true;
}

/* The few machines whose counters the kernel does not give, in one call. Those
 * that fail are left out: sampling such a machine alone reports why. */
static void sample_others(struct libvirt_host *self, virDomainPtr *others, sample_receiver *receive,
                          void *context)
{
    virDomainStatsRecordPtr *records = NULL;
    uint64_t asked_in = known_domain_changes(self);

    if (others[0] != NULL && self->counters != COUNTERS_KERNEL) {
        kernel_proof_begin(self, NULL);
        int count = virDomainListGetStats(others, BULK_STATISTICS, &records, BULK_FLAGS);
        receive_records(self, records, count, asked_in, receive, context);
        virDomainStatsRecordListFree(records);
    }
    for (size_t i = 0; others[i] != NULL; i++)
        virDomainFree(others[i]);
    free(others);
}

static bool ask_libvirt_for_all(struct libvirt_host *self, sample_receiver *receive, void *context,
                                struct fault *fault)
{
    virConnectPtr connection = connection_acquire(self, READ_ONLY, fault);
    bool ok;

    if (connection == NULL)
        return false;
    if (self->counters == COUNTERS_KERNEL)
        ok = sample_each(self, connection, sample_proven, receive, context, fault);
    else if (bulk_statistics_exist(self, BULK_INTERFACES))
        ok = sample_all_at_once(self, connection, receive, context, fault);
    else
        ok = sample_each(self, connection, domain_sample_one_by_one, receive, context, fault);
    virConnectClose(connection);
    return ok;
}

bool libvirt_sample_all(struct host *host, sample_receiver *receive, void *context,
                        struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);
    struct libvirt_call call;
    virDomainPtr *others;
    bool ok = true;

    call_begin(&call, &self->bound);
    if (libvirt_reads_kernel(self))
        learning_learn_all(self);
    if (kernel_sample_all(self, receive, context, &others))
        sample_others(self, others, receive, context);
    else
        ok = ask_libvirt_for_all(self, receive, context, fault);
    return call_end(&call, ok, fault);
}
