-- When the counts of a real machine start over and when they go on, what a
-- machine that is not running answers, and what the host refuses.

local host = require "spec.support.libvirt_host"
local guest = require "spec.support.guest"
local counter_sources = require "spec.support.counter_sources"
local real_host = require "spec.support.real_host"
local failure = require "spec.support.failure"
local vma = require "vmaccountant"

local FIGURES <const> = { "NetworkBytesSent", "NetworkBytesReceived", "UpTime", "Since" }
local METHODS <const> = { "Startup", "TurnOff", "Save", "Pause", "Resume", "DiscardSavedState" }

-- A machine that does nothing, has a real tap and starts in no time.
local function small_machine(name, uuid)
  return ([[
<domain type='qemu'>
  <name>%s</name>%s
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <interface type='bridge'><source bridge='vmabr1'/><model type='virtio'/><rom enabled='no'/></interface>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>]]):format(name, uuid and "<uuid>" .. uuid .. "</uuid>" or "")
end

local function define_and_start(name)
  host.define(small_machine(name))
  host.virsh("start", name, "--paused")
end

local function undefine(name)
  host.try_virsh("destroy", name)
  host.try_virsh("undefine", name, "--managed-save")
end

-- What the host's devices of a machine have counted, in the guest's view.
local function device_bytes(name)
  local sent, received = 0, 0
  for _, tap in ipairs(host.taps(name)) do
    local rx, tx = host.device_counters(tap.device)
    sent, received = sent + rx, received + tx
  end
  return { sent, received }
end

local function figures(objVM)
  return { objVM.Accountant.NetworkBytesSent, objVM.Accountant.NetworkBytesReceived }
end

-- The link must be quiet, and the guest not restored since it booted.
local function assert_exact(objVM, g)
  assert.same({ g:tx_bytes(), g:rx_bytes() }, figures(objVM))
  assert.same(device_bytes(g.name), figures(objVM))
end

local function assert_complete(task, method, name)
  task:WaitForCompletion(-1)
  assert.equal(method .. " of " .. name, task.Description)
  assert.is_true(task.IsComplete)
  assert.is_false(task.IsCancelable)
  assert.equal(100, task.PercentCompleted)
  assert.equal(vma.vmTaskResult_Success, task.Result)
end

local function assert_not_running(objVM)
  local accountant = objVM.Accountant
  for _, member in ipairs(FIGURES) do
    failure.expect({ name = "S_FALSE", member = member, machine = tostring(objVM) }, function()
      return accountant[member]
    end)
    local value, err = accountant:Get(member)
    assert.is_nil(value)
    failure.check({ name = "S_FALSE", member = member, machine = tostring(objVM) }, err)
  end
end

-- Demands that the machine is unknown to everything that asks the host.
local function assert_unknown(objVM)
  local name = tostring(objVM)
  for _, member in ipairs { "Name", "State", "NetworkAdapters" } do
    failure.expect({ name = "VM_E_VM_UNKNOWN", member = member, machine = name }, function()
      return objVM[member]
    end)
  end
  for _, member in ipairs(FIGURES) do
    failure.expect({ name = "VM_E_VM_UNKNOWN", member = member, machine = name }, function()
      return objVM.Accountant[member]
    end)
  end
  for _, method in ipairs(METHODS) do
    failure.expect({ name = "VM_E_VM_UNKNOWN", member = method, machine = name }, function()
      return objVM[method](objVM)
    end)
  end
end

