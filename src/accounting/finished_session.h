/*
 * finished_session: the last session that is over, and the final figures that may
 * still arrive for it.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_FINISHED_SESSION_H
#define VMACCOUNTANT_ACCOUNTING_FINISHED_SESSION_H

#include "accounting/state.h"

/* Copies the account's session as finished; the account's own goes on. */
void account_keep_finished_locked(struct account *account, const struct moment *end,
                                  enum stop_reason reason);

/* The device of that incarnation is gone and had counted these bytes. They belong
 * to the session that had it, be it over or not; counts below what was seen
 * already are another device's. False when the session has no such device. */
bool session_finish_device(struct session *session, uint64_t incarnation,
                           const struct decimal bytes[DIRECTION_COUNT]);

#endif
