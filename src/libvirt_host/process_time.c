#include "libvirt_host/process_time.h"

#include "base/clock.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int64_t process_age(const char *pid)
{
    char stat[1024];
    unsigned long long start_ticks;

    if (read_proc(pid, "stat", stat, sizeof stat) == 0)
        return -1;
    /* The command in field 2 may hold spaces and parentheses: count fields
     * from its last ')'. The start is field 22, in ticks since boot (proc(5)). */
    const char *fields = strrchr(stat, ')');
    if (fields == NULL || sscanf(fields,
                                 ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
                                 "%*d %*d %*d %*d %llu",
                                 &start_ticks) != 1)
        return -1;
    return clock_since_boot() - (int64_t)start_ticks * (CLOCK_SECOND / sysconf(_SC_CLK_TCK));
}

bool process_runs_machine(const char *pid, const char *uuid)
{
    char command[16384], option[64];

    size_t length = read_proc(pid, "cmdline", command, sizeof command);
    int option_length = snprintf(option, sizeof option, "-uuid%c%s", '\0', uuid);
    return length > 0 && memmem(command, length, option, (size_t)option_length + 1) != NULL;
}

bool qemu_process_started_at(const struct machine_uuid *uuid, int64_t *unix_seconds,
                             struct fault *fault)
{
    char text[UUID_TEXT_SIZE];
    DIR *processes = opendir("/proc");
    int64_t age = -1;
    size_t found = 0;

    machine_uuid_format(uuid, text);
    for (const struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !process_runs_machine(entry->d_name, text))
            continue;
        int64_t one = process_age(entry->d_name);
        if (one < 0)
            continue;
        age = one;
        found++;
    }
    if (processes != NULL)
        closedir(processes);

    if (found != 1)
        return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                         "when the machine started cannot be known: this process did not see it "
                         "start, libvirt does not tell, and /proc shows %s QEMU process with its "
                         "UUID",
                         found == 0 ? "no" : "more than one");
    /* Rounded once only, so that every process tells the same second. */
    *unix_seconds = (clock_unix() - age) / CLOCK_SECOND;
    return true;
}
