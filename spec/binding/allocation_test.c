/*
 * Every constructor, and every member that makes something, with too little
 * memory: it may raise, and must neither crash nor leak.
 *
 * Each operation is repeated with room for 0, 1, 2, … allocations until it no
 * longer runs out: once counting those of Lua, once those of the C sources.
 *
 * Links with all of src/, Lua 5.4, libvirt, libxml2, libmnl and pthread, and
 * with
 *     -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=free
 *     -Wl,--wrap=virConnectOpenReadOnly,--wrap=virConnectOpen
 *     -Wl,--wrap=virConnectRef,--wrap=virConnectClose
 * which puts the functions of this file between the sources and the libraries.
 */
#include "../support/check.h"

#include <lauxlib.h>
#include <libvirt/libvirt.h>
#include <lualib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int luaopen_vmaccountant_core(lua_State *L);

/* ------------------------------------------------------------------------
 * Budgets, and what is live
 * ------------------------------------------------------------------------ */

enum { UNLIMITED = -1, MOST_BLOCKS = 1 << 16 };

/* How many more allocations succeed, and whether one has failed. Only the
 * test's own thread is limited. */
struct budget {
    long left;
    bool ran_out;
};

static _Thread_local struct budget lua_budget = {UNLIMITED, false};
static _Thread_local struct budget c_budget = {UNLIMITED, false};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static void *blocks[MOST_BLOCKS];
static size_t block_count;
static long connection_references;

static bool spend(struct budget *budget)
{
    if (budget->left == UNLIMITED)
        return true;
    if (budget->left == 0) {
        budget->ran_out = true;
        return false;
    }
    budget->left--;
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *block);
virConnectPtr __real_virConnectOpenReadOnly(const char *uri);
virConnectPtr __real_virConnectOpen(const char *uri);
int __real_virConnectRef(virConnectPtr connection);
int __real_virConnectClose(virConnectPtr connection);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *block);
virConnectPtr __wrap_virConnectOpenReadOnly(const char *uri);
virConnectPtr __wrap_virConnectOpen(const char *uri);
int __wrap_virConnectRef(virConnectPtr connection);
int __wrap_virConnectClose(virConnectPtr connection);

static void *remember(void *block)
{
    if (block == NULL)
        return NULL;
    pthread_mutex_lock(&lock);
    if (block_count == MOST_BLOCKS)
        abort();
    blocks[block_count++] = block;
    pthread_mutex_unlock(&lock);
    return block;
}

/* Blocks that a library has handed out are freed here as well. */
static void forget(const void *block)
{
    pthread_mutex_lock(&lock);
    for (size_t i = block_count; i > 0; i--) {
        if (blocks[i - 1] == block) {
            blocks[i - 1] = blocks[--block_count];
            break;
        }
    }
    pthread_mutex_unlock(&lock);
}

void *__wrap_malloc(size_t size)
{
    return spend(&c_budget) ? remember(__real_malloc(size)) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return spend(&c_budget) ? remember(__real_calloc(count, size)) : NULL;
}

void *__wrap_realloc(void *block, size_t size)
{
    if (!spend(&c_budget))
        return NULL;
    forget(block);
    return remember(__real_realloc(block, size));
}

char *__wrap_strdup(const char *text)
{
    return spend(&c_budget) ? remember(__real_strdup(text)) : NULL;
}

void __wrap_free(void *block)
{
    forget(block);
    __real_free(block);
}

static void count_references(long change)
{
    pthread_mutex_lock(&lock);
    connection_references += change;
    pthread_mutex_unlock(&lock);
}

virConnectPtr __wrap_virConnectOpenReadOnly(const char *uri)
{
    virConnectPtr connection = __real_virConnectOpenReadOnly(uri);
    count_references(connection != NULL);
    return connection;
}

virConnectPtr __wrap_virConnectOpen(const char *uri)
{
    virConnectPtr connection = __real_virConnectOpen(uri);
    count_references(connection != NULL);
    return connection;
}

