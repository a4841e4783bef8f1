#include "accounting/account.h"

#include "accounting/account_table.h"
#include "accounting/finished_session.h"
#include "accounting/shared_baseline.h"
#include "base/clock.h"

#include <string.h>

void account_end_session_locked(struct accounting *accounting, struct account *account,
                                const struct final_figures *final, enum stop_reason reason)
{
    if (account->last.domain_id == NOT_RUNNING)
        return;
    for (size_t i = 0; final != NULL && i < final->count; i++)
        session_finish_adapter(&account->session, &final->readings[i]);
    const struct moment end = accounting_moment(accounting);
    account_keep_finished_locked(account, &end, reason);
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
    disk_session_end(&account->disks);
    account_mark_disks_changed_locked(accounting, account);
    account_mark_changed_locked(accounting, account);
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
        account->reset = accounting_moment(accounting);
        account->wants_recording = accounting->is_recording;
    }
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

/* Whether the sample has the adapter with another device, which replaced this one. */
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
static void report_removed_adapters(struct accounting *accounting, const struct account *account,
                                    const struct machine_sample *sample)
{
    for (size_t i = 0; i < account->last.adapters->count; i++) {
        const struct device_key *key = &account->last.readings[i].key;
        if (!machine_sample_has_device(sample, key) && !has_successor(account, sample, key))
            event_queue_adapter_removed(accounting->events, &account->uuid, key->mac);
    }
}

bool account_observe_locked(struct accounting *accounting, struct account *account,
                            const struct machine_sample *sample, const struct final_figures *final,
                            int64_t now)
{
    bool is_running = sample->domain_id != NOT_RUNNING;
    bool is_new_session = is_running && sample->domain_id != account->last.domain_id;

    account_return_locked(accounting, account); /* it may have been defined again */
    if (sample->domain_id != account->last.domain_id)
        account_end_session_locked(accounting, account, is_running ? NULL : final, STOP_UNKNOWN);
    if (is_running && !is_new_session && event_queue_is_watching(accounting->events))
        report_removed_adapters(accounting, account, sample);
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
        account_apply_baseline_locked(accounting, account, sample->baseline, !is_new_session);
    bool is_new_complaint =
        is_running && sample->complaint != NULL && sample->complaint != account->complaint;
    account->complaint = sample->complaint;
    account_set_warning_due_locked(accounting, account,
                                   (account->is_warning_due || is_new_complaint) &&
                                       account->complaint != NULL);
    if (is_running && account->reset_pending)
        account_reset_locked(accounting, account);
    account->is_current = true;
    account->observed_at = now;
    account_mark_changed_locked(accounting, account);
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

void account_reset_locked(struct accounting *accounting, struct account *account)
{
    const struct moment now = accounting_moment(accounting);
    bool is_same_reset =
        account->reset_seen_at != 0 &&
        now.at - account->reset_seen_at < ONE_RESET_MILLISECONDS * CLOCK_MILLISECOND &&
        is_unused(&account->session);

    if (!is_same_reset) {
        account_keep_finished_locked(account, &now, STOP_RESET);
        account->is_reset_reported = false;
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
    disk_session_reset(&account->disks);
    account_mark_disks_changed_locked(accounting, account);
    account_mark_changed_locked(accounting, account);
}

void account_machine_gone_locked(struct accounting *accounting, const struct machine_uuid *uuid,
                                 const struct final_figures *final)
{
    struct account *account = account_find_locked(accounting, uuid);
    event_queue_forget(accounting->events, uuid);
    if (account == NULL || account->is_departed)
        return;
    account_end_session_locked(accounting, account, final, STOP_UNKNOWN);
    if (!account->finished.exists) {
        account_remove_locked(accounting, account);
        return;
    }
    account_depart_locked(accounting, account);
}
