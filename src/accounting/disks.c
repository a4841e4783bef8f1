#include "accounting/disks.h"

#include "accounting/account.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

/* A look that a reset or a start has overtaken is taken anew. */
enum { LOOKS = 16 };

struct disk_account {
    struct session session;
    struct disk_sample last;   /* the observation that the session stands at */
    int64_t observed_at;       /* monotonic nanoseconds; of `last` */
    struct baseline *baseline; /* of a reset that another process saw, for the next look */
};

static void mark_changed(struct accounting *accounting, struct account *account)
{
    account->disks_changed_in = ++accounting->version;
}

/* NULL without memory. */
static struct disk_account *find_or_add(struct account *account)
{
    if (account->disks == NULL)
        account->disks = calloc(1, sizeof *account->disks);
    return account->disks;
}

void disk_account_free(struct disk_account *disks)
{
    if (disks == NULL)
        return;
    session_clear(&disks->session);
    disk_sample_clear(&disks->last);
    baseline_free(disks->baseline);
    free(disks);
}

static void drop_baseline(struct account *account)
{
    if (account->disks == NULL)
        return;
    baseline_free(account->disks->baseline);
    account->disks->baseline = NULL;
}

void disk_account_end(struct accounting *accounting, struct account *account)
{
    disk_account_free(account->disks);
    account->disks = NULL;
    account->disks_reset_pending = false;
    account->disks_uncounted = false;
    mark_changed(accounting, account);
}

void disk_account_reset(struct accounting *accounting, struct account *account)
{
    drop_baseline(account);
    account->disks_uncounted = false;
    account->disks_reset_pending = true;
    mark_changed(accounting, account);
}

void disk_account_rebase(struct accounting *accounting, struct account *account,
                         const struct baseline *baseline)
{
    struct disk_account *disks = find_or_add(account);

    drop_baseline(account);
    if (disks != NULL && baseline->has_disks)
        disks->baseline = baseline_copy(baseline);
    account->disks_uncounted = disks == NULL || disks->baseline == NULL;
    account->disks_reset_pending = false;
    mark_changed(accounting, account);
}

bool disk_account_share(const struct account *account, struct baseline *baseline)
{
    const struct disk_account *disks = account->disks;

    if (disks == NULL || !disks->session.observed || account->disks_reset_pending ||
        account->disks_uncounted || disks->baseline != NULL)
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

/* Where the disks stood at a reset that another process saw. One whose figure is
 * below that has been made anew since, and counts from zero. False without
 * memory. */
static bool apply_baseline(struct disk_account *disks)
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

/* Brings the disks up to the sample, whose targets and readings are taken. */
static bool observe(struct accounting *accounting, struct account *account,
                    struct disk_sample *sample, int64_t now)
{
    struct disk_account *disks = find_or_add(account);

    if (disks == NULL)
        return false;
    if (!(account->disks_reset_pending ? session_reset : session_observe)(
            &disks->session, sample->readings, sample->count))
        return false;
    account->disks_reset_pending = false;
    if (disks->baseline != NULL && apply_baseline(disks)) {
        baseline_free(disks->baseline);
        disks->baseline = NULL;
    }
    disk_sample_clear(&disks->last);
    disks->last = *sample;
    *sample = (struct disk_sample){.uuid = disks->last.uuid, .domain_id = disks->last.domain_id};
    disks->observed_at = now;
    mark_changed(accounting, account);
    return true;
}

struct disk_look {
    struct accounting *accounting;
    uint64_t begun_in; /* accounting.version when the host was asked */
    int64_t begun_at;
    bool is_stopped; /* the host says that the one machine asked for does not run */
};

static void receive(void *context, struct disk_sample *sample)
{
    struct disk_look *look = context;
    struct accounting *accounting = look->accounting;

    look->is_stopped = sample->domain_id == NOT_RUNNING;
    pthread_mutex_lock(&accounting->lock);
    struct account *account = account_find(accounting, &sample->uuid);
    if (account != NULL && sample->domain_id != NOT_RUNNING &&
        account->last.domain_id == sample->domain_id && account->disks_changed_in <= look->begun_in)
        observe(accounting, account, sample, look->begun_at);
    pthread_mutex_unlock(&accounting->lock);
}

/* Asks for the disks of one machine, or of all (NULL). */
static bool look_at(struct accounting *accounting, const struct machine_uuid *uuid,
                    struct disk_look *look, struct fault *fault)
{
    struct host *host = accounting->host;

    *look = (struct disk_look){.accounting = accounting};
    pthread_mutex_lock(&accounting->lock);
    look->begun_in = accounting->version;
    pthread_mutex_unlock(&accounting->lock);
    look->begun_at = host_monotonic_time(host);
    return host_sample_disks(host, uuid, receive, look, fault);
}

static bool is_fresh(const struct account *account, int64_t moment)
{
    const struct disk_account *disks = account->disks;
    return disks != NULL && disks->session.observed && !account->disks_reset_pending &&
           disks->baseline == NULL && disks->observed_at >= moment;
}

/* Returns the running machine's account, with the lock held, whose disks have
 * been looked at; NULL and a fault without it. */
static struct account *observe_and_lock(struct accounting *accounting,
                                        const struct machine_uuid *uuid, struct fault *fault)
{
    struct host *host = accounting->host;
    int64_t moment = host_monotonic_time(host) - accounting->max_age;

    for (int attempt = 0; attempt < LOOKS; attempt++) {
        struct disk_look look;
        struct account *account = account_observe_running_and_lock(accounting, uuid, fault);
        /* Without a maximum age only the look that this read makes will do, though
         * one before it may be of the same moment: a clock may stand still. */
        if (account == NULL || (accounting->max_age > 0 && is_fresh(account, moment)))
            return account;
        pthread_mutex_unlock(&accounting->lock);
        /* With a maximum age one call serves the reads of all machines. What it
         * leaves out, because a machine keeps it waiting, is asked for alone. */
        bool is_sweep = attempt == 0 && accounting->max_age > 0;
        if (!look_at(accounting, is_sweep ? NULL : uuid, &look, fault) && !is_sweep)
            return NULL;
        if (!is_sweep && look.is_stopped) {
            fault_set(fault, HRESULT_S_FALSE, "the machine is not running");
            return NULL;
        }
        if (accounting->max_age == 0)
            moment = look.begun_at;
        pthread_mutex_lock(&accounting->lock);
        account = account_find(accounting, uuid);
        if (account != NULL && account->last.domain_id != NOT_RUNNING && is_fresh(account, moment))
            return account;
        pthread_mutex_unlock(&accounting->lock);
    }
    fault_set(fault, HRESULT_DISP_E_EXCEPTION,
              "the machine was reset or restarted under each of %d looks at its disks; try again",
              LOOKS);
    return NULL;
}

static void fault_unknown(const struct disk_account *disks, enum direction direction,
                          struct fault *fault)
{
    for (size_t i = 0; i < disks->last.count; i++) {
        if ((disks->last.readings[i].present & 1u << direction) != 0)
            continue;
        fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                  "the host has no byte counter for disk %s, so the machine's total cannot be "
                  "known",
                  disks->last.targets[i]);
        return;
    }
    fault_set(fault, HRESULT_DISP_E_EXCEPTION,
              "a disk without a byte counter has been unplugged in this session, or the counter "
              "could not be read when the machine was reset, so the machine's total cannot be "
              "known until it is next started or reset");
}

