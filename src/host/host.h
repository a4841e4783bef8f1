/*
 * host: what the accounting needs of a host of any kind.
 *
 * Two hosts stand behind this interface: libvirt_host and simulator. A host's
 * functions may be called from any thread, return false with a filled fault
 * when they cannot answer, and change nothing on the host except in `change`,
 * `rename` and what is called set or write.
 */
#ifndef VMACCOUNTANT_HOST_HOST_H
#define VMACCOUNTANT_HOST_HOST_H

#include "base/fault.h"
#include "core/decimal.h"
#include "core/session.h"
#include "host/adapter.h"
#include "host/baseline.h"
#include "host/disk.h"
#include "host/host_info.h"
#include "host/machine.h"
#include "host/sample.h"
#include "host/scheduling.h"

struct host;

/* Receives the samples of a sweep one by one. It may be called with the host's
 * lock held, and so must not call the host. */
typedef void sample_receiver(void *context, const struct machine_sample *sample);

/* What a host reports by itself, from any thread, one event at a time. The host
 * holds the context between `hold` and `release` while it calls. */
struct host_listener {
    void *context;
    void (*hold)(void *context);
    void (*release)(void *context);

    /* The name of the machine that the next event is about. */
    void (*named)(void *context, const struct machine_uuid *uuid, const char *name);
    /* A machine was powered up, restored, or has arrived from another host. */
    void (*started)(void *context, const struct machine_uuid *uuid, bool is_restored);
    /* A run of the machine is over. */
    void (*stopped)(void *context, const struct machine_uuid *uuid, enum stop_reason reason);
    /* The machine was halted, perhaps while it is saved, or resumed; that is its
     * state by now. */
    void (*paused)(void *context, const struct machine_uuid *uuid, enum machine_state state);
    void (*resumed)(void *context, const struct machine_uuid *uuid);
    /* The machine was reset by anyone. May come twice for one reset. */
    void (*reset)(void *context, const struct machine_uuid *uuid);
    /* Adapters were plugged or unplugged, or a shared baseline written. */
    void (*adapters_changed)(void *context, const struct machine_uuid *uuid);
    /* The device of that incarnation is gone, with these final counts. */
    void (*device_gone)(void *context, uint64_t incarnation,
                        const struct decimal bytes[DIRECTION_COUNT]);
    /* Some of the above may have been missed. */
    void (*missed)(void *context);
    /* This process has been connected for a moment, and is not a script that only
     * reads and ends. */
    void (*staying)(void *context);
};

/* How one adapter's counters are read. The receiver frees the texts
 * machine and device. */
struct counter_source {
    char *machine;
    uint8_t mac[MAC_SIZE];
    char *device;     /* NULL when it has none */
    uint64_t ifindex; /* 0 when it cannot be seen */
    const char *source;
    const char *reason;
    bool is_unproven; /* another sample may change that */
};
typedef void source_receiver(void *context, struct counter_source *source);

/* The processor time that one running machine has used. */
struct processor_time {
    struct machine_uuid uuid;
    int64_t domain_id;
    int64_t at;          /* monotonic nanoseconds, when it was sampled */
    int64_t begun_at;    /* the same, when it was zero; 0: not known */
    uint64_t used;       /* nanoseconds */
    unsigned processors; /* virtual ones; 0: not sampled */
};

/* Receives the times one by one, without any lock held. False requests the same
 * again, with the number of processors. */
typedef bool processor_time_receiver(void *context, const struct processor_time *time);

/* How a change that was begun has ended; the fault is that of a failure. */
typedef void change_ended(void *context, bool ok, const struct fault *fault);

struct product {
    char name[64];
    char version[64];
};

/* Which machines there are, and what they are made of. */
struct host_inventory {
    /* All machines that the host defines or runs, in no order. */
    bool (*list)(struct host *host, struct machine_list *list, struct fault *fault);
    /* The machine of exactly that name; *found: there is one. */
    bool (*find)(struct host *host, const char *name, struct machine_uuid *uuid, bool *found,
                 struct fault *fault);
    /* The current name, to be freed by the caller. */
    bool (*name)(struct host *host, const struct machine_uuid *uuid, char **name,
                 struct fault *fault);
    bool (*state)(struct host *host, const struct machine_uuid *uuid, enum machine_state *state,
                  struct fault *fault);
    /* The adapters in the machine's definition, running or not, held for the
     * caller. */
    bool (*adapters)(struct host *host, const struct machine_uuid *uuid,
                     struct adapter_list **adapters, struct fault *fault);
};

