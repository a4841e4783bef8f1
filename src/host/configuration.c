#include "host/configuration.h"

#include "base/text.h"
#include "host/name.h"

#include <stdlib.h>
#include <string.h>

/* Counts the characters; false with the offset of the first one that cannot be
 * written in XML. */
static bool count_characters(const char *text, size_t length, size_t *count, size_t *bad)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t i = 0;

    for (*count = 0; i < length; ++*count) {
        size_t step = text_character_length(text + i, length - i);
        bool is_control = bytes[i] < 0x20 && strchr("\t\n\r", bytes[i]) == NULL;
        bool is_noncharacter = step == 3 && bytes[i] == 0xef && bytes[i + 1] == 0xbf &&
                               bytes[i + 2] >= 0xbe; /* U+FFFE, U+FFFF */
        *bad = i;
        if (step == 0 || is_control || bytes[i] == '\0' || is_noncharacter)
            return false;
        i += step;
    }
    return true;
}

static bool check_characters(const char *name, size_t length, struct fault *fault)
{
    size_t count, bad;
    bool ok = count_characters(name, length, &count, &bad);

    /* libvirt would take its folder of all machines for this one's. */
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return fault_set(fault, HRESULT_VM_E_CONFIG_NAME_INVALID_CHAR,
                         "a machine cannot be called '%s', which means a folder", name);
    for (size_t i = 0; i < length && ok; i++) {
        unsigned char c = (unsigned char)name[i];
        bad = i;
        ok = c != '/' && c >= 0x20 && c != 0x7f;
    }
    return ok || fault_set(fault, HRESULT_VM_E_CONFIG_NAME_INVALID_CHAR,
                           "byte %zu of the name cannot be in a machine's name: it must be UTF-8 "
                           "text without '/' and control characters",
                           bad + 1);
}

/* The definition of a machine that runs, or that has a saved state, is not
 * changed. */
static bool check_stopped(struct host *host, const struct machine_uuid *uuid, struct fault *fault)
{
    enum machine_state state;

    if (!host_state(host, uuid, &state, fault))
        return false;
    if (state == MACHINE_Saved)
        return fault_set(fault, HRESULT_VM_E_VM_RUNNING,
                         "the machine has a saved state, which depends on its present definition: "
                         "start it and turn it off, or discard the saved state");
    return state == MACHINE_TurnedOff ||
           fault_set(fault, HRESULT_VM_E_VM_RUNNING, "the machine is running: turn it off first");
}

/* *same: it is already the machine's own name. */
static bool check_duplicate(struct host *host, const struct machine_uuid *uuid, const char *name,
                            bool *same, struct fault *fault)
{
    struct machine_list list = {0};
    bool ok = true;

    if (!host_list(host, &list, fault))
        return false;
    *same = false;
    for (size_t i = 0; i < list.count && ok; i++) {
        const struct machine_list_entry *entry = &list.entries[i];
        if (machine_uuid_equal(&entry->uuid, uuid))
            *same = strcmp(entry->name, name) == 0;
        else if (machine_name_equal(entry->name, name))
            ok = fault_set(fault, HRESULT_VM_E_CONFIG_DUPLICATE_NAME,
                           "there is a machine '%.300s' already", entry->name);
    }
    machine_list_clear(&list);
    return ok;
}

bool configuration_set_name(struct host *host, const struct machine_uuid *uuid, const char *name,
                            size_t length, struct fault *fault)
{
    bool same;

    if (length == 0)
        return fault_set(fault, HRESULT_VM_E_CONFIG_NO_NAME, "a machine needs a name");
    if (!check_characters(name, length, fault))
        return false;
    if (length > LONGEST_NAME)
        return fault_set(fault, HRESULT_VM_E_CONFIG_NAME_TOO_LONG,
                         "the name has %zu bytes: a machine's name has %d at most", length,
                         LONGEST_NAME);
    if (!check_stopped(host, uuid, fault) || !check_duplicate(host, uuid, name, &same, fault))
        return false;
    return same || host_rename(host, uuid, name, fault);
}

/* A copy whose lines end as XML keeps them: libvirt would do the same when it
 * next reads the definition. NULL without memory. */
static char *with_line_feeds(const char *text)
{
    char *copy = strdup(text);
    char *end = copy;

    for (const char *from = copy; from != NULL && *from != '\0'; from++) {
        if (*from == '\r' && from[1] == '\n')
            continue;
        *end++ = *from;
        if (end[-1] == '\r')
            end[-1] = '\n';
    }
    if (copy != NULL)
        *end = '\0';
    return copy;
}

bool configuration_set_notes(struct host *host, const struct machine_uuid *uuid, const char *notes,
                             size_t length, struct fault *fault)
{
    size_t count, bad;

    if (!count_characters(notes, length, &count, &bad))
        return fault_set(fault, HRESULT_E_INVALIDARG,
                         "byte %zu of the notes cannot be in a machine's definition: they must be "
                         "UTF-8 text without control characters",
                         bad + 1);
    if (count > MOST_NOTES)
        return fault_set(fault, HRESULT_E_INVALIDARG,
                         "the notes have %zu characters: they may have %d", count, MOST_NOTES);
    char *text = with_line_feeds(notes);
    if (text == NULL)
        return fault_out_of_memory(fault);
    bool ok = host_set_notes(host, uuid, text, fault);
    free(text);
    return ok;
}

bool configuration_set_memory(struct host *host, const struct machine_uuid *uuid, int64_t megabytes,
                              struct fault *fault)
{
    if (megabytes < LEAST_MEMORY || megabytes > MOST_MEMORY)
        return fault_set(fault, HRESULT_E_INVALIDARG,
                         "a machine's memory must be from %d to %d MB, not %lld", LEAST_MEMORY,
                         MOST_MEMORY, (long long)megabytes);
    return check_stopped(host, uuid, fault) &&
           host_set_memory(host, uuid, (uint64_t)megabytes, fault);
}
