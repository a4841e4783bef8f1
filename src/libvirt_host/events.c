#include "libvirt_host/events.h"

#include "libvirt_host/baseline_xml.h"
#include "libvirt_host/domain.h"
#include "libvirt_host/event_loop.h"
#include "libvirt_host/known_domain.h"
#include "libvirt_host/reconnect.h"

#include <string.h>

/* After so long it is said that the process stays. A script that runs once has ended
 * by then. */
enum { STAYING_MILLISECONDS = 200 };

/* The current listener, held for the caller; false when there is none. */
static bool hold_listener(struct libvirt_host *self, struct host_listener *listener)
{
    pthread_mutex_lock(&self->lock);
    bool has_listener = self->has_listener;
    if (has_listener) {
        *listener = self->listener;
        listener->hold(listener->context);
    }
    pthread_mutex_unlock(&self->lock);
    return has_listener;
}

static enum stop_reason stop_reason_of(int detail)
{
    switch ((virDomainEventStoppedDetailType)detail) {
    case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
        return STOP_SHUT_DOWN;
    case VIR_DOMAIN_EVENT_STOPPED_DESTROYED:
        return STOP_TURNED_OFF;
    case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
    case VIR_DOMAIN_EVENT_STOPPED_FAILED: /* its process ended on its own */
        return STOP_CRASHED;
    case VIR_DOMAIN_EVENT_STOPPED_MIGRATED:
        return STOP_MIGRATED_AWAY;
    case VIR_DOMAIN_EVENT_STOPPED_SAVED:
        return STOP_SAVED;
    case VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT:
        return STOP_REVERTED;
    default:
        return STOP_UNKNOWN;
    }
}

/* Invalid where the host does not answer. */
static enum machine_state state_of(virDomainPtr domain)
{
    enum machine_state state;
    struct fault fault;
    return domain_read_state(domain, &state, &fault) ? state : MACHINE_Invalid;
}

static int on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail,
                        void *context)
{
    struct libvirt_host *self = context;
    struct machine_uuid uuid = domain_get_uuid(domain);
    struct host_listener listener;

    (void)connection;
    event_loop_hand_over();
    /* libvirt reports a wake-up from S3 as a start, but the same run goes on. */
    if (event == VIR_DOMAIN_EVENT_STARTED && detail == VIR_DOMAIN_EVENT_STARTED_WAKEUP)
        event = VIR_DOMAIN_EVENT_RESUMED;
    if (event == VIR_DOMAIN_EVENT_STARTED || event == VIR_DOMAIN_EVENT_STOPPED ||
        event == VIR_DOMAIN_EVENT_UNDEFINED)
        known_domain_forget(self, &uuid);
    if (!hold_listener(self, &listener))
        return 0;
    if (event != VIR_DOMAIN_EVENT_UNDEFINED)
        listener.named(listener.context, &uuid, virDomainGetName(domain));
    switch ((virDomainEventType)event) {
    case VIR_DOMAIN_EVENT_STARTED:
        listener.started(listener.context, &uuid, detail == VIR_DOMAIN_EVENT_STARTED_RESTORED);
        break;
    case VIR_DOMAIN_EVENT_STOPPED:
        listener.stopped(listener.context, &uuid, stop_reason_of(detail));
        break;
    case VIR_DOMAIN_EVENT_UNDEFINED:
        listener.adapters_changed(listener.context, &uuid); /* it may be gone altogether */
        break;
    case VIR_DOMAIN_EVENT_SUSPENDED:
    case VIR_DOMAIN_EVENT_PMSUSPENDED:
    /* Of a panic libvirt reports SUSPENDED, too, only if it learns that QEMU has
     * halted before it learns why. */
    case VIR_DOMAIN_EVENT_CRASHED:
        listener.paused(listener.context, &uuid, state_of(domain));
        break;
    case VIR_DOMAIN_EVENT_RESUMED:
        listener.resumed(listener.context, &uuid);
        break;
    default:
        break;
    }
    listener.release(listener.context);
    return 0;
}

static void on_reset(virConnectPtr connection, virDomainPtr domain, void *context)
{
    struct machine_uuid uuid = domain_get_uuid(domain);
    struct host_listener listener;

    (void)connection;
    event_loop_hand_over();
    if (!hold_listener(context, &listener))
        return;
    listener.named(listener.context, &uuid, virDomainGetName(domain));
    listener.reset(listener.context, &uuid);
    listener.release(listener.context);
}

static void report_definition_changed(struct libvirt_host *self, virDomainPtr domain)
{
    struct machine_uuid uuid = domain_get_uuid(domain);
    struct host_listener listener;

    event_loop_hand_over();
    known_domain_forget(self, &uuid);
    if (!hold_listener(self, &listener))
        return;
    listener.named(listener.context, &uuid, virDomainGetName(domain));
    listener.adapters_changed(listener.context, &uuid);
    listener.release(listener.context);
}

static void on_device(virConnectPtr connection, virDomainPtr domain, const char *alias,
                      void *context)
{
    (void)connection;
    (void)alias;
    report_definition_changed(context, domain);
}

