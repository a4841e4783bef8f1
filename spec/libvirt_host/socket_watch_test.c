/* When a daemon's socket appears, wherever its URI says that it will. */
#include "libvirt_host/socket_watch.h"

#include "../support/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/socket_watch_test.XXXXXX";
static unsigned changes, releases;
static bool has_expired;

static void note_change(void *context)
{
    ++*(unsigned *)context;
}

static void note_release(void *context)
{
    (void)context;
    releases++;
}

static void note_expiry(int timer, void *context)
{
    (void)timer;
    (void)context;
    has_expired = true;
}

/* Runs the event loop until there are more changes, or for a while. */
static bool is_reported(void)
{
    unsigned before = changes;
    has_expired = false;
    int timer = virEventAddTimeout(300, note_expiry, NULL, NULL);
    while (changes == before && !has_expired)
        virEventRunDefaultImpl();
    virEventRemoveTimeout(timer);
    return changes > before;
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void make_file(const char *name)
{
    int file = open(path_of(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0)
        abort();
    close(file);
}

static struct socket_watch *start(const char *uri)
{
    return socket_watch_start(uri, note_change, &changes, note_release);
}

static void stop(struct socket_watch *watch)
{
    unsigned before = releases;
    socket_watch_stop(watch);
    make_file("libvirt-sock-late");
    CHECK(!is_reported());
    CHECK(releases == before + 1);
    unlink(path_of("libvirt-sock-late"));
}

static void the_socket_that_a_uri_names_is_watched(void)
{
    char uri[512];
    snprintf(uri, sizeof uri, "qemu:///system?mode=direct&socket=%s", path_of("my.sock"));
    struct socket_watch *watch = start(uri);
    if (!CHECK(watch != NULL))
        return;
    make_file("other.sock");
    CHECK(!is_reported());
    make_file("my.sock");
    CHECK(is_reported());
    while (is_reported()) /* all that was reported of it */
        ;
    char other[256];
    snprintf(other, sizeof other, "%s", path_of("other.sock"));
    if (rename(other, path_of("my.sock")) != 0)
        abort();
    CHECK(is_reported());
    stop(watch);
    unlink(path_of("my.sock"));
}

static void a_folder_that_is_not_there_yet_is_watched(void)
{
    setenv("XDG_RUNTIME_DIR", folder, 1);
    struct socket_watch *watch = start("qemu:///session");
    if (!CHECK(watch != NULL))
        return;
    CHECK(!is_reported());
    mkdir(path_of("libvirt"), 0700);
    CHECK(is_reported());
    make_file("libvirt/qemu.conf");
    CHECK(!is_reported());
    make_file("libvirt/virtqemud-sock");
    CHECK(is_reported());

    unlink(path_of("libvirt/virtqemud-sock"));
    unlink(path_of("libvirt/qemu.conf"));
    rmdir(path_of("libvirt"));
    while (is_reported())
        ;
    mkdir(path_of("libvirt"), 0700);
    CHECK(is_reported());
    make_file("libvirt/libvirt-sock-ro");
    CHECK(is_reported());
    stop(watch);
    unlink(path_of("libvirt/libvirt-sock-ro"));
    rmdir(path_of("libvirt"));
}

static void another_host_is_not_watched(void)
{
    CHECK(start("qemu+ssh://host/system") == NULL);
    CHECK(start("qemu://host/system") == NULL);
    CHECK(start("qemu+tcp:///system") == NULL);
    CHECK(start("test:///default") == NULL);
}

int main(void)
{
    if (mkdtemp(folder) == NULL || virEventRegisterDefaultImpl() != 0)
        abort();
    the_socket_that_a_uri_names_is_watched();
    a_folder_that_is_not_there_yet_is_watched();
    another_host_is_not_watched();
    rmdir(folder);
    return check_report();
}
