/*
 * learning: finds out which devices the machines have, so that their counters are
 * read from the kernel from the first sample on.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_LEARNING_H
#define VMACCOUNTANT_LIBVIRT_HOST_LEARNING_H

#include "libvirt_host/libvirt_host.h"

/* Of a machine that is not known yet: learns its devices, and those of all that
 * have been listed where these are being walked. Samples it where that is all that
 * a sample takes, as *is_sampled says. False with a fault. */
bool learning_sample(struct libvirt_host *self, const struct machine_uuid *uuid,
                     struct machine_sample *sample, bool *is_sampled, struct fault *fault);

/* Learns the devices of all machines that are not known yet. Those that fail are
 * left out: sampling such a machine alone reports why. */
void learning_learn_all(struct libvirt_host *self);

#endif
