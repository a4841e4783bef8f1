/*
 * known_domain: what the libvirt host keeps of a domain's definition, for as
 * long as nothing is known to have changed it, and which way the domain's
 * counters are read.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_KNOWN_DOMAIN_H
#define VMACCOUNTANT_LIBVIRT_HOST_KNOWN_DOMAIN_H

#include "libvirt_host/libvirt_host.h"

/* How far the kernel's figures are proven to be the machine's. */
enum trust {
    TRUST_STOPPED,  /* the machine does not run: nothing is read */
    TRUST_NONE,     /* an adapter's device is not for the kernel to ask, or failed the proof */
    TRUST_UNPROVEN, /* the devices fit: to be compared with libvirt's own figures */
    TRUST_PROVEN    /* libvirt's figures lay between two of the kernel's, or were overruled */
};

struct known_device {
    uint64_t incarnation;
    const char *reason;  /* why the kernel cannot be asked; NULL when it can */
    const char *problem; /* why no figure is the machine's, not even libvirt's; or NULL */
    uint32_t position;   /* in the host's list for dumps */
    unsigned first;      /* ifindex of the device when it was first seen in this run; 0: never */
    bool is_guest_end;   /* see link.h */
    bool is_overruled;   /* libvirt's figures are another device's: the kernel's are right */
};

struct known_domain {
    struct known_domain *next;
    struct machine_uuid uuid;
    int64_t domain_id;
    virDomainPtr domain;           /* spares a look-up for each sample */
    struct adapter_list *adapters; /* NULL when it is stopped */
    /* Comes with every sample: the first may have gone to a thread that came too late. */
    struct baseline *baseline; /* that the definition shares, or NULL */
    const char *complaint;     /* why the one that is there cannot be used, or NULL */
    enum trust trust;
    unsigned failures;             /* of proofs */
    struct device_counter *before; /* the first of a proof's two readings; NULL: none under way */
    bool is_unreadable;            /* the first reading failed: so does the proof */
    struct known_device devices[]; /* of adapters */
};

/* All with the host's lock held. */

struct known_domain *known_domain_find(struct libvirt_host *self, const struct machine_uuid *uuid);
void known_domain_forget(struct libvirt_host *self, const struct machine_uuid *uuid);
/* Keeps it in place of what was known of the domain. */
void known_domain_keep(struct libvirt_host *self, struct known_domain *known);

/* Without the lock: looks at the devices of the sample's adapters, whose
 * incarnations become those of the readings. NULL without memory. */
struct known_domain *known_domain_new(struct libvirt_host *self, virDomainPtr domain,
                                      struct machine_sample *sample);
struct known_domain *known_domain_new_stopped(virDomainPtr domain, const struct machine_uuid *uuid);
void known_domain_free(struct known_domain *known);
/* How often a definition is known to have changed: what was read before the
 * latest change is not kept. */
uint64_t known_domain_changes(struct libvirt_host *self);
/* What is kept of the definition, or of all, no longer holds. */
void libvirt_forget_definition(struct libvirt_host *self, const struct machine_uuid *uuid);
void libvirt_forget_definitions(struct libvirt_host *self);
/* Whether libvirt takes the adapter's counters from anything that is the
 * machine's. For the types where it does not, it reads whatever device has the
 * target's name. The test driver makes up a device and figures for each. */
bool adapter_is_counted(const struct libvirt_host *self, const struct adapter *adapter);
/* Whether both are of the same run, with the same devices, over the same
 * connection. */
bool known_domain_equal(const struct known_domain *a, const struct known_domain *b);

/* kernel_proof.c */

/* The sample straight from the kernel; false when it has to be asked of
 * libvirt. */
bool libvirt_kernel_sample(struct libvirt_host *self, const struct machine_uuid *uuid,
                           struct machine_sample *sample);

/* All machines whose counters the kernel gives, in one dump. False when too
 * little is known, and libvirt is to be asked for all; else *others are the
 * domains that remain to be asked for, held for the caller, with a final NULL. */
bool libvirt_kernel_sample_all(struct libvirt_host *self, sample_receiver *receive, void *context,
                               virDomainPtr **others);

/* Around a call that asks libvirt for figures: the kernel's before it, of one
 * domain or of all that are unproven (NULL), and, after it, the proof. */
void libvirt_kernel_begin_proof(struct libvirt_host *self, const struct machine_uuid *uuid);
void libvirt_kernel_finish_proof(struct libvirt_host *self, const struct machine_sample *sample);

/* After libvirt's figures and the proof: puts the kernel's in their place where
 * they differ. libvirt finds a device by its name, or by a name that ends so. */
void libvirt_kernel_correct(struct libvirt_host *self, struct machine_sample *sample);

/* The device is gone: what is known of its machine no longer holds, even when
 * another device gets the same ifindex. */
void libvirt_kernel_forget_device(struct libvirt_host *self, unsigned ifindex);

/* Why the machine's counters are not read from the kernel; NULL when they are,
 * or may yet be. */
const char *libvirt_kernel_refusal(struct libvirt_host *self, const struct machine_uuid *uuid);

bool libvirt_sources(struct host *host, source_receiver *receive, void *context,
                     struct fault *fault);

#endif
