#include "accounting/account.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* A machine that restarts itself during one reset (SeaBIOS does, 30 ms
     * into it) tells of two, between which it has sent nothing. */
    ONE_RESET_MILLISECONDS = 2000,
    /* Processes that saw the same reset write down times that differ by less. */
    SAME_RESET_MILLISECONDS = 10000,
    /* Machines that are gone, whose last session is kept. */
    MOST_DEPARTED = 1000,
    /* A sample that another thread has overtaken is taken anew; nobody
     * overtakes this often unless something is badly wrong. */
    SAMPLE_ATTEMPTS = 64,
    /* How often, and for how many nanoseconds, the final figures of a device
     * that has gone are waited for: the kernel gives them some milliseconds
     * after the device's name. */
    FINAL_FIGURES_WAITS = 100,
    FINAL_FIGURES_WAIT = 2 * 1000 * 1000
};

/* ------------------------------------------------------------------------
 * The table
 * ------------------------------------------------------------------------ */

static size_t bucket_of(const struct machine_uuid *uuid, size_t bucket_count)
{
    /* FNV-1a: test hosts number their machines in the last bytes only. */
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < UUID_SIZE; i++)
        hash = (hash ^ uuid->bytes[i]) * 0x100000001b3u;
    return (size_t)(hash ^ hash >> 32) & (bucket_count - 1);
}

struct account *account_find(struct accounting *accounting, const struct machine_uuid *uuid)
{
    struct account *account = accounting->buckets[bucket_of(uuid, accounting->bucket_count)];
    while (account != NULL && !machine_uuid_equal(&account->uuid, uuid))
        account = account->next;
    return account;
}

static void grow_buckets(struct accounting *accounting)
{
    size_t grown_count = accounting->bucket_count * 2;
    struct account **grown = calloc(grown_count, sizeof(struct account *));
    if (grown == NULL)
        return; /* longer chains, the same answers */
    for (size_t i = 0; i < accounting->bucket_count; i++) {
        for (struct account *account = accounting->buckets[i], *next; account; account = next) {
            size_t bucket = bucket_of(&account->uuid, grown_count);
            next = account->next;
            account->next = grown[bucket];
            grown[bucket] = account;
        }
    }
    free(accounting->buckets);
    accounting->buckets = grown;
    accounting->bucket_count = grown_count;
}

struct account *account_find_or_add(struct accounting *accounting, const struct machine_uuid *uuid)
{
    struct account *account = account_find(accounting, uuid);
    if (account != NULL)
        return account;
    account = calloc(1, sizeof *account);
    if (account == NULL)
        return NULL;
    if (accounting->account_count >= accounting->bucket_count)
        grow_buckets(accounting);
    size_t bucket = bucket_of(uuid, accounting->bucket_count);
    account->uuid = *uuid;
    account->last.domain_id = NOT_RUNNING;
    account->next = accounting->buckets[bucket];
    accounting->buckets[bucket] = account;
    accounting->account_count++;
    return account;
}

static void set_untold_complaint(struct accounting *accounting, struct account *account,
                                 bool is_untold)
{
    if (account->has_untold_complaint != is_untold)
        atomic_fetch_add(&accounting->untold_complaints, is_untold ? 1U : -1U);
    account->has_untold_complaint = is_untold;
}

static void free_account(struct account *account)
{
    session_clear(&account->session);
    session_clear(&account->finished.session);
    machine_sample_clear(&account->last);
    disk_account_free(account->disks);
    free(account->processors);
    free(account);
}

static void remove_account(struct accounting *accounting, struct account *account)
{
    struct account **link =
        &accounting->buckets[bucket_of(&account->uuid, accounting->bucket_count)];
    while (*link != account)
        link = &(*link)->next;
    *link = account->next;
    accounting->account_count--;
    set_untold_complaint(accounting, account, false);
    free_account(account);
}

struct accounting *accounting_hold(struct accounting *accounting)
{
    atomic_fetch_add(&accounting->references, 1);
    return accounting;
}

