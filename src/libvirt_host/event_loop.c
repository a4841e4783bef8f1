#include "libvirt_host/event_loop.h"

#include "kernel/link_monitor.h"
#include "libvirt_host/call.h"
#include "libvirt_host/error.h"

#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <libxml/parser.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STOP_PATIENCE_MILLISECONDS = 500, STACK_SIZE = 512 * 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static unsigned users;
static bool is_running;
static int wake_timer = -1; /* fires at once when it is to stop */
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
    pthread_atfork(NULL, NULL, note_fork);
    libvirt_error_silence();
    virInitialize();
    virEventRegisterDefaultImpl();
    xmlInitParser();
}

void event_loop_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, prepare);
}

static bool start_thread(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the new thread inherits it */
    int error = pthread_create(&thread, &attributes, function, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error == 0;
}

struct errand {
    void (*function)(void *);
    void *argument;
};

static void *run_errand(void *argument)
{
    struct errand errand = *(struct errand *)argument;
    free(argument);
    libvirt_error_silence_thread();
    errand.function(errand.argument);
    return NULL;
}

bool event_loop_run_detached(void (*function)(void *), void *argument, struct fault *fault)
{
    struct errand *errand = malloc(sizeof *errand);
    if (errand == NULL)
        return fault_out_of_memory(fault);
    *errand = (struct errand){function, argument};
    if (start_thread(run_errand, errand))
        return true;
    free(errand);
    return fault_set(fault, HRESULT_VM_E_OUT_OF_RESOURCE, "no thread can be started");
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
    bool wanted = users > 0;
    pthread_mutex_unlock(&lock);
    return wanted;
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
    link_monitor_stop();
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
        link_monitor_start();
        is_running = start_thread(run_loop, NULL);
        if (!is_running) {
            users--;
            link_monitor_stop();
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
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += STOP_PATIENCE_MILLISECONDS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;

    pthread_mutex_lock(&lock);
    if (--users == 0)
        call_watch_stop();
    if (users == 0 && is_running) {
        virEventUpdateTimeout(wake_timer, 0);
        while (users == 0 && is_running && pthread_cond_timedwait(&ended, &lock, &until) == 0)
            ;
    }
    pthread_mutex_unlock(&lock);
}
