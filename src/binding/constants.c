#include "binding/constants.h"

#include "base/hresult.h"
#include "base/text.h"
#include "binding/error.h"
#include "binding/hint.h"
#include "host/machine.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct constant {
    const char *name;
    lua_Integer value;
};

#define STATE_PREFIX "vmVMState_"

#define STATE(name, number) {STATE_PREFIX #name, number},
static const struct constant constants[] = {
    MACHINE_STATES(STATE) /* VMVMState */
    /* VMTaskResult */
    {"vmTaskResult_Success", 0},
    {"vmTaskResult_Cancelled", 1},
    {"vmTaskResult_UnexpectedError", 2},
    {"vmTaskResult_OutOfMemoryError", 3},
    {"vmTaskResult_DiskRelatedError", 4},
    {"vmTaskResult_IncompatibleSavedStateError", 5},
    {"vmTaskResult_TimeOutError", 6},
    {"vmTaskResult_IllegalValueError", 7},
    {"vmTaskResult_ThreadCrashError", 8},
};
#undef STATE

enum { CONSTANTS = sizeof constants / sizeof constants[0] };

void constants_push(lua_State *L)
{
    lua_createtable(L, 0, CONSTANTS);
    for (size_t i = 0; i < CONSTANTS; i++) {
        lua_pushinteger(L, constants[i].value);
        lua_setfield(L, -2, constants[i].name);
    }
}

struct nearest {
    const char *wanted;
    const char *name; /* NULL: none is near */
    size_t distance;
};

static void consider(struct nearest *nearest, const char *name)
{
    size_t distance = hint_distance(nearest->wanted, name);
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->name = name;
    }
}

static int raise_unknown(lua_State *L, const char *what, const struct nearest *nearest)
{
    if (nearest->name != NULL)
        return error_raise(L, nearest->wanted, NULL, HRESULT_DISP_E_UNKNOWNNAME,
                           "%s '%.100s'; did you mean %s?", what, nearest->wanted, nearest->name);
    return error_raise(L, nearest->wanted, NULL, HRESULT_DISP_E_UNKNOWNNAME,
                       "%s '%.100s'; vmaccountant.help() says where they are listed", what,
                       nearest->wanted);
}

/* In any ASCII letter case, whatever the C locale. */
static bool begins_with(const char *name, const char *prefix)
{
    for (; *prefix != '\0'; name++, prefix++)
        if (text_lower(*name) != text_lower(*prefix))
            return false;
    return true;
}

static struct nearest start(const char *wanted)
{
    return (struct nearest){.wanted = wanted, .distance = strlen(wanted) / 2 + 1};
}

int constants_index(lua_State *L)
{
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    struct nearest nearest = start(name);

    if (!begins_with(name, "vm"))
        return 0;
    for (size_t i = 0; i < CONSTANTS; i++) {
        const char *own = strchr(constants[i].name, '_') + 1;
        if (hint_distance(name + strlen("vm"), own) == 0) /* vmRunning */
            nearest = (struct nearest){name, constants[i].name, 0};
        consider(&nearest, constants[i].name);
    }
    return raise_unknown(L, "vmaccountant has no constant", &nearest);
}

int constants_hresult_index(lua_State *L)
{
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    struct nearest nearest = start(name);

    if (!begins_with(name, "S_") && !begins_with(name, "E_") && !begins_with(name, "VM_") &&
        !begins_with(name, "DISP_"))
        return 0;
    for (const struct hresult_entry *entry = hresult_table; entry->name != NULL; entry++)
        consider(&nearest, entry->name);
    return raise_unknown(L, "there is no result code", &nearest);
}

/***
The name of a machine's state: `vma.stateName(objVM.State)` is `"Running"` for
`vma.vmVMState_Running`, which is 5.
@function stateName
@int state a value of VMVMState, from 0 to 10
@treturn string the constant's name without `vmVMState_`
@raise an argument error for a number that is no state
*/
int constants_state_name(lua_State *L)
{
    lua_Integer state = luaL_checkinteger(L, 1);

    for (size_t i = 0; i < CONSTANTS; i++)
        if (constants[i].value == state &&
            strncmp(constants[i].name, STATE_PREFIX, strlen(STATE_PREFIX)) == 0) {
            lua_pushstring(L, constants[i].name + strlen(STATE_PREFIX));
            return 1;
        }
    return luaL_argerror(L, 1, lua_pushfstring(L, "no state has the number %I", state));
}
