#include "base/descriptors.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool descriptors_check(int needed, const char *what, struct fault *fault)
{
    enum { MOST = 16 };
    int opened[MOST], count = 0, error = 0;

    while (count < needed && count < MOST && error == 0) {
        opened[count] = eventfd(0, EFD_CLOEXEC);
        if (opened[count] < 0)
            error = errno;
        else
            count++;
    }
    for (int i = 0; i < count; i++)
        close(opened[i]);
    return error == 0 ||
           fault_set(fault, HRESULT_VM_E_OUT_OF_RESOURCE,
                     "%s: it takes %d free file descriptors, and there are %d (%s: %s); close "
                     "files, or raise the limit (ulimit -n)",
                     what, needed, count,
                     error == EMFILE   ? "EMFILE"
                     : error == ENFILE ? "ENFILE"
                                       : "eventfd",
                     strerror(error));
}