void accounting_release(struct accounting *accounting)
{
    if (atomic_fetch_sub(&accounting->references, 1) != 1)
        return;
    for (size_t i = 0; i < accounting->bucket_count; i++) {
        for (struct account *account = accounting->buckets[i], *next; account; account = next) {
            next = account->next;
            free_account(account);
        }
    }
    free(accounting->buckets);
    event_queue_free(accounting->events);
    if (accounting->wake.descriptor >= 0)
        wake_close(&accounting->wake);
    pthread_cond_destroy(&accounting->task_ended);
    pthread_cond_destroy(&accounting->recording);
    processor_sampler_destroy(&accounting->sampler);
    pthread_mutex_destroy(&accounting->lock);
    host_release(accounting->host);
    free(accounting);
}

bool accounting_take_complaint(struct accounting *accounting, struct machine_uuid *uuid,
                               const char **complaint)
{
    bool is_taken = false;

    if (atomic_load_explicit(&accounting->untold_complaints, memory_order_relaxed) == 0)
        return false;
    pthread_mutex_lock(&accounting->lock);
    for (size_t i = 0; i < accounting->bucket_count && !is_taken; i++) {
        for (struct account *account = accounting->buckets[i]; account && !is_taken;
             account = account->next) {
            if (!account->has_untold_complaint)
                continue;
            set_untold_complaint(accounting, account, false);
            *uuid = account->uuid;
            *complaint = account->complaint;
            is_taken = true;
        }
    }
    pthread_mutex_unlock(&accounting->lock);
    return is_taken;
}

void account_mark_changed(struct accounting *accounting, struct account *account)
{
    account->changed_in = ++accounting->version;
}

/* ------------------------------------------------------------------------
 * Sessions
 * ------------------------------------------------------------------------ */

static int64_t unix_time(struct accounting *accounting)
{
    return host_unix_time(accounting->host);
}

static int64_t monotonic_time(struct accounting *accounting)
{
    return host_monotonic_time(accounting->host);
}

struct moment account_current_moment(struct accounting *accounting)
{
    return (struct moment){.at = monotonic_time(accounting), .wall = unix_time(accounting)};
}

/* The end of the session as people are to see it: where the wall clock has been
 * set since the start, that and the duration say when the end was. */
static int64_t wall_time_of_end(const struct account *account, const struct moment *end)
{
    int64_t by_duration = account->started.wall + (end->at - account->started.at) / CLOCK_SECOND;
    int64_t wall = end->wall;

    if (!account->start_known)
        return wall;
    if (wall < by_duration - 1 || wall > by_duration + 1) /* each is rounded */
        wall = by_duration;
    return wall < account->started.wall ? account->started.wall : wall;
}

/* Writes down the session as finished; the account's own goes on. */
static void keep_finished(struct account *account, const struct moment *end,
                          enum stop_reason reason)
{
    struct finished_session *finished = &account->finished;

    finished->exists = session_copy(&finished->session, &account->session);
    /* After a reset the devices go on, and what they count is not of it. */
    for (size_t i = 0; reason == STOP_RESET && i < finished->session.count; i++)
        finished->session.adapters[i].finished = true;
    finished->domain_id = account->last.domain_id;
    finished->start_known = account->start_known;
    finished->started = account->started;
    finished->ended = (struct moment){.at = end->at, .wall = wall_time_of_end(account, end)};
    finished->reason = reason;
}

static bool may_remain(const struct session_adapter *adapter)
{
    return adapter->attached && !adapter->finished &&
           incarnation_is_ifindex(adapter->key.incarnation);
}

bool account_has_remaining(const struct account *account)
{
    for (size_t i = 0; i < account->session.count; i++)
        if (may_remain(&account->session.adapters[i]))
            return true;
    return false;
}

/* With the lock held: which devices there are to ask for. */
static void list_remaining(const struct account *account, struct final_figures *final)
{
    final->readings = calloc(account->session.count + 1, sizeof *final->readings);
    for (size_t i = 0; final->readings != NULL && i < account->session.count; i++) {
        const struct session_adapter *adapter = &account->session.adapters[i];
        if (may_remain(adapter))
            final->readings[final->count++] =
                (struct device_reading){.key = adapter->key, .present = adapter->known};
    }
}

