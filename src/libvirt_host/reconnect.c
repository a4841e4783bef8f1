#include "libvirt_host/reconnect.h"

#include "base/clock.h"
#include "libvirt_host/event_loop.h"
#include "libvirt_host/socket_watch.h"

/* How often a lost daemon is tried: seldom, but often for a while after the
 * loss, and after each sign that it is back. It binds its socket some moments
 * before it listens there. */
enum { RETRY_MILLISECONDS = 1000, EAGER_RETRY_MILLISECONDS = 10, EAGER_MILLISECONDS = 2000 };

void reconnect_soon(struct libvirt_host *self)
{
    pthread_mutex_lock(&self->lock);
    self->eager_until = clock_deadline(EAGER_MILLISECONDS * CLOCK_MILLISECOND);
    if (self->reconnect_timer >= 0)
        virEventUpdateTimeout(self->reconnect_timer, 0);
    pthread_mutex_unlock(&self->lock);
}

static void on_socket_changed(void *context)
{
    event_loop_hand_over();
    reconnect_soon(context);
}

static void stop_socket_watch_locked(struct libvirt_host *self)
{
    if (self->socket_watch != NULL)
        socket_watch_stop(self->socket_watch);
    self->socket_watch = NULL;
}

/* A watch from before the next attempt, so that no return can fall between the
 * two; false where there can be none. */
static bool watch_socket_locked(struct libvirt_host *self)
{
    if (self->socket_watch != NULL) {
        socket_watch_renew(self->socket_watch);
        return true;
    }
    host_hold(&self->base);
    self->socket_watch =
        socket_watch_start(self->base.uri, on_socket_changed, self, event_loop_release_host);
    if (self->socket_watch == NULL)
        host_release(&self->base);
    return self->socket_watch != NULL;
}

/* Fires again and again from the loss of the connection until it is back. Trying
 * a socket costs little; a remote host, which may need a login by ssh, is never
 * tried eagerly. */
static void on_reconnect(int timer, void *context)
{
    struct libvirt_host *self = context;

    event_loop_hand_over();
    pthread_mutex_lock(&self->lock);
    virConnectPtr connection = self->channels[READ_ONLY].connection;
    bool is_back = connection != NULL && virConnectIsAlive(connection) == 1;
    bool is_wanted = self->reconnect_timer == timer; /* else the host is being closed */
    if (is_back || !is_wanted) {
        stop_socket_watch_locked(self);
        virEventUpdateTimeout(timer, -1);
    } else {
        bool is_eager = watch_socket_locked(self) && clock_now() < self->eager_until;
        virEventUpdateTimeout(timer, is_eager ? EAGER_RETRY_MILLISECONDS : RETRY_MILLISECONDS);
    }
    pthread_mutex_unlock(&self->lock);
    if (is_wanted && !is_back)
        connection_reopen(self);
}

void reconnect_start(struct libvirt_host *self)
{
    event_loop_hand_over();
    pthread_mutex_lock(&self->lock);
    host_hold(&self->base);
    self->reconnect_timer = virEventAddTimeout(-1, on_reconnect, self, event_loop_release_host);
    pthread_mutex_unlock(&self->lock);
}

void reconnect_stop(struct libvirt_host *self)
{
    pthread_mutex_lock(&self->lock);
    int timer = self->reconnect_timer;
    self->reconnect_timer = -1;
    stop_socket_watch_locked(self);
    pthread_mutex_unlock(&self->lock);
    if (timer >= 0)
        virEventRemoveTimeout(timer);
}
