/*
 * task: VMTask, what a life-cycle method returns.
 */
#include "accounting/task.h"
#include "base/clock.h"
#include "binding/error.h"
#include "binding/objects.h"
#include "binding/resource.h"

#include <lauxlib.h>
#include <stdatomic.h>

enum { DESCRIPTION = PART_MACHINE + 1, HOLD, USER_VALUES = HOLD };

struct task {
    const struct application *application;
    struct machine_task *task;  /* valid while *hold is */
    struct machine_task **hold; /* NULL in it when the change was refused, or all is collected */
    lua_Integer id;
};

static void clear_hold(void *hold)
{
    machine_task_release(*(struct machine_task **)hold);
    *(struct machine_task **)hold = NULL;
}

int task_begin(lua_State *L, const struct call *call, enum machine_change change)
{
    static atomic_llong serial; /* several Lua states may share the process */
    const struct machine_object *machine = call->object;
    struct machine_task **hold = resource_new(L, sizeof *hold, clear_hold);
    struct task *task = class_new(L, &task_class, sizeof *task, USER_VALUES);
    struct fault fault;

    task->hold = hold;
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, HOLD);

    task->application = machine->application;
    task->id = atomic_fetch_add(&serial, 1) + 1;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, PART_MACHINE);
    const char *name = machine_known_name(L, 1);
    lua_pushfstring(L, "%s of %s", call->member->name, name);
    lua_setiuservalue(L, -3, DESCRIPTION);
    lua_pop(L, 1);
    task->task = *hold =
        machine_task_begin(machine->application->accounting, &machine->uuid, change, &fault);
    if (task->task == NULL)
        return class_raise_fault(L, call, &fault);
    return 1;
}

static void check(lua_State *L, const struct call *call)
{
    const struct task *task = call->object;
    application_check_open(L, call, task->application);
    if (task->hold == NULL || *task->hold == NULL)
        error_raise(L, call->member->name, NULL, HRESULT_VM_E_APP_SHUTTING_DOWN,
                    "the task has been collected, with what this finalizer belongs to");
}

/***
The task's number within this process.
@within VMTask
@tfield integer ID
*/
static int get_id(lua_State *L, const struct call *call)
{
    const struct task *task = call->object;
    lua_pushinteger(L, task->id);
    return 1;
}

/***
What the task does: `Startup of web01`.
@within VMTask
@tfield string Description
*/

/***
Whether the task has ended. Makes no call to the host. Startup and Save of a
host's machine continue after the method has returned; the other tasks are
complete from the start.
@within VMTask
@tfield boolean IsComplete
*/
static int get_is_complete(lua_State *L, const struct call *call)
{
    const struct task *task = call->object;
    lua_pushboolean(L, machine_task_is_complete(task->task));
    return 1;
}

/***
Whether Cancel can end the task: a Save in progress.
@within VMTask
@tfield boolean IsCancelable
*/
static int get_is_cancelable(lua_State *L, const struct call *call)
{
    const struct task *task = call->object;
    lua_pushboolean(L, machine_task_is_cancelable(task->task));
    return 1;
}

/***
How much of the task is done, from 0 to 100. While a machine is being saved it
asks the host how much of its memory is written (virDomainGetJobInfo); a
Startup goes from 0 to 100.
@within VMTask
@tfield integer PercentCompleted
*/
static int get_percent_completed(lua_State *L, const struct call *call)
{
    const struct task *task = call->object;
    lua_pushinteger(L, machine_task_percent(task->task));
    return 1;
}

/* The result of a complete task; raises E_FAIL while it is in progress. */
static enum task_result check_result(lua_State *L, const struct call *call, struct fault *fault)
{
    const struct task *task = call->object;

    if (!machine_task_is_complete(task->task))
        class_raise(L, call, HRESULT_E_FAIL,
                    "the task is not complete yet; call WaitForCompletion before");
    return machine_task_result(task->task, fault);
}

/***
How the task ended: `vma.vmTaskResult_Success`, `vma.vmTaskResult_Cancelled` or
`vma.vmTaskResult_UnexpectedError`. What the machine's state forbids is raised by
the method, which then returns no task.
@within VMTask
@tfield integer Result
@raise E_FAIL while the task is in progress
*/
static int get_result(lua_State *L, const struct call *call)
{
    struct fault fault;
    lua_pushinteger(L, check_result(L, call, &fault));
    return 1;
}

/***
The code of what made the task fail, as `vma.hresult` has it; 0 for a success.
@within VMTask
@tfield integer Error
@raise E_FAIL while the task is in progress
*/
static int get_error(lua_State *L, const struct call *call)
{
    struct fault fault;
    bool ok = check_result(L, call, &fault) == TASK_SUCCESS;
    lua_pushinteger(L, ok ? 0 : (lua_Integer)(uint32_t)fault.code);
    return 1;
}

/***
What made the task fail, in words; empty for a success.
@within VMTask
@tfield string ErrorDescription
@raise E_FAIL while the task is in progress
*/
static int get_error_description(lua_State *L, const struct call *call)
{
    struct fault fault;
    bool ok = check_result(L, call, &fault) == TASK_SUCCESS;
    lua_pushstring(L, ok ? "" : fault.message); /* which has the cause's words, too */
    return 1;
}

