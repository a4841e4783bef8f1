/* The host in front of a simulator: the tables of host.h. */
#include "host/adapter.h"
#include "host/sample.h"
#include "simulator/state.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool list(struct host *host, struct machine_list *list, struct fault *fault)
{
    size_t count = 0;
    if (simulator_call_fails(host, SIMULATOR_CALL_list, fault))
        return false;
    for (const struct simulated_machine *m = simulator_of(host)->machines; m; m = m->next)
        count++;
    list->count = 0;
    list->entries = calloc(count + 1, sizeof *list->entries);
    for (const struct simulated_machine *m = simulator_of(host)->machines; m && list->entries;
         m = m->next) {
        struct machine_list_entry *entry = &list->entries[list->count];
        entry->uuid = m->uuid;
        entry->name = strdup(m->name);
        if (entry->name == NULL) {
            machine_list_clear(list);
            break;
        }
        list->count++;
    }
    return list->entries != NULL || fault_out_of_memory(fault);
}

static bool find(struct host *host, const char *name, struct machine_uuid *uuid, bool *found,
                 struct fault *fault)
{
    if (simulator_call_fails(host, SIMULATOR_CALL_find, fault))
        return false;
    *found = false;
    for (const struct simulated_machine *m = simulator_of(host)->machines; m && !*found;
         m = m->next) {
        *found = strcmp(m->name, name) == 0;
        *uuid = m->uuid;
        if (*found && simulated_machine_fails(m, SIMULATOR_CALL_find, fault))
            return false;
    }
    return true;
}

static bool name(struct host *host, const struct machine_uuid *uuid, char **name,
                 struct fault *fault)
{
    const struct simulated_machine *machine =
        simulator_machine_for(host, SIMULATOR_CALL_name, uuid, fault);
    if (machine == NULL)
        return false;
    *name = strdup(machine->name);
    return *name != NULL || fault_out_of_memory(fault);
}

static bool state(struct host *host, const struct machine_uuid *uuid, enum machine_state *state,
                  struct fault *fault)
{
    const struct simulated_machine *machine =
        simulator_machine_for(host, SIMULATOR_CALL_state, uuid, fault);
    if (machine != NULL)
        *state = machine->state;
    return machine != NULL;
}

static bool describe(const struct simulated_adapter *from, struct adapter *to)
{
    memcpy(to->mac, from->mac, MAC_SIZE);
    to->type = strdup(from->type);
    to->source = strdup(from->source);
    /* On a real host, too, an adapter without a counter has no device. */
    to->device = from->counted ? strdup(from->device) : NULL;
    return to->type != NULL && to->source != NULL && (to->device != NULL || !from->counted);
}

static struct adapter_list *describe_all(const struct simulated_machine *machine)
{
    size_t count = 0;
    for (const struct simulated_adapter *a = machine->adapters; a; a = a->next)
        count++;
    struct adapter_list *adapters = adapter_list_new(count);
    size_t i = 0;
    for (const struct simulated_adapter *a = machine->adapters; a && adapters; a = a->next) {
        if (!describe(a, &adapters->adapters[i++])) {
            adapter_list_release(adapters);
            return NULL;
        }
    }
    return adapters;
}

static bool adapters(struct host *host, const struct machine_uuid *uuid,
                     struct adapter_list **adapters, struct fault *fault)
{
    const struct simulated_machine *machine =
        simulator_machine_for(host, SIMULATOR_CALL_adapters, uuid, fault);
    if (machine == NULL)
        return false;
    *adapters = describe_all(machine);
    return *adapters != NULL || fault_out_of_memory(fault);
}

static bool sample_machine(const struct simulated_machine *machine, struct machine_sample *sample,
                           struct fault *fault)
{
    *sample = (struct machine_sample){.uuid = machine->uuid, .domain_id = machine->domain_id};
    if (!simulated_machine_is_running(machine))
        return true;
    sample->adapters = describe_all(machine);
    if (sample->adapters == NULL || !machine_sample_start_readings(sample)) {
        machine_sample_clear(sample);
        return fault_out_of_memory(fault);
    }
    if (machine->baseline != NULL)
        sample->baseline = baseline_copy(machine->baseline);
    struct device_reading *reading = sample->readings;
    for (const struct simulated_adapter *a = machine->adapters; a; a = a->next, reading++) {
        memcpy(reading->key.mac, a->mac, MAC_SIZE);
        reading->key.incarnation = a->incarnation;
        if (!a->counted)
            continue;
        for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
            reading->bytes[direction] = a->bytes[direction];
            reading->present |= 1u << direction;
        }
    }
    return true;
}

