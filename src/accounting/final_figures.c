#include "accounting/final_figures.h"

#include "accounting/account_table.h"

#include <stdlib.h>

static bool may_remain(const struct session_adapter *adapter)
{
    return adapter->attached && !adapter->finished &&
           incarnation_is_ifindex(adapter->key.incarnation);
}

bool final_figures_are_due_locked(const struct account *account)
{
    for (size_t i = 0; i < account->session.count; i++)
        if (may_remain(&account->session.adapters[i]))
            return true;
    return false;
}

/* Which devices there are to ask for. */
static void list_remaining_locked(const struct account *account, struct final_figures *final)
{
    final->readings = calloc(account->session.count + 1, sizeof *final->readings);
    for (size_t i = 0; final->readings != NULL && i < account->session.count; i++) {
        const struct session_adapter *adapter = &account->session.adapters[i];
        if (may_remain(adapter))
            final->readings[final->count++] =
                (struct device_reading){.key = adapter->key, .present = adapter->known};
    }
}

void final_figures_read(struct accounting *accounting, const struct machine_uuid *uuid,
                        struct final_figures *final)
{
    struct host *host = accounting->host;
    size_t count = 0;

    *final = (struct final_figures){0};
    pthread_mutex_lock(&accounting->lock);
    const struct account *account = account_find_locked(accounting, uuid);
    if (account != NULL && final_figures_are_due_locked(account))
        list_remaining_locked(account, final);
    pthread_mutex_unlock(&accounting->lock);
    for (size_t i = 0; i < final->count; i++) {
        struct device_reading reading = final->readings[i];
        if (host_device_bytes(host, reading.key.incarnation, reading.bytes))
            final->readings[count++] = reading;
    }
    final->count = count;
}

void final_figures_clear(struct final_figures *final)
{
    free(final->readings);
    *final = (struct final_figures){0};
}
