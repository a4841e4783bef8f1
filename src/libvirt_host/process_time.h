/*
 * process_time: when a process of this host, and a machine's QEMU process among
 * them, started: read from /proc.
 *
 * libvirt has no call for a domain's start time. Its QEMU driver gives each
 * process the machine's UUID on the command line (`-uuid`), which every user
 * may read in /proc/PID/cmdline unless /proc is mounted with hidepid.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_PROCESS_TIME_H
#define VMACCOUNTANT_LIBVIRT_HOST_PROCESS_TIME_H

#include "base/fault.h"
#include "host/machine.h"

/* The start of the one QEMU process that runs the machine. A fault when /proc
 * shows none, or several. */
bool qemu_process_started_at(const struct machine_uuid *uuid, struct moment *started,
                             struct fault *fault);

/* Nanoseconds that the process has been running; -1 when it is gone. */
int64_t process_age(const char *pid);

/* Whether that process of /proc is the QEMU of the machine with that UUID. */
bool process_runs_machine(const char *pid, const char *uuid);

/* The same in ticks since the host was booted, which name the process as long as
 * it is up. The machine's name helps to find it. */
bool qemu_process_start(const struct machine_uuid *uuid, const char *name, uint64_t *ticks);

/* That as a time of clock_since_boot(). */
int64_t process_start_time(uint64_t ticks);

#endif