bool accounting_disk_total(struct accounting *accounting, const struct machine_uuid *uuid,
                           enum direction direction, struct decimal *total, struct fault *fault)
{
    struct account *account = observe_and_lock(accounting, uuid, fault);
    if (account == NULL)
        return false;

    const struct disk_account *disks = account->disks;
    bool ok = false;
    if (account->disks_uncounted) {
        fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                  "the machine has been reset, and who recorded that did not record where the "
                  "disks' counters stood, so its disk bytes cannot be known until it is next "
                  "started or reset");
    } else {
        enum session_total_result result = session_total(&disks->session, direction, total);
        ok = result == SESSION_TOTAL_KNOWN;
        if (result == SESSION_TOTAL_UNKNOWN)
            fault_unknown(disks, direction, fault);
        else if (result == SESSION_TOTAL_OVERFLOW)
            fault_set(fault, HRESULT_DISP_E_OVERFLOW,
                      "the machine's disk bytes are above 2^96-1, the largest documented value");
    }
    pthread_mutex_unlock(&accounting->lock);
    return ok;
}

void disk_account_settle(struct accounting *accounting, const struct machine_uuid *uuid)
{
    for (int attempt = 0; attempt < LOOKS; attempt++) {
        struct disk_look look;
        struct fault fault;

        pthread_mutex_lock(&accounting->lock);
        const struct account *account = account_find(accounting, uuid);
        bool is_pending = account != NULL && account->disks_reset_pending &&
                          account->last.domain_id != NOT_RUNNING;
        pthread_mutex_unlock(&accounting->lock);
        /* A hypervisor process that does not answer serves no disk either: the
         * figures of when it does will be those of the reset. */
        if (!is_pending || !look_at(accounting, uuid, &look, &fault) || look.is_stopped)
            return;
    }
}

struct settlement {
    struct accounting *accounting;
    struct machine_uuid uuid;
};

static void settle(void *context)
{
    struct settlement *settlement = context;
    disk_account_settle(settlement->accounting, &settlement->uuid);
    accounting_release(settlement->accounting);
    free(settlement);
}

void disk_account_settle_soon(struct accounting *accounting, const struct machine_uuid *uuid)
{
    struct fault fault;

    if (accounting->host->driver->is_synchronous) {
        disk_account_settle(accounting, uuid);
        return;
    }
    struct settlement *settlement = malloc(sizeof *settlement);
    if (settlement == NULL)
        return; /* the next read settles it */
    *settlement = (struct settlement){accounting_hold(accounting), *uuid};
    if (thread_run(settle, settlement, &fault))
        return;
    accounting_release(accounting);
    free(settlement);
}
