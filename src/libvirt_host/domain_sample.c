#include "libvirt_host/domain_sample.h"

#include "libvirt_host/baseline_run.h"
#include "libvirt_host/bulk_record.h"
#include "libvirt_host/domain.h"
#include "libvirt_host/kernel_proof.h"
#include "libvirt_host/known_domain.h"

#include <net/if.h>
#include <string.h>

/* libvirt counts from the guest's side, whatever the device: its
 * virDomainNetTypeSharesHostView() decides where to swap. */
static void read_from_bulk(const struct bulk_device *interface, struct device_reading *reading)
{
    reading->present = interface->present;
    for (int direction = 0; direction < DIRECTION_COUNT; direction++)
        reading->bytes[direction] = decimal_from_uint64(interface->bytes[direction]);
}

/* The call for one adapter: the only one that Xen, LXC and the test driver
 * have, and that answers for the virtual function of a network card. A count
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

/* The readings without counts, and without incarnations. */
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

/* Whether the kept definition matches the record: the same run, and the same
 * devices in the same incarnations. */
static bool definition_holds(const struct known_domain *known, int64_t domain_id,
                             const struct bulk_record *record)
{
    if (known == NULL || known->domain_id != domain_id || known->adapters == NULL ||
        known->adapters->count != record->count)
        return false;
    size_t named = 0;
    for (size_t i = 0; i < known->adapters->count; i++) {
        const struct adapter *adapter = &known->adapters->adapters[i];
        uint64_t incarnation = known->devices[i].at.incarnation;
        if (known->devices[i].at.problem != NULL)
            return false; /* it may have been solved */
        if (bulk_record_find(record, adapter->device) == NULL)
            continue;
        if (incarnation_is_ifindex(incarnation) && if_nametoindex(adapter->device) != incarnation)
            return false;
        named++;
    }
    for (size_t i = 0; i < record->count; i++)
        named -= record->devices[i].name != NULL;
    return named == 0;
}

/* Keeps what was read, unless a change was reported since. What another thread
 * has found for the same run and devices stays: its proof may be under way, or
 * done. */
static void keep(struct libvirt_host *self, struct known_domain *known, uint64_t read_in)
{
    if (known == NULL)
        return; /* without memory it will be read again */
    pthread_mutex_lock(&self->lock);
    const struct known_domain *present = known_domain_find_locked(self, &known->uuid);
    bool is_kept = self->definition_changes == read_in && !self->is_closed &&
                   (present == NULL || !known_domain_equal(present, known));
    /* Without events a change would go unnoticed, and be read wrongly. */
    if (known->trust == TRUST_UNPROVEN && connection_has_events_locked(self) &&
        atomic_load(&self->network) == DAEMON_NETWORK_SHARED) {
        known->trust = TRUST_PROVEN;
        known->proof = PROOF_IDENTITY;
    }
    if (is_kept)
        known_domain_keep_locked(self, known);
    pthread_mutex_unlock(&self->lock);
    if (!is_kept)
        known_domain_free(known);
}

/* The adapters of the record's domain, from what is known or from its live
 * definition. */
static bool find_definition(struct libvirt_host *self, virDomainPtr domain,
                            const struct bulk_record *record, struct machine_sample *sample,
                            struct fault *fault)
{
    int64_t domain_id = sample->domain_id;
    bool ok = true;

    pthread_mutex_lock(&self->lock);
    uint64_t read_in = self->definition_changes;
    const struct known_domain *known = known_domain_find_locked(self, &sample->uuid);
    if (definition_holds(known, domain_id, record)) {
        sample->adapters = adapter_list_hold(known->adapters);
        sample->baseline = baseline_copy(known->baseline);
        sample->complaint = known->complaint;
        ok = start_readings(sample);
        for (size_t i = 0; ok && i < known->adapters->count; i++)
            sample->readings[i].key.incarnation = known->devices[i].at.incarnation;
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

bool domain_learn(struct libvirt_host *self, virDomainPtr domain, struct machine_sample *sample,
                  struct fault *fault)
{
    struct known_domain *found = NULL;
    uint64_t read_in = known_domain_changes(self);

    sample->uuid = domain_get_uuid(domain);
    if (!read_definition(self, domain, sample, fault))
        return false;
    if (sample->domain_id == NOT_RUNNING) {
        machine_sample_clear(sample); /* of one that does not run there is nothing to count */
        found = known_domain_new_stopped(domain, &sample->uuid);
    } else if (start_readings(sample)) {
        found = known_domain_new(self, domain, sample);
    }
    if (found == NULL)
        return fault_out_of_memory(fault);
    keep(self, found, read_in);
    return true;
}

static bool is_active(int state)
{
    return state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_NOSTATE;
}

void domain_note_stopped(struct libvirt_host *self, virDomainPtr domain, uint64_t asked_in)
{
    const struct machine_uuid uuid = domain_get_uuid(domain);

    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find_locked(self, &uuid);
    bool is_known = known != NULL && known->trust == TRUST_STOPPED;
    pthread_mutex_unlock(&self->lock);
    if (!is_known)
        keep(self, known_domain_new_stopped(domain, &uuid), asked_in);
}

bool domain_sample_from_record(struct libvirt_host *self, const virDomainStatsRecord *stats,
                               uint64_t asked_in, struct machine_sample *sample,
                               struct fault *fault)
{
    struct bulk_record record;

    sample->uuid = domain_get_uuid(stats->dom);
    sample->domain_id = domain_get_id(stats->dom);
    if (!bulk_record_parse(stats, BULK_NET, &record))
        return fault_out_of_memory(fault);
    /* The ID alone says whether it runs: a crashed domain may still be there. */
    if (sample->domain_id == NOT_RUNNING || !is_active(record.state)) {
        sample->domain_id = NOT_RUNNING;
        bulk_record_clear(&record);
        domain_note_stopped(self, stats->dom, asked_in);
        return true;
    }
    bool ok = find_definition(self, stats->dom, &record, sample, fault);
    for (size_t i = 0; ok && i < sample->adapters->count; i++) {
        const struct adapter *adapter = &sample->adapters->adapters[i];
        const struct bulk_device *interface = bulk_record_find(&record, adapter->device);
        if (sample->readings[i].problem != NULL || !adapter_is_counted(self, adapter))
            continue;
        if (interface != NULL && interface->present != 0)
            read_from_bulk(interface, &sample->readings[i]);
        else if (adapter->type != NULL && strcmp(adapter->type, "hostdev") == 0 &&
                 has_unique_mac(sample->adapters, i))
            read_one_by_one(stats->dom, adapter, &sample->readings[i]);
    }
    bulk_record_clear(&record);
    if (ok) {
        kernel_proof_finish(self, sample);
        kernel_proof_correct(self, sample);
    }
    return ok;
}

bool domain_sample_one_by_one(struct libvirt_host *self, virDomainPtr domain,
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
    kernel_proof_correct(self, sample);
    return true;
}