/* What the machines have sent, received, read, written and used. */
struct host_counters {
    /* The counters of one machine, live. A machine that is defined but not
     * running is a sample whose domain_id is NOT_RUNNING. */
    bool (*sample)(struct host *host, const struct machine_uuid *uuid,
                   struct machine_sample *sample, struct fault *fault);
    /* The counters of all machines at once. A machine that cannot be sampled
     * is left out: a sample of it alone fails with the reason. */
    bool (*sample_all)(struct host *host, sample_receiver *receive, void *context,
                       struct fault *fault);
    /* The counters of the disks of one machine, or of all that run (uuid is
     * NULL); of all, those that would keep the others waiting are left out.
     * Asks the hypervisor process itself, which has the host's time-out to answer. */
    bool (*sample_disks)(struct host *host, const struct machine_uuid *uuid, disk_receiver *receive,
                         void *context, struct fault *fault);
    /* The processor time of all machines that run. */
    bool (*processor_times)(struct host *host, processor_time_receiver *receive, void *context,
                            struct fault *fault);
    /* When this run of the machine began. */
    bool (*started_at)(struct host *host, const struct machine_uuid *uuid, int64_t domain_id,
                       struct moment *started, struct fault *fault);
    /* Why the machine is not running, if the host remembers. */
    bool (*stop_reason)(struct host *host, const struct machine_uuid *uuid,
                        enum stop_reason *reason, struct fault *fault);
    /* How the counters of the known adapters are read. */
    bool (*sources)(struct host *host, source_receiver *receive, void *context,
                    struct fault *fault);
    /* Returns when all changes of devices so far have been reported. */
    void (*settle)(struct host *host);
    /* The counts of the device of that incarnation, while it exists. */
    bool (*device_bytes)(struct host *host, uint64_t incarnation,
                         struct decimal bytes[DIRECTION_COUNT]);
};

/* Changing what a machine does. */
struct host_life_cycle {
    /* Whether the change may take so long that a thread should wait for it.
     * NULL: none does, and the three that follow are not needed. */
    bool (*takes_time)(struct host *host, enum machine_change change);
    /* Whether the machine's state, and the user's rights, allow the change. */
    bool (*check_change)(struct host *host, const struct machine_uuid *uuid,
                         enum machine_change change, struct fault *fault);
    /* How much of a change in progress is done; false when it is not known. */
    bool (*progress)(struct host *host, const struct machine_uuid *uuid, int *percent);
    /* Ends a change in progress. */
    bool (*cancel)(struct host *host, const struct machine_uuid *uuid, struct fault *fault);
    /* Begins the change for a host without threads. *is_open: it is in progress,
     * and `ended` is called once, later, when it is over or the host is closed;
     * else it is done. NULL: `change` carries it out, in a thread where that takes
     * time. */
    bool (*begin)(struct host *host, const struct machine_uuid *uuid, enum machine_change change,
                  change_ended *ended, void *context, bool *is_open, struct fault *fault);
    /* Waits on the host's clock for what `begin` has left open, for at most so many
     * milliseconds (-1: for ever), and ends what is due by then. NULL where `begin`
     * is. */
    bool (*await)(struct host *host, const struct machine_uuid *uuid, int64_t milliseconds,
                  struct fault *fault);
    /* Carries the change out and returns when it is done. */
    bool (*change)(struct host *host, const struct machine_uuid *uuid, enum machine_change change,
                   struct fault *fault);
};

