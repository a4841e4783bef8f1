#include "accounting/accounting.h"
#include "accounting/sampling.h"

#include <stdlib.h>
#include <string.h>

/* The adapter of that key. A key from another run of the machine, or from
 * before it was started, stands for the one attached adapter of its MAC. */
static const struct session_adapter *find_attached(const struct session *session,
                                                   const struct device_key *key)
{
    const struct session_adapter *same_mac = NULL;
    size_t matches = 0;

    for (size_t i = 0; i < session->count; i++) {
        const struct session_adapter *adapter = &session->adapters[i];
        if (!adapter->attached || memcmp(adapter->key.mac, key->mac, MAC_SIZE) != 0)
            continue;
        if (adapter->key.incarnation == key->incarnation)
            return adapter;
        same_mac = adapter;
        matches++;
    }
    return matches == 1 ? same_mac : NULL;
}

bool accounting_adapter_total(struct accounting *accounting, const struct machine_uuid *uuid,
                              const struct device_key *key, enum direction direction,
                              struct decimal *total, struct fault *fault)
{
    struct account *account = account_observe_running_and_lock(accounting, uuid, fault);
    if (account == NULL)
        return false;

    const struct session_adapter *adapter = find_attached(&account->session, key);
    bool ok;
    if (adapter == NULL)
        ok = fault_set(fault, HRESULT_VM_E_ADAPTER_NOT_FOUND,
                       "the machine no longer has this adapter; list NetworkAdapters again");
    else if ((adapter->known & 1u << direction) == 0)
        ok = fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                       "the host has no byte counter for this adapter (IsCounted is false)");
    else if (!session_adapter_is_known(adapter, direction))
        ok = fault_set(fault, HRESULT_DISP_E_EXCEPTION,
                       "the adapter's byte counter could not be read when the machine was reset, "
                       "so its bytes cannot be known until it is next started or reset");
    else if (!counter_value(&adapter->counters[direction], total))
        ok = fault_set(fault, HRESULT_DISP_E_OVERFLOW,
                       "the adapter's bytes are above 2^96-1, the largest documented value");
    else
        ok = true;
    pthread_mutex_unlock(&accounting->lock);
    return ok;
}

static bool snapshot_new(struct adapter_snapshot *snapshot, struct adapter_list *adapters)
{
    *snapshot = (struct adapter_snapshot){
        .keys = calloc(adapters->count + 1, sizeof *snapshot->keys),
        .counted = calloc(adapters->count + 1, sizeof *snapshot->counted),
    };
    if (snapshot->keys == NULL || snapshot->counted == NULL) {
        adapter_snapshot_clear(snapshot);
        return false;
    }
    snapshot->adapters = adapter_list_hold(adapters);
    return true;
}

static bool snapshot_of_definition(struct accounting *accounting, const struct machine_uuid *uuid,
                                   struct adapter_snapshot *snapshot, struct fault *fault)
{
    struct host *host = accounting->host;
    struct adapter_list *adapters = NULL;

    if (!host_adapters(host, uuid, &adapters, fault))
        return false;
    bool ok = snapshot_new(snapshot, adapters) || fault_out_of_memory(fault);
    for (size_t i = 0; ok && i < adapters->count; i++)
        memcpy(snapshot->keys[i].mac, adapters->adapters[i].mac, MAC_SIZE);
    adapter_list_release(adapters);
    return ok;
}

/* Where an adapter is plugged in can change without a word from the host. The
 * present definition takes the place of the one that the sample went by, if it
 * has the same devices and the host answers. */
static void renew_adapters(struct accounting *accounting, const struct machine_uuid *uuid,
                           struct adapter_snapshot *snapshot)
{
    struct host *host = accounting->host;
    struct adapter_list *known = snapshot->adapters, *renewed = NULL;
    struct fault fault;

    if (accounting->max_age > 0 || !host_adapters(host, uuid, &renewed, &fault))
        return;
    bool is_same = renewed->count == known->count;
    for (size_t i = 0; is_same && i < known->count; i++) {
        const struct adapter *a = &known->adapters[i], *b = &renewed->adapters[i];
        is_same = memcmp(a->mac, b->mac, MAC_SIZE) == 0 &&
                  (a->device == NULL) == (b->device == NULL) &&
                  (a->device == NULL || strcmp(a->device, b->device) == 0);
    }
    snapshot->adapters = is_same ? renewed : known;
    adapter_list_release(is_same ? known : renewed);
}

bool accounting_adapters(struct accounting *accounting, const struct machine_uuid *uuid,
                         struct adapter_snapshot *snapshot, struct fault *fault)
{
    struct account *account = account_observe_and_lock(accounting, uuid, fault);
    if (account == NULL)
        return false;

    const struct machine_sample *last = &account->last;
    bool running = last->domain_id != NOT_RUNNING;
    bool ok = !running || snapshot_new(snapshot, last->adapters) || fault_out_of_memory(fault);
    for (size_t i = 0; running && ok && i < last->adapters->count; i++) {
        const unsigned both = 1u << DIRECTION_SENT | 1u << DIRECTION_RECEIVED;
        snapshot->keys[i] = last->readings[i].key;
        snapshot->counted[i] = (last->readings[i].present & both) == both;
    }
    pthread_mutex_unlock(&accounting->lock);
    if (!running)
        return snapshot_of_definition(accounting, uuid, snapshot, fault);
    if (ok)
        renew_adapters(accounting, uuid, snapshot);
    return ok;
}

void adapter_snapshot_clear(struct adapter_snapshot *snapshot)
{
    adapter_list_release(snapshot->adapters);
    free(snapshot->keys);
    free(snapshot->counted);
    *snapshot = (struct adapter_snapshot){0};
}
