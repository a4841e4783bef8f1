/*
 * accounting: the sessions of a host's machines.
 *
 * It samples the host, feeds the samples to the sessions of src/core/, and
 * answers in bytes since the machine was last powered up, reset or restored.
 * All functions may be called from any thread: a lock guards the sessions and
 * is never held while the host is asked.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_ACCOUNTING_H
#define VMACCOUNTANT_ACCOUNTING_ACCOUNTING_H

#include "accounting/event_queue.h"
#include "core/decimal.h"
#include "core/utilization.h"
#include "host/adapter.h"
#include "host/host.h"
#include "host/machine.h"

struct accounting;

/* The adapters that a machine has now, in the order of its definition. Of a
 * machine that is not running none is counted. */
struct adapter_snapshot {
    struct adapter_list *adapters;
    struct device_key *keys; /* keys[i] is of adapters->adapters[i] */
    bool *counted;           /* the host gives both figures of it */
};

/* A session that is over, as far as this process knows it. */
struct last_session {
    bool start_known;
    int64_t started_at; /* unix seconds, when start_known */
    int64_t ended_at;   /* not before that, even when the clock was set back */
    enum stop_reason reason;
    bool known[DIRECTION_COUNT];
    struct decimal bytes[DIRECTION_COUNT];
};

/* max_age: how old, in nanoseconds, a sample may be that answers a read; 0
 * asks the host each time. With more than 0 one sweep over all machines
 * refreshes them together. Holds the host, and listens to it; NULL without
 * memory. */
struct accounting *accounting_new(struct host *host, int64_t max_age);

/* Waits a moment for tasks that go on, and stops listening and recording. Calls
 * that are in progress may go on with it until it is released. */
void accounting_close(struct accounting *accounting);

/* The last release frees it and lets go of the host. accounting_new holds once. */
struct accounting *accounting_hold(struct accounting *accounting);
void accounting_release(struct accounting *accounting);

/* Samples all machines and brings their accounts up to them. */
bool accounting_sweep(struct accounting *accounting, struct fault *fault);

/* The machine's bytes over all its adapters. A fault of S_FALSE says that the
 * machine is not running. */
bool accounting_total(struct accounting *accounting, const struct machine_uuid *uuid,
                      enum direction direction, struct decimal *total, struct fault *fault);

/* The bytes that the machine has read from (DISK_READ) or written to its disks.
 * Asks the hypervisor process, for at most the host's time-out. */
bool accounting_disk_total(struct accounting *accounting, const struct machine_uuid *uuid,
                           enum direction direction, struct decimal *total, struct fault *fault);

/* How busy the machine's processors are. From the first call on a thread samples
 * all machines once a second. The first call waits for the quarter of a second that
 * the first interval takes. */
bool accounting_utilization(struct accounting *accounting, const struct machine_uuid *uuid,
                            struct utilization *utilization, struct fault *fault);

/* How the machine's processors are scheduled. Asks the host, unless an answer is at
 * most max_age old. */
bool accounting_scheduling(struct accounting *accounting, const struct machine_uuid *uuid,
                           struct scheduling *scheduling, struct fault *fault);

/* Sets the three settings of `wanted`. A fault of E_INVALIDARG names the one that the
 * host cannot have; nothing is changed then. */
bool accounting_set_scheduling(struct accounting *accounting, const struct machine_uuid *uuid,
                               const struct scheduling *wanted, struct fault *fault);

/* Whether there is the machine: a fault of VM_E_VM_UNKNOWN, or of a host that does not
 * answer. Asks the host, unless a sample is at most max_age old. */
bool accounting_has_machine(struct accounting *accounting, const struct machine_uuid *uuid,
                            struct fault *fault);

/* The bytes of one adapter; VM_E_ADAPTER_NOT_FOUND when it is gone. */
bool accounting_adapter_total(struct accounting *accounting, const struct machine_uuid *uuid,
                              const struct device_key *key, enum direction direction,
                              struct decimal *total, struct fault *fault);

/* The present adapters, to be cleared by the caller. */
bool accounting_adapters(struct accounting *accounting, const struct machine_uuid *uuid,
                         struct adapter_snapshot *snapshot, struct fault *fault);
void adapter_snapshot_clear(struct adapter_snapshot *snapshot);

/* When the counts of the running session started, and for how many seconds
 * that has been, whatever the wall clock says. */
bool accounting_since(struct accounting *accounting, const struct machine_uuid *uuid,
                      struct moment *since, struct fault *fault);
bool accounting_uptime(struct accounting *accounting, const struct machine_uuid *uuid,
                       int64_t *seconds, struct fault *fault);

/* The machine's last session that is over, with the final figures of its
 * devices where this host's kernel reported them; *exists is false when this
 * process has seen none end. Of a machine that is gone, too. */
bool accounting_last_session(struct accounting *accounting, const struct machine_uuid *uuid,
                             struct last_session *last, bool *exists, struct fault *fault);

/* From now on the baseline of each reset is written for other processes, in a
 * thread of its own. A fault where this connection may not write. */
bool accounting_record_resets(struct accounting *accounting, struct fault *fault);

/* From now on what happens to machines is kept for accounting_take_event. A
 * fault where the host does not answer, or reports nothing by itself. */
bool accounting_watch(struct accounting *accounting, struct fault *fault);
void accounting_unwatch(struct accounting *accounting);

/* As event_queue_take and event_queue_take_lost. */
bool accounting_take_event(struct accounting *accounting, struct machine_event *event);
uint64_t accounting_take_lost_events(struct accounting *accounting);

/* Waits until something has happened, as wake_wait does. */
bool accounting_wait(struct accounting *accounting, int64_t milliseconds, enum wake_result *result,
                     struct fault *fault);

/* Takes what is to be warned of: why a machine's shared baseline is ignored.
 * False when there is nothing. */
bool accounting_take_complaint(struct accounting *accounting, struct machine_uuid *uuid,
                               const char **complaint);

#endif
