/*
 * simulator: a host in memory behind the interface of host.h, whose machines do
 * what the caller says.
 *
 * Its counters behave as a real host's network devices do: they start at zero
 * with a new device at power-up, restore and plugging, count on through a
 * reset, and go with the device. It is not for use from several threads.
 *
 * Its clock moves only by simulator_advance_clock(), so that no count depends on
 * how fast the caller's process runs; or it follows real time.
 */
#ifndef VMACCOUNTANT_SIMULATOR_SIMULATOR_H
#define VMACCOUNTANT_SIMULATOR_SIMULATOR_H

#include "core/decimal.h"
#include "host/host.h"

struct simulator;

/* Identifies an adapter for as long as the simulator lives. */
typedef uint64_t simulator_adapter_id;
/* And a disk. */
typedef uint64_t simulator_disk_id;

/* The calls of the host that can be made to fail: those that are
 * about one machine, which can fail for that one only, and all. */
#define SIMULATOR_MACHINE_CALLS(X)                                                                 \
    X(find)                                                                                        \
    X(name)                                                                                        \
    X(state)                                                                                       \
    X(adapters)                                                                                    \
    X(sample)                                                                                      \
    X(sample_disks)                                                                                \
    X(processor_times)                                                                             \
    X(scheduling)                                                                                  \
    X(set_scheduling)                                                                              \
    X(change)                                                                                      \
    X(started_at)                                                                                  \
    X(write_baseline)                                                                              \
    X(configuration)

#define SIMULATOR_CALLS(X)                                                                         \
    SIMULATOR_MACHINE_CALLS(X)                                                                     \
    X(list)                                                                                        \
    X(sample_all)                                                                                  \
    X(host_info)                                                                                   \
    X(product)                                                                                     \
    X(uptime)

#define SIMULATOR_CALL_ENUMERATOR(name) SIMULATOR_CALL_##name,
enum simulator_call { SIMULATOR_CALLS(SIMULATOR_CALL_ENUMERATOR) SIMULATOR_CALL_COUNT };
#undef SIMULATOR_CALL_ENUMERATOR

/* What Plug takes; NULL texts stand for a tap in the bridge "br0". */
struct simulator_adapter_plan {
    const char *type;
    const char *source;
    const uint8_t *mac; /* NULL for the next free one */
    bool counted;
};

/* Held once; NULL without memory. Hosts that simulator_connect made hold it
 * too. */
struct simulator *simulator_new(bool follows_real_time);
void simulator_release(struct simulator *simulator);

/* A host whose close leaves the simulator as it is. */
struct host *simulator_connect(struct simulator *simulator);

/* How its hosts describe themselves from now on, except for the clock, which is the
 * simulator's. */
const struct host_info *simulator_configured_host_info(const struct simulator *simulator);
bool simulator_set_host_info(struct simulator *simulator, const struct host_info *info,
                             struct fault *fault);

/* Moves both clocks of its hosts forward by so much. Tasks end on the way, each at
 * its own moment. */
void simulator_advance_clock(struct simulator *simulator, int64_t nanoseconds);

/* Whether its hosts report events, as libvirt's drivers with events do. They do
 * at first. */
void simulator_set_events(struct simulator *simulator, bool enabled);

/* From now on the call fails with DISP_E_EXCEPTION and the message; NULL
 * makes it work again. */
bool simulator_fail(struct simulator *simulator, enum simulator_call call, const char *message,
                    struct fault *fault);

/* machines.c */

/* A machine that is turned off and has no adapters. */
bool simulator_add_machine(struct simulator *simulator, const char *name, struct machine_uuid *uuid,
                           struct fault *fault);
/* The machine is gone at once, running or not. */
bool simulator_remove_machine(struct simulator *simulator, const struct machine_uuid *uuid,
                              struct fault *fault);
bool simulator_rename_machine(struct simulator *simulator, const struct machine_uuid *uuid,
                              const char *name, struct fault *fault);
