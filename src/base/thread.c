#include "base/thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { STACK_SIZE = 512 * 1024 };

static void (*_Atomic prologue)(void);

bool thread_start(void *(*function)(void *), void *argument)
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
    void (*first)(void) = atomic_load(&prologue);

    free(argument);
    if (first != NULL)
        first();
    errand.function(errand.argument);
    return NULL;
}

bool thread_run(void (*function)(void *), void *argument, struct fault *fault)
{
    struct errand *errand = malloc(sizeof *errand);
    if (errand == NULL)
        return fault_out_of_memory(fault);
    *errand = (struct errand){function, argument};
    if (thread_start(run_errand, errand))
        return true;
    free(errand);
    return fault_set(fault, HRESULT_VM_E_OUT_OF_RESOURCE, "no thread can be started");
}

void thread_set_prologue(void (*first)(void))
{
    atomic_store(&prologue, first);
}
