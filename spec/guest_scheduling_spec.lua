-- What SetSchedulingParameters sets on a real machine is what libvirt's own tools
-- show, and what they set is read back.

local vma = require "vmaccountant"
local host = require "spec.support.libvirt_host"
local guest = require "spec.support.guest"
local failure = require "spec.support.failure"

host.describe(_ENV, "a real machine's scheduling #root", function()
  local lacks, g, objVS, accountant, host_processors

  setup(function()
    host.start()
    lacks = host.scheduler_lacks()
    if lacks then
      return
    end
    host.start_with_scheduler()
    g = guest.start { name = "scheduled", adapters = 0 }
    objVS = vma.CreateObject("VirtualServer.Application", "qemu:///system")
    accountant = objVS:FindVirtualMachine(g.name).Accountant
    host_processors = math.tointeger(tonumber(host.virsh("nodeinfo"):match("CPU%(s%):%s+(%d+)")))
  end)

  teardown(function()
    if objVS then
      objVS:Close()
    end
    if g then
      g:remove()
    end
    host.destroy_all()
    if lacks then
      host.stop()
    else
      host.stop_with_scheduler()
    end
  end)

  local function test(what, body)
    it(what, function()
      if lacks then -- this runs as root only, for whom a test that cannot run has failed
        error(lacks, 0)
      end
      body()
    end)
  end

  -- What virsh shows, of the running machine or ("--config") of its next start.
  local function schedinfo(flag)
    local shown = {}
    for name, value in host.virsh("schedinfo", g.name, flag or "--current"):gmatch("([%w_]+)%s*: (%-?%d+)") do
      shown[name] = math.tointeger(value)
    end
    return shown
  end

  local function settings()
    return { accountant.ReservedSystemCapacity, accountant.MaximumSystemCapacity, accountant.RelativeWeight }
  end

  local function raises(code, ...)
    local before = schedinfo()
    local err = failure.of(accountant.SetSchedulingParameters, accountant, ...)
    assert.equal(code, err.name, tostring(err))
    assert.same(before, schedinfo())
    return err
  end

  test("is at first without a limit, and of libvirt's own weight", function()
    local all = 100 / host_processors
    assert.same({ 0.0, all, schedinfo().cpu_shares }, settings())
    assert.equal(all, accountant.AllowableMaximumSystemCapacity)
    assert.equal(0.0, accountant.AllowableReservedSystemCapacity)
    assert.equal("float", math.type(accountant.MaximumSystemCapacity))
  end)

  test("is the same of a machine that is off, where nobody has set it", function()
    host.define("<domain type='qemu'><name>unset</name><memory unit='MiB'>16</memory><vcpu>1</vcpu>"
      .. "<os><type arch='x86_64'>hvm</type></os></domain>")
    assert.equal(0, math.tointeger(tonumber(host.virsh("schedinfo", "unset"):match("cpu_shares%s*: (%d+)"))))
    local unset = objVS:FindVirtualMachine("unset").Accountant
    assert.equal(accountant.RelativeWeight, unset.RelativeWeight)
    unset:SetSchedulingParameters(0, unset.MaximumSystemCapacity, unset.RelativeWeight)
    host.virsh("undefine", "unset")
  end)

  test("is what is set, live and for the next start", function()
    local maximum = 100 / host_processors / 4 -- a quarter of a processor
    accountant:SetSchedulingParameters(0, maximum, 250)
    for _, flag in ipairs { "--live", "--config" } do
      local shown = schedinfo(flag)
      assert.equal(250, shown.cpu_shares)
      assert.equal(100000, shown.vcpu_period)
      assert.equal(25000, shown.vcpu_quota)
    end
    assert.same({ 0.0, maximum, 250 }, settings())
  end)

  test("takes numbers as text", function()
    accountant:SetSchedulingParameters("0", tostring(100 / host_processors / 2), "77")
    assert.equal(77, schedinfo().cpu_shares)
    assert.equal(50000, schedinfo().vcpu_quota)
  end)

  test("loses its limit at the largest maximum", function()
    accountant:SetSchedulingParameters(0, accountant.AllowableMaximumSystemCapacity, 100)
    assert.equal(-1, schedinfo().vcpu_quota)
    assert.same({ 0.0, 100 / host_processors, 100 }, settings())
  end)

  test("is what other tools set", function()
    host.virsh("schedinfo", g.name, "--live", "cpu_shares=2048", "vcpu_quota=10000", "vcpu_period=40000")
    assert.same({ 0.0, 100 / host_processors / 4, 2048 }, settings())
    host.virsh("schedinfo", g.name, "--live", "vcpu_quota=-1")
    host.virsh("schedinfo", g.name, "--live", "global_quota=5000", "global_period=50000")
    assert.equal(100 / host_processors / 10, accountant.MaximumSystemCapacity)
    host.virsh("schedinfo", g.name, "--live", "global_quota=-1")
  end)

  test("is not changed by what is out of range", function()
    local all = 100 / host_processors
    raises("E_INVALIDARG", 99, 99, 99) -- with one processor, for want of a reserve
    raises("E_INVALIDARG", 0, all + 1, 100)
    raises("E_INVALIDARG", 0, 0.5, 100)
    raises("E_INVALIDARG", -1, all, 100)
    raises("E_INVALIDARG", 0, all, 0)
    raises("E_INVALIDARG", 0, all, 10001)
    raises("E_INVALIDARG", 0, 0 / 0, 100)
    raises("E_POINTER", 0, all)
    local err = raises("E_INVALIDARG", 1, all, 100)
    assert.is_truthy(err.message:find("cannot reserve", 1, true), err.message)
    -- The shares of cgroups of version 1 begin at 2.
    raises("E_INVALIDARG", 0, all, 1)
    accountant:SetSchedulingParameters(0, all, 2)
    accountant:SetSchedulingParameters(0, all, 10000)
    assert.equal(10000, schedinfo().cpu_shares)
  end)

  test("is set of a machine that is off, for its start", function()
    g:destroy()
    local maximum = 100 / host_processors / 5
    accountant:SetSchedulingParameters(0, maximum, 300)
    assert.equal(300, schedinfo("--config").cpu_shares)
    assert.same({ 0.0, maximum, 300 }, settings())
    g:start()
    assert.equal(20000, schedinfo("--live").vcpu_quota)
    assert.same({ 0.0, maximum, 300 }, settings())
  end)

  test("limits what the machine uses", function()
    accountant:SetSchedulingParameters(0, 100 / host_processors / 5, 100)
    g:run("(while :; do :; done) >/dev/null 2>&1 &")
    local pid = host.qemu_pid(g.name)
    local function processor_seconds()
      local fields = host.read_file(("/proc/%d/stat"):format(pid)):match("%) (.*)")
      local user, system = fields:match("^%S+ " .. ("%S+ "):rep(10) .. "(%d+) (%d+)")
      return (tonumber(user) + tonumber(system)) / 100
    end
    local used, at = processor_seconds(), host.now()
    host.sleep(4)
    local share = (processor_seconds() - used) / (host.now() - at)
    -- A fifth of a processor, and what the emulator's other threads use.
    assert.is_true(share < 0.4, share .. " of a processor")
  end)

  test("cannot be told where the controller is not used", function()
    objVS:Close()
    g:remove()
    host.stop_with_scheduler()
    lacks = "done"
    host.start()
    g = guest.start { name = "unscheduled", adapters = 0, wait = false }
    objVS = vma.CreateObject("VirtualServer.Application", "qemu:///system")
    accountant = objVS:FindVirtualMachine(g.name).Accountant
    local err = failure.of(function() return accountant.RelativeWeight end)
    assert.equal("DISP_E_EXCEPTION", err.name)
    assert.is_truthy(err.message:find("cgroup", 1, true), err.message)
    err = failure.of(accountant.SetSchedulingParameters, accountant, 0, 10, 100)
    assert.equal("DISP_E_EXCEPTION", err.name)
  end)
end)
