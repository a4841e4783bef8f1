#include "host/machine.h"

#include "base/text.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

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

static locale_t utf8_locale;

static void make_utf8_locale(void)
{
    utf8_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* The next character, in lower case; a byte that is not part of well-formed
 * UTF-8 stands for itself, above all characters. */
static uint32_t next_folded(const unsigned char **text)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    enum { LONGEST_CHARACTER = 4 };
    const unsigned char *s = *text;

    if (s[0] < 0x80) {
        *text += s[0] != '\0';
        return (unsigned char)text_lower((char)s[0]);
    }
    const char *bytes = (const char *)s;
    size_t length = text_character_length(bytes, strnlen(bytes, LONGEST_CHARACTER));
    if (length == 0) {
        *text += 1;
        return 0x110000u + s[0];
    }
    uint32_t character = s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++)
        character = character << 6 | (s[i] & 0x3fu);
    *text += length;
    pthread_once(&once, make_utf8_locale);
    return utf8_locale == (locale_t)0 ? character : (uint32_t)towlower_l(character, utf8_locale);
}

static int compare_folded(const char *a, const char *b)
{
    const unsigned char *left = (const unsigned char *)a;
    const unsigned char *right = (const unsigned char *)b;

    for (;;) {
        uint32_t x = next_folded(&left);
        uint32_t y = next_folded(&right);
        if (x != y)
            return x < y ? -1 : 1;
        if (x == 0)
            return 0;
    }
}

bool machine_name_equal(const char *a, const char *b)
{
    return compare_folded(a, b) == 0;
}

int machine_name_compare(const char *a, const char *b)
{
    int folded = compare_folded(a, b);
    return folded != 0 ? folded : strcmp(a, b);
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

struct baseline *baseline_new(size_t count)
{
    struct baseline *baseline = calloc(1, sizeof *baseline + count * sizeof baseline->adapters[0]);
    if (baseline != NULL)
        baseline->count = count;
    return baseline;
}

bool baseline_start_disks(struct baseline *baseline, size_t count)
{
    baseline->disks = calloc(count + 1, sizeof *baseline->disks);
    baseline->has_disks = baseline->disks != NULL;
    baseline->disk_count = baseline->has_disks ? count : 0;
    return baseline->has_disks;
}

void baseline_drop_disks(struct baseline *baseline)
{
    for (size_t i = 0; i < baseline->disk_count; i++)
        free(baseline->disks[i].target);
    free(baseline->disks);
    baseline->disks = NULL;
    baseline->disk_count = 0;
    baseline->has_disks = false;
}

void baseline_free(struct baseline *baseline)
{
    if (baseline == NULL)
        return;
    for (size_t i = 0; i < baseline->count; i++)
        free(baseline->adapters[i].device);
    baseline_drop_disks(baseline);
    free(baseline);
}

static bool copy_disks(struct baseline *copy, const struct baseline *baseline)
{
    if (!baseline->has_disks)
        return true;
    if (!baseline_start_disks(copy, baseline->disk_count))
        return false;
    for (size_t i = 0; i < baseline->disk_count; i++) {
        copy->disks[i] = baseline->disks[i];
        if ((copy->disks[i].target = strdup(baseline->disks[i].target)) == NULL)
            return false;
    }
    return true;
}

struct baseline *baseline_copy(const struct baseline *baseline)
{
    struct baseline *copy = baseline != NULL ? baseline_new(baseline->count) : NULL;
    if (copy == NULL)
        return NULL;
    copy->domain_id = baseline->domain_id;
    memcpy(copy->boot_id, baseline->boot_id, sizeof copy->boot_id);
    copy->process_start = baseline->process_start;
    copy->ordinal = baseline->ordinal;
    copy->reset_clock = baseline->reset_clock;
    copy->reset_at = baseline->reset_at;
    copy->has_common_clock = baseline->has_common_clock;
    for (size_t i = 0; i < baseline->count; i++) {
        const struct baseline_adapter *from = &baseline->adapters[i];
        copy->adapters[i] = *from;
        if (from->device != NULL && (copy->adapters[i].device = strdup(from->device)) == NULL) {
            baseline_free(copy);
            return NULL;
        }
    }
    if (!copy_disks(copy, baseline)) {
        baseline_free(copy);
        return NULL;
    }
    return copy;
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

static void free_readings(struct machine_sample *sample)
{
    if (sample->readings != sample->few)
        free(sample->readings);
    sample->readings = NULL;
}

bool machine_sample_start_readings(struct machine_sample *sample)
{
    size_t count = sample->adapters->count;
    if (count <= FEW_READINGS) {
        memset(sample->few, 0, count * sizeof sample->few[0]);
        sample->readings = sample->few;
    } else {
        sample->readings = calloc(count, sizeof *sample->readings);
    }
    return sample->readings != NULL;
}

bool machine_sample_assign(struct machine_sample *to, const struct machine_sample *from)
{
    size_t before = to->adapters != NULL ? to->adapters->count : 0;
    size_t count = from->adapters != NULL ? from->adapters->count : 0;

    if (count > FEW_READINGS && count != before) {
        struct device_reading *readings = malloc(count * sizeof *readings);
        if (readings == NULL)
            return false;
        free_readings(to);
        to->readings = readings;
    } else if (count <= FEW_READINGS) {
        free_readings(to);
        to->readings = count > 0 ? to->few : NULL;
    }
    if (count > 0)
        memcpy(to->readings, from->readings, count * sizeof *to->readings);
    if (to->adapters != from->adapters) {
        adapter_list_release(to->adapters);
        to->adapters = from->adapters != NULL ? adapter_list_hold(from->adapters) : NULL;
    }
    to->uuid = from->uuid;
    to->domain_id = from->domain_id;
    return true;
}

void machine_sample_clear(struct machine_sample *sample)
{
    adapter_list_release(sample->adapters);
    free_readings(sample);
    baseline_free(sample->baseline);
    sample->adapters = NULL;
    sample->baseline = NULL;
}
