/*
 * Machines that another program defines, changes and undefines while Lua
 * objects of them are held. All connections of a process to test:///default
 * share its machines, so this program is that other one.
 *
 * Links with all of src/, its libraries and Lua 5.4.
 */
#include "../support/check.h"

#include <lauxlib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

int luaopen_vmaccountant_core(lua_State *L);

static virConnectPtr administrator;

static void ignore_error(void *context, virErrorPtr error)
{
    (void)context;
    (void)error;
}

/* Raises what libvirt says where ok is false. */
static void check_done(lua_State *L, bool ok)
{
    if (!ok)
        luaL_error(L, "libvirt: %s", virGetLastErrorMessage());
}

static virDomainPtr check_domain(lua_State *L, int index)
{
    virDomainPtr domain = virDomainLookupByName(administrator, luaL_checkstring(L, index));
    check_done(L, domain != NULL);
    return domain;
}

/* define(xml): a persistent machine. */
static int define(lua_State *L)
{
    virDomainPtr domain = virDomainDefineXML(administrator, luaL_checkstring(L, 1));
    check_done(L, domain != NULL);
    virDomainFree(domain);
    return 0;
}

/* create(xml): a machine that is gone when it stops. */
static int create(lua_State *L)
{
    virDomainPtr domain = virDomainCreateXML(administrator, luaL_checkstring(L, 1), 0);
    check_done(L, domain != NULL);
    virDomainFree(domain);
    return 0;
}

static int undefine(lua_State *L)
{
    virDomainPtr domain = check_domain(L, 1);
    int result = virDomainUndefine(domain);
    virDomainFree(domain);
    check_done(L, result == 0);
    return 0;
}

static int start(lua_State *L)
{
    virDomainPtr domain = check_domain(L, 1);
    int result = virDomainCreate(domain);
    virDomainFree(domain);
    check_done(L, result == 0);
    return 0;
}

static int destroy(lua_State *L)
{
    virDomainPtr domain = check_domain(L, 1);
    int result = virDomainDestroy(domain);
    virDomainFree(domain);
    check_done(L, result == 0);
    return 0;
}

/* What happens between two calls of the module: the machine of that name goes
 * when the module looks one up by its UUID. */
static const char *leaving;

virDomainPtr __real_virDomainLookupByUUID(virConnectPtr connection, const unsigned char *uuid);
virDomainPtr __wrap_virDomainLookupByUUID(virConnectPtr connection, const unsigned char *uuid);

virDomainPtr __wrap_virDomainLookupByUUID(virConnectPtr connection, const unsigned char *uuid)
{
    virDomainPtr domain = leaving != NULL ? virDomainLookupByName(administrator, leaving) : NULL;
    if (domain != NULL) {
        virDomainUndefine(domain);
        virDomainFree(domain);
    }
    leaving = NULL;
    return __real_virDomainLookupByUUID(connection, uuid);
}

/* leave(name): as above, once. */
static int leave(lua_State *L)
{
    leaving = luaL_checkstring(L, 1); /* a constant of the chunk */
    return 0;
}

/* dump(name): the definition, all of it. */
static int dump(lua_State *L)
{
    virDomainPtr domain = check_domain(L, 1);
    char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_SECURE);
    virDomainFree(domain);
    check_done(L, xml != NULL);
    lua_pushstring(L, xml);
    free(xml);
    return 1;
}

static const char PRELUDE[] =
    "core = ...\n"
    "objVS = core.CreateObject('VirtualServer.Application', 'test:///default')\n"
    "function xml(name, devices)\n"
    "  return ('<domain "
    "type=\"test\"><name>%s</name><memory>8192</memory><os><type>hvm</type></os>'\n"
    "    .. '<devices>%s</devices></domain>'):format(name, devices or '')\n"
    "end\n"
    "NIC = '<interface type=\"bridge\"><mac address=\"52:54:00:00:00:01\"/><source "
    "bridge=\"br0\"/></interface>'\n"
    "function expect(name, member, machine, call, ...)\n"
    "  local ok, err = pcall(call, ...)\n"
    "  assert(not ok, 'nothing was raised')\n"
    "  assert(type(err) == 'table', err)\n"
    "  assert(err.name == name and err.member == member and err.machine == machine, "
    "tostring(err))\n"
    "  assert(err.hresult == core.hresult[name])\n"
    "  return err\n"
    "end\n"
    "function get(object, member) return object[member] end\n";