static bool sample(struct host *host, const struct machine_uuid *uuid,
                   struct machine_sample *sample, struct fault *fault)
{
    const struct simulated_machine *machine =
        simulator_machine_for(host, SIMULATOR_CALL_sample, uuid, fault);
    return machine != NULL && sample_machine(machine, sample, fault);
}

static bool sample_all(struct host *host, sample_receiver *receive, void *context,
                       struct fault *fault)
{
    if (simulator_call_fails(host, SIMULATOR_CALL_sample_all, fault))
        return false;
    for (const struct simulated_machine *m = simulator_of(host)->machines; m; m = m->next) {
        struct machine_sample one;
        struct fault unread; /* a sample of it alone fails with the reason */
        if (simulated_machine_fails(m, SIMULATOR_CALL_sample, &unread))
            continue;
        if (!sample_machine(m, &one, fault))
            return false;
        receive(context, &one);
        machine_sample_clear(&one);
    }
    return true;
}

static bool change(struct host *host, const struct machine_uuid *uuid, enum machine_change change,
                   struct fault *fault)
{
    return simulator_machine_for(host, SIMULATOR_CALL_change, uuid, fault) != NULL &&
           simulator_change(simulator_of(host), uuid, change, fault);
}

static bool started_at(struct host *host, const struct machine_uuid *uuid, int64_t domain_id,
                       struct moment *started, struct fault *fault)
{
    const struct simulated_machine *machine =
        simulator_machine_for(host, SIMULATOR_CALL_started_at, uuid, fault);
    if (machine == NULL)
        return false;
    if (machine->domain_id != domain_id)
        return fault_set(fault, HRESULT_S_FALSE, "the machine is not running");
    *started = (struct moment){.at = machine->begun_at, .wall = machine->started_at};
    return true;
}

static bool stop_reason(struct host *host, const struct machine_uuid *uuid,
                        enum stop_reason *reason, struct fault *fault)
{
    const struct simulated_machine *machine =
        simulator_find_machine(simulator_of(host), uuid, fault);
    if (machine != NULL)
        *reason = machine->stop_reason;
    return machine != NULL;
}

static bool sources(struct host *host, source_receiver *receive, void *context, struct fault *fault)
{
    (void)fault;
    for (const struct simulated_machine *m = simulator_of(host)->machines; m; m = m->next) {
        for (const struct simulated_adapter *a = m->adapters; a; a = a->next) {
            struct counter_source source = {.machine = strdup(m->name),
                                            .device = strdup(a->device),
                                            .ifindex = a->incarnation,
                                            .source = a->counted ? "simulator" : "none",
                                            .reason = "a simulated adapter"};
            memcpy(source.mac, a->mac, MAC_SIZE);
            receive(context, &source);
        }
    }
    return true;
}

static bool has_events(struct host *host)
{
    return !simulator_of(host)->is_silent;
}

static void listen(struct host *host, const struct host_listener *listener)
{
    struct simulated_host *self = (struct simulated_host *)host;
    self->is_listened_to = listener != NULL;
    if (listener != NULL)
        self->listener = *listener;
}

/* Events are reported while they happen. */
static void settle(struct host *host)
{
    (void)host;
}

static bool device_bytes(struct host *host, uint64_t incarnation,
                         struct decimal bytes[DIRECTION_COUNT])
{
    (void)host;
    (void)incarnation;
    (void)bytes;
    return false; /* no simulated device outlives its machine's run */
}

static bool write_baseline(struct host *host, const struct machine_uuid *uuid,
                           const struct baseline *baseline, struct fault *fault)
{
    struct simulated_machine *machine =
        simulator_machine_for(host, SIMULATOR_CALL_write_baseline, uuid, fault);
    if (machine == NULL || !simulator_require_running(machine, fault))
        return false;
    struct baseline *copy = baseline_copy(baseline);
    if (copy == NULL)
        return fault_out_of_memory(fault);
    baseline_free(machine->baseline);
    machine->baseline = copy;
    return true;
}

