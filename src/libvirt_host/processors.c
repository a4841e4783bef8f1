#include "libvirt_host/processors.h"

#include "libvirt_host/call.h"
#include "libvirt_host/domain.h"
#include "libvirt_host/error.h"
#include "libvirt_host/process_time.h"

/* Neither takes a job nor asks a hypervisor process: a QEMU's processor time is
 * the kernel's, so a machine that hangs holds up no call. */
static const unsigned PROCESSOR_STATISTICS = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL;

static const unsigned PROCESSOR_FLAGS = VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE |
                                        VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS |
                                        VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;

static int64_t now(struct host *host)
{
    return host_monotonic_time(host);
}

/* False for one that does not run. */
static bool identify(virDomainPtr domain, struct processor_time *time)
{
    time->uuid = domain_get_uuid(domain);
    time->domain_id = domain_get_id(domain);
    return time->domain_id != NOT_RUNNING;
}

/* From the kernel, which tells at once what libvirt's bulk call takes milliseconds a
 * machine for. False where the process is not found. */
static bool read_process(struct host *host, virDomainPtr domain, struct processor_time *time)
{
    time->at = now(host);
    return qemu_process_used(&time->uuid, virDomainGetName(domain), &time->used);
}

/* By the call for one machine, which gives the number of processors as well. What
 * cannot be read is left out. All samples of a machine have the process's own time,
 * where that is found: libvirt's may be that of its cgroup. */
static void read_alone(struct host *host, virDomainPtr domain, processor_time_receiver *receive,
                       void *context)
{
    struct processor_time time = {0};
    virDomainInfo info;
    int64_t before = now(host);

    if (!identify(domain, &time) || virDomainGetInfo(domain, &info) < 0 ||
        info.state == VIR_DOMAIN_SHUTOFF)
        return;
    time.at = before + (now(host) - before) / 2;
    time.used = info.cpuTime;
    if (libvirt_host(host)->is_local_qemu)
        read_process(host, domain, &time);
    time.processors = info.nrVirtCpu > 0 ? info.nrVirtCpu : 1;
    receive(context, &time);
}

static void read_record(struct host *host, const virDomainStatsRecord *record, int64_t at,
                        processor_time_receiver *receive, void *context)
{
    struct processor_time time = {.at = at};
    unsigned long long used;

    if (!identify(record->dom, &time))
        return;
    bool is_known =
        virTypedParamsGetULLong(record->params, record->nparams, "cpu.time", &used) == 1;
    if (is_known)
        time.used = used;
    /* Without the cgroup controller cpuacct, but with another, libvirt gives no
     * time in bulk. */
    if (!is_known || !receive(context, &time))
        read_alone(host, record->dom, receive, context);
}

static void read_one(struct host *host, virDomainPtr domain, processor_time_receiver *receive,
                     void *context)
{
    struct processor_time time = {0};

    if (libvirt_host(host)->is_local_qemu && identify(domain, &time) &&
        read_process(host, domain, &time) && receive(context, &time))
        return;
    read_alone(host, domain, receive, context);
}

static bool read_one_by_one(struct host *host, virConnectPtr connection,
                            processor_time_receiver *receive, void *context, struct fault *fault)
{
    struct domain_list list;

    if (!domain_list_read(connection, VIR_CONNECT_LIST_DOMAINS_ACTIVE, &list, fault))
        return false;
    for (size_t i = 0; i < list.count; i++)
        read_one(host, list.domains[i], receive, context);
    domain_list_release(&list);
    return true;
}

static bool read_in_bulk(struct host *host, virConnectPtr connection,
                         processor_time_receiver *receive, void *context, struct fault *fault)
{
    virDomainStatsRecordPtr *records = NULL;
    int64_t before = now(host);
    int count =
        virConnectGetAllDomainStats(connection, PROCESSOR_STATISTICS, &records, PROCESSOR_FLAGS);
    int64_t at = before + (now(host) - before) / 2;

    if (count < 0 && bulk_statistics_are_unsupported(libvirt_host(host), BULK_PROCESSORS))
        return read_one_by_one(host, connection, receive, context, fault);
    if (count < 0)
        return libvirt_error_fault(fault, "the machines' processor time cannot be read",
                                   HRESULT_DISP_E_EXCEPTION);
    for (int i = 0; i < count; i++)
        read_record(host, records[i], at, receive, context);
    virDomainStatsRecordListFree(records);
    return true;
}

bool libvirt_processor_times(struct host *host, processor_time_receiver *receive, void *context,
                             struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);
    struct libvirt_call call;
    bool ok = false;

    call_begin(&call, &self->bound);
    virConnectPtr connection = connection_acquire(self, READ_ONLY_SAMPLING, fault);
    if (connection != NULL) {
        bool is_in_bulk = !self->is_local_qemu && bulk_statistics_exist(self, BULK_PROCESSORS);
        ok = (is_in_bulk ? read_in_bulk : read_one_by_one)(host, connection, receive, context,
                                                           fault);
        virConnectClose(connection);
    }
    return call_end(&call, ok, fault);
}
