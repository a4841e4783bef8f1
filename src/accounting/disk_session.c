#include "accounting/disk_session.h"

#include <stdlib.h>
#include <string.h>

static void drop_baseline(struct disk_session *disks)
{
    baseline_free(disks->baseline);
    disks->baseline = NULL;
}

void disk_session_end(struct disk_session *disks)
{
    session_clear(&disks->session);
    disk_sample_clear(&disks->last);
    drop_baseline(disks);
    *disks = (struct disk_session){0};
}

void disk_session_reset(struct disk_session *disks)
{
    drop_baseline(disks);
    disks->is_uncounted = false;
    disks->is_reset_pending = true;
}

void disk_session_rebase(struct disk_session *disks, const struct baseline *baseline)
{
    drop_baseline(disks);
    if (baseline->has_disks)
        disks->baseline = baseline_copy(baseline);
    disks->is_uncounted = disks->baseline == NULL;
    disks->is_reset_pending = false;
}

bool disk_session_share(const struct disk_session *disks, struct baseline *baseline)
{
    if (!disks->session.observed || disks->is_reset_pending || disks->is_uncounted ||
        disks->baseline != NULL)
        return true; /* unknown here, and said so by its absence */
    if (!baseline_start_disks(baseline, disks->last.count))
        return false;
    for (size_t i = 0; i < disks->last.count; i++) {
        struct baseline_disk *to = &baseline->disks[i];
        const struct session_adapter *disk =
            session_find_adapter(&disks->session, &disks->last.readings[i].key);
        for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
            if (disk == NULL || !session_adapter_is_known(disk, (enum direction)direction)) {
                baseline_drop_disks(baseline);
                return true;
            }
            to->bytes[direction] = disk->counters[direction].baseline;
        }
        if ((to->target = strdup(disks->last.targets[i])) == NULL)
            return false;
    }
    return true;
}

/* Where the disks stood at a reset that another process saw. One whose
 * counter is below that has been replaced since, and counts from zero. False
 * without memory. */
static bool apply_baseline(struct disk_session *disks)
{
    const struct baseline *baseline = disks->baseline;
    struct device_reading *readings = calloc(baseline->disk_count + 1, sizeof *readings);
    size_t count = 0;

    if (readings == NULL)
        return false;
    for (size_t i = 0; i < baseline->disk_count; i++) {
        const struct baseline_disk *from = &baseline->disks[i];
        struct device_key key = disk_key(from->target);
        const struct session_adapter *disk = session_find_adapter(&disks->session, &key);
        bool is_same = disk != NULL;
        for (int direction = 0; is_same && direction < DIRECTION_COUNT; direction++)
            is_same = decimal_compare(from->bytes[direction], disk->counters[direction].last) <= 0;
        if (!is_same)
            continue;
        readings[count].key = key;
        memcpy(readings[count].bytes, from->bytes, sizeof readings[count].bytes);
        count++;
    }
    session_apply_baseline(&disks->session, readings, count);
    free(readings);
    return true;
}

bool disk_session_observe(struct disk_session *disks, struct disk_sample *sample, int64_t now)
{
    if (!(disks->is_reset_pending ? session_reset : session_observe)(
            &disks->session, sample->readings, sample->count))
        return false;
    disks->is_reset_pending = false;
    if (disks->baseline != NULL && apply_baseline(disks))
        drop_baseline(disks);
    disk_sample_clear(&disks->last);
    disks->last = *sample;
    *sample = (struct disk_sample){.uuid = disks->last.uuid, .domain_id = disks->last.domain_id};
    disks->observed_at = now;
    return true;
}

bool disk_session_is_observed_since(const struct disk_session *disks, int64_t moment)
{
    return disks->session.observed && !disks->is_reset_pending && disks->baseline == NULL &&
           disks->observed_at >= moment;
}
