#include "libvirt_host/disk_answer.h"

#include "libvirt_host/bulk_record.h"
#include "libvirt_host/domain.h"
#include "libvirt_host/error.h"

#include <stdlib.h>

static const unsigned DISK_STATISTICS = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_BLOCK;

static bool start_samples(struct disk_answer *answer, size_t capacity)
{
    answer->samples = calloc(capacity + 1, sizeof *answer->samples);
    return answer->samples != NULL || fault_out_of_memory(&answer->fault);
}

/* Of the entries of one name the first is the disk as the machine sees it: others
 * would be the files that its image is made of, and count the same bytes. */
static bool read_blocks(const struct bulk_record *record, struct disk_sample *sample)
{
    if (!disk_sample_start(sample, record->count))
        return false;
    for (size_t position = 0; position < record->count; position++) {
        const struct bulk_device *block = &record->devices[position];
        size_t before = sample->count;
        if (block->name == NULL)
            continue;
        struct device_reading *reading = disk_sample_add(sample, block->name);
        if (reading == NULL)
            return false;
        if (sample->count == before)
            continue;
        for (int direction = 0; direction < DIRECTION_COUNT; direction++)
            if ((block->present & 1u << direction) != 0)
                disk_reading_set(reading, (enum direction)direction,
                                 decimal_from_uint64(block->bytes[direction]));
    }
    return true;
}

/* Reads the record into the answer's next sample. Without a number of
 * blocks the hypervisor process was not asked, because it was busy. */
static bool read_record(struct disk_answer *answer, const virDomainStatsRecord *record)
{
    struct disk_sample *sample = &answer->samples[answer->count];
    struct bulk_record parsed;

    *sample = (struct disk_sample){.uuid = domain_get_uuid(record->dom),
                                   .domain_id = domain_get_id(record->dom)};
    if (sample->domain_id == NOT_RUNNING) {
        answer->count++;
        return true;
    }
    if (!bulk_record_parse(record, BULK_BLOCK, &parsed))
        return fault_out_of_memory(&answer->fault);
    bool is_answered = parsed.has_count;
    bool ok = is_answered && read_blocks(&parsed, sample);
    bulk_record_clear(&parsed);
    if (ok) {
        answer->count++;
        return true;
    }
    disk_sample_clear(sample);
    if (is_answered)
        return fault_out_of_memory(&answer->fault);
    return fault_set(&answer->fault, HRESULT_DISP_E_EXCEPTION,
                     "the machine's hypervisor process was busy with something else, and did "
                     "not report its disks' counters; try again");
}

/* For drivers without bulk statistics. */
static bool read_one_by_one(struct disk_answer *answer, virDomainPtr domain)
{
    struct disk_sample *sample = &answer->samples[answer->count];
    size_t count = 0;

    *sample =
        (struct disk_sample){.uuid = domain_get_uuid(domain), .domain_id = domain_get_id(domain)};
    answer->count++;
    if (sample->domain_id == NOT_RUNNING)
        return true;
    char *xml = domain_read_xml(domain, &answer->fault);
    if (xml == NULL)
        return false;
    char **targets = domain_xml_disks(xml, &answer->fault);
    free(xml);
    if (targets == NULL)
        return false;
    while (targets[count] != NULL)
        count++;
    bool ok = disk_sample_start(sample, count);
    for (size_t i = 0; ok && i < count; i++) {
        virDomainBlockStatsStruct stats;
        struct device_reading *reading = disk_sample_add(sample, targets[i]);
        ok = reading != NULL;
        if (!ok || virDomainBlockStats(domain, targets[i], &stats, sizeof stats) < 0)
            continue; /* a disk without counters */
        if (stats.rd_bytes >= 0)
            disk_reading_set(reading, DISK_READ, decimal_from_uint64((uint64_t)stats.rd_bytes));
        if (stats.wr_bytes >= 0)
            disk_reading_set(reading, DISK_WRITTEN, decimal_from_uint64((uint64_t)stats.wr_bytes));
    }
    domain_xml_free_disks(targets);
    return ok || fault_out_of_memory(&answer->fault);
}

bool disk_answer_of_domain(struct libvirt_host *self, virDomainPtr domain,
                           struct disk_answer *answer)
{
    virDomainPtr domains[] = {domain, NULL};
    virDomainStatsRecordPtr *records = NULL;

    if (!start_samples(answer, 1))
        return false;
    if (!bulk_statistics_exist(self, BULK_DISKS))
        return read_one_by_one(answer, domain);
    int count = virDomainListGetStats(domains, DISK_STATISTICS, &records,
                                      VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS);
    if (count < 0 && bulk_statistics_are_unsupported(self, BULK_DISKS))
        return read_one_by_one(answer, domain);
    bool ok = count > 0 && read_record(answer, records[0]);
    if (count < 0)
        libvirt_error_fault(&answer->fault, "the disks' counters cannot be read", HRESULT_S_FALSE);
    else if (count == 0) /* libvirt leaves a domain that is gone out of the answer */
        fault_set(&answer->fault, HRESULT_VM_E_VM_UNKNOWN,
                  "the machine cannot be found: it has just gone");
    virDomainStatsRecordListFree(records);
    return ok;
}

bool disk_answer_of_all(struct libvirt_host *self, virConnectPtr connection,
                        struct disk_answer *answer)
{
    virDomainStatsRecordPtr *records = NULL;

    if (!bulk_statistics_exist(self, BULK_DISKS))
        return true; /* asked for one by one */
    int count = virConnectGetAllDomainStats(connection, DISK_STATISTICS, &records,
                                            VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE |
                                                VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT |
                                                VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS);
    if (count < 0)
        return bulk_statistics_are_unsupported(self, BULK_DISKS) ||
               libvirt_error_fault(&answer->fault, "the disks' counters cannot be read",
                                   HRESULT_DISP_E_EXCEPTION);
    bool ok = start_samples(answer, (size_t)count);
    for (int i = 0; ok && i < count; i++)
        read_record(answer, records[i]);
    virDomainStatsRecordListFree(records);
    return ok;
}

void disk_answer_clear(struct disk_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++)
        disk_sample_clear(&answer->samples[i]);
    free(answer->samples);
    *answer = (struct disk_answer){0};
}