int __wrap_virConnectRef(virConnectPtr connection)
{
    int result = __real_virConnectRef(connection);
    count_references(result == 0);
    return result;
}

int __wrap_virConnectClose(virConnectPtr connection)
{
    int result = __real_virConnectClose(connection);
    count_references(result >= 0 ? -1 : 0);
    return result;
}

static void *allocate(void *context, void *block, size_t old_size, size_t new_size)
{
    (void)context;
    if (new_size == 0) {
        __real_free(block);
        return NULL;
    }
    bool grows = block == NULL || new_size > old_size; /* Lua trusts that shrinking succeeds */
    return grows && !spend(&lua_budget) ? NULL : __real_realloc(block, new_size);
}

/* ------------------------------------------------------------------------
 * Operations
 * ------------------------------------------------------------------------ */

static const char SETUP[] =
    "core = ...\n"
    "host = core.new_simulator()\n"
    "web, nic, nic2 = host:AddMachine('web', { adapters = 2, running = true })\n"
    "off = host:AddMachine('off', { adapters = 1 })\n"
    "disk = web:AddDisk() disk:Read(5)\n"
    "nic:Send(1000) nic2:Send('79228162514264337593543900000') nic2:Receive(7)\n"
    "objVS = host:CreateObject('VirtualServer.Application')\n"
    "aged = host:CreateObject('VirtualServer.Application', { max_age = 1 })\n"
    "objVM = objVS:FindVirtualMachine('web')\n"
    "stopped = objVS:FindVirtualMachine('off')\n"
    "acct = objVM.Accountant\n"
    "machines = objVS.VirtualMachines\n"
    "adapters = objVM.NetworkAdapters\n"
    "network = adapters[1].VirtualNetwork\n"
    "task = stopped:Startup() stopped:TurnOff()\n"
    "function all(object) for name, value in pairs(object) do local _ = tostring(value) end end\n";

/* What was there before must answer as before, unless the operation closed it. */
static const char PROBE[] = "if tostring(objVS):find('closed') then return end\n"
                            "host:Fail('sample') host:Fail('list')\n"
                            "local vm = assert(objVS:FindVirtualMachine(web.Name))\n"
                            "assert(rawequal(vm, objVM))\n"
                            "if vm.State == 1 or vm.State == 2 then vm:Startup() end\n"
                            "local before = vm.NetworkAdapters[1].BytesSent\n"
                            "nic:Send(5)\n"
                            "assert(vm.NetworkAdapters[1].BytesSent == before + 5)\n"
                            "assert(#objVS.VirtualMachines >= 1)\n";