static bool prepare_writing(struct host *host, struct fault *fault)
{
    return !simulator_call_fails(host, SIMULATOR_CALL_write_baseline, fault);
}

static bool product(struct host *host, struct product *product, struct fault *fault)
{
    if (simulator_call_fails(host, SIMULATOR_CALL_product, fault))
        return false;
    snprintf(product->name, sizeof product->name, "simulator");
    snprintf(product->version, sizeof product->version, "1.0.0");
    return true;
}

static int64_t unix_time(struct host *host)
{
    return simulator_unix_time(simulator_of(host));
}

static int64_t monotonic_time(struct host *host)
{
    return simulator_monotonic_time(simulator_of(host));
}

static bool uptime(struct host *host, int64_t *seconds, struct fault *fault)
{
    if (simulator_call_fails(host, SIMULATOR_CALL_uptime, fault))
        return false;
    *seconds = unix_time(host) - simulator_of(host)->created_at;
    return true;
}

static void close_host(struct host *host)
{
    listen(host, NULL);
    simulated_tasks_leave(host);
}

static void destroy(struct host *host)
{
    struct simulated_host *self = (struct simulated_host *)host;
    struct simulated_host **link = &self->simulator->hosts;

    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    simulator_release(self->simulator);
    free(host->uri);
    free(host);
}

static const struct host_inventory inventory_functions = {
    .list = list,
    .find = find,
    .name = name,
    .state = state,
    .adapters = adapters,
};

static const struct host_counters counters_functions = {
    .sample = sample,
    .sample_all = sample_all,
    .sample_disks = simulated_sample_disks,
    .processor_times = simulated_processor_times,
    .started_at = started_at,
    .stop_reason = stop_reason,
    .sources = sources,
    .settle = settle,
    .device_bytes = device_bytes,
};

static const struct host_life_cycle life_cycle_functions = {
    .begin = simulated_begin,
    .await = simulated_await,
    .progress = simulated_progress,
    .cancel = simulated_cancel,
    .change = change,
};

static const struct host_configuration configuration_functions = {
    .rename = simulator_rename,
    .set_notes = simulator_set_notes,
    .set_memory = simulator_set_memory,
    .notes = simulator_notes,
    .memory = simulator_memory,
    .saved_state_path = simulator_saved_state_path,
};

static const struct host_scheduler scheduler_functions = {
    .scheduling = simulated_scheduling,
    .set_scheduling = simulated_set_scheduling,
};

static const struct host_baseline_store baseline_store_functions = {
    .write_baseline = write_baseline,
    .prepare_writing = prepare_writing,
};

static const struct host_information information_functions = {
    .host_info = simulator_host_info_part,
    .product = product,
    .uptime = uptime,
};

static const struct host_event_source event_source_functions = {
    .has_events = has_events,
    .listen = listen,
};

static const struct host_clock clock_functions = {
    .unix_time = unix_time,
    .monotonic_time = monotonic_time,
};

static bool run(struct host *host, host_errand *errand, void *context, struct fault *fault)
{
    (void)host, (void)fault;
    errand(context, false);
    return true;
}

static const struct host_driver simulator_driver = {
    .run = run,
    .inventory = &inventory_functions,
    .counters = &counters_functions,
    .life_cycle = &life_cycle_functions,
    .configuration = &configuration_functions,
    .scheduler = &scheduler_functions,
    .baseline_store = &baseline_store_functions,
    .information = &information_functions,
    .event_source = &event_source_functions,
    .clock = &clock_functions,
    .close = close_host,
    .destroy = destroy,
};

struct host *simulator_connect(struct simulator *self)
{
    enum { URI_SIZE = 32 };
    struct simulated_host *host = calloc(1, sizeof *host);
    char *uri = malloc(URI_SIZE);
    if (host == NULL || uri == NULL) {
        free(host);
        free(uri);
        return NULL;
    }
    snprintf(uri, URI_SIZE, "simulator:///%u", self->serial);
    host->base.uri = uri;
    host->base.driver = &simulator_driver;
    atomic_init(&host->base.references, 1);
    host->simulator = self;
    host->next = self->hosts;
    self->hosts = host;
    self->references++;
    return &host->base;
}
