#include "libvirt_host/driver.h"

#include "base/clock.h"
#include "libvirt_host/call.h"
#include "libvirt_host/daemon.h"
#include "libvirt_host/error.h"
#include "libvirt_host/known_domain.h"
#include "libvirt_host/process_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

virDomainPtr libvirt_open_domain(struct libvirt_host *self, enum access access,
                                 const struct machine_uuid *uuid, struct fault *fault)
{
    virConnectPtr connection = libvirt_connection(self, access, fault);
    if (connection == NULL)
        return NULL;
    virDomainPtr domain = virDomainLookupByUUID(connection, uuid->bytes);
    if (domain == NULL)
        libvirt_error_fault(fault, "the machine cannot be found", HRESULT_DISP_E_EXCEPTION);
    virConnectClose(connection); /* the domain holds it */
    return domain;
}

static bool list(struct host *host, struct machine_list *list, struct fault *fault)
{
    virDomainPtr *domains = NULL;
    virConnectPtr connection = libvirt_connection(libvirt_host(host), READ_ONLY, fault);
    if (connection == NULL)
        return false;
    int count = virConnectListAllDomains(connection, &domains, 0);
    if (count < 0)
        libvirt_error_fault(fault, "the machines cannot be listed", HRESULT_DISP_E_EXCEPTION);
    virConnectClose(connection);
    if (count < 0)
        return false;

    bool ok = true;
    list->entries = calloc((size_t)count + 1, sizeof *list->entries);
    list->count = 0;
    for (int i = 0; i < count; i++) {
        if (ok && list->entries != NULL) {
            struct machine_list_entry *entry = &list->entries[list->count];
            virDomainGetUUID(domains[i], entry->uuid.bytes);
            entry->name = strdup(virDomainGetName(domains[i]));
            ok = entry->name != NULL;
            list->count += ok;
        }
        virDomainFree(domains[i]);
    }
    free(domains);
    if (list->entries != NULL && ok)
        return true;
    machine_list_clear(list);
    return fault_out_of_memory(fault);
}

static bool find(struct host *host, const char *name, struct machine_uuid *uuid, bool *found,
                 struct fault *fault)
{
    virConnectPtr connection = libvirt_connection(libvirt_host(host), READ_ONLY, fault);
    if (connection == NULL)
        return false;
    virDomainPtr domain = virDomainLookupByName(connection, name);
    bool ok =
        domain != NULL || virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ||
        libvirt_error_fault(fault, "the machine cannot be looked up", HRESULT_DISP_E_EXCEPTION);
    *found = domain != NULL;
    virConnectClose(connection);
    if (domain == NULL)
        return ok;
    virDomainGetUUID(domain, uuid->bytes);
    virDomainFree(domain);
    return true;
}

static bool name(struct host *host, const struct machine_uuid *uuid, char **name,
                 struct fault *fault)
{
    virDomainPtr domain = libvirt_open_domain(libvirt_host(host), READ_ONLY, uuid, fault);
    if (domain == NULL)
        return false;
    *name = strdup(virDomainGetName(domain));
    virDomainFree(domain);
    return *name != NULL || fault_out_of_memory(fault);
}

static bool adapters(struct host *host, const struct machine_uuid *uuid,
                     struct adapter_list **adapters, struct fault *fault)
{
    struct domain_definition definition;
    virDomainPtr domain = libvirt_open_domain(libvirt_host(host), READ_ONLY, uuid, fault);
    if (domain == NULL)
        return false;
    bool ok = libvirt_read_definition(domain, &definition, fault);
    if (ok) {
        *adapters = adapter_list_hold(definition.adapters);
        domain_definition_clear(&definition);
    }
    virDomainFree(domain);
    return ok;
}

/* libvirt's states in Virtual Server's terms. QEMU runs on, and its counters
 * with it, in all that are not TurnedOff or Saved. */
