#include "libvirt_host/event_loop.h"

#include "base/clock.h"
#include "base/thread.h"
#include "host/host.h"
#include "kernel/link_monitor.h"
#include "libvirt_host/call.h"
#include "libvirt_host/error.h"

#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <libxml/parser.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

enum { STOP_PATIENCE_MILLISECONDS = 500 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended; /* see prepare() */
static pthread_cond_t resumed = PTHREAD_COND_INITIALIZER;
static unsigned users;
static unsigned pauses;
static bool is_running;
static int wake_timer = -1; /* fires at once when it is to stop */
static int monitor_watch = -1;
static atomic_bool is_forked;

static void note_fork(void)
{
    atomic_store(&is_forked, true);
}

bool event_loop_is_forked(void)
{
    return atomic_load_explicit(&is_forked, memory_order_relaxed);
}

/* lua_close unmaps C modules, but libvirt keeps pointers to our functions, and
 * the thread may outlive the last application by a moment. */
static void stay_mapped(void)
{
    Dl_info info;
    if (dladdr((void *)(uintptr_t)stay_mapped, &info) != 0 && info.dli_fname != NULL)
        dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

static void prepare(void)
{
    stay_mapped();
    clock_condition_init(&ended);
    pthread_atfork(NULL, NULL, note_fork);
    libvirt_error_silence();
    thread_set_prologue(libvirt_error_silence_thread);
    virInitialize();
    virEventRegisterDefaultImpl();
    xmlInitParser();
}

void event_loop_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, prepare);
}

/* Does nothing: that the timer fires is what ends the wait. */
static void wake(int timer, void *context)
{
    (void)context;
    virEventUpdateTimeout(timer, -1);
}

static void note_freed(void *is_freed)
{
    *(bool *)is_freed = true;
}

static bool is_wanted(void)
{
    pthread_mutex_lock(&lock);
    while (users > 0 && pauses > 0)
        pthread_cond_wait(&resumed, &lock);
    bool wanted = users > 0;
    pthread_mutex_unlock(&lock);
    return wanted;
}

static void on_monitor(int watch, int descriptor, int events, void *context)
{
    (void)watch;
    (void)descriptor;
    (void)events;
    (void)context;
    link_monitor_drain();
}

/* Without a monitor, as where the kernel refuses a socket, a device's
 * final counters are those of the last sample. */
static void start_monitor(void)
{
    int descriptor = link_monitor_open();
    if (descriptor >= 0)
        monitor_watch =
            virEventAddHandle(descriptor, VIR_EVENT_HANDLE_READABLE, on_monitor, NULL, NULL);
}

static void stop_monitor(void)
{
    if (monitor_watch >= 0)
        virEventRemoveHandle(monitor_watch);
    monitor_watch = -1;
    link_monitor_close();
}

static void *run_loop(void *argument)
{
    (void)argument;
    for (;;) {
        while (is_wanted())
            virEventRunDefaultImpl();
        pthread_mutex_lock(&lock);
        if (users == 0)
            break; /* with the lock held */
        pthread_mutex_unlock(&lock);
    }
    virEventRemoveTimeout(wake_timer);
    wake_timer = -1;
    stop_monitor();
    /* libvirt frees what was removed from the loop in a turn that has nothing
     * else to do, and in the order of the removals. */
    bool is_freed = false;
    int last = virEventAddTimeout(-1, wake, &is_freed, note_freed);
    virEventRemoveTimeout(last);
    while (last >= 0 && !is_freed)
        virEventRunDefaultImpl();
    is_running = false;
    pthread_cond_broadcast(&ended);
    pthread_mutex_unlock(&lock);
    return NULL;
}

bool event_loop_acquire(struct fault *fault)
{
    bool ok = true;

    pthread_mutex_lock(&lock);
    if (users == 0 && !call_watch_start(fault)) {
        pthread_mutex_unlock(&lock);
        return false;
    }
    users++;
    if (!is_running) {
        wake_timer = virEventAddTimeout(-1, wake, NULL, NULL);
        start_monitor();
        is_running = thread_start(run_loop, NULL);
        if (!is_running) {
            users--;
            stop_monitor();
            virEventRemoveTimeout(wake_timer);
            if (users == 0)
                call_watch_stop();
            ok = fault_set(fault, HRESULT_VM_E_OUT_OF_RESOURCE, "no thread can be started");
        }
    }
    pthread_mutex_unlock(&lock);
    return ok;
}

void event_loop_release(void)
{
    int64_t deadline = clock_deadline(STOP_PATIENCE_MILLISECONDS * CLOCK_MILLISECOND);

    pthread_mutex_lock(&lock);
    if (--users == 0)
        call_watch_stop();
    if (users == 0 && is_running) {
        pthread_cond_broadcast(&resumed);
        virEventUpdateTimeout(wake_timer, 0);
        while (users == 0 && is_running && clock_wait_until(&ended, &lock, deadline))
            ;
    }
    pthread_mutex_unlock(&lock);
}

/* Unless there are more users than that. */
static bool pause_for(unsigned most_users)
{
    pthread_mutex_lock(&lock);
    bool pauses_now = users <= most_users;
    pauses += pauses_now ? 1 : 0;
    pthread_mutex_unlock(&lock);
    return pauses_now;
}

void event_loop_pause(void)
{
    pause_for(UINT_MAX);
}

bool event_loop_pause_to_come(void)
{
    return pause_for(0);
}

bool event_loop_pause_to_go(void)
{
    return pause_for(1);
}

void event_loop_resume(void)
{
    pthread_mutex_lock(&lock);
    if (--pauses == 0)
        pthread_cond_broadcast(&resumed);
    pthread_mutex_unlock(&lock);
}

/* Nothing is ever locked within it. */
void event_loop_hand_over(void)
{
    static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

void event_loop_release_host(void *host)
{
    event_loop_hand_over();
    host_release(host);
}
