/*
 * session: what a machine's adapters counted since it was last powered up,
 * reset or restored.
 *
 * A session is fed with readings of all the adapters that the machine has at
 * one moment. It keeps the bytes of adapters that have gone. Its total never
 * falls. Pure state and arithmetic: the clock, the host and the lock are the
 * caller's.
 */
#ifndef VMACCOUNTANT_CORE_SESSION_H
#define VMACCOUNTANT_CORE_SESSION_H

#include "core/counter.h"
#include "core/decimal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Directions are the guest's: what it sent, what it received. */
enum direction { DIRECTION_SENT, DIRECTION_RECEIVED, DIRECTION_COUNT };

enum { MAC_SIZE = 6 };

/* One device from its creation to its end. The incarnation is a number that a
 * recreated device does not share with the one before: the ifindex on a local host. */
struct device_key {
    uint8_t mac[MAC_SIZE];
    uint64_t incarnation;
};

/* The host's counts for one adapter; bit 1 << direction of present says
 * whether the host gave that count. Absent is not zero. */
struct device_reading {
    struct device_key key;
    unsigned present;
    struct decimal bytes[DIRECTION_COUNT];
    const char *problem; /* why the host gives no count, where more is known than that */
};

struct session_adapter {
    struct device_key key;
    struct counter counters[DIRECTION_COUNT];
    unsigned known;       /* directions whose count the latest sample gave */
    unsigned no_baseline; /* directions whose count was absent when the session restarted */
    bool attached;        /* among the machine's adapters in the latest sample */
    bool finished;        /* its device is gone and its final counts are in */
    enum verdict verdict; /* of the latest sample */
};

struct session {
    struct session_adapter *adapters;
    size_t count;
    size_t capacity;
    uint64_t resets; /* since the domain was started */
    bool observed;
};

enum session_total_result {
    SESSION_TOTAL_KNOWN,
    SESSION_TOTAL_UNKNOWN, /* an adapter has no count, or went without ever giving one */
    SESSION_TOTAL_OVERFLOW /* the sum is above 2^96-1 */
};

bool device_key_equal(const struct device_key *a, const struct device_key *b);

/* A zeroed session is a new one that has not been observed. */
void session_clear(struct session *session);

/* Takes in the readings of all adapters that the machine has now, and gives
 * each adapter its verdict. False when memory ran out: nothing has changed. */
bool session_observe(struct session *session, const struct device_reading *readings, size_t count);

/* Restarts at the current readings: every count is zero, and adapters that are
 * gone are dropped. False when memory ran out: nothing has changed. */
bool session_reset(struct session *session, const struct device_reading *readings, size_t count);

/* Restarts at a reset in the past, with the counts that the adapters had then;
 * attached adapters that are not among them came later and count from zero.
 * False when a count is larger than the adapter's current one, and so cannot
 * be of this device: nothing has changed. */
bool session_apply_baseline(struct session *session, const struct device_reading *baseline,
                            size_t count);

/* Restarts one adapter at its latest counts. */
void session_rebase_adapter(struct session_adapter *adapter);

/* A copy in *copy, which is cleared first. False without memory: *copy is then
 * a new session. */
bool session_copy(struct session *copy, const struct session *session);

/* The final counts of a device that is gone: lower readings of the same
 * incarnation are out of date and change nothing. A device that comes back with
 * all that it counted, as from another network namespace, has not finished.
 * False when the session has no such adapter. */
bool session_finish_adapter(struct session *session, const struct device_reading *final);

/* The sum over all adapters of the session, those that have gone included. */
enum session_total_result session_total(const struct session *session, enum direction direction,
                                        struct decimal *total);

/* Whether the adapter's bytes in the session are known. */
bool session_adapter_is_known(const struct session_adapter *adapter, enum direction direction);

/* NULL when the session has no adapter of that key. */
struct session_adapter *session_find_adapter(const struct session *session,
                                             const struct device_key *key);

#endif