real_host.describe(_ENV, "the life of a real machine #root", function(connect)
  local g, applications

  setup(function()
    g = guest.start { name = "life", adapters = { {}, { bridge = "vmabr1" } } }
  end)

  before_each(function()
    applications = counter_sources.connect(connect)
  end)

  -- The machine of that name: of the application with the kernel's counters, and
  -- of that with the hypervisor's.
  local function find(name)
    local machines = counter_sources.machines(applications, name)
    return machines.kernel, machines.hypervisor
  end

  local function assert_figures(expected, ...)
    for _, objVM in ipairs { ... } do
      assert.same(expected, figures(objVM))
    end
  end

  describe("with a guest", function()
    local kernels, libvirts

    before_each(function()
      local state = host.virsh("domstate", g.name)
      if state:find("paused") then
        host.virsh("resume", g.name)
      elseif not state:find("running") then
        g:start()
      end
      kernels, libvirts = find(g.name)
    end)

    after_each(function()
      kernels, libvirts = nil, nil
    end)

    local function assert_both(expected)
      assert_figures(expected, kernels, libvirts)
    end

    local function assert_state(state)
      assert.equal(state, kernels.State)
      assert.equal(state, libvirts.State)
    end

    -- What both say; the link must be quiet.
    local function figures_of_both()
      local now = figures(kernels)
      assert.same(now, figures(libvirts))
      return now
    end

    it("starts the counts over when it is turned off and started up", function()
      g:send(1, 10)
      g:receive(2, 10)
      g:quiet()
      assert_both(device_bytes(g.name))
      assert.is_true(figures_of_both()[1] >= 10000)
      local adapters = { kernels.NetworkAdapters[1], libvirts.NetworkAdapters[1] }

      assert_complete(kernels:TurnOff(), "TurnOff", g.name)
      assert_state(vma.vmVMState_TurnedOff)
      for i, objVM in ipairs { kernels, libvirts } do
        assert_not_running(objVM)
        failure.expect({ name = "S_FALSE", member = "BytesSent", machine = g.name }, function()
          return adapters[i].BytesSent
        end)
      end

      assert_complete(libvirts:Startup(), "Startup", g.name)
      assert_state(vma.vmVMState_Running)
      assert_both { 0, 0 }
      g:wait_boot()
      assert.equal(3000, g:send(1, 3))
      g:send(2, 4)
      g:receive(2, 2)
      g:quiet()
      assert_both { 7000, 2000 }
      for i, objVM in ipairs { kernels, libvirts } do
        assert_exact(objVM, g)
        assert.equal(3000, adapters[i].BytesSent) -- the same adapter, in its new life
      end
    end)

    it("starts the counts over when others turn it off and on, though they count higher by now", function()
      local before = figures_of_both()
      g:destroy()
      g:start()
      g:send(2, before[1] // 1000 + 5)
      g:quiet()
      assert.is_true(g:tx_bytes() > before[1])
      assert_exact(kernels, g)
      assert_exact(libvirts, g)
    end)

    it("starts the counts over when it is saved and restored", function()
      g:send(1, 20)
      g:receive(1, 20)
      g:quiet()
      assert.is_true(figures_of_both()[1] >= 20000)
      local sent, received = g:tx_bytes(), g:rx_bytes()

      assert_complete(libvirts:Save(), "Save", g.name)
      assert_state(vma.vmVMState_Saved)
      assert_not_running(kernels)
      assert_not_running(libvirts)

      assert_complete(kernels:Startup(), "Startup", g.name)
      assert_state(vma.vmVMState_Running)
      g:wait_boot()
      g:quiet()
      -- QEMU announces each adapter five times, in 60 bytes that the guest does
      -- not know of but its new device has sent.
      local ANNOUNCED <const> = 2 * 5 * 60
      assert_both { g:tx_bytes() - sent + ANNOUNCED, g:rx_bytes() - received }
      assert_both(device_bytes(g.name))
      g:send(2, 6)
      g:receive(1, 7)
      g:quiet()
      assert_both { g:tx_bytes() - sent + ANNOUNCED, g:rx_bytes() - received }
      assert_both(device_bytes(g.name))
    end)

    it("goes on counting when it is paused and resumed, and answers while it is paused", function()
      for _, objVM in ipairs { kernels, libvirts } do
        g:send(1, 5)
        g:quiet()
        local before, since = figures_of_both(), objVM.Accountant.Since

        assert_complete(objVM:Pause(), "Pause", g.name)
        assert_state(vma.vmVMState_Paused)
        assert_both(before)
        assert.equal(since, objVM.Accountant.Since)
        assert.equal(before[1], objVM.NetworkAdapters[1].BytesSent + objVM.NetworkAdapters[2].BytesSent)

        assert_complete(objVM:Resume(), "Resume", g.name)
        assert_state(vma.vmVMState_Running)
        assert.equal(since, objVM.Accountant.Since)
        g:send(1, 5)
        g:receive(2, 5)
        g:quiet()
        assert_both { before[1] + 5000, before[2] + 5000 }
      end
    end)
  end)

  describe("that is not running", function()
    setup(function()
      host.define(small_machine("off"))
    end)

    teardown(function()
      undefine("off")
    end)

    it("raises S_FALSE, and shows the adapters of its definition", function()
      for _, objVM in ipairs { find "off" } do
        assert.equal(vma.vmVMState_TurnedOff, objVM.State)
        assert_not_running(objVM)
        local adapters = objVM.NetworkAdapters
        assert.equal(1, #adapters)
        assert.equal("bridge", adapters[1].Type)
        assert.equal("vmabr1", adapters[1].VirtualNetwork.Name)
        assert.is_false(adapters[1].IsCounted)
        for _, member in ipairs { "BytesSent", "BytesReceived" } do
          failure.expect({ name = "S_FALSE", member = member, machine = "off" }, function()
            return adapters[1][member]
          end)
        end
      end
    end)

    it("reads as zero where not_running says so", function()
      for _, objVS in pairs(counter_sources.connect(connect, { not_running = "zero" })) do
        local objVM = objVS:FindVirtualMachine("off")
        for _, member in ipairs(FIGURES) do
          assert.equal(0, objVM.Accountant[member])
          assert.equal("integer", math.type(objVM.Accountant[member]))
        end
        assert.equal(0, objVM.NetworkAdapters[1].BytesSent)
      end
      for _, objVS in pairs(counter_sources.connect(connect, { not_running = "zero", decimal = "string" })) do
        assert.equal("0", objVS:FindVirtualMachine("off").Accountant.NetworkBytesSent)
      end
    end)

    it("is known not to run at once after a TurnOff, however old a sample may be", function()
      for _, objVS in pairs(counter_sources.connect(connect, { max_age = 3600 })) do
        local objVM = objVS:FindVirtualMachine("off")
        assert_not_running(objVM)
        objVM:Startup():WaitForCompletion(-1)
        assert.same({ 0, 0 }, figures(objVM))
        objVM:TurnOff()
        assert_not_running(objVM)
      end
    end)
  end)

  describe("whose definition goes", function()
    after_each(function()
      undefine("gone")
      undefine("come back")
    end)

    it("is unknown to the objects that outlive it", function()
      host.define(small_machine("gone"))
      local zeros = counter_sources.machines(counter_sources.connect(connect, { not_running = "zero" }), "gone")
      local machines = counter_sources.machines(applications, "gone")
      local uuids, adapters = {}, {}
      for counters, objVM in pairs(machines) do
        uuids[counters], adapters[counters] = objVM.ConfigID, objVM.NetworkAdapters[1]
      end
      host.virsh("undefine", "gone")
      for counters, objVM in pairs(machines) do
        assert_unknown(objVM)
        failure.expect({ name = "VM_E_VM_UNKNOWN", member = "BytesSent", machine = "gone" }, function()
          return adapters[counters].BytesSent
        end)
        failure.expect({ name = "VM_E_VM_UNKNOWN", member = "NetworkBytesSent", machine = "gone" }, function()
          return zeros[counters].Accountant.NetworkBytesSent
        end)
        assert.equal("gone", tostring(objVM))
        assert.equal(uuids[counters], objVM.ConfigID)
        assert.is_nil(applications[counters]:FindVirtualMachine("gone"))
      end
    end)

    it("is not taken for another machine of its name", function()
      host.define(small_machine("gone"))
      local machines = counter_sources.machines(applications, "gone")
      host.virsh("undefine", "gone")
      host.define(small_machine("gone"))
      for counters, objVM in pairs(machines) do
        assert_unknown(objVM)
        local other = applications[counters]:FindVirtualMachine("gone")
        assert.not_equal(objVM, other)
        assert_not_running(other)
      end
    end)

    it("is itself again when it is defined anew with its UUID", function()
      host.define(small_machine("gone"))
      local machines = counter_sources.machines(applications, "gone")
      host.virsh("undefine", "gone")
      for _, objVM in pairs(machines) do
        assert_unknown(objVM)
      end
      host.define(small_machine("come back", machines.kernel.ConfigID))
      for counters, objVM in pairs(machines) do
        assert.equal("come back", objVM.Name)
        assert.equal("come back", tostring(objVM))
        assert.equal(objVM, applications[counters]:FindVirtualMachine("come back"))
      end
    end)

    it("answers while it runs on, and is unknown when it has ended", function()
      define_and_start("gone")
      local machines = { find "gone" }
      assert_figures({ 0, 0 }, table.unpack(machines))
      host.virsh("undefine", "gone")
      assert_figures({ 0, 0 }, table.unpack(machines))
      for _, objVM in ipairs(machines) do
        assert.equal(vma.vmVMState_Paused, objVM.State)
      end
      host.virsh("destroy", "gone")
      for _, objVM in ipairs(machines) do
        assert_unknown(objVM)
      end
    end)

    it("is unknown when it was a transient one, and has ended", function()
      host.create(small_machine("gone"))
      local kernels, libvirts = find "gone"
      assert_figures({ 0, 0 }, kernels, libvirts)
      assert_complete(kernels:TurnOff(), "TurnOff", "gone")
      assert_unknown(kernels)
      assert_unknown(libvirts)
    end)

    it("keeps its object when it is only renamed", function()
      host.define(small_machine("gone"))
      local machines = counter_sources.machines(applications, "gone")
      host.virsh("domrename", "gone", "come back")
      for counters, objVM in pairs(machines) do
        local objVS = applications[counters]
        assert.equal("come back", objVM.Name)
        assert.equal(objVM, objVS:FindVirtualMachine("come back"))
        assert.is_nil(objVS:FindVirtualMachine("gone"))
        assert_not_running(objVM)
      end
    end)
  end)

  describe("through its methods", function()
    local NAME <const> = "changed"
    local machines

    before_each(function()
      define_and_start(NAME)
      host.virsh("resume", NAME)
      machines = { find(NAME) }
    end)

    after_each(function()
      machines = nil
      undefine(NAME)
    end)

    -- Each step is made by the application that did not make the one before.
    local function assert_change(method, state)
      machines[1], machines[2] = machines[2], machines[1]
      assert_complete(machines[1][method](machines[1]), method, NAME)
      assert.equal(state, machines[1].State)
      assert.equal(state, machines[2].State)
    end

    it("goes from state to state, with a complete task for each step", function()
      assert.equal(vma.vmVMState_Running, machines[1].State)
      assert.equal(vma.vmVMState_Running, machines[2].State)
      assert_change("Pause", vma.vmVMState_Paused)
      assert_change("Resume", vma.vmVMState_Running)
      assert_change("Save", vma.vmVMState_Saved)
      assert_change("Startup", vma.vmVMState_Running)
      assert_change("Save", vma.vmVMState_Saved)
      assert_change("DiscardSavedState", vma.vmVMState_TurnedOff)
      assert_change("Startup", vma.vmVMState_Running)
      assert_change("Pause", vma.vmVMState_Paused)
      assert_change("TurnOff", vma.vmVMState_TurnedOff)
    end)

    it("refuses what its state does not allow, and stays as it is", function()
      local function assert_refused(state, refusals)
        for _, objVM in ipairs(machines) do
          assert.equal(state, objVM.State)
          for method, name in pairs(refusals) do
            failure.expect({ name = name, member = method, machine = NAME }, objVM[method], objVM)
            assert.equal(state, objVM.State)
          end
        end
      end

      local OFF <const> = "VM_E_VM_NOT_RUNNING"
      local kernels, libvirts = machines[1], machines[2]
      assert_refused(vma.vmVMState_Running,
        { Startup = "VM_E_VM_RUNNING", Resume = "E_FAIL", DiscardSavedState = "VM_E_VM_RUNNING" })
      kernels:Pause()
      assert_refused(vma.vmVMState_Paused,
        { Startup = "VM_E_VM_RUNNING", Pause = "E_FAIL", DiscardSavedState = "VM_E_VM_RUNNING" })
      libvirts:Save():WaitForCompletion(-1)
      assert_refused(vma.vmVMState_Saved, { TurnOff = OFF, Save = OFF, Pause = OFF, Resume = OFF })
      kernels:DiscardSavedState()
      assert_refused(vma.vmVMState_TurnedOff, {
        TurnOff = OFF,
        Save = OFF,
        Pause = OFF,
        Resume = OFF,
        DiscardSavedState = "VM_E_VM_NO_SAVED_STATE",
      })
    end)

    it("starts afresh when its saved state was discarded", function()
      local function qemu_restores()
        local arguments = host.read_file(("/proc/%d/cmdline"):format(host.qemu_pid(NAME)))
        return arguments:find("\0-incoming\0", 1, true) ~= nil
      end
      local kernels, libvirts = machines[1], machines[2]
      kernels:Save():WaitForCompletion(-1)
      libvirts:Startup():WaitForCompletion(-1)
      assert.is_true(qemu_restores())
      kernels:Save():WaitForCompletion(-1)
      libvirts:DiscardSavedState()
      kernels:Startup():WaitForCompletion(-1)
      assert.is_false(qemu_restores())
    end)
  end)
end)
