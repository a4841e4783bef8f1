#include "libvirt_host/disks.h"

#include "base/clock.h"
#include "base/thread.h"
#include "libvirt_host/bulk_record.h"
#include "libvirt_host/domain.h"
#include "libvirt_host/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const unsigned DISK_STATISTICS = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_BLOCK;

/* The figures are the hypervisor process's own: libvirt asks it over its
 * monitor, and waits for the answer for as long as it takes. So each question
 * is put in a thread of its own, which outlives the caller's patience. */
struct disk_request {
    struct disk_request *next;
    unsigned references; /* of the thread, of those that wait for it, and of the list */
    struct libvirt_host *host;
    bool is_of_all;
    struct machine_uuid uuid; /* unless it is of all */
    bool is_done;
    bool ok;
    struct fault fault;
    struct disk_sample *samples;
    size_t count;
};

/* With the host's lock held. */
static void release(struct disk_request *request)
{
    if (--request->references > 0)
        return;
    for (size_t i = 0; i < request->count; i++)
        disk_sample_clear(&request->samples[i]);
    free(request->samples);
    free(request);
}

static bool start_samples(struct disk_request *request, size_t capacity)
{
    request->samples = calloc(capacity + 1, sizeof *request->samples);
    return request->samples != NULL || fault_out_of_memory(&request->fault);
}

/* ------------------------------------------------------------------------
 * In bulk
 * ------------------------------------------------------------------------ */

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

/* What the record says into the request's next sample. Without a number of
 * blocks the hypervisor process was not asked, because it was busy. */
static bool read_record(struct disk_request *request, const virDomainStatsRecord *record)
{
    struct disk_sample *sample = &request->samples[request->count];
    struct bulk_record parsed;

    *sample = (struct disk_sample){.uuid = domain_get_uuid(record->dom),
                                   .domain_id = domain_get_id(record->dom)};
    if (sample->domain_id == NOT_RUNNING) {
        request->count++;
        return true;
    }
    if (!bulk_record_parse(record, BULK_BLOCK, &parsed))
        return fault_out_of_memory(&request->fault);
    bool is_answered = parsed.has_count;
    bool ok = is_answered && read_blocks(&parsed, sample);
    bulk_record_clear(&parsed);
    if (ok) {
        request->count++;
        return true;
    }
    disk_sample_clear(sample);
    if (is_answered)
        return fault_out_of_memory(&request->fault);
    return fault_set(&request->fault, HRESULT_DISP_E_EXCEPTION,
                     "the machine's hypervisor process was busy with something else, and did "
                     "not tell its disks' counters; try again");
}

/* ------------------------------------------------------------------------
 * One by one: for drivers without bulk statistics
 * ------------------------------------------------------------------------ */

static bool read_one_by_one(struct disk_request *request, virDomainPtr domain)
{
    struct disk_sample *sample = &request->samples[request->count];
    size_t count = 0;

    *sample =
        (struct disk_sample){.uuid = domain_get_uuid(domain), .domain_id = domain_get_id(domain)};
    request->count++;
    if (sample->domain_id == NOT_RUNNING)
        return true;
    char *xml = domain_read_xml(domain, &request->fault);
    if (xml == NULL)
        return false;
    char **targets = domain_xml_disks(xml, &request->fault);
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
            continue; /* a disk without figures */
        if (stats.rd_bytes >= 0)
            disk_reading_set(reading, DISK_READ, decimal_from_uint64((uint64_t)stats.rd_bytes));
        if (stats.wr_bytes >= 0)
            disk_reading_set(reading, DISK_WRITTEN, decimal_from_uint64((uint64_t)stats.wr_bytes));
    }
    domain_xml_free_disks(targets);
    return ok || fault_out_of_memory(&request->fault);
}

static bool ask_for_one(struct disk_request *request, virDomainPtr domain)
{
    virDomainPtr domains[] = {domain, NULL};
    virDomainStatsRecordPtr *records = NULL;

    if (!start_samples(request, 1))
        return false;
    if (!bulk_statistics_exist(request->host, BULK_DISKS))
        return read_one_by_one(request, domain);
    int count = virDomainListGetStats(domains, DISK_STATISTICS, &records,
                                      VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS);
    if (count < 0 && bulk_statistics_are_unsupported(request->host, BULK_DISKS))
        return read_one_by_one(request, domain);
    bool ok = count > 0 && read_record(request, records[0]);
    if (count < 0)
        libvirt_error_fault(&request->fault, "the disks' counters cannot be read", HRESULT_S_FALSE);
    else if (count == 0) /* libvirt leaves a domain that is gone out of the answer */
        fault_set(&request->fault, HRESULT_VM_E_VM_UNKNOWN,
                  "the machine cannot be found: it has just gone");
    virDomainStatsRecordListFree(records);
    return ok;
}

