/*
 * interrupt: lets a thread that waits within a call know that its program
 * wants it back: Lua's interpreter answers Ctrl-C by a flag that it checks
 * only between instructions.
 */
#ifndef VMACCOUNTANT_BASE_INTERRUPT_H
#define VMACCOUNTANT_BASE_INTERRUPT_H

#include <stdbool.h>

/* For the calling thread, until it is replaced; NULL for none. The check is
 * made whenever a signal has ended a wait. */
void interrupt_set_check(bool (*check)(void *context), void *context);
bool interrupt_is_pending(void);

#endif
