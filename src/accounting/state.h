/*
 * state: what the accounting keeps of a host and of each of its machines, and the
 * lock that guards it.
 *
 * A function whose name ends in _locked is called with that lock held. One whose
 * name ends in _and_lock returns with it held, unless it returns NULL.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_STATE_H
#define VMACCOUNTANT_ACCOUNTING_STATE_H

#include "accounting/accounting.h"
#include "accounting/disk_session.h"
#include "accounting/event_queue.h"
#include "accounting/processors.h"
#include "base/wake.h"
#include "host/sample.h"

#include <pthread.h>
#include <stdatomic.h>

/* Without memory an entry is not added, instead of the process ended. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct finished_session {
    bool exists;
    bool start_known;
    enum stop_reason reason;
    int64_t domain_id;
    struct moment started;  /* when start_known */
    struct moment ended;    /* its wall time is not before that of the start */
    struct session session; /* final figures may still arrive */
};

/* How the machine's processors were scheduled. */
struct known_scheduling {
    int64_t asked_at; /* monotonic nanoseconds */
    struct scheduling scheduling;
};

struct account {
    UT_hash_handle hh;
    struct machine_uuid uuid; /* its key in accounting.accounts */
    struct session session;
    struct machine_sample last; /* the observation that the session stands at */
    int64_t observed_at;        /* monotonic nanoseconds; of `last` */
    struct moment started;      /* of the session, when start_known */
    struct moment announced;    /* when start_announced */
    struct moment reset;        /* of the session, when has_baseline */
    uint64_t reset_ordinal;     /* resets of this run that are known of */
    int64_t reset_seen_at;      /* monotonic nanoseconds when it was last reported, or 0 */
    int64_t refused_clock;      /* of a shared baseline that cannot be of the session, and */
    uint64_t refused_ordinal;   /* its ordinal, when has_refused */
    uint64_t changed_in;        /* accounting.version when the account last changed */
    const char *complaint;      /* about the shared baseline, or NULL */
    bool is_current;            /* nothing is known to have happened since `observed_at` */
    bool start_known;
    bool start_reported; /* `started` is when the start was reported, somewhat after it */
    bool has_baseline;   /* the session began at a reset, or with devices that had counted before */
    bool has_refused;
    bool start_announced; /* the start has been seen, its counters not yet */
    bool reset_pending;   /* a reset was reported, but the counters could not be read */
    bool is_departed;     /* the machine is gone: kept for `finished` only */
    bool wants_recording; /* the baseline is to be written by the recorder */
    bool is_warning_due;
    bool is_reset_reported; /* the host has reported the session's reset */

    struct finished_session finished;
    struct disk_session disks;
    uint64_t disks_changed_in;            /* accounting.version when they last changed */
    struct processor_account *processors; /* NULL until it is sampled */
    struct known_scheduling *scheduling;  /* NULL until it is asked for, with a maximum age */
};

struct accounting {
    struct host *host;
    int64_t max_age;
    atomic_uint references;
    void (*destroy)(struct accounting *accounting); /* after the last release */
    struct wake wake; /* not open before something is to be waited for */
    struct event_queue *events;
    pthread_mutex_t lock;     /* guards all below */
    uint64_t version;         /* counts the changes to all accounts */
    struct account *accounts; /* a hash table; account_table.c */
    size_t departed_count;    /* accounts of machines that are gone, with a finished session */

    struct machine_task *running_tasks; /* task.c */
    pthread_cond_t task_ended;

    pthread_cond_t recording; /* there is something to record, or to stop for */
    bool is_recording;
    bool has_recorder; /* a thread of this accounting records, or is about to end */
    bool is_closed;

    struct processor_sampler sampler;

    atomic_uint warnings_due; /* written with the lock held */
};

/* Now, on the host's clocks. */
struct moment accounting_moment(struct accounting *accounting);

void account_mark_changed_locked(struct accounting *accounting, struct account *account);
void account_mark_disks_changed_locked(struct accounting *accounting, struct account *account);

/* Whether the program is still to be warned of the account's complaint. */
void account_set_warning_due_locked(struct accounting *accounting, struct account *account,
                                    bool is_due);

#endif
