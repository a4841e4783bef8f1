#include "host/disk.h"

#include "host/sample.h"

#include <stdlib.h>
#include <string.h>

struct device_key disk_key(const char *target)
{
    return (struct device_key){.incarnation = incarnation_of_name(target)};
}

bool disk_sample_start(struct disk_sample *sample, size_t capacity)
{
    sample->count = 0;
    sample->capacity = capacity;
    sample->targets = calloc(capacity + 1, sizeof *sample->targets);
    sample->readings = calloc(capacity + 1, sizeof *sample->readings);
    if (sample->targets != NULL && sample->readings != NULL)
        return true;
    disk_sample_clear(sample);
    return false;
}

struct device_reading *disk_sample_add(struct disk_sample *sample, const char *target)
{
    for (size_t i = 0; i < sample->count; i++)
        if (strcmp(sample->targets[i], target) == 0)
            return &sample->readings[i];
    if (sample->count == sample->capacity ||
        (sample->targets[sample->count] = strdup(target)) == NULL)
        return NULL;
    struct device_reading *reading = &sample->readings[sample->count++];
    *reading = (struct device_reading){.key = disk_key(target)};
    return reading;
}

void disk_reading_set(struct device_reading *reading, enum direction direction,
                      struct decimal bytes)
{
    reading->bytes[direction] = bytes;
    reading->present |= 1u << direction;
}

void disk_sample_clear(struct disk_sample *sample)
{
    for (size_t i = 0; i < sample->count; i++)
        free(sample->targets[i]);
    free(sample->targets);
    free(sample->readings);
    sample->targets = NULL;
    sample->readings = NULL;
    sample->count = sample->capacity = 0;
}