static void on_metadata(virConnectPtr connection, virDomainPtr domain, int type, const char *uri,
                        void *context)
{
    (void)connection;
    if (type == VIR_DOMAIN_METADATA_ELEMENT && uri != NULL && strcmp(uri, BASELINE_NAMESPACE) == 0)
        report_definition_changed(context, domain);
}

/* Resets first: they alone leave nothing behind that could be asked for later. */
static const struct {
    int id;
    virConnectDomainEventGenericCallback callback;
} kinds[EVENT_KINDS] = {
    {VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_reset)},
    {VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)},
    {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device)},
    {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device)},
    {VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_metadata)},
};

static void register_events(struct libvirt_host *self, virConnectPtr connection,
                            int event_ids[EVENT_KINDS])
{
    event_loop_hand_over();
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        host_hold(&self->base);
        event_ids[kind] = virConnectDomainEventRegisterAny(
            connection, NULL, kinds[kind].id, kinds[kind].callback, self, event_loop_release_host);
        if (event_ids[kind] < 0) /* a driver without events: it is asked instead */
            host_release(&self->base);
    }
}

static void deregister_events(virConnectPtr connection, const int event_ids[EVENT_KINDS])
{
    for (int kind = 0; kind < EVENT_KINDS; kind++)
        if (event_ids[kind] >= 0)
            virConnectDomainEventDeregisterAny(connection, event_ids[kind]);
}

/* ------------------------------------------------------------------------
 * Devices that went, and what was missed
 * ------------------------------------------------------------------------ */

static void on_device_gone(void *context, const struct link *device)
{
    struct decimal bytes[DIRECTION_COUNT];
    struct host_listener listener;

    known_domain_forget_device(context, device->ifindex);
    if (device->is_moved)
        return; /* it counts on elsewhere, and may come back */
    if (!hold_listener(context, &listener))
        return;
    link_bytes(device, bytes);
    listener.device_gone(listener.context, device->ifindex, bytes);
    listener.release(listener.context);
}

/* Nothing that is kept holds any more: has the event thread sample everything
 * again. */
static void resynchronize(struct libvirt_host *self)
{
    /* Here and not in the event thread, which runs later: what is found in the
     * meantime is not thrown away. */
    known_domain_forget_all(self);
    pthread_mutex_lock(&self->lock);
    self->has_missed = true;
    if (self->resynchronize_timer >= 0)
        virEventUpdateTimeout(self->resynchronize_timer, 0);
    pthread_mutex_unlock(&self->lock);
}

static void on_overflow(void *context)
{
    resynchronize(context);
}

/* Of a test driver nothing can be missed: it runs in this process. */
static void on_resynchronize(int timer, void *context)
{
    struct libvirt_host *self = context;
    struct host_listener listener;

    event_loop_hand_over();
    virEventUpdateTimeout(timer, -1);
    /* The host's properties were written under the lock that this takes. */
    if (!hold_listener(self, &listener))
        return;
    pthread_mutex_lock(&self->lock);
    bool has_missed = self->has_missed;
    self->has_missed = false;
    pthread_mutex_unlock(&self->lock);
    if (!self->is_in_process && has_missed)
        listener.missed(listener.context);
    else if (!self->is_in_process)
        listener.staying(listener.context);
    listener.release(listener.context);
}

bool libvirt_tells(struct host *host)
{
    struct libvirt_host *self = libvirt_host(host);
    struct fault fault;

    virConnectPtr connection = connection_acquire(self, READ_ONLY, &fault);
    if (connection == NULL)
        return true; /* it does not answer now, but may again */
    pthread_mutex_lock(&self->lock);
    bool has_events = connection_has_events_locked(self);
    pthread_mutex_unlock(&self->lock);
    virConnectClose(connection);
    return has_events;
}

void libvirt_settle(struct host *host)
{
    if (libvirt_host(host)->is_local_qemu)
        link_monitor_drain();
}

void libvirt_listen(struct host *host, const struct host_listener *listener)
{
    struct libvirt_host *self = libvirt_host(host);

    reconnect_stop(self);
    pthread_mutex_lock(&self->lock);
    bool had_listener = self->has_listener;
    int timer = self->resynchronize_timer;
    self->has_listener = listener != NULL;
    self->resynchronize_timer = -1;
    if (listener != NULL)
        self->listener = *listener;
    pthread_mutex_unlock(&self->lock);

    if (timer >= 0)
        virEventRemoveTimeout(timer);
    if (had_listener && self->is_local_qemu)
        link_monitor_unsubscribe(&self->subscriber);
    if (listener == NULL)
        return;

    self->subscriber = (struct link_monitor_subscriber){
        .device_gone = on_device_gone, .missed = on_overflow, .context = self};
    if (self->is_local_qemu)
        link_monitor_subscribe(&self->subscriber);
    reconnect_start(self);
    event_loop_hand_over();
    pthread_mutex_lock(&self->lock);
    host_hold(host);
    self->resynchronize_timer =
        virEventAddTimeout(STAYING_MILLISECONDS, on_resynchronize, self, event_loop_release_host);
    pthread_mutex_unlock(&self->lock);
}

const struct connection_hooks events_connection_hooks = {
    .register_events = register_events,
    .reopened = resynchronize,
    .lost = reconnect_soon,
    .deregister_events = deregister_events,
};
