#include "libvirt_host/counters.h"

#include "libvirt_host/baseline_run.h"
#include "libvirt_host/call.h"
#include "libvirt_host/domain.h"
#include "libvirt_host/error.h"
#include "libvirt_host/known_domain.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

static const unsigned BULK_STATISTICS = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_INTERFACE;

/* Without ENFORCE_STATS a driver that has no interface statistics answers with
 * an empty record, as if the machine had no adapters. */
static const unsigned BULK_FLAGS =
    VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;

/* One `net.N` of a bulk record. N is a position with holes: only the name
 * says which adapter it is. */
struct bulk_interface {
    const char *name;
    unsigned present;
    unsigned long long bytes[DIRECTION_COUNT];
};

struct bulk_record {
    int state;
    size_t adapter_count; /* net.count: adapters without a device count too */
    struct bulk_interface *interfaces;
};

/* "net.12.rx.bytes": the 12 into *position, and "rx.bytes" as the result. */
static const char *interface_field(const char *parameter, size_t *position)
{
    char *end;
    if (strncmp(parameter, "net.", 4) != 0 || parameter[4] < '0' || parameter[4] > '9')
        return NULL;
    *position = strtoul(parameter + 4, &end, 10);
    return *end == '.' ? end + 1 : NULL;
}

static bool parse_bulk_record(const virDomainStatsRecord *record, struct bulk_record *parsed)
{
    *parsed = (struct bulk_record){.state = VIR_DOMAIN_NOSTATE};
    for (int i = 0; i < record->nparams; i++) {
        const virTypedParameter *parameter = &record->params[i];
        if (strcmp(parameter->field, "net.count") == 0)
            parsed->adapter_count = parameter->value.ui;
        else if (strcmp(parameter->field, "state.state") == 0)
            parsed->state = parameter->value.i;
    }
    parsed->interfaces = calloc(parsed->adapter_count + 1, sizeof *parsed->interfaces);
    if (parsed->interfaces == NULL)
        return false;
    for (int i = 0; i < record->nparams; i++) {
        const virTypedParameter *parameter = &record->params[i];
        size_t position;
        const char *field = interface_field(parameter->field, &position);
        if (field == NULL || position >= parsed->adapter_count)
            continue;
        struct bulk_interface *interface = &parsed->interfaces[position];
        if (strcmp(field, "name") == 0 && parameter->type == VIR_TYPED_PARAM_STRING) {
            interface->name = parameter->value.s;
        } else if (parameter->type == VIR_TYPED_PARAM_ULLONG) {
            bool sent = strcmp(field, "tx.bytes") == 0;
            if (!sent && strcmp(field, "rx.bytes") != 0)
                continue;
            enum direction direction = sent ? DIRECTION_SENT : DIRECTION_RECEIVED;
            interface->bytes[direction] = parameter->value.ul;
            interface->present |= 1u << direction;
        }
    }
    return true;
}

static const struct bulk_interface *find_interface(const struct bulk_record *record,
                                                   const char *device)
{
    for (size_t i = 0; device != NULL && i < record->adapter_count; i++)
        if (record->interfaces[i].name != NULL && strcmp(record->interfaces[i].name, device) == 0)
            return &record->interfaces[i];
    return NULL;
}

/* libvirt gives figures from the guest's side, whatever the device: its
 * virDomainNetTypeSharesHostView() decides where to swap. */
static void read_from_bulk(const struct bulk_interface *interface, struct device_reading *reading)
{
    reading->present = interface->present;
    for (int direction = 0; direction < DIRECTION_COUNT; direction++)
        reading->bytes[direction] = decimal_from_uint64(interface->bytes[direction]);
}

/* The call for one adapter: the only one that Xen, LXC and the test driver
 * have, and that answers for the virtual function of a network card. A figure
 * that libvirt refuses or marks as unsupported (-1) stays absent. */
static bool read_one_by_one(virDomainPtr domain, const struct adapter *adapter,
                            struct device_reading *reading)
{
    char mac[MAC_TEXT_SIZE];
    virDomainInterfaceStatsStruct stats;

    mac_format(adapter->mac, mac);
    for (char *c = mac; *c != '\0'; c++)
        if (*c == '-')
            *c = ':';
    if ((adapter->device == NULL ||
         virDomainInterfaceStats(domain, adapter->device, &stats, sizeof stats) < 0) &&
        virDomainInterfaceStats(domain, mac, &stats, sizeof stats) < 0)
        return false;
    const long long bytes[DIRECTION_COUNT] = {
        [DIRECTION_SENT] = stats.tx_bytes, [DIRECTION_RECEIVED] = stats.rx_bytes};
    for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
        if (bytes[direction] < 0)
            continue;
        reading->bytes[direction] = decimal_from_uint64((uint64_t)bytes[direction]);
        reading->present |= 1u << direction;
    }
    return true;
}

