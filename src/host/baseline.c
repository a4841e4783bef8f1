#include "host/baseline.h"

#include <stdlib.h>
#include <string.h>

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
