#include "libvirt_host/known_domain.h"

#include "libvirt_host/domain.h"

#include <stdlib.h>
#include <string.h>

struct known_domain *known_domain_find_locked(struct libvirt_host *self,
                                              const struct machine_uuid *uuid)
{
    struct known_domain *known;

    HASH_FIND(hh, self->known, uuid, sizeof *uuid, known);
    return known;
}

void known_domain_free(struct known_domain *known)
{
    virDomainFree(known->domain);
    adapter_list_release(known->adapters);
    baseline_free(known->baseline);
    free(known->before);
    free(known);
}

static void remove_locked(struct libvirt_host *self, struct known_domain *known)
{
    HASH_DELETE(hh, self->known, known);
    self->devices_in_dump = 0; /* positions may have changed */
    known_domain_free(known);
}

void known_domain_remove_locked(struct libvirt_host *self, const struct machine_uuid *uuid)
{
    struct known_domain *known = known_domain_find_locked(self, uuid);
    if (known != NULL)
        remove_locked(self, known);
}

void known_domain_keep_locked(struct libvirt_host *self, struct known_domain *known)
{
    known_domain_remove_locked(self, &known->uuid);
    HASH_ADD(hh, self->known, uuid, sizeof known->uuid, known);
    if (known->hh.tbl == NULL)
        known_domain_free(known);
    self->devices_in_dump = 0;
}

bool known_domain_equal(const struct known_domain *a, const struct known_domain *b)
{
    if (a->trust == TRUST_FOUND || b->trust == TRUST_FOUND || a->domain_id != b->domain_id ||
        (a->adapters == NULL) != (b->adapters == NULL) ||
        virDomainGetConnect(a->domain) != virDomainGetConnect(b->domain))
        return false;
    if (a->adapters == NULL)
        return true;
    if (a->adapters->count != b->adapters->count)
        return false;
    for (size_t i = 0; i < a->adapters->count; i++)
        if (a->devices[i].at.incarnation != b->devices[i].at.incarnation ||
            (a->devices[i].at.reason == NULL) != (b->devices[i].at.reason == NULL) ||
            memcmp(a->adapters->adapters[i].mac, b->adapters->adapters[i].mac, MAC_SIZE) != 0)
            return false;
    return true;
}

uint64_t known_domain_changes(struct libvirt_host *self)
{
    pthread_mutex_lock(&self->lock);
    uint64_t changes = self->definition_changes;
    pthread_mutex_unlock(&self->lock);
    return changes;
}

void known_domain_forget(struct libvirt_host *self, const struct machine_uuid *uuid)
{
    pthread_mutex_lock(&self->lock);
    self->definition_changes++;
    known_domain_remove_locked(self, uuid);
    pthread_mutex_unlock(&self->lock);
}

void known_domain_forget_all(struct libvirt_host *self)
{
    pthread_mutex_lock(&self->lock);
    self->definition_changes++;
    self->knows_all = false;
    while (self->known != NULL)
        remove_locked(self, self->known);
    pthread_mutex_unlock(&self->lock);
}

static bool has_device(const struct known_domain *known, unsigned ifindex)
{
    for (size_t i = 0; known->adapters != NULL && i < known->adapters->count; i++)
        if (known->devices[i].at.incarnation == ifindex)
            return true;
    return false;
}

