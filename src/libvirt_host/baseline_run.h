/*
 * baseline_run: which run of a machine a shared baseline is of.
 *
 * libvirt numbers the runs of all machines, and begins again when its daemon is
 * started while none runs; a saved machine's image holds the baseline of the run
 * before. So a domain ID alone names no run. On the host itself the QEMU process
 * does: its start, and the host's boot. From another host the process cannot be
 * seen, and the domain ID has to do.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_BASELINE_RUN_H
#define VMACCOUNTANT_LIBVIRT_HOST_BASELINE_RUN_H

#include "host/baseline.h"
#include "host/sample.h"
#include "libvirt_host/libvirt_host.h"

/* Names the present run in a baseline that is to be written. False when the
 * domain's ID is no longer the baseline's. */
bool baseline_run_name(const struct libvirt_host *self, virDomainPtr domain,
                       struct baseline *baseline);

/* Drops the sample's baseline when it is of another run than the domain's, and
 * sets the complaint. */
void baseline_run_check(const struct libvirt_host *self, virDomainPtr domain,
                        struct machine_sample *sample);

#endif
