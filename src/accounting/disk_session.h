/*
 * disk_session: the session of a machine's disks, as far as it has been sampled.
 * Makes no call to the host.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_DISK_SESSION_H
#define VMACCOUNTANT_ACCOUNTING_DISK_SESSION_H

#include "core/session.h"
#include "host/baseline.h"
#include "host/disk.h"

struct disk_session {
    struct session session;
    struct disk_sample last;   /* the latest sample in the session */
    int64_t observed_at;       /* monotonic nanoseconds; of `last` */
    struct baseline *baseline; /* of a reset that another process saw, for the next sample */
    bool is_reset_pending;     /* the next sample becomes the baseline */
    bool is_uncounted;         /* nobody recorded their counters at the reset */
};

/* The session is over. */
void disk_session_end(struct disk_session *disks);

/* The machine has been reset: the next sample is to come soon. */
void disk_session_reset(struct disk_session *disks);

/* Another process saw a reset and left that baseline. */
void disk_session_rebase(struct disk_session *disks, const struct baseline *baseline);

/* The session's baseline into one for other processes. False without memory. */
bool disk_session_share(const struct disk_session *disks, struct baseline *baseline);

/* Brings the disks up to the sample, whose targets and readings are taken. False
 * without memory. */
bool disk_session_observe(struct disk_session *disks, struct disk_sample *sample, int64_t now);

/* Whether it holds a sample of that moment or later. */
bool disk_session_is_observed_since(const struct disk_session *disks, int64_t moment);

#endif
