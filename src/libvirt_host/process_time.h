/*
 * process_time: when a process of this host, and a machine's QEMU process among
 * them, started, which libvirt has no call for, and how much of the processors it has
 * used, which libvirt takes longer to tell. Read from /proc.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_PROCESS_TIME_H
#define VMACCOUNTANT_LIBVIRT_HOST_PROCESS_TIME_H

#include "base/fault.h"
#include "host/machine.h"

/* The start of the one QEMU process that runs the machine. Its name helps to find
 * it; NULL: not known. A fault when /proc shows none, or several. */
bool qemu_process_started_at(const struct machine_uuid *uuid, const char *name,
                             struct moment *started, struct fault *fault);

/* Nanoseconds that the process has been running; -1 when it is gone. */
int64_t process_age(const char *pid);

/* The start of the machine's QEMU process in ticks since the host was booted,
 * which name the process while the host is up. The machine's name helps to find
 * it. False when there is none, or several. */
bool qemu_process_start(const struct machine_uuid *uuid, const char *name, uint64_t *ticks);

/* Nanoseconds that the machine's QEMU process has used of the processors, in all its
 * threads, for itself and in the kernel, to the hundredth of a second (proc(5)). False
 * where the system's daemon has no PID file of it that can be read. */
bool qemu_process_used(const struct machine_uuid *uuid, const char *name, uint64_t *nanoseconds);

/* Such ticks as a time of clock_since_boot(). */
int64_t process_start_time(uint64_t ticks);

#endif
