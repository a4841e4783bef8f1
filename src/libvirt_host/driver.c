#include "libvirt_host/driver.h"

#include "base/clock.h"
#include "libvirt_host/baseline_store.h"
#include "libvirt_host/call.h"
#include "libvirt_host/change.h"
#include "libvirt_host/configuration.h"
#include "libvirt_host/counters.h"
#include "libvirt_host/disks.h"
#include "libvirt_host/event_loop.h"
#include "libvirt_host/events.h"
#include "libvirt_host/host.h"
#include "libvirt_host/host_info.h"
#include "libvirt_host/inventory.h"
#include "libvirt_host/kernel_sample.h"
#include "libvirt_host/processors.h"
#include "libvirt_host/run.h"
#include "libvirt_host/scheduling.h"
#include "libvirt_host/sources.h"

static int64_t monotonic_time(struct host *host)
{
    (void)host;
    return clock_since_boot();
}

static int64_t unix_time(struct host *host)
{
    (void)host;
    return clock_unix() / CLOCK_SECOND;
}

/* The same function, bounded in time, and without a SIGPIPE for the program.
 * counters.c bounds its own calls, where it calls libvirt at all. `why` is the
 * fault, or NULL. */
#define BOUNDED(function, parameters, arguments, why)                                              \
    static bool bounded_##function parameters                                                      \
    {                                                                                              \
        struct libvirt_call call;                                                                  \
        call_begin(&call, &libvirt_host(host)->bound);                                             \
        return call_end(&call, function arguments, why);                                           \
    }

BOUNDED(libvirt_list, (struct host * host, struct machine_list *machines, struct fault *fault),
        (host, machines, fault), fault)
BOUNDED(libvirt_find,
        (struct host * host, const char *wanted, struct machine_uuid *uuid, bool *found,
         struct fault *fault),
        (host, wanted, uuid, found, fault), fault)
BOUNDED(libvirt_name,
        (struct host * host, const struct machine_uuid *uuid, char **text, struct fault *fault),
        (host, uuid, text, fault), fault)
BOUNDED(libvirt_state,
        (struct host * host, const struct machine_uuid *uuid, enum machine_state *value,
         struct fault *fault),
        (host, uuid, value, fault), fault)
BOUNDED(libvirt_adapters,
        (struct host * host, const struct machine_uuid *uuid, struct adapter_list **list_of,
         struct fault *fault),
        (host, uuid, list_of, fault), fault)
BOUNDED(libvirt_stop_reason,
        (struct host * host, const struct machine_uuid *uuid, enum stop_reason *reason,
         struct fault *fault),
        (host, uuid, reason, fault), fault)
BOUNDED(libvirt_uptime, (struct host * host, int64_t *seconds, struct fault *fault),
        (host, seconds, fault), fault)
BOUNDED(libvirt_product, (struct host * host, struct product *description, struct fault *fault),
        (host, description, fault), fault)
BOUNDED(libvirt_change,
        (struct host * host, const struct machine_uuid *uuid, enum machine_change change,
         struct fault *fault),
        (host, uuid, change, fault), fault)
BOUNDED(libvirt_check_change,
        (struct host * host, const struct machine_uuid *uuid, enum machine_change change,
         struct fault *fault),
        (host, uuid, change, fault), fault)
BOUNDED(libvirt_progress, (struct host * host, const struct machine_uuid *uuid, int *percent),
        (host, uuid, percent), NULL)
BOUNDED(libvirt_cancel, (struct host * host, const struct machine_uuid *uuid, struct fault *fault),
        (host, uuid, fault), fault)
BOUNDED(libvirt_write_baseline,
        (struct host * host, const struct machine_uuid *uuid, const struct baseline *baseline,
         struct fault *fault),
        (host, uuid, baseline, fault), fault)
BOUNDED(libvirt_tells, (struct host * host), (host), NULL)
BOUNDED(libvirt_prepare_writing, (struct host * host, struct fault *fault), (host, fault), fault)
BOUNDED(libvirt_rename,
        (struct host * host, const struct machine_uuid *uuid, const char *text,
         struct fault *fault),
        (host, uuid, text, fault), fault)
