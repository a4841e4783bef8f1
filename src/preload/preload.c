/*
 * preload: the C module vmaccountant.preload, which loads libvirt before the
 * module that is linked with it.
 *
 * Lua loads a C module and all that it needs with every function bound at once
 * (RTLD_NOW, in loadlib.c). Of libvirt's seventy libraries that takes longer than
 * a short script does; loaded before, they are bound as they are called.
 *
 * It needs nothing of Lua. Where it is missing, or libvirt has another name, the
 * module vmaccountant.core loads libvirt as Lua does.
 */
#include <dlfcn.h>

struct lua_State;

__attribute__((visibility("default"))) int luaopen_vmaccountant_preload(struct lua_State *L);

int luaopen_vmaccountant_preload(struct lua_State *L)
{
    (void)L;
    dlopen("libvirt.so.0", RTLD_LAZY | RTLD_LOCAL); /* for the rest of the process */
    return 0;
}