/* Among adapters that share a MAC the per-adapter call answers for the first. */
static bool has_unique_mac(const struct adapter_list *list, size_t index)
{
    for (size_t i = 0; i < list->count; i++)
        if (i != index && memcmp(list->adapters[i].mac, list->adapters[index].mac, MAC_SIZE) == 0)
            return false;
    return true;
}

/* The readings without figures, and without incarnations. */
static bool start_readings(struct machine_sample *sample)
{
    if (!machine_sample_start_readings(sample))
        return false;
    for (size_t i = 0; i < sample->adapters->count; i++)
        memcpy(sample->readings[i].key.mac, sample->adapters->adapters[i].mac, MAC_SIZE);
    return true;
}

/* The definition's adapters, ID and shared baseline into the sample. */
static bool read_definition(const struct libvirt_host *self, virDomainPtr domain,
                            struct machine_sample *sample, struct fault *fault)
{
    struct domain_definition definition;

    if (!domain_read_definition(domain, &definition, fault))
        return false;
    sample->domain_id = definition.domain_id;
    sample->adapters = definition.adapters;
    sample->baseline = definition.baseline;
    sample->complaint = definition.complaint;
    baseline_run_check(self, domain, sample);
    return true;
}

/* Whether the kept definition is of the domain that the record speaks of:
 * same run, same devices in the same lives. */
static bool definition_holds(const struct known_domain *known, int64_t domain_id,
                             const struct bulk_record *record)
{
    if (known == NULL || known->domain_id != domain_id ||
        known->adapters->count != record->adapter_count)
        return false;
    size_t named = 0;
    for (size_t i = 0; i < known->adapters->count; i++) {
        const struct adapter *adapter = &known->adapters->adapters[i];
        uint64_t incarnation = known->devices[i].incarnation;
        if (known->devices[i].problem != NULL)
            return false; /* it may be over */
        if (find_interface(record, adapter->device) == NULL)
            continue;
        if (incarnation_is_ifindex(incarnation) && if_nametoindex(adapter->device) != incarnation)
            return false;
        named++;
    }
    for (size_t i = 0; i < record->adapter_count; i++)
        named -= record->interfaces[i].name != NULL;
    return named == 0;
}

/* Keeps what was read, unless it has been told to have changed since. What
 * another thread has found of the same run and devices stays: it may be under
 * proof by now, or proven. */
static void keep(struct libvirt_host *self, struct known_domain *known, uint64_t read_in)
{
    if (known == NULL)
        return; /* without memory it will be read again */
    pthread_mutex_lock(&self->lock);
    const struct known_domain *present = known_domain_find(self, &known->uuid);
    bool is_kept = self->definition_changes == read_in && !self->is_closed &&
                   (present == NULL || !known_domain_equal(present, known));
    if (is_kept)
        known_domain_keep(self, known);
    pthread_mutex_unlock(&self->lock);
    if (!is_kept)
        known_domain_free(known);
}

/* The adapters of the domain that the record speaks of, from what is known or
 * from its live definition. */
static bool find_definition(struct libvirt_host *self, virDomainPtr domain,
                            const struct bulk_record *record, struct machine_sample *sample,
                            struct fault *fault)
{
    int64_t domain_id = sample->domain_id;
    bool ok = true;

    pthread_mutex_lock(&self->lock);
    uint64_t read_in = self->definition_changes;
    const struct known_domain *known = known_domain_find(self, &sample->uuid);
    if (definition_holds(known, domain_id, record)) {
        sample->adapters = adapter_list_hold(known->adapters);
        sample->baseline = baseline_copy(known->baseline);
        sample->complaint = known->complaint;
        ok = start_readings(sample);
        for (size_t i = 0; ok && i < known->adapters->count; i++)
            sample->readings[i].key.incarnation = known->devices[i].incarnation;
    }
    pthread_mutex_unlock(&self->lock);
    if (sample->adapters != NULL)
        return ok || fault_out_of_memory(fault);

    if (!read_definition(self, domain, sample, fault))
        return false;
    if (sample->domain_id != domain_id)
        return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                         "the machine was stopped or started while it was read; try again");
    if (!start_readings(sample))
        return fault_out_of_memory(fault);
    struct known_domain *found = known_domain_new(self, domain, sample);
    if (found == NULL)
        return fault_out_of_memory(fault);
    keep(self, found, read_in);
    return true;
}

static bool is_active(int state)
{
    return state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_NOSTATE;
}

