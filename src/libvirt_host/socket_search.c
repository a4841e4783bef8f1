#include "libvirt_host/socket_search.h"

#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static pthread_cond_t ended;                             /* on the monotonic clock */
static uint64_t searches;
static bool is_searching;

static void prepare(void)
{
    clock_condition_init(&ended);
}

/* The inode of a connected stream socket, which is its identity: descriptor
 * numbers are reused. 0 for all else. */
static uint64_t inode_of_stream(int descriptor)
{
    struct stat file;
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int type = 0, domain = 0;
    socklen_t type_size = sizeof type, domain_size = sizeof domain;

    if (fstat(descriptor, &file) != 0 || !S_ISSOCK(file.st_mode) ||
        getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 ||
        getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) != 0 ||
        type != SOCK_STREAM || (domain != AF_UNIX && domain != AF_INET && domain != AF_INET6) ||
        getpeername(descriptor, (struct sockaddr *)&peer, &size) != 0)
        return 0;
    return file.st_ino;
}

static bool note(struct socket_search *search, uint64_t inode)
{
    uint64_t *grown = realloc(search->before, (search->count + 1) * sizeof *grown);
    if (grown == NULL)
        return false;
    search->before = grown;
    search->before[search->count++] = inode;
    return true;
}

static bool was_before(const struct socket_search *search, uint64_t inode)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->before[i] == inode)
            return true;
    return false;
}

/* Lists the process's stream sockets, or finds the one that is not in the list.
 * True when all were listed, or exactly one is new. */
static bool list_sockets(struct socket_search *search, int *new_one)
{
    DIR *directory = opendir("/proc/thread-self/fd");
    const struct dirent *entry;
    bool ok = directory != NULL;
    int found = 0;

    while (ok && (entry = readdir(directory)) != NULL) {
        char *end;
        long descriptor = strtol(entry->d_name, &end, 10);
        uint64_t inode =
            end != entry->d_name && *end == '\0' ? inode_of_stream((int)descriptor) : 0;
        if (inode == 0)
            continue;
        if (new_one == NULL) {
            ok = note(search, inode);
        } else if (!was_before(search, inode)) {
            *new_one = (int)descriptor;
            search->found = inode;
            found++;
        }
    }
    if (directory != NULL)
        closedir(directory);
    return ok && (new_one == NULL || found == 1);
}

void socket_search_begin(struct socket_search *search)
{
    enum { PATIENCE_MILLISECONDS = 200 };
    int64_t deadline = clock_deadline(PATIENCE_MILLISECONDS * CLOCK_MILLISECOND);

    *search = (struct socket_search){0};
    pthread_once(&once, prepare);
    pthread_mutex_lock(&lock);
    /* One opening at a time, so that it is clear whose socket is new. One that
     * takes longer, of a host that is silent, is not waited for: it has its
     * socket already. */
    while (is_searching && clock_wait_until(&ended, &lock, deadline))
        ;
    search->number = ++searches;
    is_searching = true;
    pthread_mutex_unlock(&lock);
    search->is_complete = list_sockets(search, NULL);
}

int socket_search_end(struct socket_search *search)
{
    int descriptor = -1;

    pthread_mutex_lock(&lock);
    bool is_clear = search->number == searches && search->is_complete;
    /* One of our own: libvirt may close its descriptor at any time, and its
     * number may then be another file's, or is already. */
    descriptor =
        is_clear && list_sockets(search, &descriptor) ? fcntl(descriptor, F_DUPFD_CLOEXEC, 0) : -1;
    if (descriptor >= 0 && inode_of_stream(descriptor) != search->found) {
        close(descriptor);
        descriptor = -1;
    }
    if (search->number == searches) {
        is_searching = false;
        pthread_cond_broadcast(&ended);
    }
    pthread_mutex_unlock(&lock);
    free(search->before);
    return descriptor;
}