static enum machine_state state_of(virDomainPtr domain, int state, int reason)
{
    switch (state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
        return MACHINE_Running;
    case VIR_DOMAIN_PAUSED:
        return reason == VIR_DOMAIN_PAUSED_STARTING_UP ? MACHINE_TurningOn
               : reason == VIR_DOMAIN_PAUSED_SAVE      ? MACHINE_Saving
                                                       : MACHINE_Paused;
    case VIR_DOMAIN_PMSUSPENDED:
        return MACHINE_Paused;
    case VIR_DOMAIN_SHUTDOWN:
        return MACHINE_TurningOff;
    case VIR_DOMAIN_CRASHED: /* kept for inspection under on_crash=preserve */
        if (virDomainIsActive(domain) == 1)
            return MACHINE_Paused;
        return MACHINE_TurnedOff;
    case VIR_DOMAIN_SHUTOFF:
        return virDomainHasManagedSaveImage(domain, 0) == 1 ? MACHINE_Saved : MACHINE_TurnedOff;
    default:
        return MACHINE_Invalid;
    }
}

bool libvirt_domain_state(virDomainPtr domain, enum machine_state *state, struct fault *fault)
{
    int number, reason;
    if (virDomainGetState(domain, &number, &reason, 0) < 0)
        return libvirt_error_fault(fault, "the machine's state cannot be read",
                                   HRESULT_DISP_E_EXCEPTION);
    *state = state_of(domain, number, reason);
    return true;
}

static bool state(struct host *host, const struct machine_uuid *uuid, enum machine_state *state,
                  struct fault *fault)
{
    virDomainPtr domain = libvirt_open_domain(libvirt_host(host), READ_ONLY, uuid, fault);
    if (domain == NULL)
        return false;
    bool ok = libvirt_domain_state(domain, state, fault);
    virDomainFree(domain);
    return ok;
}

static bool started_at(struct host *host, const struct machine_uuid *uuid, int64_t domain_id,
                       struct moment *started, struct fault *fault)
{
    (void)domain_id;
    if (!libvirt_host(host)->is_local_qemu)
        return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                         "when the machine started cannot be known: this process did not see it "
                         "start, and libvirt does not tell");
    return qemu_process_started_at(uuid, started, fault);
}

/* virDomainShutoffReason, kept by the daemon for as long as it runs. */
static bool stop_reason(struct host *host, const struct machine_uuid *uuid,
                        enum stop_reason *reason, struct fault *fault)
{
    static const enum stop_reason reasons[] = {
        [VIR_DOMAIN_SHUTOFF_SHUTDOWN] = STOP_SHUT_DOWN,
        [VIR_DOMAIN_SHUTOFF_DESTROYED] = STOP_TURNED_OFF,
        [VIR_DOMAIN_SHUTOFF_CRASHED] = STOP_CRASHED,
        [VIR_DOMAIN_SHUTOFF_MIGRATED] = STOP_MIGRATED_AWAY,
        [VIR_DOMAIN_SHUTOFF_SAVED] = STOP_SAVED,
        [VIR_DOMAIN_SHUTOFF_FAILED] = STOP_CRASHED,
        [VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT] = STOP_REVERTED,
    };
    int state, number;

    virDomainPtr domain = libvirt_open_domain(libvirt_host(host), READ_ONLY, uuid, fault);
    if (domain == NULL)
        return false;
    *reason = STOP_UNKNOWN;
    if (virDomainGetState(domain, &state, &number, 0) == 0 && state == VIR_DOMAIN_SHUTOFF &&
        number >= 0 && (size_t)number < sizeof reasons / sizeof reasons[0])
        *reason = reasons[number];
    virDomainFree(domain);
    return true;
}

static bool device_bytes(struct host *host, uint64_t incarnation,
                         struct decimal bytes[DIRECTION_COUNT])
{
    struct link device;

    if (!libvirt_host(host)->is_local_qemu || !incarnation_is_ifindex(incarnation) ||
        !link_read((unsigned)incarnation, &device) || !device.has_bytes)
        return false;
    link_bytes(&device, bytes);
    return true;
}

