#include "base/fault.h"

#include <errno.h>
#include <stdio.h>

bool fault_set_list(struct fault *fault, enum hresult code, const char *format, va_list arguments)
{
    int saved = errno;

    vsnprintf(fault->message, sizeof fault->message, format, arguments);
    fault->code = code;
    fault->cause_code = 0;
    fault->cause_domain = 0;
    fault->cause[0] = '\0';
    errno = saved;
    return false;
}

bool fault_set(struct fault *fault, enum hresult code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fault_set_list(fault, code, format, arguments);
    va_end(arguments);
    return false;
}

bool fault_out_of_memory(struct fault *fault)
{
    return fault_set(fault, HRESULT_VM_E_OUT_OF_RESOURCE, "out of memory");
}