/***
Returns when the task has ended or the time is over; see IsComplete. A
signal to the process, as that of Ctrl-C, ends the wait early. On a simulated
host it returns at once: the wait passes on the host's own clock.
@within VMTask
@function WaitForCompletion
@int milliseconds -1 for ever, else 0 to 4000000
@raise E_POINTER for a missing or invalid time, as Virtual Server documents it;
E_FAIL for -1 where a simulated task has no end
*/
static int wait_for_completion(lua_State *L, const struct call *call)
{
    enum { LONGEST = 4000000 };
    const struct task *task = call->object;
    enum wake_result result = WAKE_SIGNALLED;
    struct fault fault;
    int is_integer;
    lua_Integer milliseconds = lua_tointegerx(L, 2, &is_integer);

    if (!is_integer || milliseconds < -1 || milliseconds > LONGEST)
        return class_raise(L, call, HRESULT_E_POINTER,
                           "the time must be -1 or from 0 to %d milliseconds", LONGEST);
    bool has_waited;
    if (!machine_task_await(task->task, milliseconds, &has_waited, &fault))
        return class_raise_fault(L, call, &fault);
    if (has_waited)
        return 0;
    int64_t deadline = clock_deadline(milliseconds * CLOCK_MILLISECOND);
    while (!machine_task_is_complete(task->task) && result == WAKE_SIGNALLED) {
        int64_t left = (deadline - clock_now()) / CLOCK_MILLISECOND;
        if (!accounting_wait(task->application->accounting,
                             milliseconds < 0 ? -1
                             : left > 0       ? left
                                              : 0,
                             &result, &fault))
            return class_raise_fault(L, call, &fault);
    }
    return 0;
}

/***
Cancels a Save in progress: the machine runs on. It has ended when IsComplete is
true, and Result shows whether this came in time.
@within VMTask
@function Cancel
@raise E_FAIL when the task is complete, or cannot be cancelled
*/
static int cancel(lua_State *L, const struct call *call)
{
    const struct task *task = call->object;
    struct fault fault;

    if (!machine_task_cancel(task->task, &fault))
        return class_raise_fault(L, call, &fault);
    return 0;
}

static const struct member members[] = {
    {.name = "ID",
     .get = get_id,
     .type = "integer",
     .meaning = "the task's number within this process"},
    {.name = "Description",
     .get = class_get_user_value,
     .user_value = DESCRIPTION,
     .type = "string",
     .meaning = "what the task does, such as Startup of web01"},
    {.name = "IsComplete",
     .get = get_is_complete,
     .type = "boolean",
     .meaning = "whether the task has ended"},
    {.name = "IsCancelable",
     .get = get_is_cancelable,
     .type = "boolean",
     .meaning = "whether Cancel can end it"},
    {.name = "PercentCompleted",
     .get = get_percent_completed,
     .type = "integer",
     .unit = "percent",
     .meaning = "how much of it is done"},
    {.name = "Result",
     .get = get_result,
     .type = "integer",
     .meaning = "vmTaskResult_Success and its like"},
    {.name = "Error",
     .get = get_error,
     .type = "integer",
     .meaning = "the code of what made it fail, or 0"},
    {.name = "ErrorDescription",
     .get = get_error_description,
     .type = "string",
     .meaning = "what made it fail, in words"},
    {.name = "WaitForCompletion",
     .call = wait_for_completion,
     .parameters = "milliseconds: integer",
     .meaning = "returns when the task has ended or the time is over; -1 waits for ever"},
    {.name = "Cancel", .call = cancel, .meaning = "ends the task"},
    {.name = NULL},
};

/* Pushes the task's progress, without a call to the host once its application is
 * closed. */
static void push_progress(lua_State *L, const struct task *task)
{
    struct fault fault;

    if (!machine_task_is_complete(task->task)) {
        if (application_is_open(task->application))
            lua_pushfstring(L, "in progress, %d %%", machine_task_percent(task->task));
        else
            lua_pushliteral(L, "in progress");
        return;
    }
    switch (machine_task_result(task->task, &fault)) {
    case TASK_SUCCESS:
        lua_pushliteral(L, "complete");
        break;
    case TASK_CANCELLED:
        lua_pushliteral(L, "cancelled");
        break;
    default:
        lua_pushfstring(L, "failed: %s", fault.message);
    }
}

/* "VMTask Save of web01: in progress, 40 %". */
static int to_string(lua_State *L)
{
    const struct task *task = class_check_argument(L, &task_class, 1);

    lua_getiuservalue(L, 1, DESCRIPTION);
    if (*task->hold == NULL ||
        machine_task_is_lost_by_fork(*task->hold)) { /* its progress is unknown */
        lua_pushfstring(L, "VMTask %s", lua_tostring(L, -1));
        return 1;
    }
    push_progress(L, task);
    lua_pushfstring(L, "VMTask %s: %s", lua_tostring(L, -2), lua_tostring(L, -1));
    return 1;
}

static const luaL_Reg metamethods[] = {
    {"__tostring", to_string},
    {NULL, NULL},
};

const struct class task_class = {
    .name = "VMTask",
    .meaning = "what a method that changes a machine gives",
    .written = "objTask",
    .neighbours = {"VMVirtualMachine"},
    .members = members,
    .check = check,
    .machine = machine_name_of_part,
    .metamethods = metamethods,
};
