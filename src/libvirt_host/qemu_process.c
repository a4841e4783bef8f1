#include "libvirt_host/qemu_process.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

size_t process_read(const char *pid, const char *name, char *buffer, size_t size)
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

static bool runs_machine(const char *pid, const char *uuid)
{
    char command[16384], option[64];

    size_t length = process_read(pid, "cmdline", command, sizeof command);
    int option_length = snprintf(option, sizeof option, "-uuid%c%s", '\0', uuid);
    return length > 0 && memmem(command, length, option, (size_t)option_length + 1) != NULL;
}

bool qemu_process_of_pid_file(const char *name, const struct machine_uuid *uuid,
                              char pid[PID_TEXT_SIZE])
{
    char path[PATH_MAX], text[UUID_TEXT_SIZE];
    int length = snprintf(path, sizeof path, "/run/libvirt/qemu/%s.pid", name);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "re") : NULL;

    if (file == NULL)
        return false;
    bool is_read = fscanf(file, "%20[0-9]", pid) == 1;
    fclose(file);
    machine_uuid_format(uuid, text);
    return is_read && runs_machine(pid, text);
}

size_t qemu_process_search(const struct machine_uuid *uuid, qemu_process_receiver *receive,
                           void *context)
{
    char text[UUID_TEXT_SIZE];
    DIR *processes = opendir("/proc");
    size_t found = 0;

    machine_uuid_format(uuid, text);
    for (const struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;)
        if (isdigit((unsigned char)entry->d_name[0]) && runs_machine(entry->d_name, text) &&
            receive(entry->d_name, context))
            found++;
    if (processes != NULL)
        closedir(processes);
    return found;
}
