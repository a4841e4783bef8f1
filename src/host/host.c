#include "host/host.h"

#include "base/thread.h"
#include "host/name.h"

#include <stdlib.h>

struct host *host_hold(struct host *host)
{
    atomic_fetch_add(&host->references, 1);
    return host;
}

void host_release(struct host *host)
{
    if (atomic_fetch_sub(&host->references, 1) == 1)
        host->driver->destroy(host);
}

struct errand {
    host_errand *function;
    void *context;
};

static void run_errand(void *argument)
{
    const struct errand errand = *(struct errand *)argument;

    free(argument);
    errand.function(errand.context, true);
}

bool host_run_in_thread(struct host *host, host_errand *function, void *context,
                        struct fault *fault)
{
    struct errand *errand = malloc(sizeof *errand);

    (void)host;
    if (errand == NULL)
        return fault_out_of_memory(fault);
    *errand = (struct errand){function, context};
    if (thread_run(run_errand, errand, fault))
        return true;
    free(errand);
    return false;
}

bool host_find(struct host *host, const char *name, struct machine_uuid *uuid, bool *found,
               struct fault *fault)
{
    if (!host_find_exact(host, name, uuid, found, fault))
        return false;
    if (*found)
        return true;

    struct machine_list list = {0};
    if (!host_list(host, &list, fault))
        return false;

    const struct machine_list_entry *match = NULL;
    bool ok = true;
    for (size_t i = 0; i < list.count && ok; i++) {
        if (!machine_name_equal(list.entries[i].name, name))
            continue;
        if (match != NULL)
            ok = fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                           "'%s' could be '%s' or '%s', which differ in letter case only; "
                           "give the exact name",
                           name, match->name, list.entries[i].name);
        match = &list.entries[i];
    }
    if (ok && match != NULL) {
        *uuid = match->uuid;
        *found = true;
    }
    machine_list_clear(&list);
    return ok;
}