static const char *const operations[] = {
    "return core.new_simulator()",
    "return host:AddMachine('new', { adapters = 3, running = true })",
    "return host:CreateObject('VirtualServer.Application')",
    "return host:CreateObject('VirtualPC.Application', { decimal = 'string', not_running = 'zero' "
    "})",
    "return host:Fail('list', 'no answer')",
    "return host:AdvanceClock(5)",
    "return host:SetEvents(false)",
    "return web:Plug({ type = 'user', network = 'none', mac = '52:54:00:00:00:99', counted = false "
    "})",
    "return web:Plug()",
    "return web:AddDisk()",
    "local d = web:AddDisk({ target = 'sdb', counted = false }) return d.Target, d:Remove()",
    "return disk:Read(1), disk:Write('2'), disk:SetBytesRead(1), disk:SetBytesWritten(2)",
    "web:UseProcessor(0.5) web:SetProcessors(2) return host:SetProcessors(2)",
    "return web.Name",
    "return web:Rename('web02')",
    "return web:Reset()",
    "return off:Startup()",
    "return off:Remove()",
    "return nic.EthernetAddress",
    "return nic:Send(1)",
    "return nic:SetBytesSent('5')",
    "return nic2:Unplug()",
    "return objVS.Name",
    "return objVS.Version",
    "return objVS.UpTime",
    "return objVS.VirtualMachines",
    "return objVS:FindVirtualMachine('web')",
    "return objVS:FindVirtualMachine('WEB')",
    "return objVS:FindVirtualMachine('nobody')",
    "return objVS:Close()",
    "return objVS:RecordResets()",
    "return tostring(objVS.Accounting)",
    "return objVS:WaitForEvents(0)",
    "objVS:Connect { OnReset = function() end } return objVS:Connect {}",
    "objVS:Connect { OnVMStateChange = function() end, OnReset = function() end,\n"
    "onadapterremoved = function() end }\n"
    "web:Reset() off:Startup() nic2:Unplug() acct:Get('NetworkBytesSent')\n"
    "return objVS:WaitForEvents(0)",
    "return tostring(select(2, pcall(objVS.Connect, objVS, { OnNothing = print })))",
    "objVS:RecordResets() objVM:Reset() return objVS:Close()",
    "local vs <close> = host:CreateObject('VirtualServer.Application') return "
    "vs.VirtualMachines[1]",
    "return objVS.HostInfo == objVS.HostInfo",
    "all(objVS.HostInfo)",
    "return host:SetHostInfo({ ProcessorFeaturesString = 'sse2', Memory = 1024 })",
    "return machines.Count, #machines",
    "return machines:Item(1), machines:Item('WEB'), machines[2], machines(1)",
    "for vm in machines do local _ = vm.Name end",
    "for i, vm in ipairs(machines) do local _ = vm.State end",
    "for a in machines:Accountants() do local _ = a.VirtualMachine end",
    "return objVM.Name, objVM.ConfigID, objVM.State, objVM.Accountant, objVM.NetworkAdapters",
    "return 'Machine: ' .. objVM, objVM .. 1, tostring(objVM)",
    "stopped.Name = 'mail' return stopped.Name",
    "stopped.Notes = 'a\\r\\nb' return stopped.Notes",
    "stopped.Memory = '128' return stopped.Memory",
    "objVM:Save() return objVM.SavedStateFilePath",
    "return stopped.Accountant",
    "return stopped.NetworkAdapters",
    "return stopped:Startup()",
    "return objVM:TurnOff()",
    "return objVM:Reset()",
    "return objVM:Save()",
    "return objVM:Pause()",
    "objVM:Pause() return objVM:Resume()",
    "objVM:Save() return objVM:DiscardSavedState()",
    "return acct.NetworkBytesSent, acct.NetworkBytesReceived",
    "return acct.UpTime, acct.Since, acct.VirtualMachine",
    "return acct.DiskBytesRead, acct.DiskBytesWritten",
    "acct:Get('DiskBytesRead') objVM:Reset() return acct:Get('DiskBytesRead')",
    "local d = web:AddDisk() acct:Get('DiskBytesRead') d:Remove() objVM:Reset() web:Reset() return "
    "aged.VirtualMachines[2].Accountant:Get('DiskBytesRead')",
    "return aged.VirtualMachines[2].Accountant.DiskBytesWritten",
    "return acct.CPUUtilization, acct.CPUUtilizationHistory",
    "return acct.RelativeWeight, acct:SetSchedulingParameters(0, 50, 7)",
    "return tostring(select(2, pcall(acct.SetSchedulingParameters, acct, 99, 99, 99)))",
    "return acct:LastSession()",
    "objVM:TurnOff() return acct:LastSession()",
    "objVM:Reset() return acct:LastSession().NetworkBytesSent",
    "web:Crash() return acct:LastSession().Reason",
    "return acct:Get('NetworkBytesSent')",
    "return stopped.Accountant:Get('NetworkBytesSent')",
    "return aged.VirtualMachines[2].Accountant.NetworkBytesSent",
    "return aged.VirtualMachines[1].Accountant:Get('NetworkBytesSent')",
    "for adapter in adapters do all(adapter) end",
    "return adapters[1] == objVM.NetworkAdapters[1], adapters[1].VirtualNetwork == network",
    "return task.ID, task.Description, task.Result, task.ErrorDescription, "
    "task:WaitForCompletion(-1)",
    "return tostring(objVS), tostring(machines), tostring(acct), tostring(adapters), "
    "tostring(task)",
    "return tostring(adapters[1]), tostring(network), tostring(host)",
    "all(objVS)",
    "all(machines)",
    "all(objVM)",
    "all(acct)",
    "all(adapters)",
    "all(network)",
    "all(task)",
    "all(web)",
    "all(nic)",
    /* Errors are made of memory, too. */
    "return tostring(select(2, pcall(function() return acct.NetworkBytesSend end)))",
    "return tostring(select(2, pcall(function() acct.UpTime = 1 end)))",
    "return tostring(select(2, pcall(function() return machines:Item(99) end)))",
    "return tostring(select(2, pcall(function() return machines.web end)))",
    "return tostring(select(2, pcall(function() return objVM.GuestOS end)))",
    "return tostring(select(2, pcall(function() return objVM.Accountant() end)))",
    "return tostring(select(2, pcall(function() objVM.Name = 'off' end)))",
    "return tostring(select(2, pcall(core.find_member, 'VMTask', 'nonesuch')))",
    "return core.classes(), core.left_out()",
    "return tostring(select(2, pcall(task.Cancel, task)))",
    "return tostring(select(2, pcall(acct.Get)))",
    "return tostring(select(2, pcall(core.CreateObject, 'Excel.Application')))",
    "host:Fail('sample', 'gone') return tostring(select(2, pcall(function() return acct.Since "
    "end)))",
    /* Connections of libvirt: to a host, and to none. */
    "return core.CreateObject('VirtualServer.Application', 'test:///default')",
    "local vs <close> = core.CreateObject('VirtualServer.Application', 'test:///default')\n"
    /* Not CPUUtilization, whose first sample waits for the clock. */
    "for vm in vs.VirtualMachines do all(vm) local a = vm.Accountant\n"
    "for _, name in ipairs { 'NetworkBytesSent', 'DiskBytesRead', 'CPUUtilizationHistory', "
    "'RelativeWeight', 'UpTime' } do local _ = tostring(a:Get(name)) end\n"
    "pcall(a.SetSchedulingParameters, a, 0, 12.5, 50) end",
    "local vm = core.CreateObject('VirtualServer.Application', "
    "'test:///default').VirtualMachines[1]\n"
    "for adapter in vm.NetworkAdapters do all(adapter) end vm:TurnOff() vm:Startup()",
    "local vs <close> = core.CreateObject('VirtualServer.Application', 'test:///default')\n"
    "all(vs.HostInfo)",
    "local vs <close> = core.CreateObject('VirtualServer.Application', 'test:///default')\n"
    "local vm = vs.VirtualMachines[1]\n"
    "vm.Notes = 'noted' vm:TurnOff() vm.Memory = 64 vm.Name = 'other' vm.Name = 'test' "
    "vm:Startup()",
    "local vs = core.CreateObject('VirtualServer.Application', 'test:///default', { max_age = 60 "
    "})\n"
    "return vs:FindVirtualMachine('TEST').Accountant.NetworkBytesSent",
    "return pcall(core.CreateObject, 'VirtualServer.Application', 'nonsense:///')",
};

