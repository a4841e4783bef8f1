/*
 * domain_sample: the sample of one domain, as libvirt gives it.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_DOMAIN_SAMPLE_H
#define VMACCOUNTANT_LIBVIRT_HOST_DOMAIN_SAMPLE_H

#include "libvirt_host/libvirt_host.h"

/* From a record of bulk statistics. asked_in: known_domain_changes() before
 * libvirt was asked. */
bool domain_sample_from_record(struct libvirt_host *self, const virDomainStatsRecord *stats,
                               uint64_t asked_in, struct machine_sample *sample,
                               struct fault *fault);

/* By a call for each adapter, for drivers without bulk statistics. */
bool domain_sample_one_by_one(struct libvirt_host *self, virDomainPtr domain,
                              struct machine_sample *sample, struct fault *fault);

#endif