void account_read_remaining(struct accounting *accounting, const struct machine_uuid *uuid,
                            struct final_figures *final)
{
    struct host *host = accounting->host;
    size_t count = 0;

    *final = (struct final_figures){0};
    pthread_mutex_lock(&accounting->lock);
    const struct account *account = account_find(accounting, uuid);
    if (account != NULL && account_has_remaining(account))
        list_remaining(account, final);
    pthread_mutex_unlock(&accounting->lock);
    for (size_t i = 0; i < final->count; i++) {
        struct device_reading reading = final->readings[i];
        if (host_device_bytes(host, reading.key.incarnation, reading.bytes))
            final->readings[count++] = reading;
    }
    final->count = count;
}

void final_figures_clear(struct final_figures *final)
{
    free(final->readings);
    *final = (struct final_figures){0};
}

void account_end_session(struct accounting *accounting, struct account *account,
                         const struct final_figures *final, enum stop_reason reason)
{
    if (account->last.domain_id == NOT_RUNNING)
        return;
    for (size_t i = 0; final != NULL && i < final->count; i++)
        session_finish_adapter(&account->session, &final->readings[i]);
    const struct moment end = account_current_moment(accounting);
    keep_finished(account, &end, reason);
    session_clear(&account->session);
    machine_sample_clear(&account->last);
    account->last.domain_id = NOT_RUNNING;
    account->start_known = false;
    account->has_baseline = false;
    account->reset_ordinal = 0;
    account->reset_seen_at = 0;
    account->has_refused = false;
    account->reset_pending = false;
    account->wants_recording = false;
    disk_account_end(accounting, account);
    account_mark_changed(accounting, account);
}

/* Where a device's figure stood when the machine was started: for a device
 * that was there in the session before, where it ended; for an administrator's
 * own tap of which this process saw only the start, where it stands now. Both
 * are taps that survive their machine's power cycles. */
static void find_first_figures(struct account *account, struct session_adapter *adapter,
                               bool is_unmanaged)
{
    const struct session_adapter *before =
        account->finished.exists ? session_find_adapter(&account->finished.session, &adapter->key)
                                 : NULL;
    if (before == NULL && is_unmanaged)
        session_rebase_adapter(adapter);
    for (int direction = 0; before != NULL && direction < DIRECTION_COUNT; direction++) {
        struct counter *counter = &adapter->counters[direction];
        if (decimal_compare(before->counters[direction].last, counter->last) <= 0)
            counter->baseline = before->counters[direction].last;
    }
}

static void continue_devices(struct accounting *accounting, struct account *account)
{
    bool has_baseline = false;

    for (size_t i = 0; i < account->last.adapters->count; i++) {
        struct session_adapter *adapter =
            session_find_adapter(&account->session, &account->last.readings[i].key);
        find_first_figures(account, adapter,
                           account->start_announced &&
                               account->last.adapters->adapters[i].is_unmanaged);
        for (int direction = 0; direction < DIRECTION_COUNT; direction++)
            has_baseline = has_baseline ||
                           decimal_compare(adapter->counters[direction].baseline, DECIMAL_ZERO) > 0;
    }
    if (has_baseline) {
        account->has_baseline = true;
        account->reset = account_current_moment(accounting);
        account->wants_recording = accounting->is_recording;
    }
}

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
        keep_finished(account, reset, STOP_RESET);
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
static void apply_baseline(struct accounting *accounting, struct account *account,
                           const struct baseline *baseline, bool was_observed)
{
    const struct moment now = account_current_moment(accounting);
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
        disk_account_rebase(accounting, account, baseline);
    } else {
        account->has_refused = true;
        account->refused_clock = baseline->reset_clock;
        account->refused_ordinal = baseline->ordinal;
    }
    free(readings);
}

