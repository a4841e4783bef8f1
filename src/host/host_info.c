#include "host/host_info.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

void host_info_clear(struct host_info *info)
{
    free(info->features);
    info->features = NULL;
}

/* The value of an assignment in os-release(5): with quotes around it or not. */
static void read_value(const char *value, char *text, size_t size)
{
    bool is_quoted = *value == '"' || *value == '\'';
    char end[] = "\n\n";
    if (is_quoted)
        end[0] = *value;
    value += is_quoted;
    size_t length = strcspn(value, end);

    snprintf(text, size, "%.*s", (int)length, value);
}

/* The distribution's name with its version; false where no file has it. */
static bool read_distribution(char *text, size_t size)
{
    static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};
    static const char name[] = "PRETTY_NAME=";
    char line[256];
    bool found = false;

    for (size_t i = 0; i < sizeof paths / sizeof paths[0] && !found; i++) {
        FILE *file = fopen(paths[i], "re");
        while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
            found = strncmp(line, name, sizeof name - 1) == 0;
            if (found)
                read_value(line + sizeof name - 1, text, size);
        }
        if (file != NULL)
            fclose(file);
    }
    return found;
}

bool host_info_of_this_system(struct host_info *info, struct fault *fault)
{
    struct utsname kernel;

    if (uname(&kernel) != 0)
        return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                         "the operating system cannot be read: uname: %s", strerror(errno));
    if (!read_distribution(info->system, sizeof info->system))
        snprintf(info->system, sizeof info->system, "%s", kernel.sysname);
    snprintf(info->release, sizeof info->release, "%s", kernel.release);
    info->major = info->minor = 0;
    sscanf(kernel.release, "%u.%u", &info->major, &info->minor);
    return true;
}
