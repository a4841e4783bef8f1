#include "libvirt_host/process_time.h"

#include "base/clock.h"
#include "base/descriptors.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PID_SIZE = 24 };

/* Reads the start of /proc/PID/NAME; the length read, 0 when it cannot be. */
static size_t read_proc(const char *pid, const char *name, char *buffer, size_t size)
{
    char path[64];
    size_t length = 0;

    snprintf(path, sizeof path, "/proc/%.20s/%s", pid, name);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        length = fread(buffer, 1, size - 1, file);
        fclose(file);
    }
    buffer[length] = '\0';
    return length;
}

/* When the process was started, in ticks since the host was booted; 0 when it is
 * gone. */
static uint64_t start_of(const char *pid)
{
    char stat[1024];
    unsigned long long ticks;

    if (read_proc(pid, "stat", stat, sizeof stat) == 0)
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

bool process_runs_machine(const char *pid, const char *uuid)
{
    char command[16384], option[64];

    size_t length = read_proc(pid, "cmdline", command, sizeof command);
    int option_length = snprintf(option, sizeof option, "-uuid%c%s", '\0', uuid);
    return length > 0 && memmem(command, length, option, (size_t)option_length + 1) != NULL;
}

static bool read_pid(const char *path, char pid[PID_SIZE])
{
    FILE *file = fopen(path, "re");
    bool ok = file != NULL && fscanf(file, "%20[0-9]", pid) == 1;
    if (file != NULL)
        fclose(file);
    return ok;
}

/* The start of the process in the PID file of the system's daemon, if that runs
 * the machine; 0 for none. It spares a search of all processes. */
static uint64_t start_by_pid_file(const char *name, const char *uuid)
{
    char path[512], pid[PID_SIZE] = "";

    int length = snprintf(path, sizeof path, "/run/libvirt/qemu/%s.pid", name);
    if (length < 0 || (size_t)length >= sizeof path || !read_pid(path, pid) ||
        !process_runs_machine(pid, uuid))
        return 0;
    return start_of(pid);
}

/* How many processes run the machine, and the start of one of them. */
static size_t find_processes(const char *uuid, uint64_t *ticks)
{
    DIR *processes = opendir("/proc");
    size_t found = 0;

    for (const struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !process_runs_machine(entry->d_name, uuid))
            continue;
        uint64_t start = start_of(entry->d_name);
        if (start == 0)
            continue;
        *ticks = start;
        found++;
    }
    if (processes != NULL)
        closedir(processes);
    return found;
}

bool qemu_process_start(const struct machine_uuid *uuid, const char *name, uint64_t *ticks)
{
    char text[UUID_TEXT_SIZE];

    machine_uuid_format(uuid, text);
    *ticks = start_by_pid_file(name, text);
    return *ticks != 0 || find_processes(text, ticks) == 1;
}

bool qemu_process_started_at(const struct machine_uuid *uuid, struct moment *started,
                             struct fault *fault)
{
    char text[UUID_TEXT_SIZE];
    uint64_t ticks;

    machine_uuid_format(uuid, text);
    size_t found = find_processes(text, &ticks);
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