/* The machine's name, owned by the simulator; NULL and a fault without it. */
const char *simulator_machine_name(struct simulator *simulator, const struct machine_uuid *uuid,
                                   struct fault *fault);
/* The machine stops for that reason, without a request of the accountant's: the guest
 * shuts it down, its process crashes, it migrates to another host. */
bool simulator_stop_machine(struct simulator *simulator, const struct machine_uuid *uuid,
                            enum stop_reason reason, struct fault *fault);
/* The machine goes back to a snapshot of a machine that ran, or was off. */
bool simulator_revert_machine(struct simulator *simulator, const struct machine_uuid *uuid,
                              bool to_running, struct fault *fault);
bool simulator_machine_is_running(struct simulator *simulator, const struct machine_uuid *uuid,
                                  bool *is_running, struct fault *fault);
/* As simulator_fail, for the calls that are about this machine; it is left out
 * of the answers that are about all. */
bool simulator_fail_machine(struct simulator *simulator, const struct machine_uuid *uuid,
                            enum simulator_call call, const char *message, struct fault *fault);
/* How long a Startup or Save of the accountant's takes from now on, the one in
 * progress included; SIMULATOR_ENDLESS: until this is called again. */
#define SIMULATOR_ENDLESS INT64_MAX
bool simulator_set_task_duration(struct simulator *simulator, const struct machine_uuid *uuid,
                                 int64_t nanoseconds, struct fault *fault);
/* What an administrator does, or the machine itself: the same as a change
 * that the accountant asks for. */
bool simulator_change(struct simulator *simulator, const struct machine_uuid *uuid,
                      enum machine_change change, struct fault *fault);

/* adapters.c */

bool simulator_plug(struct simulator *simulator, const struct machine_uuid *uuid,
                    const struct simulator_adapter_plan *plan, simulator_adapter_id *id,
                    struct fault *fault);
bool simulator_unplug(struct simulator *simulator, simulator_adapter_id id, struct fault *fault);
/* Adds to the device's count; its machine must be running. */
bool simulator_transfer(struct simulator *simulator, simulator_adapter_id id,
                        enum direction direction, struct decimal bytes, struct fault *fault);
/* Sets the device's count, which may thus fall without an event. */
bool simulator_set_counter(struct simulator *simulator, simulator_adapter_id id,
                           enum direction direction, struct decimal bytes, struct fault *fault);
bool simulator_adapter_mac(struct simulator *simulator, simulator_adapter_id id,
                           uint8_t mac[MAC_SIZE], struct fault *fault);

/* disks.c */

/* A disk of that target ("vda"); NULL for the first free one. A disk that
 * is not counted has no counter. */
bool simulator_add_disk(struct simulator *simulator, const struct machine_uuid *uuid,
                        const char *target, bool counted, simulator_disk_id *id,
                        struct fault *fault);
bool simulator_remove_disk(struct simulator *simulator, simulator_disk_id id, struct fault *fault);
/* Adds to the disk's count; its machine must be running. */
bool simulator_transfer_disk(struct simulator *simulator, simulator_disk_id id,
                             enum direction direction, struct decimal bytes, struct fault *fault);
/* Sets the disk's count, which may thus fall without an event. */
bool simulator_set_disk_counter(struct simulator *simulator, simulator_disk_id id,
                                enum direction direction, struct decimal bytes,
                                struct fault *fault);
/* Owned by the simulator; NULL and a fault when the disk is gone. */
const char *simulator_disk_target(struct simulator *simulator, simulator_disk_id id,
                                  struct fault *fault);

/* processors.c */

/* How many processors the host, or the machine, has. The host's are the
 * logical_processors of its host_info. */
void simulator_set_processors(struct simulator *simulator, unsigned processors);
bool simulator_set_machine_processors(struct simulator *simulator, const struct machine_uuid *uuid,
                                      unsigned processors, struct fault *fault);
/* The machine, which must be running, uses so much processor time. */
bool simulator_use_processor(struct simulator *simulator, const struct machine_uuid *uuid,
                             uint64_t nanoseconds, struct fault *fault);

#endif
