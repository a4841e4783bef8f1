#include "libvirt_host/socket_watch.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "libvirt_host/libvirt_host.h"
#include "libvirt_host/uri.h"

enum { PLACES = 2, PATH_SIZE = 4096 };

/* A folder in which the socket may appear, and the folder that it stands in
 * itself: /run/libvirt is removed and created again by some installations. */
struct place {
    char folder[PATH_SIZE];
    int folder_watch; /* -1: there is no such folder */
    int parent_watch;
};

struct socket_watch {
    int descriptor;
    int handle;
    char *socket_name; /* NULL: any name of a libvirt daemon's socket */
    struct place places[PLACES];
    size_t place_count;
    void (*changed)(void *context);
    void *context;
    virFreeCallback release;
};

static bool add_place(struct socket_watch *watch, const char *folder, const char *below)
{
    struct place *place = &watch->places[watch->place_count];
    int length = snprintf(place->folder, sizeof place->folder, "%s%s", folder, below);
    if (length <= 0 || (size_t)length >= sizeof place->folder)
        return false;
    place->folder_watch = place->parent_watch = -1;
    watch->place_count++;
    return true;
}

/* As libvirt finds the folder of a user's own daemon. */
static bool add_place_of_session(struct socket_watch *watch)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");

    if (runtime != NULL && runtime[0] != '\0')
        return add_place(watch, runtime, "/libvirt");
    if (cache != NULL && cache[0] != '\0')
        return add_place(watch, cache, "/libvirt");
    return home != NULL && add_place(watch, home, "/.cache/libvirt");
}

/* The folder and the name of a socket that the URI names. */
static bool add_place_of_socket(struct socket_watch *watch, char *socket)
{
    char *slash = strrchr(socket, '/');
    if (slash == NULL || slash == socket)
        return false;
    *slash = '\0';
    watch->socket_name = strdup(slash + 1);
    return watch->socket_name != NULL && add_place(watch, socket, "");
}

/* Where libvirt looks for the socket of a daemon on this host. */
static bool add_places(struct socket_watch *watch, const char *uri)
{
    char *socket = uri_socket_parameter(uri);
    bool ok = uri_is_served_here(uri);

    if (ok && socket != NULL)
        ok = add_place_of_socket(watch, socket);
    else if (ok && uri_is_session(uri))
        ok = add_place_of_session(watch);
    else if (ok) /* mostly one and the same */
        ok = add_place(watch, "/run/libvirt", "") && add_place(watch, "/var/run/libvirt", "");
    free(socket);
    return ok;
}

void socket_watch_renew(struct socket_watch *watch)
{
    const uint32_t appears = IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR;

    for (size_t i = 0; i < watch->place_count; i++) {
        struct place *place = &watch->places[i];
        char parent[PATH_SIZE];

        memcpy(parent, place->folder, sizeof parent);
        char *slash = strrchr(parent, '/');
        if (slash != NULL)
            slash[slash == parent] = '\0';
        place->parent_watch =
            slash == NULL ? -1 : inotify_add_watch(watch->descriptor, parent, appears);
        place->folder_watch = inotify_add_watch(watch->descriptor, place->folder, appears);
    }
}

static bool is_socket(const struct socket_watch *watch, const char *name)
{
    return watch->socket_name != NULL ? strcmp(name, watch->socket_name) == 0
                                      : strstr(name, "-sock") != NULL;
}

/* Whether the event says that the socket, or the folder for it, is there. */
static bool is_of_interest(const struct socket_watch *watch, const struct inotify_event *event)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0)
        return true;
    if (event->len == 0) /* of the folder itself */
        return false;
    for (size_t i = 0; i < watch->place_count; i++) {
        const struct place *place = &watch->places[i];
        if (event->wd == place->folder_watch && is_socket(watch, event->name))
            return true;
        if (event->wd == place->parent_watch &&
            strcmp(strrchr(place->folder, '/') + 1, event->name) == 0)
            return true;
    }
    return false;
}

static void on_readable(int handle, int descriptor, int events, void *context)
{
    struct socket_watch *watch = context;
    _Alignas(struct inotify_event) char buffer[4096];
    bool has_changed = false;
    ssize_t length;

    (void)handle;
    (void)events;
    while ((length = read(descriptor, buffer, sizeof buffer)) > 0) {
        for (const char *at = buffer; at < buffer + length;) {
            const struct inotify_event *event = (const void *)at;
            has_changed = has_changed || is_of_interest(watch, event);
            at += sizeof *event + event->len;
        }
    }
    if (!has_changed)
        return;
    socket_watch_renew(watch);
    watch->changed(watch->context);
}

static void clear(struct socket_watch *watch)
{
    if (watch->descriptor >= 0)
        close(watch->descriptor);
    free(watch->socket_name);
    free(watch);
}

static void destroy(void *context)
{
    struct socket_watch *watch = context;
    watch->release(watch->context);
    clear(watch);
}

struct socket_watch *socket_watch_start(const char *uri, void (*changed)(void *context),
                                        void *context, virFreeCallback release)
{
    struct socket_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return NULL;
    *watch = (struct socket_watch){
        .descriptor = -1, .changed = changed, .context = context, .release = release};
    if (add_places(watch, uri))
        watch->descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->descriptor < 0) {
        clear(watch);
        return NULL;
    }
    socket_watch_renew(watch);
    watch->handle = virEventAddHandle(watch->descriptor, VIR_EVENT_HANDLE_READABLE, on_readable,
                                      watch, destroy);
    if (watch->handle >= 0)
        return watch;
    clear(watch);
    return NULL;
}

void socket_watch_stop(struct socket_watch *watch)
{
    virEventRemoveHandle(watch->handle);
}
