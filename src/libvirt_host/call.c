#include "libvirt_host/call.h"

#include "base/clock.h"
#include "base/thread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static pthread_cond_t changed;                           /* on the monotonic clock */
static struct libvirt_call *calls;
static bool is_wanted, is_running;
static bool has_alarm; /* the thread wakes by itself at `alarm_at` */
static int64_t alarm_at;

static uint64_t searches;
static bool is_searching;

static _Thread_local struct libvirt_call *current;

static void prepare(void)
{
    clock_condition_init(&changed);
}

/* ------------------------------------------------------------------------
 * The thread
 * ------------------------------------------------------------------------ */

/* Both directions: libvirt's thread sees the end of file, and nothing more is
 * sent. */
static void cut_off_locked(const struct libvirt_call *call)
{
    if (call->socket >= 0)
        shutdown(call->socket, SHUT_RDWR);
}

/* Cuts off those whose time is over, and finds the next deadline. */
static void cut_off_overdue_locked(void)
{
    int64_t now = clock_now();

    has_alarm = false;
    for (struct libvirt_call *call = calls; call != NULL; call = call->next) {
        if (call->is_timed_out)
            continue;
        if (call->deadline <= now) {
            call->is_timed_out = true;
            cut_off_locked(call);
        } else if (!has_alarm || call->deadline < alarm_at) {
            has_alarm = true;
            alarm_at = call->deadline;
        }
    }
}

static void watch(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    while (is_wanted) {
        cut_off_overdue_locked();
        if (has_alarm)
            clock_wait_until(&changed, &lock, alarm_at);
        else
            pthread_cond_wait(&changed, &lock);
    }
    is_running = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

bool call_watch_start(struct fault *fault)
{
    pthread_once(&once, prepare);
    pthread_mutex_lock(&lock);
    is_wanted = true;
    bool ok = is_running || thread_run(watch, NULL, fault);
    is_running = ok;
    pthread_mutex_unlock(&lock);
    return ok;
}

void call_watch_stop(void)
{
    pthread_mutex_lock(&lock);
    is_wanted = false;
    pthread_cond_broadcast(&changed);
    while (is_running && !is_wanted)
        pthread_cond_wait(&changed, &lock); /* the thread never waits for a host */
    pthread_mutex_unlock(&lock);
}

/* ------------------------------------------------------------------------
 * Calls
 * ------------------------------------------------------------------------ */

void call_begin(struct libvirt_call *call, int timeout)
{
    *call = (struct libvirt_call){.timeout = timeout, .socket = -1, .is_inner = current != NULL};
    if (call->is_inner)
        return;
    signal_guard_begin(&call->guard);
    call->deadline = clock_deadline(timeout * CLOCK_SECOND);
    current = call;
    pthread_mutex_lock(&lock);
    call->next = calls;
    calls = call;
    /* Calls are short and time-outs long: an alarm that is set comes early
     * enough for most of them, and the thread is not woken. */
    if (is_running && (!has_alarm || call->deadline < alarm_at))
        pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

bool call_end(struct libvirt_call *call, bool ok, struct fault *fault)
{
    if (call->is_inner)
        return ok;
    current = NULL;
    pthread_mutex_lock(&lock);
    struct libvirt_call **link = &calls;
    while (*link != call)
        link = &(*link)->next;
    *link = call->next;
    pthread_mutex_unlock(&lock);
    signal_guard_end(&call->guard);
    if (ok || fault == NULL || !call->is_timed_out)
        return ok;
    struct fault cause = *fault;
    fault_set(fault, HRESULT_DISP_E_EXCEPTION,
              "the host has not answered for %d seconds; the daemon may be stopped or overloaded "
              "(option 'timeout')",
              call->timeout);
    fault->cause_code = cause.cause_code;
    fault->cause_domain = cause.cause_domain;
    memcpy(fault->cause, cause.cause, sizeof fault->cause);
    return false;
}

int64_t call_deadline(int timeout)
{
    return current != NULL ? current->deadline : clock_deadline(timeout * CLOCK_SECOND);
}

bool call_uses(int socket)
{
    if (current == NULL)
        return true;
    pthread_mutex_lock(&lock);
    bool is_in_time = !current->is_timed_out;
    current->socket = socket;
    pthread_mutex_unlock(&lock);
    return is_in_time;
}

void call_takes_time(void)
{
    if (current == NULL)
        return;
    pthread_mutex_lock(&lock);
    current->socket = -1;
    current->deadline = INT64_MAX;
    pthread_mutex_unlock(&lock);
}

/* ------------------------------------------------------------------------
 * A connection's socket
 * ------------------------------------------------------------------------ */

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
    while (is_searching && clock_wait_until(&changed, &lock, deadline))
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
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
    free(search->before);
    return descriptor;
}

void call_close_socket(int socket)
{
    if (socket < 0)
        return;
    pthread_mutex_lock(&lock);
    for (struct libvirt_call *call = calls; call != NULL; call = call->next)
        if (call->socket == socket)
            call->socket = -1;
    close(socket);
    pthread_mutex_unlock(&lock);
}