static void keep_stopped(struct libvirt_host *self, virDomainPtr domain,
                         const struct machine_uuid *uuid, uint64_t asked_in)
{
    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find(self, uuid);
    bool is_known = known != NULL && known->trust == TRUST_STOPPED;
    pthread_mutex_unlock(&self->lock);
    if (!is_known)
        keep(self, known_domain_new_stopped(domain, uuid), asked_in);
}

/* asked_in: the host's definition_changes when libvirt was asked. */
static bool sample_from_record(struct libvirt_host *self, const virDomainStatsRecord *stats,
                               uint64_t asked_in, struct machine_sample *sample,
                               struct fault *fault)
{
    struct bulk_record record;

    sample->uuid = domain_get_uuid(stats->dom);
    sample->domain_id = domain_get_id(stats->dom);
    if (!parse_bulk_record(stats, &record))
        return fault_out_of_memory(fault);
    /* The ID alone says whether it runs: a crashed domain may still be there. */
    if (sample->domain_id == NOT_RUNNING || !is_active(record.state)) {
        sample->domain_id = NOT_RUNNING;
        free(record.interfaces);
        keep_stopped(self, stats->dom, &sample->uuid, asked_in);
        return true;
    }
    bool ok = find_definition(self, stats->dom, &record, sample, fault);
    for (size_t i = 0; ok && i < sample->adapters->count; i++) {
        const struct adapter *adapter = &sample->adapters->adapters[i];
        const struct bulk_interface *interface = find_interface(&record, adapter->device);
        if (sample->readings[i].problem != NULL || !adapter_is_counted(self, adapter))
            continue;
        if (interface != NULL && interface->present != 0)
            read_from_bulk(interface, &sample->readings[i]);
        else if (adapter->type != NULL && strcmp(adapter->type, "hostdev") == 0 &&
                 has_unique_mac(sample->adapters, i))
            read_one_by_one(stats->dom, adapter, &sample->readings[i]);
    }
    free(record.interfaces);
    if (ok) {
        libvirt_kernel_finish_proof(self, sample);
        libvirt_kernel_correct(self, sample);
    }
    return ok;
}

static bool sample_one_by_one(struct libvirt_host *self, virDomainPtr domain,
                              struct machine_sample *sample, struct fault *fault)
{
    sample->uuid = domain_get_uuid(domain);
    if (!read_definition(self, domain, sample, fault))
        return false;
    if (sample->domain_id == NOT_RUNNING) {
        machine_sample_clear(sample);
        return true;
    }
    /* Nothing is kept: such a driver is asked for everything each time. */
    struct known_domain *devices =
        start_readings(sample) ? known_domain_new(self, domain, sample) : NULL;
    if (devices == NULL)
        return fault_out_of_memory(fault);
    known_domain_free(devices);
    for (size_t i = 0; i < sample->adapters->count; i++) {
        const struct adapter *adapter = &sample->adapters->adapters[i];
        if (sample->readings[i].problem == NULL && adapter_is_counted(self, adapter) &&
            (has_unique_mac(sample->adapters, i) || adapter->device != NULL))
            read_one_by_one(domain, adapter, &sample->readings[i]);
    }
    libvirt_kernel_correct(self, sample);
    return true;
}

/* Whether the last error says that the driver has no bulk statistics. */
static bool lacks_bulk_statistics(void)
{
    int code = virGetLastErrorCode();
    return code == VIR_ERR_ARGUMENT_UNSUPPORTED || code == VIR_ERR_NO_SUPPORT;
}

static bool has_bulk_statistics(struct libvirt_host *self)
{
    pthread_mutex_lock(&self->lock);
    bool has = self->has_bulk_statistics;
    pthread_mutex_unlock(&self->lock);
    return has;
}

static void give_up_bulk_statistics(struct libvirt_host *self)
{
    pthread_mutex_lock(&self->lock);
    self->has_bulk_statistics = false;
    pthread_mutex_unlock(&self->lock);
}

static uint64_t definition_changes(struct libvirt_host *self)
{
    pthread_mutex_lock(&self->lock);
    uint64_t changes = self->definition_changes;
    pthread_mutex_unlock(&self->lock);
    return changes;
}

static bool sample_domain(struct libvirt_host *self, virDomainPtr domain,
                          struct machine_sample *sample, struct fault *fault)
{
    bool ok = false;

    if (has_bulk_statistics(self)) {
        virDomainPtr domains[] = {domain, NULL};
        virDomainStatsRecordPtr *records = NULL;
        uint64_t asked_in = definition_changes(self);
        int count = virDomainListGetStats(domains, BULK_STATISTICS, &records, BULK_FLAGS);
        if (count >= 1)
            ok = sample_from_record(self, records[0], asked_in, sample, fault);
        else if (count == 0) /* libvirt leaves a domain that is gone out of the answer */
            fault_set(fault, HRESULT_VM_E_VM_UNKNOWN,
                      "the machine cannot be found: it has just gone");
        else if (lacks_bulk_statistics())
            give_up_bulk_statistics(self);
        else
            libvirt_error_fault(fault, "the machine's counters cannot be read", HRESULT_S_FALSE);
        virDomainStatsRecordListFree(records);
    }
    if (!has_bulk_statistics(self))
        ok = sample_one_by_one(self, domain, sample, fault);
    return ok;
}