/* Runs the chunk in a Lua state of its own, after the prelude. */
static bool run(const char *chunk)
{
    lua_State *L = luaL_newstate();
    if (L == NULL)
        abort();
    luaL_openlibs(L);
    static const luaL_Reg functions[] = {
        {"define", define},   {"create", create}, {"undefine", undefine}, {"start", start},
        {"destroy", destroy}, {"dump", dump},     {"leave", leave},       {NULL, NULL}};
    lua_pushglobaltable(L);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
    bool ok = luaL_loadbuffer(L, PRELUDE, strlen(PRELUDE), "=prelude") == LUA_OK;
    luaL_requiref(L, "vmaccountant.core", luaopen_vmaccountant_core, 0);
    ok = ok && lua_pcall(L, 1, 0, 0) == LUA_OK &&
         luaL_loadbuffer(L, chunk, strlen(chunk), "=test") == LUA_OK &&
         lua_pcall(L, 0, 0, 0) == LUA_OK;
    if (!ok)
        printf("%s\n", luaL_tolstring(L, -1, NULL));
    lua_close(L);
    return ok;
}

static void an_object_outlives_its_machines_definition(void)
{
    CHECK(
        run("define(xml('gone', NIC))\n"
            "local vm = objVS:FindVirtualMachine('gone')\n"
            "local acct, adapter = vm.Accountant, vm.NetworkAdapters[1]\n"
            "undefine('gone')\n"
            "for _, member in ipairs { 'Name', 'State', 'NetworkAdapters' } do\n"
            "  expect('VM_E_VM_UNKNOWN', member, 'gone', get, vm, member)\n"
            "end\n"
            "for _, member in ipairs { 'NetworkBytesSent', 'NetworkBytesReceived', 'UpTime', "
            "'Since' } do\n"
            "  local err = expect('VM_E_VM_UNKNOWN', member, 'gone', get, acct, member)\n"
            "  assert(err.cause.code == 42, err.cause.code)\n" /* VIR_ERR_NO_DOMAIN */
            "end\n"
            "for _, method in ipairs { 'Startup', 'TurnOff', 'Reset', 'Save', 'Pause', 'Resume',\n"
            "  'DiscardSavedState' } do\n"
            "  expect('VM_E_VM_UNKNOWN', method, 'gone', vm[method], vm)\n"
            "end\n"
            "expect('VM_E_VM_UNKNOWN', 'BytesSent', 'gone', get, adapter, 'BytesSent')\n"
            "assert(objVS:FindVirtualMachine('gone') == nil)\n"
            "assert(tostring(vm) == 'gone' and tostring(acct) == 'VMAccountant of gone')\n"
            "assert(#objVS.VirtualMachines == 1)\n"));
}

static void a_machine_that_goes_while_it_is_looked_for_is_not_found(void)
{
    CHECK(run("for _, name in ipairs { 'leaving', 'LEAVING' } do\n"
              "  define(xml('leaving'))\n"
              "  leave('leaving')\n"
              "  assert(objVS:FindVirtualMachine(name) == nil)\n"
              "  assert(#objVS.VirtualMachines == 1, 'it has gone')\n"
              "end\n"));
}

static void a_machine_of_that_name_is_another_one(void)
{
    CHECK(run("define(xml('again'))\n"
              "local old = objVS:FindVirtualMachine('again')\n"
              "undefine('again')\n"
              "define(xml('again'))\n"
              "local new = objVS:FindVirtualMachine('again')\n"
              "assert(old ~= new and old.ConfigID ~= new.ConfigID)\n"
              "expect('VM_E_VM_UNKNOWN', 'State', 'again', get, old, 'State')\n"
              "assert(new.State == core.constants.vmVMState_TurnedOff)\n"
              "undefine('again')\n"));
}

