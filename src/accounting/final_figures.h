/*
 * final_figures: what the devices of a machine had counted when its run ended,
 * where they outlive it, as an administrator's own taps do.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_FINAL_FIGURES_H
#define VMACCOUNTANT_ACCOUNTING_FINAL_FIGURES_H

#include "accounting/state.h"

struct final_figures {
    struct device_reading *readings;
    size_t count;
};

/* Whether final_figures_read() would find anything to ask for. */
bool final_figures_are_due_locked(const struct account *account);

/* Asks the host for them, before the lock is taken in which the session ends.
 * Empty without memory. The caller clears them. */
void final_figures_read(struct accounting *accounting, const struct machine_uuid *uuid,
                        struct final_figures *final);
void final_figures_clear(struct final_figures *final);

#endif
