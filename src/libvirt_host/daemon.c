#include "libvirt_host/daemon.h"

#include "base/descriptors.h"
#include "libvirt_host/process_time.h"
#include "libvirt_host/uri.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ------------------------------------------------------------------------
 * Sockets of this process, and who is at their other ends
 * ------------------------------------------------------------------------ */

struct peer {
    char path[sizeof((struct sockaddr_un *)0)->sun_path + 1]; /* as it was bound */
    pid_t pid; /* that called listen(); 0 for one of another PID namespace */
    uid_t uid;
};

static bool read_credentials(int descriptor, struct peer *peer)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;

    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return false;
    peer->pid = credentials.pid;
    peer->uid = credentials.uid;
    return true;
}

static bool is_hung_up(int descriptor)
{
    struct pollfd poller = {.fd = descriptor};
    return poll(&poller, 1, 0) > 0 && (poller.revents & (POLLHUP | POLLERR)) != 0;
}

/* False for what is no UNIX socket with a named, living other end. The
 * descriptor is another's, who may close it at any moment: the same inode
 * before and after means that all was read of one socket. */
static bool read_peer(int descriptor, struct peer *peer)
{
    struct stat before, after;
    struct sockaddr_un address = {.sun_family = AF_UNSPEC};
    socklen_t size = sizeof address;

    if (fstat(descriptor, &before) != 0 || !S_ISSOCK(before.st_mode) ||
        getpeername(descriptor, (struct sockaddr *)&address, &size) != 0 ||
        address.sun_family != AF_UNIX || size <= offsetof(struct sockaddr_un, sun_path) ||
        address.sun_path[0] == '\0')
        return false;
    memcpy(peer->path, address.sun_path, sizeof address.sun_path);
    peer->path[sizeof address.sun_path] = '\0';
    return read_credentials(descriptor, peer) && !is_hung_up(descriptor) &&
           fstat(descriptor, &after) == 0 && before.st_ino == after.st_ino;
}

/* The file names of the sockets of daemons with a QEMU driver. */
static bool is_socket_of_daemon(const char *path)
{
    static const char *const usual[] = {"/libvirt/libvirt-sock-ro", "/libvirt/libvirt-sock",
                                        "/libvirt/virtqemud-sock-ro", "/libvirt/virtqemud-sock"};
    size_t length = strlen(path);

    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (length >= strlen(usual[i]) && strcmp(path + length - strlen(usual[i]), usual[i]) == 0)
            return true;
    return false;
}

static bool is_same_file(const char *one, const char *other)
{
    struct stat a, b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* What a URI says of the daemon that libvirt connects to. */
struct wanted {
    char *socket; /* the parameter of that name; NULL for the usual ones */
    bool is_session;
};

static bool is_wanted(const struct peer *peer, const struct wanted *wanted)
{
    if (wanted->socket != NULL)
        return is_same_file(peer->path, wanted->socket);
    if (!is_socket_of_daemon(peer->path))
        return false;
    /* A user's daemon runs as that user; root has none. The system's is root's,
     * below the runtime folder that libvirt was built for. */
    if (wanted->is_session)
        return peer->uid == geteuid() && peer->uid != 0;
    return peer->uid == 0 && strstr(peer->path, "/run/libvirt/") != NULL;
}

typedef bool peer_receiver(void *context, const struct peer *peer);

/* Gives the receiver each socket that may be the connection's, until it
 * returns false. False when it did, or when there is none. */
static bool each_peer(const struct wanted *wanted, peer_receiver *receive, void *context)
{
    DIR *descriptors = opendir("/proc/self/fd");
    struct peer peer;
    bool found = false, ok = true;

    for (const struct dirent *entry;
         ok && descriptors != NULL && (entry = readdir(descriptors)) != NULL;) {
        char *end;
        long descriptor = strtol(entry->d_name, &end, 10);
        if (end == entry->d_name || !read_peer((int)descriptor, &peer) || !is_wanted(&peer, wanted))
            continue;
        found = true;
        ok = receive(context, &peer);
    }
    if (descriptors != NULL)
        closedir(descriptors);
    return found && ok;
}

static struct wanted wanted_of(const char *uri)
{
    return (struct wanted){.socket = uri_socket_parameter(uri), .is_session = uri_is_session(uri)};
}

/* ------------------------------------------------------------------------
 * The daemon's process
 * ------------------------------------------------------------------------ */

/* What is at the other end may also be a program that forwards, or the init
 * process, which listened for the daemon before it started. */
static bool is_daemon(pid_t pid)
{
    char path[64], name[32] = "";

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *file = pid > 0 ? fopen(path, "re") : NULL;
    bool ok = file != NULL && fscanf(file, "%31[^\n]", name) == 1;
    if (file != NULL)
        fclose(file);
    return ok && (strcmp(name, "libvirtd") == 0 || strcmp(name, "virtqemud") == 0);
}

/* Who listens at that path now. A daemon that got its socket from init calls
 * listen() again, so this finds it where the connection itself, which woke it,
 * names init. A last resort: the daemon writes a line to its log for a client
 * that connects and says nothing. */
static pid_t listener_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct peer peer = {.pid = 0};

    if (strlen(path) >= sizeof address.sun_path)
        return 0;
    strcpy(address.sun_path, path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return 0;
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) != 0 ||
        !read_credentials(descriptor, &peer))
        peer.pid = 0;
    close(descriptor);
    return peer.pid;
}

