/*
 * kernel_proof: the proof that the kernel's counters are the machine's.
 *
 * Which device is an adapter's, adapter_device.c finds. The counters are proven
 * when libvirt's own lie between two readings of the kernel's, taken around a
 * call that was made anyway. Where libvirt's keep disagreeing about a device
 * that is the machine's, libvirt reads another of a similar name, and the kernel
 * is right. The proof ends with the device's ifindex, or when libvirt reports a
 * change.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_KERNEL_PROOF_H
#define VMACCOUNTANT_LIBVIRT_HOST_KERNEL_PROOF_H

#include "libvirt_host/libvirt_host.h"

/* Around a call that asks libvirt for counters: reads the kernel's before it, of
 * one domain or of all that are unproven (NULL), and, after it, compares. */
void kernel_proof_begin(struct libvirt_host *self, const struct machine_uuid *uuid);
void kernel_proof_finish(struct libvirt_host *self, const struct machine_sample *sample);

/* After libvirt's counters and the proof: puts the kernel's in their place where
 * they differ. libvirt finds a device by its name, or by a name that ends so. */
void kernel_proof_correct(struct libvirt_host *self, struct machine_sample *sample);

/* Why the machine's counters are not read from the kernel; NULL when they are,
 * or may yet be. */
const char *kernel_proof_refusal(struct libvirt_host *self, const struct machine_uuid *uuid);

#endif
