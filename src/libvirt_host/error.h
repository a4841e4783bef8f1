/*
 * error: libvirt's errors as faults with Virtual Server's codes.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_ERROR_H
#define VMACCOUNTANT_LIBVIRT_HOST_ERROR_H

#include "base/fault.h"

/* Turns off libvirt's own printing of errors on stderr, for the process. */
void libvirt_error_silence(void);

/* Turns off what libxml2 prints when libvirt reads a file with it, for the
 * calling thread: the rest of the process may want to see its own. */
void libvirt_error_silence_thread(void);

/* Fills the fault from this thread's last libvirt error and returns false.
 * `invalid` is what VIR_ERR_OPERATION_INVALID, libvirt's one code for every
 * wrong state, means for the call that failed. */
bool libvirt_error_fault(struct fault *fault, const char *what, enum hresult invalid);

/* The same for a connection that could not be opened: always DISP_E_EXCEPTION,
 * with a hint at what to do. uri may be NULL. */
bool libvirt_error_open_fault(struct fault *fault, const char *uri);

#endif