BOUNDED(libvirt_set_notes,
        (struct host * host, const struct machine_uuid *uuid, const char *text,
         struct fault *fault),
        (host, uuid, text, fault), fault)
BOUNDED(libvirt_set_memory,
        (struct host * host, const struct machine_uuid *uuid, uint64_t megabytes,
         struct fault *fault),
        (host, uuid, megabytes, fault), fault)
BOUNDED(libvirt_notes,
        (struct host * host, const struct machine_uuid *uuid, char **text, struct fault *fault),
        (host, uuid, text, fault), fault)
BOUNDED(libvirt_memory,
        (struct host * host, const struct machine_uuid *uuid, uint64_t *megabytes,
         struct fault *fault),
        (host, uuid, megabytes, fault), fault)
BOUNDED(libvirt_saved_state_path,
        (struct host * host, const struct machine_uuid *uuid, char **text, struct fault *fault),
        (host, uuid, text, fault), fault)
BOUNDED(libvirt_host_info,
        (struct host * host, enum host_part part, struct host_info *info, struct fault *fault),
        (host, part, info, fault), fault)

static const struct host_inventory inventory_functions = {
    .list = bounded_libvirt_list,
    .find = bounded_libvirt_find,
    .name = bounded_libvirt_name,
    .state = bounded_libvirt_state,
    .adapters = bounded_libvirt_adapters,
};

static const struct host_counters counters_functions = {
    .sample = libvirt_sample,
    .sample_all = libvirt_sample_all,
    .sample_disks = libvirt_sample_disks,
    .processor_times = libvirt_processor_times,
    .started_at = libvirt_started_at,
    .stop_reason = bounded_libvirt_stop_reason,
    .sources = libvirt_sources,
    .settle = libvirt_settle,
    .device_bytes = libvirt_device_bytes,
};

static const struct host_life_cycle life_cycle_functions = {
    .takes_time = libvirt_takes_time,
    .check_change = bounded_libvirt_check_change,
    .progress = bounded_libvirt_progress,
    .cancel = bounded_libvirt_cancel,
    .change = bounded_libvirt_change,
};

static const struct host_configuration configuration_functions = {
    .rename = bounded_libvirt_rename,
    .set_notes = bounded_libvirt_set_notes,
    .set_memory = bounded_libvirt_set_memory,
    .notes = bounded_libvirt_notes,
    .memory = bounded_libvirt_memory,
    .saved_state_path = bounded_libvirt_saved_state_path,
};

static const struct host_scheduler scheduler_functions = {
    .scheduling = libvirt_scheduling,
    .set_scheduling = libvirt_set_scheduling,
};

static const struct host_baseline_store baseline_store_functions = {
    .write_baseline = bounded_libvirt_write_baseline,
    .prepare_writing = bounded_libvirt_prepare_writing,
};

static const struct host_information information_functions = {
    .host_info = bounded_libvirt_host_info,
    .product = bounded_libvirt_product,
    .uptime = bounded_libvirt_uptime,
};

static const struct host_event_source event_source_functions = {
    .has_events = bounded_libvirt_tells,
    .listen = libvirt_listen,
};

static const struct host_clock clock_functions = {
    .unix_time = unix_time,
    .monotonic_time = monotonic_time,
};

static bool is_lost_by_fork(const struct host *host)
{
    (void)host;
    return event_loop_is_forked();
}

static const struct host_driver driver = {
    .run = host_run_in_thread,
    .is_lost_by_fork = is_lost_by_fork,
    .inventory = &inventory_functions,
    .counters = &counters_functions,
    .life_cycle = &life_cycle_functions,
    .configuration = &configuration_functions,
    .scheduler = &scheduler_functions,
    .baseline_store = &baseline_store_functions,
    .information = &information_functions,
    .event_source = &event_source_functions,
    .clock = &clock_functions,
    .close = libvirt_close,
    .destroy = libvirt_destroy,
};

struct host *libvirt_open(const char *uri, int timeout, enum counters counters, struct fault *fault)
{
    return libvirt_host_open(&driver, uri, timeout, counters, fault);
}
