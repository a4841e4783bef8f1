/* Changes that take time: on the simulated clock and without a thread, so that a test
 * can stop at each step of them. */
#include "base/clock.h"
#include "simulator/state.h"

#include <stdlib.h>

static int64_t ends_at(const struct simulated_machine *machine)
{
    return machine->task_duration == SIMULATOR_ENDLESS
               ? INT64_MAX
               : machine->task->begun_at + machine->task_duration;
}

/* The task's time is over: carries the change out. */
static void complete_task(struct simulator *self, struct simulated_machine *machine)
{
    struct simulated_task *task = machine->task;
    const char *message = self->failures[SIMULATOR_CALL_change];
    struct fault fault = {0};

    machine->task = NULL; /* a machine that is saved stops by its own task */
    bool ok = !simulated_machine_fails(machine, SIMULATOR_CALL_change, &fault) &&
              simulator_require(message == NULL, &fault, HRESULT_DISP_E_EXCEPTION, message) &&
              simulator_change(self, &machine->uuid, task->change, &fault);
    machine->task = task;
    simulated_machine_end_task(machine, ok, &fault);
}

/* The machine whose task is the first to end, by that moment; NULL for none. */
static struct simulated_machine *find_due(const struct simulator *self, int64_t until)
{
    struct simulated_machine *first = NULL;

    for (struct simulated_machine *machine = self->machines; machine; machine = machine->next)
        if (machine->task != NULL && ends_at(machine) <= until &&
            (first == NULL || ends_at(machine) < ends_at(first)))
            first = machine;
    return first;
}

void simulator_advance_clock(struct simulator *self, int64_t nanoseconds)
{
    int64_t now = simulator_monotonic_time(self);
    int64_t until = now + nanoseconds;

    for (struct simulated_machine *machine; (machine = find_due(self, until)) != NULL;) {
        int64_t due = ends_at(machine);
        if (due > now) {
            self->clock_offset += due - now;
            now = due;
        }
        complete_task(self, machine);
    }
    self->clock_offset += until - now;
}

bool simulator_set_task_duration(struct simulator *self, const struct machine_uuid *uuid,
                                 int64_t nanoseconds, struct fault *fault)
{
    struct simulated_machine *machine = simulator_find_machine(self, uuid, fault);
    if (machine == NULL)
        return false;
    machine->task_duration = nanoseconds;
    simulator_advance_clock(self, 0);
    return true;
}

bool simulated_begin(struct host *host, const struct machine_uuid *uuid, enum machine_change change,
                     change_ended *ended, void *context, bool *is_open, struct fault *fault)
{
    struct simulated_machine *machine =
        simulator_machine_for(host, SIMULATOR_CALL_change, uuid, fault);

    *is_open = false;
    if (machine == NULL)
        return false;
    if (machine->task != NULL && change != CHANGE_TURN_OFF)
        return fault_set(fault, HRESULT_E_FAIL,
                         "the machine is still being %s; wait for that task's completion",
                         machine->task->change == CHANGE_SAVE ? "saved" : "started");
    if (machine->task_duration == 0 || (change != CHANGE_STARTUP && change != CHANGE_SAVE))
        return simulator_change(simulator_of(host), uuid, change, fault);
    if (!simulator_check_change(machine, change, fault))
        return false;
    struct simulated_task *task = calloc(1, sizeof *task);
    if (task == NULL)
        return fault_out_of_memory(fault);
    *task = (struct simulated_task){
        .change = change,
        .begun_at = simulator_monotonic_time(simulator_of(host)),
        .host = host,
        .ended = ended,
        .context = context,
    };
    machine->task = task;
    *is_open = true;
    return true;
}

bool simulated_await(struct host *host, const struct machine_uuid *uuid, int64_t milliseconds,
                     struct fault *fault)
{
    struct simulator *self = simulator_of(host);
    struct fault unknown;

    simulator_advance_clock(self, 0); /* what is due in real time */
    const struct simulated_machine *machine = simulator_find_machine(self, uuid, &unknown);
    if (milliseconds == 0 || machine == NULL || machine->task == NULL)
        return true;
    if (milliseconds < 0 && machine->task_duration == SIMULATOR_ENDLESS)
        return fault_set(fault, HRESULT_E_FAIL,
                         "this would wait for ever: the simulated task is open until "
                         "SetTaskDuration gives it an end");
    int64_t left = ends_at(machine) - simulator_monotonic_time(self);
    if (milliseconds > 0 && left > milliseconds * CLOCK_MILLISECOND)
        left = milliseconds * CLOCK_MILLISECOND;
    if (self->follows_real_time)
        clock_sleep(left);
    simulator_advance_clock(self, self->follows_real_time ? 0 : left);
    return true;
}

bool simulated_progress(struct host *host, const struct machine_uuid *uuid, int *percent)
{
    struct simulator *self = simulator_of(host);
    struct fault unknown;
    const struct simulated_machine *machine = simulator_find_machine(self, uuid, &unknown);

    if (machine == NULL || machine->task == NULL)
        return false;
    double elapsed = (double)(simulator_monotonic_time(self) - machine->task->begun_at);
    double share = 100 * elapsed / (double)machine->task_duration;
    *percent = share >= 99 ? 99 : (int)share; /* it is not complete yet */
    return true;
}

bool simulated_cancel(struct host *host, const struct machine_uuid *uuid, struct fault *fault)
{
    struct simulated_machine *machine = simulator_find_machine(simulator_of(host), uuid, fault);
    struct fault cancelled;

    if (machine == NULL)
        return false;
    if (machine->task == NULL)
        return fault_set(fault, HRESULT_E_FAIL, "the task is complete and cannot be cancelled");
    fault_set(&cancelled, HRESULT_E_FAIL, "the task was cancelled");
    simulated_machine_end_task(machine, false, &cancelled);
    return true;
}

void simulated_tasks_leave(struct host *host)
{
    struct fault closed;

    fault_set(&closed, HRESULT_VM_E_APP_SHUTTING_DOWN, "the application object has been closed");
    for (struct simulated_machine *machine = simulator_of(host)->machines; machine;
         machine = machine->next) {
        struct simulated_task *task = machine->task;
        if (task == NULL || task->host != host)
            continue;
        change_ended *ended = task->ended;
        task->ended = NULL;
        task->host = NULL;
        if (ended != NULL)
            ended(task->context, false, &closed);
    }
}
