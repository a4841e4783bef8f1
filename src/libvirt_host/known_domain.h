/*
 * known_domain: what the libvirt host keeps of a domain's definition, for as
 * long as nothing is known to have changed it, and which way the domain's
 * counters are read.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_KNOWN_DOMAIN_H
#define VMACCOUNTANT_LIBVIRT_HOST_KNOWN_DOMAIN_H

#include "host/adapter.h"
#include "host/baseline.h"
#include "host/sample.h"
#include "libvirt_host/adapter_device.h"
#include "libvirt_host/libvirt_host.h"

/* Without memory an entry is not added, instead of the process ended. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* How far the kernel's counters are proven to be the machine's. */
enum trust {
    TRUST_FOUND,    /* the definition has not been read yet */
    TRUST_STOPPED,  /* the machine does not run: nothing is read */
    TRUST_NONE,     /* the kernel cannot be asked for a device, or it failed the proof */
    TRUST_UNPROVEN, /* the devices fit: to be compared with libvirt's own counters */
    TRUST_PROVEN    /* see enum proof */
};

/* How the kernel's counters were proven to be the machine's. */
enum proof {
    PROOF_IDENTITY, /* the device is the adapter's, in a namespace that is the daemon's */
    PROOF_COUNTERS, /* libvirt's counters lay between two of the kernel's */
};

/* An adapter's device, and the proof that the kernel's counters of it are right. */
struct known_device {
    struct adapter_device at;
    uint32_t position; /* in the host's list for dumps */
    bool is_overruled; /* libvirt's counters are another device's: the kernel's are right */
};

struct known_domain {
    UT_hash_handle hh;
    struct machine_uuid uuid; /* its key in libvirt_host.known */
    int64_t domain_id;
    virDomainPtr domain;           /* spares a look-up for each sample */
    struct adapter_list *adapters; /* NULL when it is stopped, or only found */
    /* Comes with every sample: the first may have gone to a thread that came too late. */
    struct baseline *baseline; /* that the definition shares, or NULL */
    const char *complaint;     /* why the one that is there cannot be used, or NULL */
    enum trust trust;
    enum proof proof;              /* when it is proven */
    unsigned failures;             /* of proofs */
    struct device_counter *before; /* the first of a proof's two readings; NULL: none under way */
    bool is_unreadable;            /* the first reading failed: so does the proof */
    struct known_device devices[]; /* one for each adapter */
};

struct known_domain *known_domain_find_locked(struct libvirt_host *self,
                                              const struct machine_uuid *uuid);
void known_domain_remove_locked(struct libvirt_host *self, const struct machine_uuid *uuid);
/* Keeps it in place of what was known of the domain; frees it without memory. */
void known_domain_keep_locked(struct libvirt_host *self, struct known_domain *known);

/* Finds the devices of the sample's adapters, whose incarnations become those of
 * the readings. NULL without memory. */
struct known_domain *known_domain_new(struct libvirt_host *self, virDomainPtr domain,
                                      struct machine_sample *sample);
struct known_domain *known_domain_new_stopped(virDomainPtr domain, const struct machine_uuid *uuid);
/* Keeps the domain, which was looked up or listed, for the next call for it. */
void known_domain_note(struct libvirt_host *self, virDomainPtr domain);
/* The domain that is kept, if it is on the current connection, else a new look-up. */
virDomainPtr known_domain_open(struct libvirt_host *self, const struct machine_uuid *uuid,
                               struct fault *fault);
void known_domain_free(struct known_domain *known);
/* How often a definition is known to have changed: what was read before the
 * latest change is not kept. */
uint64_t known_domain_changes(struct libvirt_host *self);
/* What is kept of the definition, or of all, no longer holds. */
void known_domain_forget(struct libvirt_host *self, const struct machine_uuid *uuid);
void known_domain_forget_all(struct libvirt_host *self);
/* Whether both are of one run, with the same devices, over one connection. */
bool known_domain_equal(const struct known_domain *a, const struct known_domain *b);

/* The device is gone: what is known of its machine no longer holds, even when
 * another device gets the same ifindex. */
void known_domain_forget_device(struct libvirt_host *self, unsigned ifindex);

#endif
