#include "libvirt_host/baseline_run.h"

#include "libvirt_host/process_time.h"

#include <string.h>

/* Whether the domain's process would be one of this host. */
static bool is_of_this_host(const struct libvirt_host *self)
{
    return self->is_local_qemu && libvirt_shares_network(self);
}

static bool find_process(const struct libvirt_host *self, virDomainPtr domain, uint64_t *ticks)
{
    struct machine_uuid uuid;

    *ticks = 0;
    return is_of_this_host(self) && virDomainGetUUID(domain, uuid.bytes) == 0 &&
           qemu_process_start(&uuid, virDomainGetName(domain), ticks);
}

bool baseline_run_name(const struct libvirt_host *self, virDomainPtr domain,
                       struct baseline *baseline)
{
    clock_boot_id(baseline->boot_id);
    if (!find_process(self, domain, &baseline->process_start))
        baseline->process_start = 0;
    /* The domain was looked up before the process, and its ID with it. */
    return virDomainGetID(domain) == (unsigned)baseline->domain_id;
}

/* Why the baseline is not of the domain's run; NULL when it is, or when nothing
 * but the ID can be compared. */
static const char *complaint_about(const struct libvirt_host *self, virDomainPtr domain,
                                   const struct baseline *baseline)
{
    uint64_t ticks;

    if (!is_of_this_host(self))
        return NULL;
    if (!baseline->has_common_clock)
        return "it was written on another host, or before this one was booted";
    if (baseline->reset_clock > clock_since_boot())
        return "its reset is yet to come by the clock of this host";
    if (!find_process(self, domain, &ticks))
        return NULL;
    bool is_of_process = baseline->process_start != 0
                             ? baseline->process_start == ticks
                             : baseline->reset_clock >= process_start_time(ticks);
    return is_of_process ? NULL : "it is of an earlier run of the machine with the same domain ID";
}

void baseline_run_check(const struct libvirt_host *self, virDomainPtr domain,
                        struct machine_sample *sample)
{
    char boot_id[BOOT_ID_SIZE];
    struct baseline *baseline = sample->baseline;

    if (baseline == NULL || baseline->domain_id != sample->domain_id)
        return;
    baseline->has_common_clock = clock_boot_id(boot_id) && strcmp(boot_id, baseline->boot_id) == 0;
    const char *complaint = complaint_about(self, domain, baseline);
    if (complaint == NULL)
        return;
    baseline_free(baseline);
    sample->baseline = NULL;
    sample->complaint = complaint;
}
