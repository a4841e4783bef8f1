#include "libvirt_host/call.h"

#include "base/clock.h"
#include "base/thread.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static pthread_cond_t changed;                           /* on the monotonic clock */
static struct libvirt_call *calls;
static bool is_wanted, is_running;
static bool has_alarm; /* the thread wakes by itself at `alarm_at` */
static int64_t alarm_at;

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
            atomic_store(&call->bound->is_silent, true);
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

void call_begin(struct libvirt_call *call, struct call_bound *bound)
{
    *call = (struct libvirt_call){.bound = bound, .socket = -1, .is_inner = current != NULL};
    if (call->is_inner)
        return;
    signal_guard_begin(&call->guard);
    call->deadline = clock_deadline(bound->timeout * CLOCK_SECOND);
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
              call->bound->timeout);
    fault->cause_code = cause.cause_code;
    fault->cause_domain = cause.cause_domain;
    memcpy(fault->cause, cause.cause, sizeof fault->cause);
    return false;
}

int64_t call_deadline(const struct call_bound *bound)
{
    return current != NULL ? current->deadline : clock_deadline(bound->timeout * CLOCK_SECOND);
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