static void a_transient_machine_is_gone_when_it_ends(void)
{
    CHECK(run("create(xml('transient', NIC))\n"
              "local vm = objVS:FindVirtualMachine('transient')\n"
              "assert(vm.Accountant.NetworkBytesSent > 0)\n"
              "destroy('transient')\n"
              "expect('VM_E_VM_UNKNOWN', 'NetworkBytesSent', 'transient', get, vm.Accountant, "
              "'NetworkBytesSent')\n"
              "assert(objVS:FindVirtualMachine('transient') == nil)\n"
              "create(xml('transient', NIC))\n"
              "vm = objVS:FindVirtualMachine('transient')\n"
              "assert(vm:TurnOff().IsComplete)\n"
              "expect('VM_E_VM_UNKNOWN', 'NetworkBytesSent', 'transient', get, vm.Accountant, "
              "'NetworkBytesSent')\n"
              "expect('VM_E_VM_UNKNOWN', 'Startup', 'transient', vm.Startup, vm)\n"));
}

static void a_machine_that_another_program_starts_and_stops_is_followed(void)
{
    CHECK(run("define(xml('followed', NIC))\n"
              "local vm = objVS:FindVirtualMachine('followed')\n"
              "for round = 1, 3 do\n"
              "  expect('S_FALSE', 'NetworkBytesSent', 'followed', get, vm.Accountant, "
              "'NetworkBytesSent')\n"
              "  start('followed')\n"
              "  assert(vm.State == core.constants.vmVMState_Running)\n"
              "  assert(vm.Accountant.NetworkBytesSent > 0)\n"
              "  assert(#vm.NetworkAdapters == 1 and vm.NetworkAdapters[1].IsCounted)\n"
              "  destroy('followed')\n"
              "  assert(vm.State == core.constants.vmVMState_TurnedOff)\n"
              "end\n"
              "undefine('followed')\n"));
}

static void reading_changes_nothing(void)
{
    CHECK(run("define(xml('read', NIC))\n"
              "start('read')\n"
              "local before = dump('read') .. dump('test')\n"
              "for _ = 1, 3 do\n"
              "  for vm in objVS.VirtualMachines do\n"
              "    for _, value in pairs(vm) do local _ = tostring(value) end\n"
              "    for _, value in pairs(vm.Accountant) do local _ = tostring(value) end\n"
              "    for adapter in vm.NetworkAdapters do\n"
              "      for _, value in pairs(adapter) do local _ = tostring(value) end\n"
              "    end\n"
              "    vm.Accountant:LastSession()\n"
              "  end\n"
              "  local _ = objVS.Accounting, objVS.Name, objVS.Version, objVS.UpTime\n"
              "end\n"
              "assert(before == dump('read') .. dump('test'))\n"
              "objVS:Close()\n"
              "assert(before == dump('read') .. dump('test'))\n"
              "destroy('read') undefine('read')\n"));
}

static void many_machines_come_and_go_under_an_open_application(void)
{
    CHECK(run("local aged = core.CreateObject('VirtualServer.Application', 'test:///default', { "
              "max_age = 1 })\n"
              "for round = 1, 20 do\n"
              "  for i = 1, 20 do define(xml('many' .. i, NIC)) start('many' .. i) end\n"
              "  local machines = objVS.VirtualMachines\n"
              "  assert(#machines == 21)\n"
              "  for accountant in machines:Accountants() do assert(accountant.NetworkBytesSent > "
              "0) end\n"
              "  for vm in aged.VirtualMachines do vm.Accountant:Get('NetworkBytesSent') end\n"
              "  for i = 1, 20 do destroy('many' .. i) undefine('many' .. i) end\n"
              "  for vm in machines do\n"
              "    local ok = pcall(get, vm.Accountant, 'NetworkBytesSent')\n"
              "    assert(ok == (tostring(vm) == 'test'))\n"
              "  end\n"
              "end\n"));
}

int main(void)
{
    virSetErrorFunc(NULL, ignore_error);
    virEventRegisterDefaultImpl();
    administrator = virConnectOpen("test:///default");
    if (!CHECK(administrator != NULL))
        return check_report();
    an_object_outlives_its_machines_definition();
    a_machine_that_goes_while_it_is_looked_for_is_not_found();
    a_machine_of_that_name_is_another_one();
    a_transient_machine_is_gone_when_it_ends();
    a_machine_that_another_program_starts_and_stops_is_followed();
    reading_changes_nothing();
    many_machines_come_and_go_under_an_open_application();
    CHECK(virConnectClose(administrator) == 0);
    return check_report();
}
