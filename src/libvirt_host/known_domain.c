#include "libvirt_host/known_domain.h"

#include <stdlib.h>
#include <string.h>

static struct known_domain **find_link_locked(struct libvirt_host *self,
                                              const struct machine_uuid *uuid)
{
    unsigned hash = 0;
    for (size_t i = 0; i < UUID_SIZE; i++)
        hash = hash * 31 + uuid->bytes[i];
    struct known_domain **link = &self->known[hash % KNOWN_BUCKETS];
    while (*link != NULL && !machine_uuid_equal(&(*link)->uuid, uuid))
        link = &(*link)->next;
    return link;
}

struct known_domain *known_domain_find_locked(struct libvirt_host *self,
                                              const struct machine_uuid *uuid)
{
    return *find_link_locked(self, uuid);
}

void known_domain_free(struct known_domain *known)
{
    virDomainFree(known->domain);
    adapter_list_release(known->adapters);
    baseline_free(known->baseline);
    free(known->before);
    free(known);
}

void known_domain_remove_locked(struct libvirt_host *self, const struct machine_uuid *uuid)
{
    struct known_domain **link = find_link_locked(self, uuid);
    struct known_domain *known = *link;
    if (known == NULL)
        return;
    *link = known->next;
    self->devices_in_dump = 0; /* positions may have changed */
    known_domain_free(known);
}

void known_domain_keep_locked(struct libvirt_host *self, struct known_domain *known)
{
    known_domain_remove_locked(self, &known->uuid);
    *find_link_locked(self, &known->uuid) = known;
    self->devices_in_dump = 0;
}

bool known_domain_equal(const struct known_domain *a, const struct known_domain *b)
{
    if (a->domain_id != b->domain_id || (a->adapters == NULL) != (b->adapters == NULL) ||
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
    for (size_t i = 0; i < KNOWN_BUCKETS; i++)
        while (self->known[i] != NULL)
            known_domain_remove_locked(self, &self->known[i]->uuid);
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
    for (size_t bucket = 0; bucket < KNOWN_BUCKETS; bucket++) {
        for (struct known_domain *known = self->known[bucket], *next; known; known = next) {
            next = known->next;
            if (!has_device(known, ifindex))
                continue;
            self->definition_changes++;
            known_domain_remove_locked(self, &known->uuid);
        }
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
    known->trust = count > 0 ? TRUST_UNPROVEN : TRUST_NONE;
    recall_devices(self, known);
    struct process_taps taps = {0};
    if (adapter_devices_are_here(self, known->adapters))
        process_taps_read(virDomainGetName(domain), &known->uuid, &taps);
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
