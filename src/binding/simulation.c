#include "binding/simulation.h"

#include "binding/error.h"

/* When a Lua state closes, the script's own finalizers may run after that of
 * the resource. */
void simulation_check(lua_State *L, const struct simulator_object *owner, const char *member)
{
    if (owner->hold == NULL || *owner->hold == NULL)
        error_raise(L, member, NULL, HRESULT_VM_E_APP_SHUTTING_DOWN,
                    "the simulator has been collected");
}

void simulation_check_owner(lua_State *L, void *object, const char *member)
{
    simulation_check(L, *(struct simulator_object **)object, member);
}

int simulation_done(lua_State *L, bool ok, const char *member, const struct fault *fault)
{
    return ok ? 0 : error_raise_fault(L, member, NULL, fault);
}
