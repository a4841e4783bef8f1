#include "libvirt_host/configuration.h"

#include "libvirt_host/domain.h"
#include "libvirt_host/error.h"

#include <libxml/uri.h>
#include <stdio.h>
#include <string.h>

bool libvirt_rename(struct host *host, const struct machine_uuid *uuid, const char *name,
                    struct fault *fault)
{
    virDomainPtr domain = domain_open(libvirt_host(host), READ_WRITE, uuid, fault);
    if (domain == NULL)
        return false;
    /* Versions of libvirt differ in what else than running they refuse, such as
     * snapshots, all with one code. */
    bool ok = virDomainRename(domain, name, 0) >= 0 ||
              libvirt_error_fault(fault, "the machine cannot be renamed", HRESULT_E_FAIL);
    virDomainFree(domain);
    return ok;
}

bool libvirt_notes(struct host *host, const struct machine_uuid *uuid, char **notes,
                   struct fault *fault)
{
    virDomainPtr domain = domain_open(libvirt_host(host), READ_ONLY, uuid, fault);
    if (domain == NULL)
        return false;
    *notes = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_DESCRIPTION, NULL, 0);
    bool ok = true;
    if (*notes == NULL) {
        ok = virGetLastErrorCode() == VIR_ERR_NO_DOMAIN_METADATA ||
             libvirt_error_fault(fault, "the machine's notes cannot be read",
                                 HRESULT_DISP_E_EXCEPTION);
        *notes = ok ? strdup("") : NULL;
        ok = ok && (*notes != NULL || fault_out_of_memory(fault));
    }
    virDomainFree(domain);
    return ok;
}

/* Which definitions the machine has: the live one while it is active, and the
 * one on disk unless it ends with its run. */
static bool definitions(virDomainPtr domain, unsigned *flags, struct fault *fault)
{
    int is_active = virDomainIsActive(domain);
    int is_persistent = virDomainIsPersistent(domain);

    if (is_active < 0 || is_persistent < 0)
        return libvirt_error_fault(fault, "the machine's state cannot be read",
                                   HRESULT_DISP_E_EXCEPTION);
    *flags = (is_active ? (unsigned)VIR_DOMAIN_AFFECT_LIVE : 0) |
             (is_persistent ? (unsigned)VIR_DOMAIN_AFFECT_CONFIG : 0);
    return true;
}

bool libvirt_set_notes(struct host *host, const struct machine_uuid *uuid, const char *notes,
                       struct fault *fault)
{
    unsigned flags = VIR_DOMAIN_AFFECT_CURRENT;
    virDomainPtr domain = domain_open(libvirt_host(host), READ_WRITE, uuid, fault);
    if (domain == NULL)
        return false;
    bool ok = definitions(domain, &flags, fault);
    if (ok && virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_DESCRIPTION,
                                   notes[0] != '\0' ? notes : NULL, NULL, NULL, flags) < 0)
        ok = libvirt_error_fault(fault, "the machine's notes cannot be written",
                                 HRESULT_DISP_E_EXCEPTION);
    virDomainFree(domain);
    return ok;
}

bool libvirt_memory(struct host *host, const struct machine_uuid *uuid, uint64_t *megabytes,
                    struct fault *fault)
{
    virDomainPtr domain = domain_open(libvirt_host(host), READ_ONLY, uuid, fault);
    if (domain == NULL)
        return false;
    unsigned long kibibytes = virDomainGetMaxMemory(domain);
    if (kibibytes == 0)
        libvirt_error_fault(fault, "the machine's memory cannot be read", HRESULT_DISP_E_EXCEPTION);
    *megabytes = kibibytes / 1024;
    virDomainFree(domain);
    return kibibytes != 0;
}

/* The size first: what a balloon leaves of it may not be above it. */
bool libvirt_set_memory(struct host *host, const struct machine_uuid *uuid, uint64_t megabytes,
                        struct fault *fault)
{
    static const unsigned flags[] = {VIR_DOMAIN_AFFECT_CONFIG | VIR_DOMAIN_MEM_MAXIMUM,
                                     VIR_DOMAIN_AFFECT_CONFIG};
    virDomainPtr domain = domain_open(libvirt_host(host), READ_WRITE, uuid, fault);
    if (domain == NULL)
        return false;
    bool ok = true;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0] && ok; i++)
        ok = virDomainSetMemoryFlags(domain, (unsigned long)megabytes * 1024, flags[i]) >= 0 ||
             libvirt_error_fault(fault, "the machine's memory cannot be changed", HRESULT_E_FAIL);
    virDomainFree(domain);
    return ok;
}

/* Whether it is the host's own daemon, whose files are at known places, and
 * not one of a user. */
static bool is_system(const struct libvirt_host *self)
{
    xmlURIPtr uri = self->is_local_qemu ? xmlParseURI(self->base.uri) : NULL;
    bool is = uri != NULL && uri->path != NULL && strcmp(uri->path, "/system") == 0;

    if (uri != NULL)
        xmlFreeURI(uri);
    return is;
}

bool libvirt_saved_state_path(struct host *host, const struct machine_uuid *uuid, char **path,
                              struct fault *fault)
{
    const struct libvirt_host *self = libvirt_host(host);
    virDomainPtr domain = domain_open(libvirt_host(host), READ_ONLY, uuid, fault);
    if (domain == NULL)
        return false;
    int is_saved = virDomainHasManagedSaveImage(domain, 0);
    bool ok = false;
    if (is_saved < 0) {
        libvirt_error_fault(fault, "whether the machine has a saved state cannot be known",
                            HRESULT_DISP_E_EXCEPTION);
    } else if (is_saved == 0) {
        fault_set(fault, HRESULT_VM_E_VM_NO_SAVED_STATE, "the machine has no saved state");
    } else if (!is_system(self)) {
        fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                  "the machine has a saved state, but where its file is cannot be known: libvirt "
                  "does not report it, and this is not the system's QEMU daemon on this host");
    } else {
        ok = asprintf(path, "/var/lib/libvirt/qemu/save/%s.save", virDomainGetName(domain)) >= 0 ||
             fault_out_of_memory(fault);
    }
    virDomainFree(domain);
    return ok;
}