/* Changing what a machine is. */
struct host_configuration {
    /* What configuration.h has checked: a new name, notes and memory of a
     * machine, which is turned off where it gets another name or memory. */
    bool (*rename)(struct host *host, const struct machine_uuid *uuid, const char *name,
                   struct fault *fault);
    bool (*set_notes)(struct host *host, const struct machine_uuid *uuid, const char *notes,
                      struct fault *fault);
    bool (*set_memory)(struct host *host, const struct machine_uuid *uuid, uint64_t megabytes,
                       struct fault *fault);
    /* The machine's notes, an empty text for none, to be freed by the caller. */
    bool (*notes)(struct host *host, const struct machine_uuid *uuid, char **notes,
                  struct fault *fault);
    bool (*memory)(struct host *host, const struct machine_uuid *uuid, uint64_t *megabytes,
                   struct fault *fault);
    /* The file that a saved machine is restored from, to be freed by the
     * caller; VM_E_VM_NO_SAVED_STATE for one that is not saved. */
    bool (*saved_state_path)(struct host *host, const struct machine_uuid *uuid, char **path,
                             struct fault *fault);
};

/* How a machine's processors are scheduled. */
struct host_scheduler {
    /* How the machine's processors are scheduled: as it runs, or, when it does
     * not, as it will. */
    bool (*scheduling)(struct host *host, const struct machine_uuid *uuid,
                       struct scheduling *scheduling, struct fault *fault);
    /* Sets what scheduling_check() has accepted, from now on and for the
     * machine's next starts. */
    bool (*set_scheduling)(struct host *host, const struct machine_uuid *uuid,
                           const struct scheduling *scheduling, struct fault *fault);
};

/* Baselines that processes share. */
struct host_baseline_store {
    /* Shares the baseline with other processes. */
    bool (*write_baseline)(struct host *host, const struct machine_uuid *uuid,
                           const struct baseline *baseline, struct fault *fault);
    /* Whether baselines could be written: opens what that needs. */
    bool (*prepare_writing)(struct host *host, struct fault *fault);
};

/* What the host reports of itself. */
struct host_information {
    /* One part of the host's description of itself. info is all zero; the caller
     * clears it, also after a fault. */
    bool (*host_info)(struct host *host, enum host_part part, struct host_info *info,
                      struct fault *fault);
    bool (*product)(struct host *host, struct product *product, struct fault *fault);
    /* How long the host's service has been running, in seconds. */
    bool (*uptime)(struct host *host, int64_t *seconds, struct fault *fault);
};

/* What the host reports by itself. */
struct host_event_source {
    /* Whether the host reports events. */
    bool (*has_events)(struct host *host);
    /* From now on the listener gets the events; NULL ends that. The host copies the
     * structure. A host without events does nothing. */
    void (*listen)(struct host *host, const struct host_listener *listener);
};

/* The host's clocks. */
struct host_clock {
    /* Seconds since 1970, which jump when the clock is set, and nanoseconds of a
     * clock that never goes back, also counts while the host is suspended, and is
     * the same in all processes of the host. */
    int64_t (*unix_time)(struct host *host);
    int64_t (*monotonic_time)(struct host *host);
};

/* may_wait: the errand has a thread of its own, and may wait or go on for ever. */
typedef void host_errand(void *context, bool may_wait);

/* A host of one kind: its tables, and its end. */
struct host_driver {
    /* Runs the errand beside the caller, which a slow answer of the host must not
     * hold up. A host that answers at once, and whose clock stands still meanwhile,
     * runs it before this returns. False with a fault when there is no thread. */
    bool (*run)(struct host *host, host_errand *errand, void *context, struct fault *fault);
    /* Whether this process is a fork of the one that connected: its threads and
     * locks are in no state to be used, not even to close what is open. NULL where
     * a fork does no harm. */
    bool (*is_lost_by_fork)(const struct host *host);
    const struct host_inventory *inventory;
    const struct host_counters *counters;
    const struct host_life_cycle *life_cycle;
    const struct host_configuration *configuration;
    const struct host_scheduler *scheduler;
    const struct host_baseline_store *baseline_store;
    const struct host_information *information;
    const struct host_event_source *event_source;
    const struct host_clock *clock;
    /* Ends the connection: calls fail from here on. */
    void (*close)(struct host *host);
    /* Frees the host, when it is no longer held. */
    void (*destroy)(struct host *host);
};

