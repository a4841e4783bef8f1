#include "libvirt_host/process_time.h"

#include "base/clock.h"
#include "base/descriptors.h"
#include "libvirt_host/qemu_process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* All in ticks, hundredths of a second: fields 14, 15 and 22 of /proc/PID/stat
 * (proc(5)). */
struct process_ticks {
    unsigned long long user, system;
    unsigned long long start; /* since the host was booted */
};

/* False when it is gone. */
static bool read_ticks(const char *pid, struct process_ticks *ticks)
{
    char stat[1024];

    if (process_read(pid, "stat", stat, sizeof stat) == 0)
        return false;
    /* The command in field 2 may hold spaces and parentheses: the fields are counted
     * from its last ')'. */
    const char *fields = strrchr(stat, ')');
    return fields != NULL &&
           sscanf(fields,
                  ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d "
                  "%*d %*d %*d %*d %llu",
                  &ticks->user, &ticks->system, &ticks->start) == 3;
}

static int64_t nanoseconds_of(uint64_t ticks)
{
    return (int64_t)ticks * (CLOCK_SECOND / sysconf(_SC_CLK_TCK));
}

/* When the process was started; 0 when it is gone. */
static uint64_t start_of(const char *pid)
{
    struct process_ticks ticks;
    return read_ticks(pid, &ticks) ? ticks.start : 0;
}

bool qemu_process_used(const struct machine_uuid *uuid, const char *name, uint64_t *nanoseconds)
{
    char pid[PID_TEXT_SIZE];
    struct process_ticks ticks;

    if (!qemu_process_of_pid_file(name, uuid, pid) || !read_ticks(pid, &ticks))
        return false;
    *nanoseconds = (uint64_t)nanoseconds_of(ticks.user + ticks.system);
    return true;
}

int64_t process_start_time(uint64_t ticks)
{
    return nanoseconds_of(ticks);
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
