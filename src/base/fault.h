/*
 * fault: why a call on a host failed, as plain data that the binding turns
 * into a Lua error. A function that takes a fault fills it exactly when it
 * returns false.
 */
#ifndef VMACCOUNTANT_BASE_FAULT_H
#define VMACCOUNTANT_BASE_FAULT_H

#include "base/hresult.h"

#include <stdarg.h>
#include <stdbool.h>

struct fault {
    enum hresult code;
    char message[768];
    /* What the host's own library said; an empty text when it said nothing. */
    int cause_code;
    int cause_domain;
    char cause[512];
};

/* Sets code and message and clears the cause; returns false, so that a
 * function can fail with `return fault_set(…)`. Keeps errno. */
bool fault_set(struct fault *fault, enum hresult code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with the format's arguments in a list. */
bool fault_set_list(struct fault *fault, enum hresult code, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

bool fault_out_of_memory(struct fault *fault);

#endif
