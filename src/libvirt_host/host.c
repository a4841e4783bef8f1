#include "libvirt_host/host.h"

#include "base/clock.h"
#include "base/thread.h"
#include "libvirt_host/event_loop.h"
#include "libvirt_host/events.h"
#include "libvirt_host/known_domain.h"

#include <stdlib.h>
#include <string.h>

/* How long Close() waits for a host that does not say goodbye. */
enum { CLOSE_PATIENCE_MILLISECONDS = 500 };

static void close_channels(void *context)
{
    struct libvirt_host *self = context;
    struct fault fault;

    bool has_loop = event_loop_acquire(&fault);
    connection_close_all(self);
    if (has_loop)
        event_loop_release(); /* before Close() goes on, which waits for the loop's end */
    pthread_mutex_lock(&self->lock);
    self->is_closing = false;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    host_release(&self->base);
}

void libvirt_close(struct host *host)
{
    struct libvirt_host *self = libvirt_host(host);
    int64_t deadline = clock_deadline(CLOSE_PATIENCE_MILLISECONDS * CLOCK_MILLISECOND);
    struct fault fault;

    libvirt_listen(host, NULL);
    pthread_mutex_lock(&self->lock);
    self->is_closed = true; /* from here on no definition is kept */
    self->is_closing = true;
    pthread_mutex_unlock(&self->lock);
    known_domain_forget_all(self); /* they hold the connection */

    bool is_paused = event_loop_pause_to_go();
    host_hold(host);
    if (!thread_run(close_channels, self, &fault))
        close_channels(self);
    pthread_mutex_lock(&self->lock);
    while (self->is_closing && clock_wait_until(&self->changed, &self->lock, deadline))
        ;
    pthread_mutex_unlock(&self->lock);
    if (is_paused)
        event_loop_resume();
    event_loop_release();
}

static struct libvirt_host *new_host(const struct host_driver *driver, const char *uri, int timeout)
{
    struct libvirt_host *self = calloc(1, sizeof *self);

    if (self == NULL)
        return NULL;
    if (uri != NULL && (self->requested_uri = strdup(uri)) == NULL) {
        free(self);
        return NULL;
    }
    self->base.driver = driver;
    self->hooks = &events_connection_hooks;
    atomic_init(&self->base.references, 1);
    self->bound.timeout = timeout;
    atomic_init(&self->bound.is_silent, false);
    connection_init(self);
    self->opened_at = clock_since_boot();
    self->reconnect_timer = -1;
    self->resynchronize_timer = -1;
    pthread_mutex_init(&self->lock, NULL);
    clock_condition_init(&self->changed);
    return self;
}

void libvirt_destroy(struct host *host)
{
    struct libvirt_host *self = libvirt_host(host);

    known_domain_forget_all(self);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    link_stats_close(self->kernel);
    free(self->dump);
    free(self->requested_uri);
    free(host->uri);
    free(self);
}

struct host *libvirt_host_open(const struct host_driver *driver, const char *uri, int timeout,
                               enum counters counters, struct fault *fault)
{
    if (event_loop_is_forked()) {
        fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                  "this process is a fork of one that has used libvirt, which cannot be used "
                  "here: connect in the parent, or in a new program");
        return NULL;
    }
    if (!connection_check_descriptors(fault))
        return NULL;
    event_loop_prepare();
    struct libvirt_host *self = new_host(driver, uri, timeout);
    if (self == NULL) {
        fault_out_of_memory(fault);
        return NULL;
    }
    self->counters = counters;
    self->kernel = link_stats_open();
    bool is_paused = event_loop_pause_to_come();
    virConnectPtr connection = NULL;
    bool is_acquired = event_loop_acquire(fault);
    if (is_acquired)
        connection = connection_acquire(self, READ_ONLY, fault);
    if (is_paused)
        event_loop_resume();
    if (!is_acquired) {
        libvirt_destroy(&self->base);
        return NULL;
    }
    if (connection == NULL) {
        libvirt_close(&self->base);
        host_release(&self->base);
        return NULL;
    }
    virConnectClose(connection);
    return &self->base;
}
