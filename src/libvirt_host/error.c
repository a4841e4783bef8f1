#include "libvirt_host/error.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <libxml/xmlerror.h>
#include <stdio.h>
#include <string.h>

static void ignore_error(void *context, virErrorPtr error)
{
    (void)context;
    (void)error;
}

void libvirt_error_silence(void)
{
    virSetErrorFunc(NULL, ignore_error);
}

static void ignore_message(void *context, const char *format, ...)
{
    (void)context;
    (void)format;
}

void libvirt_error_silence_thread(void)
{
    xmlSetGenericErrorFunc(NULL, ignore_message);
}

/* The codes of virErrorNumber (libvirt/virterror.h) that have a counterpart;
 * every other one is an unexpected error, DISP_E_EXCEPTION. */
static enum hresult code_of(int error, enum hresult invalid)
{
    switch (error) {
    case VIR_ERR_NO_DOMAIN:
        return HRESULT_VM_E_VM_UNKNOWN;
    case VIR_ERR_OPERATION_INVALID:
        return invalid;
    case VIR_ERR_OPERATION_DENIED:
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_CANCELLED:
    case VIR_ERR_AUTH_UNAVAILABLE:
    case VIR_ERR_ACCESS_DENIED:
        return HRESULT_E_ACCESSDENIED;
    case VIR_ERR_OPERATION_TIMEOUT:
        return HRESULT_VM_E_TIMED_OUT;
    case VIR_ERR_NO_MEMORY:
        return HRESULT_VM_E_OUT_OF_RESOURCE;
    case VIR_ERR_DOM_EXIST:
        return HRESULT_VM_E_CONFIG_DUPLICATE_NAME;
    default:
        return HRESULT_DISP_E_EXCEPTION;
    }
}

static void set_cause(struct fault *fault, const virError *error)
{
    if (error == NULL)
        return;
    fault->cause_code = error->code;
    fault->cause_domain = error->domain;
    snprintf(fault->cause, sizeof fault->cause, "%s",
             error->message != NULL ? error->message : "no message");
}

static const char *words_of(const virError *error)
{
    return error != NULL && error->message != NULL ? error->message : "libvirt gave no reason";
}

bool libvirt_error_fault(struct fault *fault, const char *what, enum hresult invalid)
{
    const virError *error = virGetLastError();

    fault_set(fault, code_of(error != NULL ? error->code : VIR_ERR_OK, invalid), "%s: %s", what,
              words_of(error));
    set_cause(fault, error);
    return false;
}

/* Whether it is the URI itself that libvirt makes nothing of. For a path that
 * a driver does not have there is no code of its own. */
static bool is_uri_not_understood(const virError *error)
{
    switch (error->code) {
    case VIR_ERR_NO_CONNECT:
    case VIR_ERR_INVALID_ARG:
        return true;
    case VIR_ERR_INTERNAL_ERROR:
        return error->domain == VIR_FROM_URI || strstr(words_of(error), " URI ") != NULL;
    default:
        return false;
    }
}

/* The command that shows whether libvirt's own client gets further, to be
 * copied into a shell. */
static void write_check(char *text, size_t size, const char *uri)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/.@_+-=%,";
    enum { LONGEST = 200 };

    if (uri == NULL)
        snprintf(text, size, "virsh list");
    else if (strlen(uri) > LONGEST || strchr(uri, '\'') != NULL)
        snprintf(text, size, "virsh -c URI list");
    else if (uri[strspn(uri, plain)] == '\0')
        snprintf(text, size, "virsh -c %s list", uri);
    else
        snprintf(text, size, "virsh -c '%s' list", uri);
}

static void write_hint(char *text, size_t size, const virError *error, const char *uri)
{
    /* virReportSystemError puts errno into int1. */
    int system_error = error != NULL && error->code == VIR_ERR_SYSTEM_ERROR ? error->int1 : 0;
    bool is_local = uri == NULL || strstr(uri, ":///") != NULL;
    char check[256];

    write_check(check, sizeof check, uri);
    if (error != NULL && is_uri_not_understood(error) && uri != NULL)
        snprintf(text, size,
                 "give a libvirt URI such as qemu:///system, qemu+ssh://HOST/system or "
                 "test:///default, or nothing for the default");
    else if (error != NULL && is_uri_not_understood(error))
        snprintf(text, size,
                 "LIBVIRT_DEFAULT_URI, or uri_default in libvirt.conf, must be a libvirt URI such "
                 "as qemu:///system");
    else if (system_error == ECONNREFUSED || (system_error == ENOENT && is_local))
        snprintf(text, size,
                 "is libvirtd (or the modular daemon of this driver) running there, and is its "
                 "socket where the URI says? Check with: %s",
                 check);
    else if (system_error == EACCES || system_error == EPERM)
        snprintf(text, size,
                 "the socket may not be opened by this user: use the read-only socket, or join the "
                 "group that owns it (on Debian, libvirt)");
    else if (error != NULL && code_of(error->code, HRESULT_E_FAIL) == HRESULT_E_ACCESSDENIED)
        snprintf(text, size,
                 "log in as a user of the group that may manage machines (on Debian, libvirt)");
    else
        snprintf(text, size, "check with: %s", check);
}

bool libvirt_error_open_fault(struct fault *fault, const char *uri)
{
    const virError *error = virGetLastError();
    char hint[400];

    write_hint(hint, sizeof hint, error, uri);
    fault_set(fault, HRESULT_DISP_E_EXCEPTION, "cannot connect to %s%s%s: %s; %s",
              uri == NULL ? "the default libvirt host" : "'", uri == NULL ? "" : uri,
              uri == NULL ? "" : "'", words_of(error), hint);
    set_cause(fault, error);
    return false;
}
