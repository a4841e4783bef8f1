#include "core/session.h"

#include <stdlib.h>
#include <string.h>

bool device_key_equal(const struct device_key *a, const struct device_key *b)
{
    return a->incarnation == b->incarnation && memcmp(a->mac, b->mac, MAC_SIZE) == 0;
}

void session_clear(struct session *session)
{
    free(session->adapters);
    *session = (struct session){0};
}

struct session_adapter *session_find_adapter(const struct session *session,
                                             const struct device_key *key)
{
    for (size_t i = 0; i < session->count; i++)
        if (device_key_equal(&session->adapters[i].key, key))
            return &session->adapters[i];
    return NULL;
}

/* Makes room for the readings that are new to the session, before anything
 * else changes. */
static bool reserve(struct session *session, size_t newcomers)
{
    size_t needed = session->count + newcomers;
    if (needed <= session->capacity)
        return true;
    struct session_adapter *grown = realloc(session->adapters, needed * sizeof *grown);
    if (grown == NULL)
        return false;
    session->adapters = grown;
    session->capacity = needed;
    return true;
}

static size_t count_newcomers(const struct session *session, const struct device_reading *readings,
                              size_t count)
{
    size_t newcomers = 0;
    for (size_t i = 0; i < count; i++)
        newcomers += session_find_adapter(session, &readings[i].key) == NULL;
    return newcomers;
}

static enum verdict observe_adapter(struct session_adapter *adapter,
                                    const struct device_reading *reading)
{
    enum verdict verdict = VERDICT_NONE;

    for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
        if ((reading->present & 1u << direction) == 0)
            continue;
        enum verdict one =
            counter_observe(&adapter->counters[direction], reading->bytes[direction]);
        if (one > verdict) /* FELL in one direction is the adapter's verdict */
            verdict = one;
    }
    adapter->known = reading->present;
    return verdict;
}

/* Whether a device that seemed to be gone is present: it counts on from its
 * final counts. */
static bool is_back(const struct session_adapter *adapter, const struct device_reading *reading)
{
    for (int direction = 0; direction < DIRECTION_COUNT; direction++)
        if (adapter->counters[direction].seen &&
            ((reading->present & 1u << direction) == 0 ||
             decimal_compare(reading->bytes[direction], adapter->counters[direction].last) < 0))
            return false;
    return reading->present != 0;
}

bool session_observe(struct session *session, const struct device_reading *readings, size_t count)
{
    size_t before = session->count;

    if (!reserve(session, count_newcomers(session, readings, count)))
        return false;

    for (size_t i = 0; i < before; i++)
        session->adapters[i].attached = false;

    for (size_t i = 0; i < count; i++) {
        struct session_adapter *adapter = session_find_adapter(session, &readings[i].key);
        if (adapter == NULL) {
            adapter = &session->adapters[session->count++];
            *adapter = (struct session_adapter){.key = readings[i].key};
            observe_adapter(adapter, &readings[i]);
            adapter->verdict = session->observed ? VERDICT_APPEARED : VERDICT_FIRST;
        } else if (adapter->finished && !is_back(adapter, &readings[i])) {
            continue;
        } else {
            adapter->finished = false;
            adapter->verdict = observe_adapter(adapter, &readings[i]);
        }
        adapter->attached = true;
    }

    for (size_t i = 0; i < before; i++)
        if (!session->adapters[i].attached)
            session->adapters[i].verdict = VERDICT_VANISHED;
    session->observed = true;
    return true;
}

/* Drops the adapters that are no longer attached. */
static void keep_attached(struct session *session)
{
    size_t kept = 0;
    for (size_t i = 0; i < session->count; i++)
        if (session->adapters[i].attached)
            session->adapters[kept++] = session->adapters[i];
    session->count = kept;
}

void session_rebase_adapter(struct session_adapter *adapter)
{
    for (int direction = 0; direction < DIRECTION_COUNT; direction++)
        counter_rebase(&adapter->counters[direction]);
    adapter->no_baseline = ((1u << DIRECTION_COUNT) - 1) & ~adapter->known;
}

bool session_copy(struct session *copy, const struct session *session)
{
    session_clear(copy);
    if (session->count > 0) {
        copy->adapters = malloc(session->count * sizeof *copy->adapters);
        if (copy->adapters == NULL)
            return false;
        memcpy(copy->adapters, session->adapters, session->count * sizeof *copy->adapters);
    }
    copy->count = copy->capacity = session->count;
    copy->resets = session->resets;
    copy->observed = session->observed;
    return true;
}

bool session_reset(struct session *session, const struct device_reading *readings, size_t count)
{
    if (!session_observe(session, readings, count))
        return false;
    keep_attached(session);
    for (size_t i = 0; i < session->count; i++)
        session_rebase_adapter(&session->adapters[i]);
    session->resets++;
    return true;
}

bool session_apply_baseline(struct session *session, const struct device_reading *baseline,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct session_adapter *adapter = session_find_adapter(session, &baseline[i].key);
        for (int direction = 0; adapter != NULL && direction < DIRECTION_COUNT; direction++)
            if (decimal_compare(baseline[i].bytes[direction], adapter->counters[direction].last) >
                0)
                return false;
    }
    keep_attached(session);
    for (size_t i = 0; i < session->count; i++) {
        for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
            struct counter *counter = &session->adapters[i].counters[direction];
            *counter = (struct counter){.last = counter->last, .seen = counter->seen};
        }
        session->adapters[i].no_baseline = 0;
    }
    for (size_t i = 0; i < count; i++) {
        struct session_adapter *adapter = session_find_adapter(session, &baseline[i].key);
        for (int direction = 0; adapter != NULL && direction < DIRECTION_COUNT; direction++)
            adapter->counters[direction].baseline = baseline[i].bytes[direction];
    }
    session->resets++;
    return true;
}

bool session_finish_adapter(struct session *session, const struct device_reading *final)
{
    struct session_adapter *adapter = session_find_adapter(session, &final->key);
    if (adapter == NULL || adapter->finished)
        return false;
    observe_adapter(adapter, final);
    adapter->attached = false;
    adapter->finished = true;
    adapter->verdict = VERDICT_VANISHED;
    return true;
}

bool session_adapter_is_known(const struct session_adapter *adapter, enum direction direction)
{
    bool has_count = adapter->attached ? (adapter->known & 1u << direction) != 0
                                       : adapter->counters[direction].seen;
    return has_count && (adapter->no_baseline & 1u << direction) == 0;
}

enum session_total_result session_total(const struct session *session, enum direction direction,
                                        struct decimal *total)
{
    struct decimal sum = DECIMAL_ZERO;

    for (size_t i = 0; i < session->count; i++) {
        const struct session_adapter *adapter = &session->adapters[i];
        struct decimal bytes;
        if (!session_adapter_is_known(adapter, direction))
            return SESSION_TOTAL_UNKNOWN;
        if (!counter_value(&adapter->counters[direction], &bytes) || !decimal_add(sum, bytes, &sum))
            return SESSION_TOTAL_OVERFLOW;
    }
    *total = sum;
    return SESSION_TOTAL_KNOWN;
}
