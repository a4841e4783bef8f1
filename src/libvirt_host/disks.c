#include "libvirt_host/disks.h"

#include "base/clock.h"
#include "base/thread.h"
#include "libvirt_host/disk_answer.h"
#include "libvirt_host/domain.h"

#include <stdlib.h>

/* The counters are the hypervisor process's own: libvirt asks it over its
 * monitor, and waits for the answer as long as it takes. So each question is put
 * in a thread of its own, which may outlive the caller's wait. */
struct disk_request {
    struct disk_request *next;
    unsigned references; /* of the thread, of those that wait for it, and of the list */
    struct libvirt_host *host;
    bool is_of_all;
    struct machine_uuid uuid; /* unless it is of all */
    bool is_done;
    bool ok;
    struct disk_answer answer;
};

static void release_locked(struct disk_request *request)
{
    if (--request->references > 0)
        return;
    disk_answer_clear(&request->answer);
    free(request);
}

static bool ask(struct disk_request *request)
{
    struct libvirt_host *self = request->host;
    bool ok;

    if (request->is_of_all) {
        virConnectPtr connection =
            connection_acquire(self, READ_ONLY_WAITING, &request->answer.fault);
        ok = connection != NULL && disk_answer_of_all(self, connection, &request->answer);
        if (connection != NULL)
            virConnectClose(connection);
        return ok;
    }
    virDomainPtr domain =
        domain_open(self, READ_ONLY_WAITING, &request->uuid, &request->answer.fault);
    ok = domain != NULL && disk_answer_of_domain(self, domain, &request->answer);
    if (domain != NULL)
        virDomainFree(domain);
    return ok;
}

static void unlink_request_locked(struct disk_request *request)
{
    struct disk_request **link = &request->host->disk_requests;
    while (*link != request)
        link = &(*link)->next;
    *link = request->next;
}

static void run(void *context)
{
    struct disk_request *request = context;
    struct libvirt_host *self = request->host;

    bool ok = ask(request);
    pthread_mutex_lock(&self->lock);
    request->ok = ok;
    request->is_done = true;
    unlink_request_locked(request);
    pthread_cond_broadcast(&self->changed);
    release_locked(request);
    pthread_mutex_unlock(&self->lock);
    host_release(&self->base);
}

/* The question that is under way, or NULL. */
static struct disk_request *find_request_locked(const struct libvirt_host *self,
                                                const struct machine_uuid *uuid)
{
    struct disk_request *request = self->disk_requests;
    while (request != NULL &&
           (uuid == NULL ? !request->is_of_all
                         : request->is_of_all || !machine_uuid_equal(&request->uuid, uuid)))
        request = request->next;
    return request;
}

/* A new request, under way and referred to by the caller. */
static struct disk_request *start_request_locked(struct libvirt_host *self,
                                                 const struct machine_uuid *uuid,
                                                 struct fault *fault)
{
    struct disk_request *request = calloc(1, sizeof *request);
    if (request == NULL) {
        fault_out_of_memory(fault);
        return NULL;
    }
    request->host = self;
    request->is_of_all = uuid == NULL;
    if (uuid != NULL)
        request->uuid = *uuid;
    request->references = 2;
    request->next = self->disk_requests;
    self->disk_requests = request;
    host_hold(&self->base);
    if (thread_run(run, request, fault))
        return request;
    unlink_request_locked(request);
    free(request);
    host_release(&self->base); /* not the last: the caller has one */
    return NULL;
}

/* Drops the lock while it waits. */
static bool wait_for_locked(struct disk_request *request, int64_t deadline)
{
    struct libvirt_host *self = request->host;
    while (!request->is_done && clock_wait_until(&self->changed, &self->lock, deadline))
        ;
    return request->is_done;
}

static bool fault_silent(const struct libvirt_host *self, struct fault *fault)
{
    return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                     "the disks' counters cannot be read: the machine's hypervisor process has "
                     "not answered within %d seconds (option 'timeout')",
                     self->bound.timeout);
}

bool libvirt_sample_disks(struct host *host, const struct machine_uuid *uuid,
                          disk_receiver *receive, void *context, struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);
    int64_t deadline = clock_deadline(self->bound.timeout * CLOCK_SECOND);

    pthread_mutex_lock(&self->lock);
    /* One question at a time: what waits for its answer holds up the daemon. One
     * that was put before has an answer that may be older than what is wanted. */
    struct disk_request *request = find_request_locked(self, uuid);
    while (request != NULL) {
        request->references++;
        bool is_done = wait_for_locked(request, deadline);
        release_locked(request);
        if (!is_done) {
            pthread_mutex_unlock(&self->lock);
            return fault_silent(self, fault);
        }
        request = find_request_locked(self, uuid);
    }
    request = start_request_locked(self, uuid, fault);
    if (request == NULL) {
        pthread_mutex_unlock(&self->lock);
        return false;
    }
    bool is_done = wait_for_locked(request, deadline);
    pthread_mutex_unlock(&self->lock);

    bool ok = is_done ? request->ok : fault_silent(self, fault);
    if (is_done && !ok)
        *fault = request->answer.fault;
    for (size_t i = 0; ok && i < request->answer.count; i++)
        receive(context, &request->answer.samples[i]);
    pthread_mutex_lock(&self->lock);
    release_locked(request);
    pthread_mutex_unlock(&self->lock);
    if (!is_done)
        connection_abandon_waiting(self);
    return ok;
}