/* The start was seen: by a change of this process's own, or as an event. */
static void settle_start(struct account *account, bool is_new_session)
{
    if (!account->start_announced)
        return;
    account->start_announced = false;
    if (is_new_session || (!account->start_known && !account->has_baseline)) {
        account->start_known = true;
        account->start_reported = true;
        account->started = account->announced;
    }
}

static bool has_device(const struct machine_sample *sample, const struct device_key *key)
{
    for (size_t i = 0; i < sample->adapters->count; i++)
        if (device_key_equal(&sample->readings[i].key, key))
            return true;
    return false;
}

/* Whether the sample has the adapter with another device: it was made anew. */
static bool has_successor(const struct account *account, const struct machine_sample *sample,
                          const struct device_key *key)
{
    for (size_t i = 0; i < sample->adapters->count; i++)
        if (memcmp(sample->readings[i].key.mac, key->mac, MAC_SIZE) == 0 &&
            session_find_adapter(&account->session, &sample->readings[i].key) == NULL)
            return true;
    return false;
}

/* The sample is of the run that the account stands at. */
static void tell_removed_adapters(struct accounting *accounting, const struct account *account,
                                  const struct machine_sample *sample)
{
    for (size_t i = 0; i < account->last.adapters->count; i++) {
        const struct device_key *key = &account->last.readings[i].key;
        if (!has_device(sample, key) && !has_successor(account, sample, key))
            event_queue_adapter_removed(accounting->events, &account->uuid, key->mac);
    }
}

bool account_observe(struct accounting *accounting, struct account *account,
                     const struct machine_sample *sample, const struct final_figures *final,
                     int64_t now)
{
    bool is_running = sample->domain_id != NOT_RUNNING;
    bool is_new_session = is_running && sample->domain_id != account->last.domain_id;

    if (account->is_departed) { /* it was defined again */
        account->is_departed = false;
        accounting->departed_count--;
    }
    if (sample->domain_id != account->last.domain_id)
        account_end_session(accounting, account, is_running ? NULL : final, STOP_UNKNOWN);
    if (is_running && !is_new_session && event_queue_is_watching(accounting->events))
        tell_removed_adapters(accounting, account, sample);
    if (is_running &&
        !session_observe(&account->session, sample->readings, sample->adapters->count))
        return false;
    if (!machine_sample_assign(&account->last, sample))
        return false;

    if (is_new_session)
        continue_devices(accounting, account);
    if (is_running)
        settle_start(account, is_new_session);
    if (is_running && sample->baseline != NULL)
        apply_baseline(accounting, account, sample->baseline, !is_new_session);
    bool is_new_complaint =
        is_running && sample->complaint != NULL && sample->complaint != account->complaint;
    account->complaint = sample->complaint;
    set_untold_complaint(accounting, account,
                         (account->has_untold_complaint || is_new_complaint) &&
                             account->complaint != NULL);
    if (is_running && account->reset_pending)
        account_reset(accounting, account);
    account->is_current = true;
    account->observed_at = now;
    account_mark_changed(accounting, account);
    return true;
}

/* Nothing has been sent since the session began, as far as there are figures. */
static bool is_unused(const struct session *session)
{
    for (size_t i = 0; i < session->count; i++) {
        struct decimal sent;
        if (!counter_value(&session->adapters[i].counters[DIRECTION_SENT], &sent) ||
            decimal_compare(sent, DECIMAL_ZERO) != 0)
            return false;
    }
    return true;
}

void account_reset(struct accounting *accounting, struct account *account)
{
    const struct moment now = account_current_moment(accounting);
    bool is_same_reset =
        account->reset_seen_at != 0 &&
        now.at - account->reset_seen_at < ONE_RESET_MILLISECONDS * CLOCK_MILLISECOND &&
        is_unused(&account->session);

    if (!is_same_reset) {
        keep_finished(account, &now, STOP_RESET);
        account->is_reset_told = false;
        account->reset_ordinal++;
    }
    /* The readings have been observed already, so no memory is needed. */
    session_reset(&account->session, account->last.readings, account->last.adapters->count);
    account->reset_pending = false;
    account->reset_seen_at = now.at;
    account->start_known = true;
    account->start_reported = false;
    account->started = now;
    account->has_baseline = true;
    account->reset = now;
    account->wants_recording = accounting->is_recording;
    disk_account_reset(accounting, account);
    account_mark_changed(accounting, account);
}