enum { OPERATIONS = sizeof operations / sizeof operations[0] };

/* ------------------------------------------------------------------------
 * The sweep
 * ------------------------------------------------------------------------ */

static lua_State *new_state(void)
{
    lua_State *L = lua_newstate(allocate, NULL);
    if (L == NULL)
        abort();
    luaL_openlibs(L);
    luaL_requiref(L, "vmaccountant.core", luaopen_vmaccountant_core, 0);
    return L;
}

/* Runs the chunk without a limit; the values below its arguments stay. */
static bool run(lua_State *L, const char *chunk, int arguments)
{
    bool ok = luaL_loadstring(L, chunk) == LUA_OK;
    if (ok) {
        lua_insert(L, -1 - arguments);
        ok = lua_pcall(L, arguments, 0, 0) == LUA_OK;
    }
    if (!ok) {
        printf("%s\n", luaL_tolstring(L, -1, NULL));
        lua_pop(L, 2);
    }
    return ok;
}

static bool is_nothing_left(void)
{
    pthread_mutex_lock(&lock);
    bool is = block_count == 0 && connection_references == 0;
    pthread_mutex_unlock(&lock);
    return is;
}

/* What a connection holds is released by threads that end a moment later. */
static bool is_all_released(const char *operation)
{
    enum { PATIENCE_MILLISECONDS = 5000, MILLISECOND = 1000000 };
    for (int waited = 0; !is_nothing_left() && waited < PATIENCE_MILLISECONDS; waited++)
        nanosleep(&(struct timespec){.tv_nsec = MILLISECOND}, NULL);
    if (is_nothing_left())
        return true;
    printf("%zu blocks and %ld connections leak: %s\n", block_count, connection_references,
           operation);
    block_count = 0;
    connection_references = 0;
    return false;
}