static bool product(struct host *host, struct product *product, struct fault *fault)
{
    unsigned long version = 0;
    virConnectPtr connection = libvirt_connection(libvirt_host(host), READ_ONLY, fault);
    if (connection == NULL)
        return false;
    const char *type = virConnectGetType(connection);
    bool ok = type != NULL && virConnectGetLibVersion(connection, &version) == 0;

    if (ok)
        snprintf(product->name, sizeof product->name, "libvirt %s", type);
    else
        libvirt_error_fault(fault, "the host's version cannot be read", HRESULT_DISP_E_EXCEPTION);
    virConnectClose(connection);
    /* libvirt.h: 1,000,000 * major + 1,000 * minor + release */
    snprintf(product->version, sizeof product->version, "%lu.%lu.%lu", version / 1000000,
             version / 1000 % 1000, version % 1000);
    return ok;
}

static bool uptime(struct host *host, int64_t *seconds, struct fault *fault)
{
    struct libvirt_host *self = libvirt_host(host);

    if (self->is_in_process) {
        *seconds = (monotonic_time(host) - self->opened_at) / 1000000000;
        return true;
    }
    if (!self->is_local_qemu)
        return fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                         "how long a remote host's service has been running cannot be known: "
                         "libvirt does not tell");
    /* The daemon is known by the connection, which may have been lost. */
    virConnectPtr connection = libvirt_connection(self, READ_ONLY, fault);
    if (connection == NULL)
        return false;
    bool ok = daemon_uptime(host->uri, seconds, fault);
    virConnectClose(connection);
    return ok;
}

/* The same, bounded in time, and without a SIGPIPE for the program. counters.c
 * does so by itself, where it asks libvirt at all. `why` is the fault, or NULL. */
#define BOUNDED(function, parameters, arguments, why)                                              \
    static bool bounded_##function parameters                                                      \
    {                                                                                              \
        struct libvirt_call call;                                                                  \
        call_begin(&call, libvirt_host(host)->timeout);                                            \
        return call_end(&call, function arguments, why);                                           \
    }

BOUNDED(list, (struct host * host, struct machine_list *machines, struct fault *fault),
        (host, machines, fault), fault)
BOUNDED(find,
        (struct host * host, const char *wanted, struct machine_uuid *uuid, bool *found,
         struct fault *fault),
        (host, wanted, uuid, found, fault), fault)
BOUNDED(name,
        (struct host * host, const struct machine_uuid *uuid, char **text, struct fault *fault),
        (host, uuid, text, fault), fault)
BOUNDED(state,
        (struct host * host, const struct machine_uuid *uuid, enum machine_state *value,
         struct fault *fault),
        (host, uuid, value, fault), fault)
BOUNDED(adapters,
        (struct host * host, const struct machine_uuid *uuid, struct adapter_list **list_of,
         struct fault *fault),
        (host, uuid, list_of, fault), fault)
BOUNDED(stop_reason,
        (struct host * host, const struct machine_uuid *uuid, enum stop_reason *reason,
         struct fault *fault),
        (host, uuid, reason, fault), fault)
BOUNDED(uptime, (struct host * host, int64_t *seconds, struct fault *fault), (host, seconds, fault),
        fault)
BOUNDED(product, (struct host * host, struct product *description, struct fault *fault),
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
    .list = bounded_list,
    .find = bounded_find,
    .name = bounded_name,
    .state = bounded_state,
    .adapters = bounded_adapters,
};

static const struct host_counters counters_functions = {
    .sample = libvirt_sample,
    .sample_all = libvirt_sample_all,
    .sample_disks = libvirt_sample_disks,
    .processor_times = libvirt_processor_times,
    .started_at = started_at,
    .stop_reason = bounded_stop_reason,
    .sources = libvirt_sources,
    .settle = libvirt_settle,
    .device_bytes = device_bytes,
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
    .product = bounded_product,
    .uptime = bounded_uptime,
};

static const struct host_event_source event_source_functions = {
    .has_events = bounded_libvirt_tells,
    .listen = libvirt_listen,
};

static const struct host_clock clock_functions = {
    .unix_time = unix_time,
    .monotonic_time = monotonic_time,
};

const struct host_driver libvirt_driver = {
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
