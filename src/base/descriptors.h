/*
 * descriptors: whether the process has file descriptors left. Libraries that
 * find none say something else, or end the process.
 */
#ifndef VMACCOUNTANT_BASE_DESCRIPTORS_H
#define VMACCOUNTANT_BASE_DESCRIPTORS_H

#include "base/fault.h"

#include <stdbool.h>

/* Tries to open so many, and closes them again. A fault of
 * VM_E_OUT_OF_RESOURCE that begins with the text, such as "cannot connect", and
 * says what to do. */
bool descriptors_check(int needed, const char *what, struct fault *fault);

#endif