/* Makes room among the machines that are gone. */
static void remove_oldest_departed(struct accounting *accounting)
{
    struct account *oldest = NULL;
    for (size_t i = 0; i < accounting->bucket_count; i++)
        for (struct account *account = accounting->buckets[i]; account; account = account->next)
            if (account->is_departed &&
                (oldest == NULL || account->finished.ended.at < oldest->finished.ended.at))
                oldest = account;
    if (oldest != NULL) {
        accounting->departed_count--;
        remove_account(accounting, oldest);
    }
}

void account_machine_gone(struct accounting *accounting, const struct machine_uuid *uuid,
                          const struct final_figures *final)
{
    struct account *account = account_find(accounting, uuid);
    event_queue_forget(accounting->events, uuid);
    if (account == NULL || account->is_departed)
        return;
    account_end_session(accounting, account, final, STOP_UNKNOWN);
    if (!account->finished.exists) {
        remove_account(accounting, account);
        return;
    }
    account->is_current = false;
    account->is_departed = true;
    if (++accounting->departed_count > MOST_DEPARTED)
        remove_oldest_departed(accounting);
}

struct baseline *account_baseline(const struct account *account)
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
    if (!disk_account_share(account, baseline)) {
        baseline_free(baseline);
        return NULL;
    }
    return baseline;
}

/* ------------------------------------------------------------------------
 * Samples
 * ------------------------------------------------------------------------ */

/* An adapter is listed for a while after its device has gone: while it is being
 * unplugged, or until the host notices that the machine has ended. The host
 * gives no figures of it, and cannot say which device it was; the account can. */
static struct device_key key_of_known(const struct account *account,
                                      const struct machine_sample *sample, size_t index)
{
    const struct adapter *adapter = &sample->adapters->adapters[index];
    struct device_key key = sample->readings[index].key;

    if (incarnation_is_ifindex(key.incarnation) || adapter->device == NULL)
        return key;
    for (size_t i = 0; i < account->last.adapters->count; i++) {
        const struct device_key *known = &account->last.readings[i].key;
        const char *device = account->last.adapters->adapters[i].device;
        if (incarnation_is_ifindex(known->incarnation) && device != NULL &&
            strcmp(device, adapter->device) == 0 && memcmp(known->mac, key.mac, MAC_SIZE) == 0)
            return *known;
    }
    return key;
}

/* Whether the adapter is silent in this sample, but a known device of this host
 * whose final figures are not in. */
static bool is_awaited(const struct account *account, const struct machine_sample *sample,
                       size_t index)
{
    if (sample->readings[index].present != 0)
        return false;
    struct device_key key = key_of_known(account, sample, index);
    const struct session_adapter *adapter = session_find_adapter(&account->session, &key);
    return incarnation_is_ifindex(key.incarnation) && adapter != NULL && !adapter->finished &&
           adapter->known != 0;
}

static bool awaits_final_figures(const struct account *account, const struct machine_sample *sample)
{
    if (sample->domain_id == NOT_RUNNING || sample->domain_id != account->last.domain_id)
        return false;
    for (size_t i = 0; i < sample->adapters->count; i++)
        if (is_awaited(account, sample, i))
            return true;
    return false;
}

/* Whether the sample knows by its name only what the account knows as a device
 * of this host: it went between the figures and the look at it. As another
 * device its bytes would count twice. */
static bool has_unrecognized(const struct account *account, const struct machine_sample *sample)
{
    if (sample->domain_id == NOT_RUNNING || sample->domain_id != account->last.domain_id)
        return false;
    for (size_t i = 0; i < sample->adapters->count; i++) {
        struct device_key key = key_of_known(account, sample, i);
        if (!device_key_equal(&key, &sample->readings[i].key))
            return true;
    }
    return false;
}