/* Each host begins with this. */
struct host {
    const struct host_driver *driver;
    atomic_uint references;
    char *uri; /* its name, by which hosts differ; owned by the host */
};

struct host *host_hold(struct host *host);
void host_release(struct host *host);

/* The machine of that name, without regard to letter case; one that has the
 * exact name comes first. *found: there is one. A fault when
 * several machines differ from the name in letter case only. */
bool host_find(struct host *host, const char *name, struct machine_uuid *uuid, bool *found,
               struct fault *fault);

/* The function `run` of a host that may keep its callers waiting. */
bool host_run_in_thread(struct host *host, host_errand *function, void *context,
                        struct fault *fault);

/* Each calls the host's function of that name, which is documented above. */

static inline bool host_run(struct host *host, host_errand *errand, void *context,
                            struct fault *fault)
{
    return host->driver->run(host, errand, context, fault);
}

static inline bool host_is_lost_by_fork(const struct host *host)
{
    return host->driver->is_lost_by_fork != NULL && host->driver->is_lost_by_fork(host);
}

static inline bool host_list(struct host *host, struct machine_list *list, struct fault *fault)
{
    return host->driver->inventory->list(host, list, fault);
}

static inline bool host_find_exact(struct host *host, const char *name, struct machine_uuid *uuid,
                                   bool *found, struct fault *fault)
{
    return host->driver->inventory->find(host, name, uuid, found, fault);
}

static inline bool host_name(struct host *host, const struct machine_uuid *uuid, char **name,
                             struct fault *fault)
{
    return host->driver->inventory->name(host, uuid, name, fault);
}

static inline bool host_state(struct host *host, const struct machine_uuid *uuid,
                              enum machine_state *state, struct fault *fault)
{
    return host->driver->inventory->state(host, uuid, state, fault);
}

static inline bool host_adapters(struct host *host, const struct machine_uuid *uuid,
                                 struct adapter_list **adapters, struct fault *fault)
{
    return host->driver->inventory->adapters(host, uuid, adapters, fault);
}

static inline bool host_sample(struct host *host, const struct machine_uuid *uuid,
                               struct machine_sample *sample, struct fault *fault)
{
    return host->driver->counters->sample(host, uuid, sample, fault);
}

static inline bool host_sample_all(struct host *host, sample_receiver *receive, void *context,
                                   struct fault *fault)
{
    return host->driver->counters->sample_all(host, receive, context, fault);
}

static inline bool host_sample_disks(struct host *host, const struct machine_uuid *uuid,
                                     disk_receiver *receive, void *context, struct fault *fault)
{
    return host->driver->counters->sample_disks(host, uuid, receive, context, fault);
}

static inline bool host_processor_times(struct host *host, processor_time_receiver *receive,
                                        void *context, struct fault *fault)
{
    return host->driver->counters->processor_times(host, receive, context, fault);
}

static inline bool host_started_at(struct host *host, const struct machine_uuid *uuid,
                                   int64_t domain_id, struct moment *started, struct fault *fault)
{
    return host->driver->counters->started_at(host, uuid, domain_id, started, fault);
}

static inline bool host_stop_reason(struct host *host, const struct machine_uuid *uuid,
                                    enum stop_reason *reason, struct fault *fault)
{
    return host->driver->counters->stop_reason(host, uuid, reason, fault);
}

static inline bool host_sources(struct host *host, source_receiver *receive, void *context,
                                struct fault *fault)
{
    return host->driver->counters->sources(host, receive, context, fault);
}

static inline void host_settle(struct host *host)
{
    host->driver->counters->settle(host);
}

static inline bool host_device_bytes(struct host *host, uint64_t incarnation,
                                     struct decimal bytes[DIRECTION_COUNT])
{
    return host->driver->counters->device_bytes(host, incarnation, bytes);
}

static inline bool host_takes_time(struct host *host, enum machine_change change)
{
    return host->driver->life_cycle->takes_time(host, change);
}

static inline bool host_check_change(struct host *host, const struct machine_uuid *uuid,
                                     enum machine_change change, struct fault *fault)
{
    return host->driver->life_cycle->check_change(host, uuid, change, fault);
}

