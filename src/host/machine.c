#include "host/machine.h"

#include "host/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool machine_uuid_equal(const struct machine_uuid *a, const struct machine_uuid *b)
{
    return memcmp(a->bytes, b->bytes, UUID_SIZE) == 0;
}

void machine_uuid_format(const struct machine_uuid *uuid, char text[UUID_TEXT_SIZE])
{
    for (size_t i = 0; i < UUID_SIZE; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        text += sprintf(text, dash ? "-%02x" : "%02x", uuid->bytes[i]);
    }
}

static int compare_entries(const void *a, const void *b)
{
    const struct machine_list_entry *left = a;
    const struct machine_list_entry *right = b;
    return machine_name_compare(left->name, right->name);
}

void machine_list_sort(struct machine_list *list)
{
    if (list->count > 0)
        qsort(list->entries, list->count, sizeof *list->entries, compare_entries);
}

void machine_list_clear(struct machine_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->entries[i].name);
    free(list->entries);
    *list = (struct machine_list){0};
}
