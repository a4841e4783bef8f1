#include "libvirt_host/process_time.h"

#include "base/clock.h"
#include "base/descriptors.h"
#include "libvirt_host/qemu_process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* When the process was started, in ticks since the host was booted; 0 when it is
 * gone. */
static uint64_t start_of(const char *pid)
{
    char stat[1024];
    unsigned long long ticks;

    if (process_read(pid, "stat", stat, sizeof stat) == 0)
        return 0;
    /* The command in field 2 may hold spaces and parentheses: count fields
     * from its last ')'. The start is field 22 (proc(5)). */
    const char *fields = strrchr(stat, ')');
    if (fields == NULL || sscanf(fields,
                                 ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
                                 "%*d %*d %*d %*d %llu",
                                 &ticks) != 1)
        return 0;
    return ticks;
}

int64_t process_start_time(uint64_t ticks)
{
    return (int64_t)ticks * (CLOCK_SECOND / sysconf(_SC_CLK_TCK));
}

int64_t process_age(const char *pid)
{
    uint64_t ticks = start_of(pid);
    return ticks == 0 ? -1 : clock_since_boot() - process_start_time(ticks);
}

static bool note_start(const char *pid, void *context)
{
    uint64_t start = start_of(pid), *ticks = context;

    if (start != 0)
        *ticks = start;
    return start != 0; /* else it has gone meanwhile */
}

bool qemu_process_start(const struct machine_uuid *uuid, const char *name, uint64_t *ticks)
{
    char pid[PID_TEXT_SIZE];

    *ticks = qemu_process_of_pid_file(name, uuid, pid) ? start_of(pid) : 0;
    return *ticks != 0 || qemu_process_search(uuid, note_start, ticks) == 1;
}

bool qemu_process_started_at(const struct machine_uuid *uuid, const char *name,
                             struct moment *started, struct fault *fault)
{
    char pid[PID_TEXT_SIZE];
    uint64_t ticks = name != NULL && qemu_process_of_pid_file(name, uuid, pid) ? start_of(pid) : 0;
    size_t found = ticks != 0 ? 1 : qemu_process_search(uuid, note_start, &ticks);
    if (found != 1)
        /* /proc cannot be read without descriptors: a folder and a file of it. */
        return descriptors_check(2, "when the machine started cannot be known", fault) &&
               fault_set(
                   fault, HRESULT_DISP_E_EXCEPTION,
                   "when the machine started cannot be known: this process did not see it "
                   "start, libvirt does not report it, and /proc shows %s QEMU process with its "
                   "UUID",
                   found == 0 ? "no" : "more than one");
    started->at = process_start_time(ticks);
    /* Rounded once only, so that every process gives the same second. */
    started->wall = (clock_unix() - (clock_since_boot() - started->at)) / CLOCK_SECOND;
    return true;
}
