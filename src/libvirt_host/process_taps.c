#include "libvirt_host/process_taps.h"

#include "libvirt_host/qemu_process.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Only a process of this user, or any for root, has files to be seen. */
static bool may_be_seen(const char *pid)
{
    char path[64];
    struct stat status;

    snprintf(path, sizeof path, "/proc/%.20s", pid);
    return stat(path, &status) == 0 && (geteuid() == 0 || status.st_uid == geteuid());
}

static bool note_pid(const char *pid, void *found)
{
    if (!may_be_seen(pid))
        return false;
    snprintf(found, PID_TEXT_SIZE, "%.20s", pid);
    return true;
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
    if (!qemu_process_of_pid_file(machine_name, uuid, pid) &&
        qemu_process_search(uuid, note_pid, pid) != 1)
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
