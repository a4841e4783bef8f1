#include "accounting/shared_baseline.h"

#include "accounting/finished_session.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

/* Processes that saw the same reset record times that differ by less. */
enum { SAME_RESET_MILLISECONDS = 10000 };

/* Where the baseline's adapter is among the sample's; the count when it has
 * been unplugged since. */
static size_t find_baseline_adapter(const struct machine_sample *sample,
                                    const struct baseline_adapter *wanted)
{
    size_t i = 0;
    for (; i < sample->adapters->count; i++) {
        const struct adapter *adapter = &sample->adapters->adapters[i];
        uint64_t incarnation = sample->readings[i].key.incarnation;
        bool same_device = (wanted->device == NULL) == (adapter->device == NULL) &&
                           (wanted->device == NULL || strcmp(wanted->device, adapter->device) == 0);
        bool same_life = wanted->ifindex == 0 || !incarnation_is_ifindex(incarnation) ||
                         wanted->ifindex == incarnation;
        if (memcmp(adapter->mac, wanted->mac, MAC_SIZE) == 0 && same_device && same_life)
            break;
    }
    return i;
}

/* The session as it stood at the baseline: what was plugged since is not of it. */
static void rewind_to(struct session *session, const struct device_reading *baseline, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < session->count; i++) {
        struct session_adapter *adapter = &session->adapters[i];
        size_t at = 0;
        while (at < count && !device_key_equal(&baseline[at].key, &adapter->key))
            at++;
        if (adapter->attached && at == count)
            continue;
        for (int direction = 0; at < count && direction < DIRECTION_COUNT; direction++)
            adapter->counters[direction].last = baseline[at].bytes[direction];
        session->adapters[kept++] = *adapter;
    }
    session->count = kept;
}

/* Begins a session at a reset that was not seen. Of the one that ended with it,
 * the figures at the reset are known; one that was never sampled is no session of
 * this process. */
static bool begin_at(struct account *account, const struct moment *reset,
                     const struct device_reading *readings, size_t count, bool was_observed)
{
    struct session before = {0};

    was_observed = was_observed && session_copy(&before, &account->session);
    bool ok = session_apply_baseline(&account->session, readings, count);
    if (ok && was_observed) {
        struct session begun = account->session;
        rewind_to(&before, readings, count);
        account->session = before;
        account_keep_finished_locked(account, reset, STOP_RESET);
        account->session = begun;
    }
    session_clear(&before);
    return ok;
}

/* The baseline's adapters that the machine still has, in *readings, which the
 * caller frees. False without memory. */
static bool find_baseline_readings(const struct machine_sample *sample,
                                   const struct baseline *baseline,
                                   struct device_reading **readings, size_t *count)
{
    *count = 0;
    *readings = calloc(baseline->count + 1, sizeof **readings);
    for (size_t i = 0; *readings != NULL && i < baseline->count; i++) {
        size_t at = find_baseline_adapter(sample, &baseline->adapters[i]);
        if (at == sample->adapters->count)
            continue;
        struct device_reading *reading = &(*readings)[(*count)++];
        reading->key = sample->readings[at].key;
        memcpy(reading->bytes, baseline->adapters[i].bytes, sizeof reading->bytes);
    }
    return *readings != NULL;
}

/* Whether the readings are of a later moment than those that the session began
 * at, going by the counters, which only grow. */
static bool have_grown(const struct session *session, const struct device_reading *readings,
                       size_t count)
{
    bool has_grown = false;

    for (size_t i = 0; i < count; i++) {
        const struct session_adapter *adapter = session_find_adapter(session, &readings[i].key);
        for (int direction = 0; adapter != NULL && direction < DIRECTION_COUNT; direction++) {
            int order = decimal_compare(readings[i].bytes[direction],
                                        adapter->counters[direction].baseline);
            if (order < 0)
                return false;
            has_grown = has_grown || order > 0;
        }
    }
    return has_grown;
}

/* Whether the baseline is of a later reset than the session's own. All processes
 * of a host have one clock, which nobody sets. Of what was written on another
 * host the counters say which was first; those who see one reset read them a
 * moment apart, but number it alike. */
