#include "base/wake.h"

#include "base/descriptors.h"

#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool wake_open(struct wake *wake, struct fault *fault)
{
    wake->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return wake->descriptor >= 0 || (descriptors_check(1, "cannot wait for events", fault) &&
                                     fault_set(fault, HRESULT_VM_E_OUT_OF_RESOURCE,
                                               "cannot wait for events: eventfd() failed"));
}

void wake_close(struct wake *wake)
{
    close(wake->descriptor);
    wake->descriptor = -1;
}

void wake_signal(struct wake *wake)
{
    eventfd_write(wake->descriptor, 1); /* it fails only when it is full, which wakes as well */
}

enum wake_result wake_wait(struct wake *wake, int64_t milliseconds)
{
    struct pollfd wanted = {.fd = wake->descriptor, .events = POLLIN};
    eventfd_t count;

    /* Unlike others, this call is not restarted after a handler with SA_RESTART. */
    int ready = poll(&wanted, 1,
                     milliseconds < 0         ? -1
                     : milliseconds > INT_MAX ? INT_MAX
                                              : (int)milliseconds);
    if (ready > 0) {
        eventfd_read(wake->descriptor, &count);
        return WAKE_SIGNALLED;
    }
    return ready == 0 ? WAKE_TIMED_OUT : WAKE_INTERRUPTED;
}
