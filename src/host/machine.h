/*
 * machine: what names a machine, what states it can be in, and how those
 * change, as plain data.
 */
#ifndef VMACCOUNTANT_HOST_MACHINE_H
#define VMACCOUNTANT_HOST_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UUID_SIZE = 16, UUID_TEXT_SIZE = 37 };

struct machine_uuid {
    unsigned char bytes[UUID_SIZE];
};

/* The numbers are those of Virtual Server's VMVMState enumeration. */
#define MACHINE_STATES(X)                                                                          \
    X(Invalid, 0)                                                                                  \
    X(TurnedOff, 1)                                                                                \
    X(Saved, 2)                                                                                    \
    X(TurningOn, 3)                                                                                \
    X(Restoring, 4)                                                                                \
    X(Running, 5)                                                                                  \
    X(Paused, 6)                                                                                   \
    X(Saving, 7)                                                                                   \
    X(TurningOff, 8)                                                                               \
    X(MergingDrives, 9)                                                                            \
    X(DeleteMachine, 10)

#define MACHINE_STATE_ENUMERATOR(name, number) MACHINE_##name = number,
enum machine_state { MACHINE_STATES(MACHINE_STATE_ENUMERATOR) };
#undef MACHINE_STATE_ENUMERATOR

enum machine_change {
    CHANGE_STARTUP,
    CHANGE_TURN_OFF,
    CHANGE_RESET,
    CHANGE_SAVE,
    CHANGE_PAUSE,
    CHANGE_RESUME,
    CHANGE_DISCARD_SAVED_STATE
};

struct machine_list_entry {
    struct machine_uuid uuid;
    char *name;
};

struct machine_list {
    struct machine_list_entry *entries;
    size_t count;
};

enum { NOT_RUNNING = -1 };

/* Durations are measured by `at`; `wall` is for people, and jumps when the clock is set. */
struct moment {
    int64_t at;   /* of the host's monotonic_time() */
    int64_t wall; /* seconds since 1970 */
};

/* Why a session ended. */
enum stop_reason {
    STOP_UNKNOWN,
    STOP_SHUT_DOWN,  /* by the guest */
    STOP_TURNED_OFF, /* by an administrator */
    STOP_CRASHED,    /* the guest or its hypervisor process */
    STOP_SAVED,
    STOP_MIGRATED_AWAY, /* it runs on elsewhere */
    STOP_REVERTED,      /* to a snapshot */
    STOP_RESET
};

bool machine_uuid_equal(const struct machine_uuid *a, const struct machine_uuid *b);
void machine_uuid_format(const struct machine_uuid *uuid, char text[UUID_TEXT_SIZE]);

void machine_list_sort(struct machine_list *list);
void machine_list_clear(struct machine_list *list);

#endif