/* The domain as it is known on the connection of now, else as it is found. */
static virDomainPtr find_domain(struct libvirt_host *self, const struct machine_uuid *uuid,
                                struct fault *fault)
{
    virDomainPtr domain = NULL;
    virConnectPtr connection = connection_acquire(self, READ_ONLY, fault);
    if (connection == NULL)
        return NULL;

    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find(self, uuid);
    if (known != NULL && virDomainGetConnect(known->domain) == connection) {
        domain = known->domain;
        virDomainRef(domain);
    }
    pthread_mutex_unlock(&self->lock);
    virConnectClose(connection);
    return domain != NULL ? domain : domain_open(self, READ_ONLY, uuid, fault);
}

static bool ask_libvirt(struct libvirt_host *self, const struct machine_uuid *uuid,
                        struct machine_sample *sample, struct fault *fault)
{
    struct libvirt_call call;

    call_begin(&call, self->timeout);
    virDomainPtr domain = find_domain(self, uuid, fault);
    if (domain != NULL)
        libvirt_kernel_begin_proof(self, uuid);
    bool ok = domain != NULL && sample_domain(self, domain, sample, fault);
    if (!ok)
        machine_sample_clear(sample);
    if (domain != NULL)
        virDomainFree(domain);
    return call_end(&call, ok, fault);
}

/* For counters = 'kernel': what libvirt says serves as the proof only. */
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
        if (libvirt_kernel_sample(self, uuid, sample))
            return true;
        refusal = libvirt_kernel_refusal(self, uuid);
    }
    return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                     "the kernel's counters cannot be used (option counters = 'kernel'): %s",
                     refusal != NULL ? refusal : "the machine's devices keep changing");
}

bool libvirt_sample(struct host *host, const struct machine_uuid *uuid,
                    struct machine_sample *sample, struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);

    if (libvirt_kernel_sample(self, uuid, sample))
        return true;
    if (self->counters != COUNTERS_KERNEL)
        return ask_libvirt(self, uuid, sample, fault);
    return prove_sample(self, uuid, sample, fault);
}

typedef bool sample_function(struct libvirt_host *self, virDomainPtr domain,
                             struct machine_sample *sample, struct fault *fault);

/* Samples each machine alone. One that cannot be sampled is left out: asking for
 * it alone gives the reason. */
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
        struct fault fault; /* asking for the machine alone tells it */
        if (sample_from_record(self, records[i], asked_in, &one, &fault))
            receive(context, &one);
        machine_sample_clear(&one);
    }
}

static bool sample_all_at_once(struct libvirt_host *self, virConnectPtr connection,
                               sample_receiver *receive, void *context, struct fault *fault)
{
    virDomainStatsRecordPtr *records = NULL;
    uint64_t asked_in = definition_changes(self);

    libvirt_kernel_begin_proof(self, NULL);
    int count = virConnectGetAllDomainStats(connection, BULK_STATISTICS, &records, BULK_FLAGS);
    if (count < 0 && lacks_bulk_statistics()) {
        give_up_bulk_statistics(self);
        return sample_each(self, connection, sample_one_by_one, receive, context, fault);
    }
    if (count < 0)
        return libvirt_error_fault(fault, "the machines' counters cannot be read",
                                   HRESULT_DISP_E_EXCEPTION);
    receive_records(self, records, count, asked_in, receive, context);
    virDomainStatsRecordListFree(records);
    return true;
}

/* The few machines whose counters the kernel does not give, in one call. What
 * fails is left out, for asking for the machine alone to tell. */
static void sample_others(struct libvirt_host *self, virDomainPtr *others, sample_receiver *receive,
                          void *context)
{
    virDomainStatsRecordPtr *records = NULL;
    uint64_t asked_in = definition_changes(self);

    if (others[0] != NULL && self->counters != COUNTERS_KERNEL) {
        libvirt_kernel_begin_proof(self, NULL);
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
    else if (has_bulk_statistics(self))
        ok = sample_all_at_once(self, connection, receive, context, fault);
    else
        ok = sample_each(self, connection, sample_one_by_one, receive, context, fault);
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

    call_begin(&call, self->timeout);
    if (libvirt_kernel_sample_all(self, receive, context, &others))
        sample_others(self, others, receive, context);
    else
        ok = ask_libvirt_for_all(self, receive, context, fault);
    return call_end(&call, ok, fault);
}
