/*
 * account: what the accounting keeps of each machine. Shared by accounting.c
 * (reads), listener.c (what the host tells) and recorder.c.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_ACCOUNT_H
#define VMACCOUNTANT_ACCOUNTING_ACCOUNT_H

#include "accounting/accounting.h"
#include "accounting/disks.h"
#include "accounting/event_queue.h"
#include "accounting/processors.h"
#include "host/baseline.h"
#include "host/sample.h"

#include <pthread.h>

struct finished_session {
    bool exists;
    bool start_known;
    enum stop_reason reason;
    int64_t domain_id;
    struct moment started;  /* when start_known */
    struct moment ended;    /* its wall time is not before that of the start */
    struct session session; /* final figures may still arrive */
};

/* What devices counted at the end of their machine's run. */
struct final_figures {
    struct device_reading *readings;
    size_t count;
};

struct account {
    struct account *next; /* in its bucket */
    struct machine_uuid uuid;
    struct session session;
    struct machine_sample last; /* the observation that the session stands at */
    int64_t observed_at;        /* monotonic nanoseconds; of `last` */
    struct moment started;      /* of the session, when start_known */
    struct moment announced;    /* when start_announced */
    struct moment reset;        /* of the session, when has_baseline */
    uint64_t reset_ordinal;     /* resets of this run that are known of */
    int64_t reset_seen_at;      /* monotonic nanoseconds when it was last told of, or 0 */
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
    bool reset_pending;   /* told of a reset, but the counters could not be read */
    bool is_departed;     /* the machine is gone: kept for `finished` only */
    bool wants_recording; /* the baseline is to be written by the recorder */
    bool has_untold_complaint;
    bool disks_reset_pending; /* their next figures become the baseline */
    bool disks_uncounted;     /* nobody wrote down their figures at the reset */
    bool is_reset_told;       /* the host has told of the session's reset */

    struct finished_session finished;
    struct disk_account *disks;           /* NULL until they are looked at */
    uint64_t disks_changed_in;            /* accounting.version when they last changed */
    struct processor_account *processors; /* NULL until it is sampled */
};

struct accounting {
    struct host *host;
    int64_t max_age;
    atomic_uint references;
    struct wake wake; /* not open before something is to be waited for */
    struct event_queue *events;
    pthread_mutex_t lock; /* guards all below */
    uint64_t version;     /* counts the changes to all accounts */
    struct account **buckets;
    size_t bucket_count; /* a power of two */
    size_t account_count;
    size_t departed_count; /* accounts of machines that are gone, with a finished session */

    struct machine_task *running_tasks; /* task.c */
    pthread_cond_t task_ended;

    pthread_cond_t recording; /* there is something to record, or to stop for */
    bool is_recording;
    bool has_recorder; /* a thread of this accounting records, or is about to end */
    bool is_closed;

    struct processor_sampler sampler;

    atomic_uint untold_complaints; /* written with the lock held */
};

/* All below: with the lock held. */

struct account *account_find(struct accounting *accounting, const struct machine_uuid *uuid);
/* NULL without memory. */
struct account *account_find_or_add(struct accounting *accounting, const struct machine_uuid *uuid);
struct moment account_current_moment(struct accounting *accounting);
void account_mark_changed(struct accounting *accounting, struct account *account);

/* Brings the account up to the sample. False without memory. Of a machine that
 * runs no more, `final` is what account_read_remaining() gave, or NULL. */
bool account_observe(struct accounting *accounting, struct account *account,
                     const struct machine_sample *sample, const struct final_figures *final,
                     int64_t now);

/* Ends the running session, if there is one, with the final figures of the
 * devices that have outlived the run (or NULL). */
void account_end_session(struct accounting *accounting, struct account *account,
                         const struct final_figures *final, enum stop_reason reason);

/* Whether account_read_remaining() would find anything to ask for. */
bool account_has_remaining(const struct account *account);

/* The machine was reset, and the account stands at the counters of now. */
void account_reset(struct accounting *accounting, struct account *account);

/* The machine is no longer known to the host. The account goes, unless its
 * last session may still be asked for. */
void account_machine_gone(struct accounting *accounting, const struct machine_uuid *uuid,
                          const struct final_figures *final);

/* The session's baseline for other processes; NULL without memory. */
struct baseline *account_baseline(const struct account *account);

/* Without the lock held. What the devices of a machine that has just ended hold,
 * where they outlive its runs, as an administrator's own taps do: to be asked for
 * before the lock is taken in which the session ends. Without memory it is empty. */
void account_read_remaining(struct accounting *accounting, const struct machine_uuid *uuid,
                            struct final_figures *final);
void final_figures_clear(struct final_figures *final);

/* Without the lock held. Asks the host for the machine's counters and brings
 * its account up to them. Returns the account with the lock held, or NULL,
 * without it, and a fault. */
struct account *account_sample_and_lock(struct accounting *accounting,
                                        const struct machine_uuid *uuid, struct fault *fault);

/* As account_sample_and_lock, for a machine that must be running, and where a
 * sample of at most max_age will do. */
struct account *account_observe_running_and_lock(struct accounting *accounting,
                                                 const struct machine_uuid *uuid,
                                                 struct fault *fault);

/* Without the lock held. The machine's start has been reported: samples it, and asks
 * the host when its run began, which can no longer be known when it has ended. */
void accounting_sample_started(struct accounting *accounting, const struct machine_uuid *uuid);

/* Without the lock held. The machine has just been reset. */
void accounting_note_reset(struct accounting *accounting, const struct machine_uuid *uuid);

/* listener.c: the host tells from now on, or no longer. */
void accounting_listen(struct accounting *accounting);

#endif