/* Runs the operation with room for so many allocations. Returns whether it
 * ran out. */
static bool attempt(const char *operation, struct budget *budget, long allocations)
{
    lua_State *L = new_state();
    CHECK(run(L, SETUP, 1));
    lua_gc(L, LUA_GCCOLLECT);
    if (luaL_loadstring(L, operation) != LUA_OK)
        abort();

    *budget = (struct budget){allocations, false};
    int status = lua_pcall(L, 0, LUA_MULTRET, 0);
    bool ran_out = budget->ran_out;
    *budget = (struct budget){UNLIMITED, false};

    if (!CHECK(ran_out || status == LUA_OK))
        printf("%s: %s\n", operation, luaL_tolstring(L, -1, NULL));
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT);
    if (!CHECK(run(L, PROBE, 0)))
        printf("after %ld allocations of: %s\n", allocations, operation);
    lua_close(L);
    CHECK(is_all_released(operation));
    return ran_out;
}

static void no_operation_leaks_when_memory_runs_out(struct budget *budget)
{
    enum { MOST_ALLOCATIONS = 10000 };
    for (size_t i = 0; i < OPERATIONS; i++) {
        long allocations = 0;
        while (attempt(operations[i], budget, allocations))
            if (!CHECK(++allocations < MOST_ALLOCATIONS))
                break;
    }
}

static int open_core(lua_State *L)
{
    luaL_requiref(L, "vmaccountant.core", luaopen_vmaccountant_core, 0);
    return 1;
}

static void the_module_opens_or_raises(void)
{
    bool ran_out = true;
    for (long allocations = 0; ran_out; allocations++) {
        lua_State *L = lua_newstate(allocate, NULL);
        if (L == NULL)
            abort();
        luaL_openlibs(L);
        lua_pushcfunction(L, open_core);
        lua_budget = (struct budget){allocations, false};
        int status = lua_pcall(L, 0, 1, 0);
        ran_out = lua_budget.ran_out;
        lua_budget = (struct budget){UNLIMITED, false};
        CHECK(status == (ran_out ? LUA_ERRMEM : LUA_OK));
        lua_settop(L, 0);
        lua_close(L);
        CHECK(is_all_released("luaopen_vmaccountant_core"));
    }
}

int main(void)
{
    the_module_opens_or_raises();
    no_operation_leaks_when_memory_runs_out(&lua_budget);
    no_operation_leaks_when_memory_runs_out(&c_budget);
    return check_report();
}
