#include "core/counter.h"

enum verdict counter_observe(struct counter *counter, struct decimal value)
{
    if (!counter->seen) {
        counter->seen = true;
        counter->last = value;
        return VERDICT_FIRST;
    }
    if (decimal_compare(value, counter->last) >= 0) {
        counter->last = value;
        return VERDICT_ADVANCED;
    }
    if (!counter_value(counter, &counter->carried))
        counter->overflowed = true;
    counter->baseline = DECIMAL_ZERO;
    counter->last = value;
    return VERDICT_FELL;
}

void counter_rebase(struct counter *counter)
{
    counter->carried = DECIMAL_ZERO;
    counter->overflowed = false;
    counter->baseline = counter->last;
}

bool counter_value(const struct counter *counter, struct decimal *value)
{
    struct decimal counted;

    if (counter->overflowed || !decimal_subtract(counter->last, counter->baseline, &counted))
        return false;
    return decimal_add(counter->carried, counted, value);
}
