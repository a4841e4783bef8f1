/*
 * counter: one direction of one adapter within a session.
 *
 * The host's figure of a device only grows until the device is made anew,
 * and a session may begin while it stands above zero. A counter keeps the
 * bytes of the session through both.
 */
#ifndef VMACCOUNTANT_CORE_COUNTER_H
#define VMACCOUNTANT_CORE_COUNTER_H

#include "core/decimal.h"

#include <stdbool.h>

/* What an observation meant. The first three are of one counter; an adapter
 * as a whole may also appear in, or vanish from, a running session. */
enum verdict {
    VERDICT_NONE,     /* not observed yet */
    VERDICT_FIRST,    /* there when the session was first looked at */
    VERDICT_ADVANCED, /* at or above the value before */
    VERDICT_FELL,     /* below it: the device was made anew and counts from zero */
    VERDICT_APPEARED, /* joined a session that had been looked at before */
    VERDICT_VANISHED  /* no longer among the machine's adapters */
};

struct counter {
    struct decimal carried;  /* bytes of the session that earlier devices counted */
    struct decimal baseline; /* the device's figure when the session began */
    struct decimal last;     /* the device's figure at the last observation */
    bool seen;
    bool overflowed; /* carried no longer fits 96 bits */
};

/* Takes in the device's figure of now: FIRST, ADVANCED or FELL. */
enum verdict counter_observe(struct counter *counter, struct decimal value);

/* Starts the session at the last observed figure: the count is zero. */
void counter_rebase(struct counter *counter);

/* The bytes of the session; false when they do not fit 96 bits. */
bool counter_value(const struct counter *counter, struct decimal *value);

#endif
