/*
 * machine: the plain data in which a host speaks of its machines: identities,
 * states, adapters and samples. No calls to any host are made here.
 */
#ifndef VMACCOUNTANT_HOST_MACHINE_H
#define VMACCOUNTANT_HOST_MACHINE_H

#include "base/clock.h"
#include "core/session.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UUID_SIZE = 16, UUID_TEXT_SIZE = 37, MAC_TEXT_SIZE = 18 };

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

/* One adapter as the machine's live definition describes it. The texts are
 * NULL where the definition does not say. */
struct adapter {
    uint8_t mac[MAC_SIZE];
    char *type;        /* "bridge", "network", "user", … */
    char *source;      /* the network, bridge or host device that it is plugged into */
    char *device;      /* the host's network device: the name of the tap */
    char *alias;       /* the hypervisor's own name for the device */
    bool is_unmanaged; /* an administrator's device, which outlives the machine's runs */
};

/* The adapters of one machine: shared between samples, never changed once it
 * is filled. */
struct adapter_list {
    atomic_uint references;
    bool is_packed; /* the texts are in the list's own block */
    size_t count;
    struct adapter adapters[];
};

/* One adapter in a shared baseline. */
struct baseline_adapter {
    uint8_t mac[MAC_SIZE];
    char *device;     /* NULL when it had none */
    uint64_t ifindex; /* of the device on its host; 0 when the writer could not see it */
    struct decimal bytes[DIRECTION_COUNT];
};

/* One disk in a shared baseline; the bytes as in disk.h. */
struct baseline_disk {
    char *target;
    struct decimal bytes[DIRECTION_COUNT];
};

/* What a process that saw a machine's reset left in its definition for those
 * that did not: the counters' values at that moment. */
/* A run is named by its domain ID and, since an ID may come again, by its host's
 * boot and its process's start. Resets are ordered by the host's clock that
 * nobody sets, which all its processes share, and by their ordinals. */
struct baseline {
    int64_t domain_id;          /* of the run of the machine that it speaks of */
    char boot_id[BOOT_ID_SIZE]; /* of the host that wrote it; empty when not known */
    uint64_t process_start;     /* of the run, in ticks since that boot; 0: not seen */
    uint64_t ordinal;           /* of the reset in the run; 0: the run's start */
    int64_t reset_clock;        /* of that host's monotonic_time() */
    int64_t reset_at;           /* milliseconds since 1970, for people */
    bool has_common_clock;      /* reset_clock is of the monotonic_time() of the reader's host */
    bool has_disks; /* false: where the disks stood is not known, not that there are none */
    size_t disk_count;
    struct baseline_disk *disks;
    size_t count;
    struct baseline_adapter adapters[];
};

enum { NOT_RUNNING = -1 };

/* Durations go by `at`; `wall` is for people, and jumps when the clock is set. */
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
    STOP_MIGRATED_AWAY, /* it goes on elsewhere */
    STOP_REVERTED,      /* to a snapshot */
    STOP_RESET
};

enum { FEW_READINGS = 2 };

/* What a host's counters said of one machine at one moment. readings[i] is of
 * adapters->adapters[i]. A machine that is not running has neither. Not to be
 * copied as a structure: readings may point into it. */
struct machine_sample {
    struct machine_uuid uuid;
    int64_t domain_id; /* of this run of the machine, or NOT_RUNNING */
    struct adapter_list *adapters;
    struct device_reading *readings;
    struct device_reading few[FEW_READINGS]; /* spares most machines an allocation */
    struct baseline *baseline;               /* what the definition says; NULL for nothing */
    const char *complaint;                   /* why the one that is there cannot be used, or NULL */
};

/* An incarnation is the ifindex of a device of this host where it can be seen,
 * and a hash of the device's name with this bit set where it cannot. */
#define INCARNATION_OF_NAME (UINT64_C(1) << 63)

static inline bool incarnation_is_ifindex(uint64_t incarnation)
{
    return (incarnation & INCARNATION_OF_NAME) == 0;
}

bool machine_uuid_equal(const struct machine_uuid *a, const struct machine_uuid *b);
void machine_uuid_format(const struct machine_uuid *uuid, char text[UUID_TEXT_SIZE]);

/* "52-54-00-12-34-56", the form that Virtual Server documents. */
void mac_format(const uint8_t mac[MAC_SIZE], char text[MAC_TEXT_SIZE]);

/* Reads six pairs of hexadecimal digits with ':' or '-' between them. */
bool mac_parse(const char *text, uint8_t mac[MAC_SIZE]);

/* Orders by name without regard to letter case, then by bytes. */
int machine_name_compare(const char *a, const char *b);

/* Whether two UTF-8 names are the same but for letter case. */
bool machine_name_equal(const char *a, const char *b);

void machine_list_sort(struct machine_list *list);
void machine_list_clear(struct machine_list *list);

/* Room for count adapters, all zero; NULL without memory. */
struct baseline *baseline_new(size_t count);
void baseline_free(struct baseline *baseline);
/* Room for the figures of count disks, all zero; false without memory. */
bool baseline_start_disks(struct baseline *baseline, size_t count);
/* Where the disks stood is not known after all. */
void baseline_drop_disks(struct baseline *baseline);
/* NULL for none, and without memory. */
struct baseline *baseline_copy(const struct baseline *baseline);

/* Room for count adapters, all zero, held once; NULL without memory. */
struct adapter_list *adapter_list_new(size_t count);
/* A copy in one block of memory, texts and all, since one is kept for each
 * machine; releases the list. NULL without memory: the list is released too. */
struct adapter_list *adapter_list_pack(struct adapter_list *list);
struct adapter_list *adapter_list_hold(struct adapter_list *list);
void adapter_list_release(struct adapter_list *list);

/* Room for the readings of sample->adapters, all zero; false without memory. */
bool machine_sample_start_readings(struct machine_sample *sample);

/* Makes `to` say what `from` says of counters, without its baseline. False
 * without memory: `to` is then as it was. */
bool machine_sample_assign(struct machine_sample *to, const struct machine_sample *from);

void machine_sample_clear(struct machine_sample *sample);

#endif
