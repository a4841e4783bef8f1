#include "base/interrupt.h"

#include <stddef.h>

static _Thread_local bool (*pending)(void *context);
static _Thread_local void *pending_context;

void interrupt_set_check(bool (*check)(void *context), void *context)
{
    pending = check;
    pending_context = context;
}

bool interrupt_is_pending(void)
{
    return pending != NULL && pending(pending_context);
}