static inline bool host_progress(struct host *host, const struct machine_uuid *uuid, int *percent)
{
    return host->driver->life_cycle->progress(host, uuid, percent);
}

static inline bool host_cancel(struct host *host, const struct machine_uuid *uuid,
                               struct fault *fault)
{
    return host->driver->life_cycle->cancel(host, uuid, fault);
}

static inline bool host_begin(struct host *host, const struct machine_uuid *uuid,
                              enum machine_change change, change_ended *ended, void *context,
                              bool *is_open, struct fault *fault)
{
    return host->driver->life_cycle->begin(host, uuid, change, ended, context, is_open, fault);
}

static inline bool host_await(struct host *host, const struct machine_uuid *uuid,
                              int64_t milliseconds, struct fault *fault)
{
    return host->driver->life_cycle->await(host, uuid, milliseconds, fault);
}

static inline bool host_change(struct host *host, const struct machine_uuid *uuid,
                               enum machine_change change, struct fault *fault)
{
    return host->driver->life_cycle->change(host, uuid, change, fault);
}

static inline bool host_rename(struct host *host, const struct machine_uuid *uuid, const char *name,
                               struct fault *fault)
{
    return host->driver->configuration->rename(host, uuid, name, fault);
}

static inline bool host_set_notes(struct host *host, const struct machine_uuid *uuid,
                                  const char *notes, struct fault *fault)
{
    return host->driver->configuration->set_notes(host, uuid, notes, fault);
}

static inline bool host_set_memory(struct host *host, const struct machine_uuid *uuid,
                                   uint64_t megabytes, struct fault *fault)
{
    return host->driver->configuration->set_memory(host, uuid, megabytes, fault);
}

static inline bool host_notes(struct host *host, const struct machine_uuid *uuid, char **notes,
                              struct fault *fault)
{
    return host->driver->configuration->notes(host, uuid, notes, fault);
}

static inline bool host_memory(struct host *host, const struct machine_uuid *uuid,
                               uint64_t *megabytes, struct fault *fault)
{
    return host->driver->configuration->memory(host, uuid, megabytes, fault);
}

static inline bool host_saved_state_path(struct host *host, const struct machine_uuid *uuid,
                                         char **path, struct fault *fault)
{
    return host->driver->configuration->saved_state_path(host, uuid, path, fault);
}

static inline bool host_scheduling(struct host *host, const struct machine_uuid *uuid,
                                   struct scheduling *scheduling, struct fault *fault)
{
    return host->driver->scheduler->scheduling(host, uuid, scheduling, fault);
}

static inline bool host_set_scheduling(struct host *host, const struct machine_uuid *uuid,
                                       const struct scheduling *scheduling, struct fault *fault)
{
    return host->driver->scheduler->set_scheduling(host, uuid, scheduling, fault);
}

static inline bool host_write_baseline(struct host *host, const struct machine_uuid *uuid,
                                       const struct baseline *baseline, struct fault *fault)
{
    return host->driver->baseline_store->write_baseline(host, uuid, baseline, fault);
}

static inline bool host_prepare_writing(struct host *host, struct fault *fault)
{
    return host->driver->baseline_store->prepare_writing(host, fault);
}

static inline bool host_read_info(struct host *host, enum host_part part, struct host_info *info,
                                  struct fault *fault)
{
    return host->driver->information->host_info(host, part, info, fault);
}

static inline bool host_product(struct host *host, struct product *product, struct fault *fault)
{
    return host->driver->information->product(host, product, fault);
}

static inline bool host_uptime(struct host *host, int64_t *seconds, struct fault *fault)
{
    return host->driver->information->uptime(host, seconds, fault);
}

static inline bool host_has_events(struct host *host)
{
    return host->driver->event_source->has_events(host);
}

static inline void host_listen(struct host *host, const struct host_listener *listener)
{
    host->driver->event_source->listen(host, listener);
}

static inline int64_t host_unix_time(struct host *host)
{
    return host->driver->clock->unix_time(host);
}

static inline int64_t host_monotonic_time(struct host *host)
{
    return host->driver->clock->monotonic_time(host);
}

static inline void host_close(struct host *host)
{
    host->driver->close(host);
}

#endif
