#include "libvirt_host/process_taps.h"

#include "libvirt_host/qemu_process.h"

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
        if (sscanf(line, "iff:\t%15[^\n]", name) == 1)
            ok = add_name(taps, name);
        else
            taps->has_deleted = true;
    }
    fclose(file);
    return ok;
}

/* The descriptors that libvirt gave the process on its command line, as
 * fd=30, fds=30:31, "fd":"30" or "fds":"30:31": a few of its many. */
static bool read_given(const char *pid, struct process_taps *taps)
{
    static const char *const options[] = {"fd=", "fds=", "\"fd\":\"", "\"fds\":\""};
    char command[16384], descriptor[16];
    size_t length = process_read(pid, "cmdline", command, sizeof command);
    bool ok = true;

    for (size_t i = 0; i < length; i++) /* its arguments end in zeros */
        if (command[i] == '\0')
            command[i] = '\n';
    for (size_t k = 0; k < sizeof options / sizeof options[0]; k++) {
        for (const char *at = command; ok && (at = strstr(at, options[k])) != NULL;) {
            at += strlen(options[k]);
            for (int used; ok && sscanf(at, "%15[0-9]%n", descriptor, &used) == 1; at++) {
                ok = read_descriptor(pid, descriptor, taps);
                at += used;
                if (*at != ':')
                    break;
            }
        }
    }
    return ok;
}

static bool read_all(const char *pid, struct process_taps *taps)
{
    static const char clone[] = "/dev/net/tun";
    char path[64], target[sizeof clone];
    bool ok = true;

    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    DIR *folder = opendir(path);
    for (const struct dirent *entry; ok && folder != NULL && (entry = readdir(folder)) != NULL;) {
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target);
        if (length == sizeof clone - 1 && memcmp(target, clone, sizeof clone - 1) == 0)
            ok = read_descriptor(pid, entry->d_name, taps);
    }
    if (folder != NULL)
        closedir(folder);
    return ok;
}

static bool have_all(const struct process_taps *taps, const struct adapter_list *adapters)
{
    for (size_t i = 0; i < adapters->count; i++)
        if (adapters->adapters[i].device != NULL &&
            !process_taps_have(taps, adapters->adapters[i].device))
            return false;
    return true;
}

void process_taps_read(const char *machine_name, const struct machine_uuid *uuid,
                       const struct adapter_list *adapters, struct process_taps *taps)
{
    char pid[PID_TEXT_SIZE] = "";

    *taps = (struct process_taps){0};
    if (!qemu_process_of_pid_file(machine_name, uuid, pid) &&
        qemu_process_search(uuid, note_pid, pid) != 1)
        return;
    bool ok = read_given(pid, taps);
    if (ok && !have_all(taps, adapters))
        ok = read_all(pid, taps);
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
