/*
 * disk_answer: the samples of machines' disks, as libvirt gives them. It asks
 * the hypervisor processes for them, and waits for as long as they take.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_DISK_ANSWER_H
#define VMACCOUNTANT_LIBVIRT_HOST_DISK_ANSWER_H

#include "libvirt_host/libvirt_host.h"

struct disk_answer {
    struct disk_sample *samples;
    size_t count;
    struct fault fault; /* when it failed */
};

bool disk_answer_of_domain(struct libvirt_host *self, virDomainPtr domain,
                           struct disk_answer *answer);

/* Of all that run. Does not wait for those that are busy, which are left out, and
 * has no samples for a driver without bulk statistics. */
bool disk_answer_of_all(struct libvirt_host *self, virConnectPtr connection,
                        struct disk_answer *answer);

void disk_answer_clear(struct disk_answer *answer);

#endif
