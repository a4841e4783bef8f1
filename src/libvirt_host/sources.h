/*
 * sources: which way each adapter's counters are read, and why.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_SOURCES_H
#define VMACCOUNTANT_LIBVIRT_HOST_SOURCES_H

#include "host/host.h"

bool libvirt_sources(struct host *host, source_receiver *receive, void *context,
                     struct fault *fault);

#endif
