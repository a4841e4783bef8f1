/*
 * counter: one direction of one adapter within a session.
 *
 * The host's count for a device only grows until the device is recreated, and
 * a session may begin while it is above zero. A counter keeps the session's
 * bytes through both.
 */
#ifndef VMACCOUNTANT_CORE_COUNTER_H
#define VMACCOUNTANT_CORE_COUNTER_H

#include "core/decimal.h"

#include <stdbool.h>

/* What an observation meant. The first three are of one counter; an adapter
 * as a whole may also appear in, or vanish from, a running session. */
enum verdict {
    VERDICT_NONE,     /* not observed yet */
    VERDICT_FIRST,    /* present in the session's first sample */
    VERDICT_ADVANCED, /* at or above the value before */
    VERDICT_FELL,     /* below it: the device was recreated and counts from zero */
    VERDICT_APPEARED, /* joined a session that had been sampled before */
    VERDICT_VANISHED  /* no longer among the machine's adapters */
};

struct counter {
    struct decimal carried;  /* bytes of the session that earlier devices counted */
    struct decimal baseline; /* the device's count when the session began */
    struct decimal last;     /* the device's count in the latest sample */
    bool seen;
    bool overflowed; /* carried no longer fits 96 bits */
};

/* Takes the device's current count: FIRST, ADVANCED or FELL. */
enum verdict counter_observe(struct counter *counter, struct decimal value);

/* Restarts the session at the latest count: the session's bytes are zero. */
void counter_rebase(struct counter *counter);

/* The bytes of the session; false when they do not fit 96 bits. */
bool counter_value(const struct counter *counter, struct decimal *value);

#endif
