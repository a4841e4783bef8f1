#include "host/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mac_format(const uint8_t mac[MAC_SIZE], char text[MAC_TEXT_SIZE])
{
    snprintf(text, MAC_TEXT_SIZE, "%02X-%02X-%02X-%02X-%02X-%02X", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
}

static int hexadecimal_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool mac_parse(const char *text, uint8_t mac[MAC_SIZE])
{
    uint8_t parsed[MAC_SIZE];

    for (size_t i = 0; i < MAC_SIZE; i++) {
        if (i > 0 && *text != ':' && *text != '-')
            return false;
        text += i > 0;
        int high = hexadecimal_digit(text[0]);
        int low = high < 0 ? -1 : hexadecimal_digit(text[1]);
        if (low < 0)
            return false;
        parsed[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (*text != '\0')
        return false;
    memcpy(mac, parsed, MAC_SIZE);
    return true;
}

struct adapter_list *adapter_list_new(size_t count)
{
    struct adapter_list *list = calloc(1, sizeof *list + count * sizeof list->adapters[0]);
    if (list == NULL)
        return NULL;
    atomic_init(&list->references, 1);
    list->count = count;
    return list;
}

static size_t text_size(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

/* Copies the text to *end, and moves *end behind it. */
static char *pack_text(const char *text, char **end)
{
    size_t size = text_size(text);
    if (size == 0)
        return NULL;
    char *packed = memcpy(*end, text, size);
    *end += size;
    return packed;
}

struct adapter_list *adapter_list_pack(struct adapter_list *list)
{
    size_t size = sizeof *list + list->count * sizeof list->adapters[0];
    size_t texts = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct adapter *adapter = &list->adapters[i];
        texts += text_size(adapter->type) + text_size(adapter->source) +
                 text_size(adapter->device) + text_size(adapter->alias);
    }
    struct adapter_list *packed = malloc(size + texts);
    if (packed != NULL) {
        char *end = (char *)packed + size;
        memcpy(packed, list, size);
        atomic_init(&packed->references, 1);
        packed->is_packed = true;
        for (size_t i = 0; i < packed->count; i++) {
            struct adapter *adapter = &packed->adapters[i];
            adapter->type = pack_text(adapter->type, &end);
            adapter->source = pack_text(adapter->source, &end);
            adapter->device = pack_text(adapter->device, &end);
            adapter->alias = pack_text(adapter->alias, &end);
        }
    }
    adapter_list_release(list);
    return packed;
}

struct adapter_list *adapter_list_hold(struct adapter_list *list)
{
    atomic_fetch_add(&list->references, 1);
    return list;
}

void adapter_list_release(struct adapter_list *list)
{
    if (list == NULL || atomic_fetch_sub(&list->references, 1) != 1)
        return;
    for (size_t i = 0; i < list->count && !list->is_packed; i++) {
        free(list->adapters[i].type);
        free(list->adapters[i].source);
        free(list->adapters[i].device);
        free(list->adapters[i].alias);
    }
    free(list);
}
