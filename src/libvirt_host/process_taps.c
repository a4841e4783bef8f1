#include "libvirt_host/process_taps.h"

#include "libvirt_host/process_time.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PID_TEXT_SIZE = 24 };

/* libvirt's own note of the process, for the system's daemon. */
static bool read_pid_file(const char *machine_name, char pid[PID_TEXT_SIZE])
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "/run/libvirt/qemu/%s.pid", machine_name);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "re") : NULL;

    if (file == NULL)
        return false;
    bool is_read = fscanf(file, "%20[0-9]", pid) == 1;
    fclose(file);
    return is_read;
}

/* Only a process of this user, or any for root, has files to be seen. */
static bool may_be_seen(const char *pid)
{
    char path[64];
    struct stat status;

    snprintf(path, sizeof path, "/proc/%.20s", pid);
    return stat(path, &status) == 0 && (geteuid() == 0 || status.st_uid == geteuid());
}

static bool find_pid(const char *machine_name, const struct machine_uuid *uuid,
                     char pid[PID_TEXT_SIZE])
{
    char text[UUID_TEXT_SIZE];

    machine_uuid_format(uuid, text);
    if (read_pid_file(machine_name, pid) && process_runs_machine(pid, text))
        return true;
    DIR *processes = opendir("/proc");
    size_t found = 0;
    for (const struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !may_be_seen(entry->d_name) ||
            !process_runs_machine(entry->d_name, text))
            continue;
        snprintf(pid, PID_TEXT_SIZE, "%.20s", entry->d_name);
        found++;
    }
    if (processes != NULL)
        closedir(processes);
    return found == 1;
}

/* False without memory. */
static bool add_name(struct process_taps *taps, const char *name)
{
    char(*names)[IF_NAMESIZE] = realloc(taps->names, (taps->count + 1) * sizeof *names);
    if (names == NULL)
        return false;
    taps->names = names;
    snprintf(names[taps->count++], IF_NAMESIZE, "%s", name);
    return true;
}

/* A descriptor that is closed meanwhile holds nothing. False without memory. */
static bool read_descriptor(const char *pid, const char *descriptor, struct process_taps *taps)
{
    char path[96], line[256], name[IF_NAMESIZE];
    bool ok = true;

    snprintf(path, sizeof path, "/proc/%.20s/fdinfo/%.20s", pid, descriptor);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return true;
    while (ok && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "iff:", 4) != 0)
            continue;
        taps->is_known = true;
        /* No name: the descriptor's device has been deleted. */
        if (sscanf(line, "iff:\t%15[^\n]", name) == 1)
            ok = add_name(taps, name);
    }
    fclose(file);
    return ok;
}

void process_taps_read(const char *machine_name, const struct machine_uuid *uuid,
                       struct process_taps *taps)
{
    char pid[PID_TEXT_SIZE] = "", path[64];

    *taps = (struct process_taps){0};
    if (!find_pid(machine_name, uuid, pid))
        return;
    snprintf(path, sizeof path, "/proc/%.20s/fdinfo", pid);
    DIR *folder = opendir(path);
    bool ok = folder != NULL;
    for (const struct dirent *entry; ok && (entry = readdir(folder)) != NULL;)
        if (isdigit((unsigned char)entry->d_name[0]))
            ok = read_descriptor(pid, entry->d_name, taps);
    if (folder != NULL)
        closedir(folder);
    if (!ok)
        process_taps_clear(taps);
}

bool process_taps_have(const struct process_taps *taps, const char *name)
{
    for (size_t i = 0; i < taps->count; i++)
        if (strcmp(taps->names[i], name) == 0)
            return true;
    return false;
}

void process_taps_clear(struct process_taps *taps)
{
    free(taps->names);
    *taps = (struct process_taps){0};
}