/* Without waiting for those that are busy, which are left out. */
static bool ask_for_all(struct disk_request *request, virConnectPtr connection)
{
    virDomainStatsRecordPtr *records = NULL;

    if (!bulk_statistics_exist(request->host, BULK_DISKS))
        return true; /* asked for one by one */
    int count = virConnectGetAllDomainStats(connection, DISK_STATISTICS, &records,
                                            VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE |
                                                VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT |
                                                VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS);
    if (count < 0)
        return bulk_statistics_are_unsupported(request->host, BULK_DISKS) ||
               libvirt_error_fault(&request->fault, "the disks' counters cannot be read",
                                   HRESULT_DISP_E_EXCEPTION);
    bool ok = start_samples(request, (size_t)count);
    for (int i = 0; ok && i < count; i++)
        read_record(request, records[i]);
    virDomainStatsRecordListFree(records);
    return ok;
}

/* ------------------------------------------------------------------------
 * Requests
 * ------------------------------------------------------------------------ */

static bool ask(struct disk_request *request)
{
    struct libvirt_host *self = request->host;
    bool ok;

    if (request->is_of_all) {
        virConnectPtr connection = connection_acquire(self, READ_ONLY_WAITING, &request->fault);
        ok = connection != NULL && ask_for_all(request, connection);
        if (connection != NULL)
            virConnectClose(connection);
        return ok;
    }
    virDomainPtr domain = domain_open(self, READ_ONLY_WAITING, &request->uuid, &request->fault);
    ok = domain != NULL && ask_for_one(request, domain);
    if (domain != NULL)
        virDomainFree(domain);
    return ok;
}

static void unlink_request(struct disk_request *request)
{
    struct disk_request **link = &request->host->disk_requests;
    while (*link != request)
        link = &(*link)->next;
    *link = request->next;
}

static void run(void *context)
{
    struct disk_request *request = context;
    struct libvirt_host *self = request->host;

    bool ok = ask(request);
    pthread_mutex_lock(&self->lock);
    request->ok = ok;
    request->is_done = true;
    unlink_request(request);
    pthread_cond_broadcast(&self->changed);
    release(request);
    pthread_mutex_unlock(&self->lock);
    host_release(&self->base);
}

/* With the lock held. The question that is under way, or NULL. */
static struct disk_request *find_request(const struct libvirt_host *self,
                                         const struct machine_uuid *uuid)
{
    struct disk_request *request = self->disk_requests;
    while (request != NULL &&
           (uuid == NULL ? !request->is_of_all
                         : request->is_of_all || !machine_uuid_equal(&request->uuid, uuid)))
        request = request->next;
    return request;
}

/* With the lock held: a new request, under way and referred to by the caller. */
static struct disk_request *start_request(struct libvirt_host *self,
                                          const struct machine_uuid *uuid, struct fault *fault)
{
    struct disk_request *request = calloc(1, sizeof *request);
    if (request == NULL) {
        fault_out_of_memory(fault);
        return NULL;
    }
    request->host = self;
    request->is_of_all = uuid == NULL;
    if (uuid != NULL)
        request->uuid = *uuid;
    request->references = 2;
    request->next = self->disk_requests;
    self->disk_requests = request;
    host_hold(&self->base);
    if (thread_run(run, request, fault))
        return request;
    unlink_request(request);
    free(request);
    host_release(&self->base); /* not the last: the caller has one */
    return NULL;
}

/* With the lock held, which the wait lets go of. */
static bool wait_for(struct disk_request *request, int64_t deadline)
{
    struct libvirt_host *self = request->host;
    while (!request->is_done && clock_wait_until(&self->changed, &self->lock, deadline))
        ;
    return request->is_done;
}

static bool fault_silent(const struct libvirt_host *self, struct fault *fault)
{
    return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                     "the disks' counters cannot be read: the machine's hypervisor process has "
                     "not answered within %d seconds (option 'timeout')",
                     self->timeout);
}

bool libvirt_sample_disks(struct host *host, const struct machine_uuid *uuid,
                          disk_receiver *receive, void *context, struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);
    int64_t deadline = clock_deadline(self->timeout * CLOCK_SECOND);

    pthread_mutex_lock(&self->lock);
    /* One question at a time: what waits for its answer holds up the daemon. One
     * that was put before has an answer that may be older than what is wanted. */
    struct disk_request *request = find_request(self, uuid);
    while (request != NULL) {
        request->references++;
        bool is_done = wait_for(request, deadline);
        release(request);
        if (!is_done) {
            pthread_mutex_unlock(&self->lock);
            return fault_silent(self, fault);
        }
        request = find_request(self, uuid);
    }
    request = start_request(self, uuid, fault);
    if (request == NULL) {
        pthread_mutex_unlock(&self->lock);
        return false;
    }
    bool is_done = wait_for(request, deadline);
    pthread_mutex_unlock(&self->lock);

    bool ok = is_done ? request->ok : fault_silent(self, fault);
    if (is_done && !ok)
        *fault = request->fault;
    for (size_t i = 0; ok && i < request->count; i++)
        receive(context, &request->samples[i]);
    pthread_mutex_lock(&self->lock);
    release(request);
    pthread_mutex_unlock(&self->lock);
    if (!is_done)
        connection_abandon_waiting(self);
    return ok;
}
