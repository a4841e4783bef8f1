#include "host/sample.h"

#include <stdlib.h>
#include <string.h>

uint64_t incarnation_of_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash | INCARNATION_OF_NAME;
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

bool machine_sample_has_device(const struct machine_sample *sample, const struct device_key *key)
{
    for (size_t i = 0; i < sample->adapters->count; i++)
        if (device_key_equal(&sample->readings[i].key, key))
            return true;
    return false;
}

void machine_sample_clear(struct machine_sample *sample)
{
    adapter_list_release(sample->adapters);
    free_readings(sample);
    baseline_free(sample->baseline);
    sample->adapters = NULL;
    sample->baseline = NULL;
}
