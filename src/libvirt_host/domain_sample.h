/*
 * domain_sample: the sample of one domain, as libvirt gives it.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_DOMAIN_SAMPLE_H
#define VMACCOUNTANT_LIBVIRT_HOST_DOMAIN_SAMPLE_H

#include "libvirt_host/libvirt_host.h"

/* asked_in, here and below: known_domain_changes() before libvirt was asked. */

/* From a record of bulk statistics. */
bool domain_sample_from_record(struct libvirt_host *self, const virDomainStatsRecord *stats,
                               uint64_t asked_in, struct machine_sample *sample,
                               struct fault *fault);

/* Reads the domain's definition and keeps it, with what the kernel shows of its
 * devices. The sample gets all but the counters. */
bool domain_learn(struct libvirt_host *self, virDomainPtr domain, struct machine_sample *sample,
                  struct fault *fault);

/* Keeps that the domain did not run when libvirt was asked. */
void domain_note_stopped(struct libvirt_host *self, virDomainPtr domain, uint64_t asked_in);

/* By a call for each adapter, for drivers without bulk statistics. */
bool domain_sample_one_by_one(struct libvirt_host *self, virDomainPtr domain,
                              struct machine_sample *sample, struct fault *fault);

#endif
