#include "libvirt_host/bulk_record.h"

#include "host/disk.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *prefix, *count;
    const char *bytes[DIRECTION_COUNT];
} groups[] = {
    [BULK_NET] = {"net.",
                  "net.count",
                  {[DIRECTION_SENT] = "tx.bytes", [DIRECTION_RECEIVED] = "rx.bytes"}},
    [BULK_BLOCK] = {"block.",
                    "block.count",
                    {[DISK_READ] = "rd.bytes", [DISK_WRITTEN] = "wr.bytes"}},
};

/* "net.12.rx.bytes" with the prefix "net.": the 12 into *position, and
 * "rx.bytes" as the result; NULL for another parameter. */
static const char *field_of(const char *parameter, const char *prefix, size_t *position)
{
    const char *number = parameter + strlen(prefix);
    char *end;

    if (strncmp(parameter, prefix, strlen(prefix)) != 0 || *number < '0' || *number > '9')
        return NULL;
    *position = strtoul(number, &end, 10);
    return *end == '.' ? end + 1 : NULL;
}

static void read_field(const virTypedParameter *parameter, enum bulk_group group, const char *field,
                       struct bulk_device *device)
{
    if (strcmp(field, "name") == 0 && parameter->type == VIR_TYPED_PARAM_STRING)
        device->name = parameter->value.s;
    for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
        if (parameter->type != VIR_TYPED_PARAM_ULLONG ||
            strcmp(field, groups[group].bytes[direction]) != 0)
            continue;
        device->bytes[direction] = parameter->value.ul;
        device->present |= 1u << direction;
    }
}

bool bulk_record_parse(const virDomainStatsRecord *record, enum bulk_group group,
                       struct bulk_record *parsed)
{
    unsigned count = 0;

    *parsed = (struct bulk_record){.state = VIR_DOMAIN_NOSTATE};
    virTypedParamsGetInt(record->params, record->nparams, "state.state", &parsed->state);
    parsed->has_count =
        virTypedParamsGetUInt(record->params, record->nparams, groups[group].count, &count) == 1;
    parsed->count = count;
    parsed->devices = calloc(parsed->count + 1, sizeof *parsed->devices);
    if (parsed->devices == NULL)
        return false;
    for (int i = 0; i < record->nparams; i++) {
        size_t position;
        const char *field = field_of(record->params[i].field, groups[group].prefix, &position);
        if (field != NULL && position < parsed->count)
            read_field(&record->params[i], group, field, &parsed->devices[position]);
    }
    return true;
}

void bulk_record_clear(struct bulk_record *parsed)
{
    free(parsed->devices);
    *parsed = (struct bulk_record){.state = VIR_DOMAIN_NOSTATE};
}

const struct bulk_device *bulk_record_find(const struct bulk_record *record, const char *name)
{
    for (size_t i = 0; name != NULL && i < record->count; i++)
        if (record->devices[i].name != NULL && strcmp(record->devices[i].name, name) == 0)
            return &record->devices[i];
    return NULL;
}
