/*
 * state: what the simulator's files share.
 *
 * state.c          the clocks, the machine of a call, and failures
 * adapters.c       the machines' network adapters
 * disks.c          their disks
 * processors.c     their processors
 * machines.c       their life cycles
 * tasks.c          changes of them that take time
 * configuration.c  the rest of their definitions, and the host's description
 * simulator.c      its creation and its end
 * driver.c         the host in front of it
 */
#ifndef VMACCOUNTANT_SIMULATOR_STATE_H
#define VMACCOUNTANT_SIMULATOR_STATE_H

#include "host/baseline.h"
#include "simulator/configuration.h"
#include "simulator/simulator.h"

struct simulated_adapter {
    struct simulated_adapter *next;
    simulator_adapter_id id;
    uint8_t mac[MAC_SIZE];
    char *type;
    char *source;
    char device[16];
    uint64_t incarnation;
    bool counted;
    struct decimal bytes[DIRECTION_COUNT];
};

struct simulated_disk {
    struct simulated_disk *next;
    simulator_disk_id id;
    char *target;
    bool counted;
    struct decimal bytes[DIRECTION_COUNT];
};

/* A change in progress. */
struct simulated_task {
    enum machine_change change;
    int64_t begun_at; /* on the monotonic clock */
    struct host *host;
    change_ended *ended; /* NULL when the host has been closed */
    void *context;
};

struct simulated_machine {
    struct simulated_machine *next;
    struct machine_uuid uuid;
    char *name;
    enum machine_state state;
    int64_t domain_id;
    int64_t started_at;
    enum stop_reason stop_reason;
    struct baseline *baseline; /* saved with the machine's memory */
    struct simulated_adapter *adapters;
    struct simulated_disk *disks;
    int64_t begun_at;        /* of this run, on the monotonic clock */
    uint64_t processor_time; /* nanoseconds used in this run */
    unsigned processors;
    struct scheduling scheduling;
    struct simulated_configuration configuration;
    char *failures[SIMULATOR_CALL_COUNT];
    int64_t task_duration;       /* nanoseconds; 0: a change is done at once */
    struct simulated_task *task; /* NULL: none is in progress */
};

struct simulator {
    unsigned references;
    unsigned serial; /* among the simulators of this process */
    struct simulated_machine *machines;
    uint32_t machine_serial; /* of UUIDs */
    uint32_t adapter_serial; /* of identities and MACs */
    uint64_t device_serial;  /* of incarnations and device names */
    uint64_t disk_serial;    /* of identities */
    int64_t next_domain_id;
    bool follows_real_time;
    int64_t frozen_unix_time; /* nanoseconds; unless it follows real time */
    int64_t frozen_monotonic_time;
    int64_t clock_offset;
    int64_t created_at;
    char *failures[SIMULATOR_CALL_COUNT];
    bool is_silent;
    struct simulated_host *hosts;
    struct host_info host_info;
};

struct simulated_host {
    struct host base;
    struct simulator *simulator;
    struct simulated_host *next;
    bool is_listened_to;
    struct host_listener listener;
};

/* clang-format off */
/* Calls the listener's function on each host that has one. */
#define NOTIFY(simulator, event, ...)                                                      \
    for (struct simulated_host *host = (simulator)->is_silent ? NULL : (simulator)->hosts; \
         host != NULL; host = host->next)                                                  \
        if (host->is_listened_to)                                                          \
            host->listener.event(host->listener.context, __VA_ARGS__)
/* clang-format on */

/* state.c */

/* NULL and a fault of VM_E_VM_UNKNOWN when there is none. */
struct simulated_machine *simulator_find_machine(const struct simulator *simulator,
                                                 const struct machine_uuid *uuid,
                                                 struct fault *fault);
bool simulator_require(bool condition, struct fault *fault, enum hresult code, const char *message);
bool simulator_require_running(const struct simulated_machine *machine, struct fault *fault);
static inline bool simulated_machine_is_running(const struct simulated_machine *machine)
{
    return machine->domain_id != NOT_RUNNING;
}
/* Whether the call on the host is to fail; if so, the fault is filled. */
bool simulator_call_fails(struct host *host, enum simulator_call call, struct fault *fault);
/* Whether the call is to fail for this machine only. */
bool simulated_machine_fails(const struct simulated_machine *machine, enum simulator_call call,
                             struct fault *fault);
/* The machine that the call is about; NULL and a fault where there is none, or
 * where the call is to fail. */
struct simulated_machine *simulator_machine_for(struct host *host, enum simulator_call call,
                                                const struct machine_uuid *uuid,
                                                struct fault *fault);
/* The definition of the machine; NULL and a fault without it, or when the call
 * has been made to fail. */
struct simulated_configuration *simulator_configuration(struct host *host, enum simulator_call call,
                                                        const struct machine_uuid *uuid,
                                                        struct fault *fault);
/* The host's description of itself; NULL and a fault when the call is to fail. */
const struct host_info *simulator_host_info(struct host *host, struct fault *fault);
int64_t simulator_unix_time(const struct simulator *simulator); /* seconds */
int64_t simulator_monotonic_time(const struct simulator *simulator);
static inline struct simulator *simulator_of(struct host *host)
{
    return ((struct simulated_host *)host)->simulator;
}

/* machines.c */

void simulated_machine_free(struct simulated_machine *machine);
/* Takes the machine's task, if it has one, and reports how it ended. */
void simulated_machine_end_task(struct simulated_machine *machine, bool ok,
                                const struct fault *fault);
bool simulator_check_change(const struct simulated_machine *machine, enum machine_change change,
                            struct fault *fault);

/* adapters.c */

/* The machine starts, or stops: its devices come, or go. */
void simulated_adapters_start(struct simulator *simulator, struct simulated_machine *machine);
void simulated_adapters_stop(struct simulator *simulator, const struct simulated_machine *machine);
void simulated_adapters_free(struct simulated_machine *machine);

/* disks.c */

/* The machine's hypervisor process is a new one: its disks count from zero. */
void simulated_disks_start(struct simulated_machine *machine);
void simulated_disks_free(struct simulated_machine *machine);
bool simulated_sample_disks(struct host *host, const struct machine_uuid *uuid,
                            disk_receiver *receive, void *context, struct fault *fault);

/* processors.c */

bool simulated_processor_times(struct host *host, processor_time_receiver *receive, void *context,
                               struct fault *fault);
bool simulated_scheduling(struct host *host, const struct machine_uuid *uuid,
                          struct scheduling *scheduling, struct fault *fault);
bool simulated_set_scheduling(struct host *host, const struct machine_uuid *uuid,
                              const struct scheduling *scheduling, struct fault *fault);

/* tasks.c */

bool simulated_begin(struct host *host, const struct machine_uuid *uuid, enum machine_change change,
                     change_ended *ended, void *context, bool *is_open, struct fault *fault);
bool simulated_await(struct host *host, const struct machine_uuid *uuid, int64_t milliseconds,
                     struct fault *fault);
bool simulated_progress(struct host *host, const struct machine_uuid *uuid, int *percent);
bool simulated_cancel(struct host *host, const struct machine_uuid *uuid, struct fault *fault);
/* The host is closed: its tasks go on, and their ends are not reported. */
void simulated_tasks_leave(struct host *host);

#endif
