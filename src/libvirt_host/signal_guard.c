#include "libvirt_host/signal_guard.h"

#include <time.h>

static void only_sigpipe(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGPIPE);
}

void signal_guard_begin(struct signal_guard *guard)
{
    sigset_t set, pending;

    only_sigpipe(&set);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &set, &guard->before);
    guard->is_needed = !sigismember(&guard->before, SIGPIPE) && !sigismember(&pending, SIGPIPE);
}

void signal_guard_end(const struct signal_guard *guard)
{
    const struct timespec at_once = {0};
    sigset_t set;

    only_sigpipe(&set);
    if (guard->is_needed)
        sigtimedwait(&set, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}
