/*
 * task: VMTask, what a life-cycle method returns. The method returns when the
 * host has done what it asked for, so a task is always complete.
 */
#include "binding/error.h"
#include "binding/objects.h"

#include <lauxlib.h>
#include <stdatomic.h>

/* User values: 1 the machine, 2 the description. */
struct task {
    const struct application *application;
    lua_Integer id;
};

void task_push(lua_State *L, int machine_index, const char *description)
{
    static atomic_llong serial; /* several Lua states may share the process */
    const struct machine_object *machine = lua_touserdata(L, machine_index);
    machine_index = lua_absindex(L, machine_index);
    struct task *task = class_new(L, &task_class, sizeof *task, 2);

    task->application = machine->application;
    task->id = atomic_fetch_add(&serial, 1) + 1;
    lua_pushvalue(L, machine_index);
    lua_setiuservalue(L, -2, 1);
    lua_pushfstring(L, "%s of %s", description, machine_known_name(L, machine_index));
    lua_setiuservalue(L, -2, 2);
}

static void check(lua_State *L, void *object, const char *member)
{
    const struct task *task = object;
    application_check_open(L, task->application, member);
}

static const char *machine_name(lua_State *L, int index)
{
    lua_getiuservalue(L, index, 1);
    return machine_known_name(L, -1);
}

/***
The task's number within this process.
@within VMTask
@tfield integer ID
*/
static int get_id(lua_State *L, void *object)
{
    const struct task *task = object;
    lua_pushinteger(L, task->id);
    return 1;
}

/***
What the task did: `Startup of web01`.
@within VMTask
@tfield string Description
*/
static int get_description(lua_State *L, void *object)
{
    (void)object;
    lua_getiuservalue(L, 1, 2);
    return 1;
}

/***
Always true: the method that returned the task has done its work.
@within VMTask
@tfield boolean IsComplete
*/
static int get_is_complete(lua_State *L, void *object)
{
    (void)object;
    lua_pushboolean(L, true);
    return 1;
}

/***
Always false: a complete task cannot be cancelled.
@within VMTask
@tfield boolean IsCancelable
*/
static int get_is_cancelable(lua_State *L, void *object)
{
    (void)object;
    lua_pushboolean(L, false);
    return 1;
}

/***
Always 100.
@within VMTask
@tfield integer PercentCompleted
*/
static int get_percent_completed(lua_State *L, void *object)
{
    (void)object;
    lua_pushinteger(L, 100);
    return 1;
}

/***
Always `vma.vmTaskResult_Success`: what the host refuses is raised by the
method, and no task comes of it.
@within VMTask
@tfield integer Result
*/
static int get_result(lua_State *L, void *object)
{
    (void)object;
    lua_pushinteger(L, 0);
    return 1;
}

/***
Returns at once: the task is complete.
@within VMTask
@function WaitForCompletion
@int milliseconds -1 for ever, else 0 to 4000000
@raise E_POINTER for a missing or invalid time, as Virtual Server documents it
*/
static int wait_for_completion(lua_State *L, void *object)
{
    enum { LONGEST = 4000000 };
    int is_integer;
    lua_Integer milliseconds = lua_tointegerx(L, 2, &is_integer);

    (void)object;
    if (!is_integer || milliseconds < -1 || milliseconds > LONGEST)
        return error_raise(L, "WaitForCompletion", machine_name(L, 1), HRESULT_E_POINTER,
                           "the time must be -1 or from 0 to %d milliseconds", LONGEST);
    return 0;
}

/***
Cannot cancel a complete task.
@within VMTask
@function Cancel
@raise E_FAIL always
*/
static int cancel(lua_State *L, void *object)
{
    (void)object;
    return error_raise(L, "Cancel", machine_name(L, 1), HRESULT_E_FAIL,
                       "the task is complete and cannot be cancelled");
}

static const struct member members[] = {
    {.name = "ID",
     .get = get_id,
     .type = "integer",
     .meaning = "the task's number within this process"},
    {.name = "Description",
     .get = get_description,
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
    {.name = "WaitForCompletion",
     .call = wait_for_completion,
     .parameters = "milliseconds: integer",
     .meaning = "returns when the task has ended or the time is over; -1 waits for ever"},
    {.name = "Cancel", .call = cancel, .meaning = "ends the task"},
    {.name = NULL},
};

static int to_string(lua_State *L)
{
    class_check_argument(L, &task_class, 1);
    lua_getiuservalue(L, 1, 2);
    lua_pushfstring(L, "VMTask %s", lua_tostring(L, -1));
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
    .members = members,
    .check = check,
    .machine = machine_name,
    .metamethods = metamethods,
};