static bool is_later_reset(const struct account *account, const struct baseline *baseline,
                           const struct device_reading *readings, size_t count, int64_t now)
{
    const int64_t same_reset = SAME_RESET_MILLISECONDS * CLOCK_MILLISECOND;
    const int64_t one_reset = ONE_RESET_MILLISECONDS * CLOCK_MILLISECOND;
    bool has_later_ordinal = baseline->ordinal > account->reset_ordinal;

    if (!account->has_baseline)
        return true;
    if (baseline->has_common_clock)
        return baseline->reset_clock - account->reset.at >=
               (has_later_ordinal ? one_reset : same_reset);
    bool is_just_seen = account->reset_seen_at != 0 && now - account->reset_seen_at < same_reset;
    return !is_just_seen && baseline->ordinal != account->reset_ordinal &&
           have_grown(&account->session, readings, count);
}

/* The baseline's reset on this host's clock. What another host wrote has a wall
 * time only. */
static struct moment moment_of_reset(const struct baseline *baseline, const struct moment *now)
{
    struct moment reset = {.at = baseline->reset_clock, .wall = baseline->reset_at / 1000};

    if (!baseline->has_common_clock) {
        int64_t seconds_ago = now->wall - reset.wall;
        reset.at = now->at - (seconds_ago > 0 && seconds_ago < now->at / CLOCK_SECOND
                                  ? seconds_ago * CLOCK_SECOND
                                  : 0);
    }
    return reset;
}

/* Takes over a reset that another process saw and this one did not. One of
 * another run (in a restored image) is not of this session; nor is one that has
 * been refused, when the figures have grown. */
void account_apply_baseline_locked(struct accounting *accounting, struct account *account,
                                   const struct baseline *baseline, bool was_observed)
{
    const struct moment now = accounting_moment(accounting);
    struct device_reading *readings;
    size_t count;

    if (baseline->domain_id != account->last.domain_id ||
        (account->has_refused && baseline->reset_clock == account->refused_clock &&
         baseline->ordinal == account->refused_ordinal) ||
        !find_baseline_readings(&account->last, baseline, &readings, &count))
        return; /* without memory: it will be read again */
    const struct moment reset = moment_of_reset(baseline, &now);
    if (!is_later_reset(account, baseline, readings, count, now.at)) {
        free(readings);
        return;
    }
    if (begin_at(account, &reset, readings, count, was_observed)) {
        account->has_baseline = true;
        account->reset = reset;
        account->reset_ordinal = baseline->ordinal;
        account->reset_seen_at = baseline->has_common_clock ? reset.at : now.at;
        account->start_known = true;
        account->start_reported = false;
        account->started = reset;
        disk_session_rebase(&account->disks, baseline);
        account_mark_disks_changed_locked(accounting, account);
    } else {
        account->has_refused = true;
        account->refused_clock = baseline->reset_clock;
        account->refused_ordinal = baseline->ordinal;
    }
    free(readings);
}

struct baseline *account_baseline_locked(const struct account *account)
{
    const struct machine_sample *last = &account->last;
    if (last->domain_id == NOT_RUNNING || !account->has_baseline)
        return NULL;
    struct baseline *baseline = baseline_new(last->adapters->count);
    if (baseline == NULL)
        return NULL;
    baseline->domain_id = last->domain_id;
    baseline->ordinal = account->reset_ordinal;
    baseline->reset_clock = account->reset.at;
    baseline->reset_at = account->reset.wall * 1000;
    baseline->has_common_clock = true;
    for (size_t i = 0; i < baseline->count; i++) {
        const struct adapter *adapter = &last->adapters->adapters[i];
        const struct device_key *key = &last->readings[i].key;
        const struct session_adapter *counted = session_find_adapter(&account->session, key);
        struct baseline_adapter *to = &baseline->adapters[i];

        memcpy(to->mac, adapter->mac, MAC_SIZE);
        to->ifindex = incarnation_is_ifindex(key->incarnation) ? key->incarnation : 0;
        if (adapter->device != NULL && (to->device = strdup(adapter->device)) == NULL) {
            baseline_free(baseline);
            return NULL;
        }
        for (int direction = 0; counted != NULL && direction < DIRECTION_COUNT; direction++)
            to->bytes[direction] = counted->counters[direction].baseline;
    }
    if (!disk_session_share(&account->disks, baseline)) {
        baseline_free(baseline);
        return NULL;
    }
    return baseline;
}