static void recognize_devices(const struct account *account, struct machine_sample *sample)
{
    if (sample->domain_id == NOT_RUNNING || sample->domain_id != account->last.domain_id)
        return;
    for (size_t i = 0; i < sample->adapters->count; i++)
        sample->readings[i].key = key_of_known(account, sample, i);
}

/* Whether the sample is of the run that the account stands at, going by its ID,
 * but has none of that run's devices. */
static bool has_other_devices(const struct account *account, const struct machine_sample *sample)
{
    if (sample->domain_id == NOT_RUNNING || sample->domain_id != account->last.domain_id ||
        account->last.adapters->count == 0)
        return false;
    for (size_t i = 0; i < sample->adapters->count; i++)
        if (!incarnation_is_ifindex(sample->readings[i].key.incarnation) ||
            has_device(&account->last, &sample->readings[i].key))
            return false;
    return sample->adapters->count > 0;
}

/* Without the lock held. Whether the machine's process was started after the
 * account's last look. libvirt numbers the runs of its machines, and begins
 * anew when it is started while no machine runs, so an ID may come again. */
static bool is_started_since(struct accounting *accounting, const struct machine_sample *sample,
                             int64_t looked_at)
{
    struct host *host = accounting->host;
    struct moment started;
    struct fault fault;

    if (!host_started_at(host, &sample->uuid, sample->domain_id, &started, &fault))
        return false;
    /* The start is rounded down to a hundredth of a second. */
    return started.at + 10 * CLOCK_MILLISECOND >= looked_at;
}

struct look {
    uint64_t begun_in; /* accounting.version when the host was asked */
    int64_t begun_at;
    struct machine_sample sample;
    struct final_figures final; /* when the machine does not run */
    bool is_other_run;          /* than the account's, though the ID is the same */
    unsigned waits_left;
    unsigned attempts_left;
};

/* Takes a sample of the machine. False with a fault. */
static bool look(struct accounting *accounting, const struct machine_uuid *uuid, struct look *look,
                 struct fault *fault)
{
    struct host *host = accounting->host;

    look->sample = (struct machine_sample){.domain_id = NOT_RUNNING};
    pthread_mutex_lock(&accounting->lock);
    look->begun_in = accounting->version;
    pthread_mutex_unlock(&accounting->lock);
    look->begun_at = monotonic_time(accounting);
    bool ok = host_sample(host, uuid, &look->sample, fault);
    bool is_gone = !ok && fault->code == HRESULT_VM_E_VM_UNKNOWN;
    if (is_gone || (ok && look->sample.domain_id == NOT_RUNNING))
        account_read_remaining(accounting, uuid, &look->final);
    if (is_gone) {
        pthread_mutex_lock(&accounting->lock);
        account_machine_gone(accounting, uuid, &look->final);
        pthread_mutex_unlock(&accounting->lock);
        final_figures_clear(&look->final);
    }
    return ok;
}

/* With the lock held, which it drops and takes again around what takes time: the
 * account is then found again, and *found is the one that there is by now, or
 * NULL. Whether the sample is to be taken again: it may be older than what the
 * account stands at, and would then look like a counter that fell; or it will
 * soon say more. */
static bool must_look_again(struct accounting *accounting, struct account **found,
                            struct look *look)
{
    struct account *account = *found;
    bool is_suspect = !look->is_other_run && has_other_devices(account, &look->sample);
    int64_t looked_at = account->observed_at;

    if (account->changed_in > look->begun_in)
        return true;
    if (is_suspect) {
        pthread_mutex_unlock(&accounting->lock);
        look->is_other_run = is_started_since(accounting, &look->sample, looked_at);
        pthread_mutex_lock(&accounting->lock);
        *found = account = account_find(accounting, &look->sample.uuid);
        if (account == NULL || account->changed_in > look->begun_in)
            return true;
    }
    recognize_devices(account, &look->sample);
    if (look->waits_left == 0 || !awaits_final_figures(account, &look->sample))
        return false;
    look->waits_left--;
    look->attempts_left++;
    pthread_mutex_unlock(&accounting->lock);
    clock_sleep(FINAL_FIGURES_WAIT);
    host_settle(accounting->host);
    pthread_mutex_lock(&accounting->lock);
    *found = account_find(accounting, &look->sample.uuid);
    return true;
}

