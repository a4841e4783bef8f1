/*
 * task: a change of a machine that goes on while the program does.
 */
#ifndef VMACCOUNTANT_ACCOUNTING_TASK_H
#define VMACCOUNTANT_ACCOUNTING_TASK_H

#include "accounting/accounting.h"

struct machine_task;

/* The numbers are those of Virtual Server's VMTaskResult enumeration. */
enum task_result { TASK_SUCCESS = 0, TASK_CANCELLED = 1, TASK_UNEXPECTED_ERROR = 2 };

/* Begins the change. What takes its time on the host goes on in a thread, when
 * the machine's state allows it; anything else is done when this returns. NULL
 * with a fault where it is refused. */
struct machine_task *machine_task_begin(struct accounting *accounting,
                                        const struct machine_uuid *uuid, enum machine_change change,
                                        struct fault *fault);
void machine_task_release(struct machine_task *task);

/* As host_is_lost_by_fork(), of its host. */
bool machine_task_is_lost_by_fork(const struct machine_task *task);

/* Where the host's clock passes only when it is asked to: lets the wait pass on
 * it, at most so many milliseconds (-1: for ever). *has_waited says whether the
 * host is one of that kind; elsewhere it does nothing. */
bool machine_task_await(struct machine_task *task, int64_t milliseconds, bool *has_waited,
                        struct fault *fault);
bool machine_task_is_complete(struct machine_task *task);

/* Of a complete task. The fault is filled unless the result is a success. */
enum task_result machine_task_result(struct machine_task *task, struct fault *fault);

/* From 0 to 100. Asks the host while a machine is being saved. */
int machine_task_percent(struct machine_task *task);

bool machine_task_is_cancelable(struct machine_task *task);
/* Asks the host to end it; its result says whether it did. */
bool machine_task_cancel(struct machine_task *task, struct fault *fault);

/* The state in which a task has the machine that the host finds in `state`: it
 * may not have come to the host yet. */
enum machine_state machine_tasks_state(struct accounting *accounting,
                                       const struct machine_uuid *uuid, enum machine_state state);

/* The host has carried out a change that the accounting asked for. */
void accounting_note_change(struct accounting *accounting, const struct machine_uuid *uuid,
                            enum machine_change change);

/* Waits until the accounting's tasks are complete, but only for so long that
 * the host has been asked for what they do, which it will do without us. */
void machine_tasks_wait(struct accounting *accounting);

#endif