struct search {
    pid_t daemon; /* 0: none yet */
    pid_t other;  /* a second one, or what is no daemon; 0 for none */
};

static bool note_daemon(void *context, const struct peer *peer)
{
    struct search *search = context;
    pid_t pid = is_daemon(peer->pid) ? peer->pid : listener_at(peer->path);

    if (!is_daemon(pid) || (search->daemon != 0 && search->daemon != pid)) {
        search->other = pid;
        return false;
    }
    search->daemon = pid;
    return true;
}

/* 0 with a fault when it is not known. */
static pid_t find_daemon(const struct wanted *wanted, struct fault *fault)
{
    static const char what[] = "how long the host's daemon has been running cannot be known";
    struct search search = {0, 0};

    if (each_peer(wanted, note_daemon, &search))
        return search.daemon;
    /* A socket of another mount namespace was bound to a path that does not
     * lead to it here. */
    if (search.daemon == 0 && search.other == 0 && wanted->socket != NULL) {
        search.other = listener_at(wanted->socket);
        if (is_daemon(search.other))
            return search.other;
    }
    if (!descriptors_check(3, what, fault)) /* the search of /proc needs them */
        return 0;
    if (search.daemon != 0)
        fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                  "%s: this process is connected to more than one that the URI may mean", what);
    else if (search.other != 0)
        fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                  "%s: process %d at the other end of the connection is neither libvirtd nor "
                  "virtqemud",
                  what, (int)search.other);
    else
        fault_set(
            fault, HRESULT_DISP_E_EXCEPTION,
            "%s: libvirt does not report it, and this system shows no such process at the other "
            "end of the connection",
            what);
    return 0;
}

bool daemon_uptime(const char *uri, int64_t *seconds, struct fault *fault)
{
    struct wanted wanted = wanted_of(uri);
    char text[24];

    pid_t pid = find_daemon(&wanted, fault);
    free(wanted.socket);
    if (pid == 0)
        return false;
    snprintf(text, sizeof text, "%d", (int)pid);
    int64_t age = process_age(text);
    *seconds = age / 1000000000;
    return age >= 0 || fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                                 "how long the host's daemon has been running cannot be known: "
                                 "/proc/%s/stat cannot be read",
                                 text);
}

/* ------------------------------------------------------------------------
 * The daemon's network
 * ------------------------------------------------------------------------ */

/* The kernel lists a socket in the network namespace that it was bound in. */
static bool is_listening_here(const char *path)
{
    enum { LISTENS = 0x10000 }; /* __SO_ACCEPTCON */
    char line[512], listening[256];
    FILE *sockets = fopen("/proc/thread-self/net/unix", "re");
    bool found = false;

    while (sockets != NULL && !found && fgets(line, sizeof line, sockets) != NULL) {
        unsigned flags;
        found = sscanf(line, "%*s %*s %*s %x %*s %*s %*s %255s", &flags, listening) == 2 &&
                (flags & LISTENS) != 0 && strcmp(listening, path) == 0;
    }
    if (sockets != NULL)
        fclose(sockets);
    return found;
}

struct network {
    bool is_elsewhere;
    bool is_seen;
};

/* The listener of the socket may be the init process, which handed it on to a
 * daemon that may have a namespace of its own. */
static bool note_namespace(void *context, const struct peer *peer)
{
    struct network *network = context;
    char path[64];
    struct stat own, daemons;

    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)peer->pid);
    if (!is_daemon(peer->pid) || stat("/proc/thread-self/ns/net", &own) != 0 ||
        stat(path, &daemons) != 0)
        return true; /* not seen */
    network->is_seen = true;
    network->is_elsewhere = own.st_dev != daemons.st_dev || own.st_ino != daemons.st_ino;
    return !network->is_elsewhere;
}

static bool note_socket(void *context, const struct peer *peer)
{
    (void)context;
    return is_listening_here(peer->path);
}

enum daemon_network daemon_network(const char *uri)
{
    struct wanted wanted = wanted_of(uri);
    struct network network = {0};
    bool is_here;

    if (wanted.socket != NULL) {
        char *path = realpath(wanted.socket, NULL);
        is_here = path != NULL && is_socket_of_daemon(path) && is_listening_here(path);
        free(path);
    } else {
        is_here = each_peer(&wanted, note_socket, NULL);
    }
    if (is_here)
        each_peer(&wanted, note_namespace, &network);
    free(wanted.socket);
    return !is_here || network.is_elsewhere ? DAEMON_NETWORK_OTHER
           : network.is_seen                ? DAEMON_NETWORK_SHARED
                                            : DAEMON_NETWORK_PROBABLE;
}