struct account *account_sample_and_lock(struct accounting *accounting,
                                        const struct machine_uuid *uuid, struct fault *fault)
{
    struct look one = {.waits_left = FINAL_FIGURES_WAITS, .attempts_left = SAMPLE_ATTEMPTS};

    /* The lock is not held while the host answers. */
    while (one.attempts_left-- > 0) {
        if (!look(accounting, uuid, &one, fault))
            return NULL;
        pthread_mutex_lock(&accounting->lock);
        struct account *account = account_find_or_add(accounting, uuid);
        bool again = account != NULL && must_look_again(accounting, &account, &one);
        bool observed = false;
        if (account != NULL && !again) {
            if (one.is_other_run)
                account_end_session(accounting, account, NULL, STOP_UNKNOWN);
            observed = account_observe(accounting, account, &one.sample, &one.final, one.begun_at);
        }
        if (!observed)
            pthread_mutex_unlock(&accounting->lock);
        machine_sample_clear(&one.sample);
        final_figures_clear(&one.final);
        if (observed)
            return account;
        if (!again) {
            fault_out_of_memory(fault);
            return NULL;
        }
    }
    fault_set(fault, HRESULT_DISP_E_EXCEPTION,
              "the machine's counters changed under each of %d looks at them; try again",
              SAMPLE_ATTEMPTS);
    return NULL;
}

struct sweep {
    struct accounting *accounting;
    uint64_t begun_in; /* accounting.version when the host was asked */
    int64_t begun_at;
    struct machine_uuid *ended; /* machines whose devices may have outlived their run */
    size_t ended_count;
    size_t ended_capacity;
};

/* To be sampled alone, without the host's lock. Without memory the next read of
 * the machine does that. */
static void keep_ended(struct sweep *sweep, const struct machine_uuid *uuid)
{
    if (sweep->ended_count == sweep->ended_capacity) {
        size_t capacity = sweep->ended_capacity * 2 + 8;
        struct machine_uuid *grown = realloc(sweep->ended, capacity * sizeof *grown);
        if (grown == NULL)
            return;
        sweep->ended = grown;
        sweep->ended_capacity = capacity;
    }
    sweep->ended[sweep->ended_count++] = *uuid;
}

static bool ends_with_remaining(const struct account *account, const struct machine_sample *sample)
{
    return sample->domain_id == NOT_RUNNING && account->last.domain_id != NOT_RUNNING &&
           account_has_remaining(account);
}

/* What needs a closer look is left to the next read of the machine. */
static void receive_sweep(void *context, const struct machine_sample *sample)
{
    struct sweep *sweep = context;
    struct accounting *accounting = sweep->accounting;

    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find_or_add(accounting, &sample->uuid);
    if (account != NULL && ends_with_remaining(account, sample))
        keep_ended(sweep, &sample->uuid);
    else if (account != NULL && account->changed_in <= sweep->begun_in &&
             !awaits_final_figures(account, sample) && !has_unrecognized(account, sample) &&
             !has_other_devices(account, sample))
        account_observe(accounting, account, sample, NULL, sweep->begun_at);
    pthread_mutex_unlock(&accounting->lock);
}

bool accounting_sweep(struct accounting *accounting, struct fault *fault)
{
    struct host *host = accounting->host;
    struct sweep sweep = {.accounting = accounting};

    pthread_mutex_lock(&accounting->lock);
    sweep.begun_in = accounting->version;
    pthread_mutex_unlock(&accounting->lock);
    sweep.begun_at = monotonic_time(accounting);
    bool ok = host_sample_all(host, receive_sweep, &sweep, fault);
    for (size_t i = 0; i < sweep.ended_count; i++) {
        struct fault ignored; /* the next read of the machine raises it */
        if (account_sample_and_lock(accounting, &sweep.ended[i], &ignored) != NULL)
            pthread_mutex_unlock(&accounting->lock);
    }
    free(sweep.ended);
    return ok;
}
