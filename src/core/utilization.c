#include "core/utilization.h"

#include <stddef.h>
#include <string.h>

static const int64_t SECOND = 1000000000;

static uint8_t percent_of(uint64_t used, int64_t elapsed, unsigned processors)
{
    uint64_t most = (uint64_t)elapsed * (processors > 0 ? processors : 1);
    /* The hypervisor's own threads may come on top of full processors. */
    uint64_t percent = used >= most ? 100 : (100 * used + most / 2) / most;
    return (uint8_t)percent;
}

static void append(struct utilization *utilization, uint8_t percent, int64_t seconds)
{
    size_t count = seconds < UTILIZATION_SECONDS ? (size_t)seconds : UTILIZATION_SECONDS;
    size_t kept = UTILIZATION_SECONDS - count;

    memmove(utilization->history, utilization->history + count, kept);
    memset(utilization->history + kept, percent, count);
}

static void take_last(struct utilization *utilization)
{
    memmove(utilization->history + 1, utilization->history, UTILIZATION_SECONDS - 1);
    utilization->history[0] = 0;
}

void utilization_observe(struct utilization *utilization, int64_t now, uint64_t processor_time,
                         unsigned processors)
{
    int64_t elapsed = now - utilization->sampled_at;

    if (!utilization->is_started || processor_time < utilization->processor_time) {
        utilization->is_started = true;
        utilization->sampled_at = now;
        utilization->processor_time = processor_time;
        return;
    }
    if (elapsed <= 0)
        return;
    uint8_t percent = percent_of(processor_time - utilization->processor_time, elapsed, processors);
    int64_t seconds = (elapsed + SECOND / 2) / SECOND;
    if (seconds == 0) {
        if (!utilization->is_known) {
            utilization->is_short = true;
            append(utilization, percent, 1);
            utilization->latest = percent;
        }
        utilization->is_known = true;
        return;
    }
    utilization->latest = percent;
    utilization->is_known = true;
    if (utilization->is_short) /* its second is among these */
        take_last(utilization);
    utilization->is_short = false;
    append(utilization, percent, seconds);
    utilization->sampled_at = now;
    utilization->processor_time = processor_time;
}
