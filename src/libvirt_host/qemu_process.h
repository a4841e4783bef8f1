/*
 * qemu_process: which process of this host is a machine's QEMU.
 *
 * libvirt has no call for it. Its QEMU driver gives each process the machine's
 * UUID on the command line (`-uuid`), which every user may read in
 * /proc/PID/cmdline unless /proc is mounted with hidepid.
 */
#ifndef VMACCOUNTANT_LIBVIRT_HOST_QEMU_PROCESS_H
#define VMACCOUNTANT_LIBVIRT_HOST_QEMU_PROCESS_H

#include "host/machine.h"

#include <stdbool.h>
#include <stddef.h>

enum { PID_TEXT_SIZE = 24 };

/* The process in the PID file of the system's daemon; false when there is none,
 * or it is not the machine's. It spares a search. */
bool qemu_process_of_pid_file(const char *name, const struct machine_uuid *uuid,
                              char pid[PID_TEXT_SIZE]);

/* Gives the receiver each process that runs the machine; returns for how many it
 * returned true. */
typedef bool qemu_process_receiver(const char *pid, void *context);
size_t qemu_process_search(const struct machine_uuid *uuid, qemu_process_receiver *receive,
                           void *context);

/* Reads the beginning of /proc/PID/NAME as text; its length, 0 when it cannot be
 * read. */
size_t process_read(const char *pid, const char *name, char *buffer, size_t size);

#endif