void known_domain_forget_device(struct libvirt_host *self, unsigned ifindex)
{
    pthread_mutex_lock(&self->lock);
    for (struct known_domain *known = self->known, *next; known != NULL; known = next) {
        next = known->hh.next;
        if (!has_device(known, ifindex))
            continue;
        self->definition_changes++;
        remove_locked(self, known);
    }
    pthread_mutex_unlock(&self->lock);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* What was seen of the same run's devices before. */
static void recall_devices(struct libvirt_host *self, struct known_domain *known)
{
    pthread_mutex_lock(&self->lock);
    const struct known_domain *before = known_domain_find_locked(self, &known->uuid);
    size_t count =
        before != NULL && before->adapters != NULL && before->domain_id == known->domain_id
            ? before->adapters->count
            : 0;
    for (size_t i = 0; i < known->adapters->count; i++) {
        const struct adapter *adapter = &known->adapters->adapters[i];
        for (size_t k = 0; k < count; k++)
            if (memcmp(before->adapters->adapters[k].mac, adapter->mac, MAC_SIZE) == 0 &&
                same_text(before->adapters->adapters[k].device, adapter->device))
                known->devices[i].at.first = before->devices[k].at.first;
    }
    pthread_mutex_unlock(&self->lock);
}

static struct known_domain *allocate(virDomainPtr domain, size_t devices)
{
    struct known_domain *known = calloc(1, sizeof *known + devices * sizeof known->devices[0]);
    if (known == NULL)
        return NULL;
    known->domain = domain;
    virDomainRef(domain);
    return known;
}

struct known_domain *known_domain_new(struct libvirt_host *self, virDomainPtr domain,
                                      struct machine_sample *sample)
{
    size_t count = sample->adapters->count;
    struct known_domain *known = allocate(domain, count);
    if (known == NULL)
        return NULL;
    known->uuid = sample->uuid;
    known->domain_id = sample->domain_id;
    known->adapters = adapter_list_hold(sample->adapters);
    known->baseline = baseline_copy(sample->baseline);
    known->complaint = sample->complaint;
    known->trust = count > 0 || libvirt_reads_kernel(self) ? TRUST_UNPROVEN : TRUST_NONE;
    recall_devices(self, known);
    struct process_taps taps = {0};
    if (adapter_devices_are_here(self, known->adapters))
        process_taps_read(virDomainGetName(domain), &known->uuid, known->adapters, &taps);
    for (size_t i = 0; i < count; i++) {
        adapter_device_find(self, &sample->adapters->adapters[i], &taps, &known->devices[i].at);
        if (known->devices[i].at.reason != NULL)
            known->trust = TRUST_NONE;
        sample->readings[i].key.incarnation = known->devices[i].at.incarnation;
        sample->readings[i].problem = known->devices[i].at.problem;
    }
    process_taps_clear(&taps);
    return known;
}

struct known_domain *known_domain_new_stopped(virDomainPtr domain, const struct machine_uuid *uuid)
{
    struct known_domain *known = allocate(domain, 0);
    if (known == NULL)
        return NULL;
    known->uuid = *uuid;
    known->domain_id = NOT_RUNNING;
    known->trust = TRUST_STOPPED;
    return known;
}

void known_domain_note(struct libvirt_host *self, virDomainPtr domain)
{
    struct machine_uuid uuid;

    if (!self->is_local_qemu || virDomainGetUUID(domain, uuid.bytes) != 0)
        return;
    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find_locked(self, &uuid);
    if (!self->is_closed &&
        (known == NULL || virDomainGetConnect(known->domain) != virDomainGetConnect(domain))) {
        struct known_domain *found = allocate(domain, 0);
        if (found != NULL) {
            found->uuid = uuid;
            found->domain_id = domain_get_id(domain);
            found->trust = TRUST_FOUND;
            known_domain_keep_locked(self, found);
        }
    }
    pthread_mutex_unlock(&self->lock);
}

virDomainPtr known_domain_open(struct libvirt_host *self, const struct machine_uuid *uuid,
                               struct fault *fault)
{
    virDomainPtr domain = NULL;
    virConnectPtr connection = connection_acquire(self, READ_ONLY, fault);
    if (connection == NULL)
        return NULL;

    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find_locked(self, uuid);
    if (known != NULL && virDomainGetConnect(known->domain) == connection) {
        domain = known->domain;
        virDomainRef(domain);
    }
    pthread_mutex_unlock(&self->lock);
    virConnectClose(connection);
    return domain != NULL ? domain : domain_open(self, READ_ONLY, uuid, fault);
}
