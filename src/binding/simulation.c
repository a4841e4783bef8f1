#include "binding/simulation.h"

#include "binding/error.h"

/* When a Lua state closes, the script's own finalizers may run after that of
 * the resource. */
void simulation_check(lua_State *L, const struct call *call, const struct simulator_object *owner)
{
    if (owner->hold == NULL || *owner->hold == NULL)
        class_raise(L, call, HRESULT_VM_E_APP_SHUTTING_DOWN, "the simulator has been collected");
}

void simulation_check_owner(lua_State *L, const struct call *call)
{
    simulation_check(L, call, *(struct simulator_object **)call->object);
}

int simulation_done(lua_State *L, const struct call *call, bool ok, const struct fault *fault)
{
    return ok ? 0 : class_raise_fault(L, call, fault);
}

int simulation_count(lua_State *L, const struct call *call, simulator_count *count,
                     enum direction direction)
{
    const struct simulated_device_object *device = call->object;
    struct decimal bytes = simulation_check_bytes(L, 2);
    struct fault fault;
    return simulation_done(
        L, call, count(device->owner->simulator, device->id, direction, bytes, &fault), &fault);
}
