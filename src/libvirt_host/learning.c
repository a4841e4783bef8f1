#include "libvirt_host/learning.h"

#include "libvirt_host/call.h"
#include "libvirt_host/domain.h"
#include "libvirt_host/domain_sample.h"
#include "libvirt_host/event_loop.h"
#include "libvirt_host/kernel_sample.h"
#include "libvirt_host/known_domain.h"

#include <stdlib.h>

/* Learns the machine's devices, and samples it where they are all that it takes.
 * *is_sampled says whether they were. */
static bool learn(struct libvirt_host *self, const struct machine_uuid *uuid,
                  struct machine_sample *sample, bool *is_sampled, struct fault *fault)
{
    struct libvirt_call call;

    call_begin(&call, &self->bound);
    virDomainPtr domain = known_domain_open(self, uuid, fault);
    bool ok = domain != NULL && domain_learn(self, domain, sample, fault);
    if (domain != NULL)
        virDomainFree(domain);
    *is_sampled = ok && sample->domain_id == NOT_RUNNING;
    if (!*is_sampled)
        machine_sample_clear(sample);
    ok = call_end(&call, ok, fault);
    *is_sampled = *is_sampled || (ok && kernel_sample(self, uuid, sample));
    return ok;
}

/* Whether what is known of the domain is of this connection's. */
static bool is_learned(struct libvirt_host *self, virDomainPtr domain)
{
    const struct machine_uuid uuid = domain_get_uuid(domain);

    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find_locked(self, &uuid);
    bool is_learned = known != NULL && known->trust != TRUST_FOUND &&
                      virDomainGetConnect(known->domain) == virDomainGetConnect(domain);
    pthread_mutex_unlock(&self->lock);
    return is_learned;
}

/* Learns the devices of those of the connection's domains that are not known yet. One
 * that fails is left out: sampling it alone reports why. False with the last fault. */
static bool learn_each(struct libvirt_host *self, virConnectPtr connection,
                       const struct domain_list *list, uint64_t listed_in, struct fault *fault)
{
    bool ok = true;

    event_loop_pause();
    for (size_t i = 0; i < list->count; i++) {
        struct machine_sample sample = {.domain_id = NOT_RUNNING};
        if (virDomainGetConnect(list->domains[i]) != connection ||
            is_learned(self, list->domains[i]))
            continue;
        if (domain_get_id(list->domains[i]) == NOT_RUNNING)
            domain_note_stopped(self, list->domains[i], listed_in);
        else
            ok = domain_learn(self, list->domains[i], &sample, fault) && ok;
        machine_sample_clear(&sample);
    }
    event_loop_resume();
    return ok;
}

void learning_learn_all(struct libvirt_host *self)
{
    struct domain_list list = {0};
    struct fault fault;

    pthread_mutex_lock(&self->lock);
    bool is_done = self->knows_all;
    self->knows_all = true; /* unless all is forgotten meanwhile */
    uint64_t listed_in = self->definition_changes;
    pthread_mutex_unlock(&self->lock);
    if (is_done)
        return; /* without libvirt, which may be gone by now */
    virConnectPtr connection = connection_acquire(self, READ_ONLY, &fault);
    bool ok = connection != NULL && domain_list_read(connection, 0, &list, &fault);
    if (ok)
        learn_each(self, connection, &list, listed_in, &fault);
    domain_list_release(&list);
    if (connection != NULL)
        virConnectClose(connection);
    if (ok)
        return;
    pthread_mutex_lock(&self->lock);
    self->knows_all = false;
    pthread_mutex_unlock(&self->lock);
}

/* Whether there is nothing yet to read the machine's counters by. The second such
 * machine of a listing shows that the listed ones are being walked. */
static bool is_unknown(struct libvirt_host *self, const struct machine_uuid *uuid, bool *is_walk)
{
    pthread_mutex_lock(&self->lock);
    const struct known_domain *known = known_domain_find_locked(self, uuid);
    bool is_unknown = known == NULL || known->trust == TRUST_FOUND;
    *is_walk = known != NULL && is_unknown && ++self->reads_of_listed == 2;
    pthread_mutex_unlock(&self->lock);
    return is_unknown;
}

/* Learns all that have been listed and not read yet. False when the host does not
 * answer in time. */
static bool learn_listed(struct libvirt_host *self, struct fault *fault)
{
    struct libvirt_call call;
    struct domain_list list = {0};

    pthread_mutex_lock(&self->lock);
    uint64_t listed_in = self->definition_changes;
    list.domains = calloc(HASH_COUNT(self->known) + 1, sizeof(virDomainPtr));
    for (struct known_domain *known = self->known; list.domains != NULL && known;
         known = known->hh.next) {
        if (known->trust != TRUST_FOUND)
            continue;
        virDomainRef(known->domain);
        list.domains[list.count++] = known->domain;
    }
    pthread_mutex_unlock(&self->lock);
    call_begin(&call, &self->bound);
    virConnectPtr connection = connection_acquire(self, READ_ONLY, fault);
    bool ok = connection != NULL && learn_each(self, connection, &list, listed_in, fault);
    if (connection != NULL)
        virConnectClose(connection);
    domain_list_release(&list);
    return call_end(&call, ok, fault) || !call.is_timed_out;
}

bool learning_sample(struct libvirt_host *self, const struct machine_uuid *uuid,
                     struct machine_sample *sample, bool *is_sampled, struct fault *fault)
{
    bool is_walk;

    if (!is_unknown(self, uuid, &is_walk))
        return true;
    if (is_walk && !learn_listed(self, fault))
        return false;
    *is_sampled = is_walk && kernel_sample(self, uuid, sample);
    return *is_sampled || learn(self, uuid, sample, is_sampled, fault);
}
