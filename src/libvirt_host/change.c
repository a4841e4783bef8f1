#include "libvirt_host/change.h"

#include "libvirt_host/call.h"
#include "libvirt_host/domain.h"
#include "libvirt_host/error.h"

#include <time.h>

static int start(virDomainPtr domain)
{
    return virDomainCreate(domain);
}

static int reset(virDomainPtr domain)
{
    return virDomainReset(domain, 0);
}

static int save(virDomainPtr domain)
{
    return virDomainManagedSave(domain, 0);
}

static int discard_saved_state(virDomainPtr domain)
{
    return virDomainManagedSaveRemove(domain, 0);
}

/* How each change is asked of libvirt, and the code that Virtual Server
 * documents for a machine in the wrong state. */
static const struct {
    int (*call)(virDomainPtr domain);
    const char *failed;
    enum hresult wrong_state;
    bool is_slow; /* takes as long as the machine needs, whatever `timeout` says */
} changes[] = {
    [CHANGE_STARTUP] = {start, "the machine cannot be started", HRESULT_VM_E_VM_RUNNING, true},
    [CHANGE_TURN_OFF] = {virDomainDestroy, "the machine cannot be turned off",
                         HRESULT_VM_E_VM_NOT_RUNNING, true},
    [CHANGE_RESET] = {reset, "the machine cannot be reset", HRESULT_VM_E_VM_NOT_RUNNING, false},
    [CHANGE_SAVE] = {save, "the machine cannot be saved", HRESULT_VM_E_VM_NOT_RUNNING, true},
    [CHANGE_PAUSE] = {virDomainSuspend, "the machine cannot be paused", HRESULT_E_FAIL, false},
    [CHANGE_RESUME] = {virDomainResume, "the machine cannot be resumed", HRESULT_E_FAIL, false},
    [CHANGE_DISCARD_SAVED_STATE] = {discard_saved_state, "the saved state cannot be discarded",
                                    HRESULT_VM_E_VM_RUNNING, false},
};

/* The documented refusals that libvirt does not make, or not in all its
 * drivers with the same code: it pauses a paused machine without an error, and
 * discards a saved state that is not there. */
static bool check_state(virDomainPtr domain, enum machine_change change, struct fault *fault)
{
    enum machine_state state;

    if (change == CHANGE_TURN_OFF || change == CHANGE_RESET)
        return true;
    if (!domain_read_state(domain, &state, fault))
        return false;
    bool is_off = state == MACHINE_TurnedOff || state == MACHINE_Saved;
    if (change == CHANGE_STARTUP)
        return is_off ||
               fault_set(fault, HRESULT_VM_E_VM_RUNNING, "the machine is running already");
    if (change == CHANGE_DISCARD_SAVED_STATE) {
        if (!is_off)
            return fault_set(fault, HRESULT_VM_E_VM_RUNNING,
                             "the machine is running, so it has no saved state to discard");
        return state == MACHINE_Saved ||
               fault_set(fault, HRESULT_VM_E_VM_NO_SAVED_STATE, "the machine has no saved state");
    }
    if (is_off)
        return fault_set(fault, HRESULT_VM_E_VM_NOT_RUNNING, "the machine is not running");
    if (change == CHANGE_PAUSE && state == MACHINE_Paused)
        return fault_set(fault, HRESULT_E_FAIL, "the machine is already paused");
    if (change == CHANGE_RESUME && state != MACHINE_Paused)
        return fault_set(fault, HRESULT_E_FAIL, "the machine is not paused");
    return true;
}

static bool is_asleep(virDomainPtr domain)
{
    int state;
    return virDomainGetState(domain, &state, NULL, 0) == 0 && state == VIR_DOMAIN_PMSUSPENDED;
}

/* A machine whose guest sleeps in S3 is Paused here, but libvirt refuses to
 * resume it and has a call of its own for this. */
static bool wake_up(virDomainPtr domain, struct fault *fault)
{
    enum { ATTEMPTS = 200 };
    const struct timespec pause = {.tv_nsec = 10000000};

    if (virDomainPMWakeup(domain, 0) < 0)
        return libvirt_error_fault(fault,
                                   "the machine sleeps (ACPI S3) and the host cannot wake it; wake "
                                   "it in the guest's own way, as by a key or a packet",
                                   HRESULT_E_FAIL);
    /* QEMU has agreed, and reports a moment later that it is done. */
    for (int attempt = 0; attempt < ATTEMPTS && is_asleep(domain); attempt++)
        nanosleep(&pause, NULL);
    return true;
}

/* The test driver runs in this process, and has done all it does at once. */
bool libvirt_takes_time(struct host *host, enum machine_change change)
{
    return !libvirt_host(host)->is_in_process &&
           (change == CHANGE_STARTUP || change == CHANGE_SAVE);
}

bool libvirt_check_change(struct host *host, const struct machine_uuid *uuid,
                          enum machine_change change, struct fault *fault)
{
    virDomainPtr domain = domain_open(libvirt_host(host), READ_WRITE, uuid, fault);
    if (domain == NULL)
        return false;
    bool ok = check_state(domain, change, fault);
    virDomainFree(domain);
    return ok;
}

/* While a machine is saved, libvirt reports how much of its memory is written. */
bool libvirt_progress(struct host *host, const struct machine_uuid *uuid, int *percent)
{
    virDomainJobInfo job;
    struct fault fault;

    virDomainPtr domain = domain_open(libvirt_host(host), READ_ONLY, uuid, &fault);
    if (domain == NULL)
        return false;
    bool ok = virDomainGetJobInfo(domain, &job) == 0 && job.type != VIR_DOMAIN_JOB_NONE &&
              job.dataTotal > 0;
    virDomainFree(domain);
    if (ok)
        *percent = job.dataProcessed >= job.dataTotal
                       ? 99 /* it is not complete yet */
                       : (int)((double)job.dataProcessed * 100 / (double)job.dataTotal);
    return ok;
}

bool libvirt_cancel(struct host *host, const struct machine_uuid *uuid, struct fault *fault)
{
    virDomainPtr domain = domain_open(libvirt_host(host), READ_WRITE, uuid, fault);
    if (domain == NULL)
        return false;
    bool ok = virDomainAbortJob(domain) == 0 ||
              libvirt_error_fault(fault, "the task cannot be cancelled", HRESULT_E_FAIL);
    virDomainFree(domain);
    return ok;
}

bool libvirt_change(struct host *host, const struct machine_uuid *uuid, enum machine_change change,
                    struct fault *fault)
{
    virDomainPtr domain = domain_open(libvirt_host(host), READ_WRITE, uuid, fault);
    if (domain == NULL)
        return false;
    bool ok = check_state(domain, change, fault);
    if (changes[change].is_slow)
        call_takes_time();
    if (ok && change == CHANGE_RESUME && is_asleep(domain))
        ok = wake_up(domain, fault);
    else if (ok && changes[change].call(domain) < 0)
        ok = libvirt_error_fault(fault, changes[change].failed, changes[change].wrong_state);
    virDomainFree(domain);
    return ok;
}
