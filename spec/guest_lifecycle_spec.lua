-- When the counts of a real machine start over and when they go on, what a
-- machine that is not running answers, and what the host refuses.
-- run alone: a machine's start is compared with its process's, to two seconds

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

real_host.describe(_ENV, "the life of a real machine #root", function(connect_any)
  local g

  setup(function()
    g = guest.start { name = "life", adapters = { {}, { bridge = "vmabr1" } } }
  end)

  counter_sources.each(_ENV, connect_any, function(connect)
    local objVS

    before_each(function()
      objVS = connect()
    end)

    describe("with a guest", function()
      local objVM

      before_each(function()
        local state = host.virsh("domstate", g.name)
        if state:find("paused") then
          host.virsh("resume", g.name)
        elseif not state:find("running") then
          g:start()
        end
        objVM = objVS:FindVirtualMachine(g.name)
      end)

      after_each(function()
        objVM = nil
      end)

      it("starts the counts over when it is turned off and started up", function()
        g:send(1, 10)
        g:receive(2, 10)
        g:quiet()
        assert.same(device_bytes(g.name), figures(objVM))
        assert.is_true(figures(objVM)[1] >= 10000)
        local adapter = objVM.NetworkAdapters[1]

        assert_complete(objVM:TurnOff(), "TurnOff", g.name)
        assert.equal(vma.vmVMState_TurnedOff, objVM.State)
        assert_not_running(objVM)
        failure.expect({ name = "S_FALSE", member = "BytesSent", machine = g.name }, function()
          return adapter.BytesSent
        end)

        assert_complete(objVM:Startup(), "Startup", g.name)
        assert.equal(vma.vmVMState_Running, objVM.State)
        assert.same({ 0, 0 }, figures(objVM))
        g:wait_boot()
        assert.equal(3000, g:send(1, 3))
        g:send(2, 4)
        g:receive(2, 2)
        g:quiet()
        assert.same({ 7000, 2000 }, figures(objVM))
        assert_exact(objVM, g)
        assert.equal(3000, adapter.BytesSent) -- the same adapter, in its new life
      end)

      it("starts the counts over when others turn it off and on, though they count higher by now", function()
        local before = figures(objVM)
        g:destroy()
        g:start()
        g:send(2, before[1] // 1000 + 5)
        g:quiet()
        assert.is_true(g:tx_bytes() > before[1])
        assert_exact(objVM, g)
      end)

      it("starts the counts over when it is saved and restored", function()
        g:send(1, 20)
        g:receive(1, 20)
        g:quiet()
        assert.is_true(figures(objVM)[1] >= 20000)
        local sent, received = g:tx_bytes(), g:rx_bytes()

        assert_complete(objVM:Save(), "Save", g.name)
        assert.equal(vma.vmVMState_Saved, objVM.State)
        assert_not_running(objVM)

        assert_complete(objVM:Startup(), "Startup", g.name)
        assert.equal(vma.vmVMState_Running, objVM.State)
        g:wait_boot()
        g:quiet()
        -- QEMU announces each adapter five times, in 60 bytes that the guest does
        -- not know of but its new device has sent.
        local ANNOUNCED <const> = 2 * 5 * 60
        assert.same({ g:tx_bytes() - sent + ANNOUNCED, g:rx_bytes() - received }, figures(objVM))
        assert.same(device_bytes(g.name), figures(objVM))
        g:send(2, 6)
        g:receive(1, 7)
        g:quiet()
        assert.same({ g:tx_bytes() - sent + ANNOUNCED, g:rx_bytes() - received }, figures(objVM))
        assert.same(device_bytes(g.name), figures(objVM))
      end)

      it("goes on counting when it is paused and resumed, and answers while it is paused", function()
        g:send(1, 5)
        g:quiet()
        local before, since = figures(objVM), objVM.Accountant.Since

        assert_complete(objVM:Pause(), "Pause", g.name)
        assert.equal(vma.vmVMState_Paused, objVM.State)
        assert.same(before, figures(objVM))
        assert.equal(since, objVM.Accountant.Since)
        assert.equal(before[1], objVM.NetworkAdapters[1].BytesSent + objVM.NetworkAdapters[2].BytesSent)

        assert_complete(objVM:Resume(), "Resume", g.name)
        assert.equal(vma.vmVMState_Running, objVM.State)
        assert.equal(since, objVM.Accountant.Since)
        g:send(1, 5)
        g:receive(2, 5)
        g:quiet()
        assert.same({ before[1] + 5000, before[2] + 5000 }, figures(objVM))
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
        local objVM = objVS:FindVirtualMachine("off")
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
      end)

      it("reads as zero where not_running says so", function()
        local zero <close> = connect { not_running = "zero" }
        local text <close> = connect { not_running = "zero", decimal = "string" }
        local objVM = zero:FindVirtualMachine("off")
        for _, member in ipairs(FIGURES) do
          assert.equal(0, objVM.Accountant[member])
          assert.equal("integer", math.type(objVM.Accountant[member]))
        end
        assert.equal(0, objVM.NetworkAdapters[1].BytesSent)
        assert.equal("0", text:FindVirtualMachine("off").Accountant.NetworkBytesSent)
      end)

      it("is known not to run at once after a TurnOff, however old a sample may be", function()
        local aged <close> = connect { max_age = 3600 }
        local objVM = aged:FindVirtualMachine("off")
        assert_not_running(objVM)
        objVM:Startup():WaitForCompletion(-1)
        assert.same({ 0, 0 }, figures(objVM))
        objVM:TurnOff()
        assert_not_running(objVM)
      end)
    end)

    describe("whose definition goes", function()
      after_each(function()
        undefine("gone")
        undefine("come back")
      end)

      it("is unknown to the objects that outlive it", function()
        host.define(small_machine("gone"))
        local zero <close> = connect { not_running = "zero" }
        local objVM, asZero = objVS:FindVirtualMachine("gone"), zero:FindVirtualMachine("gone")
        local uuid, adapter = objVM.ConfigID, objVM.NetworkAdapters[1]
        host.virsh("undefine", "gone")
        assert_unknown(objVM)
        failure.expect({ name = "VM_E_VM_UNKNOWN", member = "BytesSent", machine = "gone" }, function()
          return adapter.BytesSent
        end)
        failure.expect({ name = "VM_E_VM_UNKNOWN", member = "NetworkBytesSent", machine = "gone" }, function()
          return asZero.Accountant.NetworkBytesSent
        end)
        assert.equal("gone", tostring(objVM))
        assert.equal(uuid, objVM.ConfigID)
        assert.is_nil(objVS:FindVirtualMachine("gone"))
      end)

      it("is not taken for another machine of its name", function()
        host.define(small_machine("gone"))
        local objVM = objVS:FindVirtualMachine("gone")
        host.virsh("undefine", "gone")
        host.define(small_machine("gone"))
        assert_unknown(objVM)
        local other = objVS:FindVirtualMachine("gone")
        assert.not_equal(objVM, other)
        assert_not_running(other)
      end)

      it("is itself again when it is defined anew with its UUID", function()
        host.define(small_machine("gone"))
        local objVM = objVS:FindVirtualMachine("gone")
        host.virsh("undefine", "gone")
        assert_unknown(objVM)
        host.define(small_machine("come back", objVM.ConfigID))
        assert.equal("come back", objVM.Name)
        assert.equal("come back", tostring(objVM))
        assert.equal(objVM, objVS:FindVirtualMachine("come back"))
      end)

      it("answers while it runs on, and is unknown when it has ended", function()
        define_and_start("gone")
        local objVM = objVS:FindVirtualMachine("gone")
        assert.same({ 0, 0 }, figures(objVM))
        host.virsh("undefine", "gone")
        assert.same({ 0, 0 }, figures(objVM))
        assert.equal(vma.vmVMState_Paused, objVM.State)
        host.virsh("destroy", "gone")
        assert_unknown(objVM)
      end)

      it("is unknown when it was a transient one, and has ended", function()
        host.create(small_machine("gone"))
        local objVM = objVS:FindVirtualMachine("gone")
        assert.same({ 0, 0 }, figures(objVM))
        assert_complete(objVM:TurnOff(), "TurnOff", "gone")
        assert_unknown(objVM)
      end)

      it("keeps its object when it is only renamed", function()
        host.define(small_machine("gone"))
        local objVM = objVS:FindVirtualMachine("gone")
        host.virsh("domrename", "gone", "come back")
        assert.equal("come back", objVM.Name)
        assert.equal(objVM, objVS:FindVirtualMachine("come back"))
        assert.is_nil(objVS:FindVirtualMachine("gone"))
        assert_not_running(objVM)
      end)
    end)

    describe("through its methods", function()
      local NAME <const> = "changed"
      local objVM

      before_each(function()
        define_and_start(NAME)
        host.virsh("resume", NAME)
        objVM = objVS:FindVirtualMachine(NAME)
      end)

      after_each(function()
        objVM = nil
        undefine(NAME)
      end)

      local function assert_change(method, state)
        assert_complete(objVM[method](objVM), method, NAME)
        assert.equal(state, objVM.State)
      end

      it("goes from state to state, with a complete task for each step", function()
        assert.equal(vma.vmVMState_Running, objVM.State)
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
          assert.equal(state, objVM.State)
          for method, name in pairs(refusals) do
            failure.expect({ name = name, member = method, machine = NAME }, objVM[method], objVM)
            assert.equal(state, objVM.State)
          end
        end

        local OFF <const> = "VM_E_VM_NOT_RUNNING"
        assert_refused(vma.vmVMState_Running,
          { Startup = "VM_E_VM_RUNNING", Resume = "E_FAIL", DiscardSavedState = "VM_E_VM_RUNNING" })
        objVM:Pause()
        assert_refused(vma.vmVMState_Paused,
          { Startup = "VM_E_VM_RUNNING", Pause = "E_FAIL", DiscardSavedState = "VM_E_VM_RUNNING" })
        objVM:Save():WaitForCompletion(-1)
        assert_refused(vma.vmVMState_Saved, { TurnOff = OFF, Save = OFF, Pause = OFF, Resume = OFF })
        objVM:DiscardSavedState()
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
        objVM:Save():WaitForCompletion(-1)
        objVM:Startup():WaitForCompletion(-1)
        assert.is_true(qemu_restores())
        objVM:Save():WaitForCompletion(-1)
        objVM:DiscardSavedState()
        objVM:Startup():WaitForCompletion(-1)
        assert.is_false(qemu_restores())
      end)
    end)

    describe("its UpTime and Since", function()
      local TOLERANCE <const> = 2 -- seconds
      local GAP <const> = 3.5 -- seconds between what must be told apart
      local NAMES <const> = { "started before", "asked", "restarted", "restored", "restarted unread" }
      local held

      -- A process that looks on while machines start, end and start again, with
      -- one gap of time in the midst of it all.
      setup(function()
        for _, name in ipairs(NAMES) do
          host.define(small_machine(name))
        end
        host.virsh("start", "started before", "--paused")
        held = connect()
        host.virsh("start", "restarted", "--paused")
        for _, name in ipairs { "asked", "restored", "restarted unread" } do
          held:FindVirtualMachine(name):Startup():WaitForCompletion(-1)
        end
        for _, name in ipairs { "asked", "restarted", "restored" } do
          assert.equal("integer", math.type(held:FindVirtualMachine(name).Accountant.Since))
        end
        held:FindVirtualMachine("restored"):Save():WaitForCompletion(-1)
        host.virsh("destroy", "restarted unread")

        host.sleep(GAP)
        host.virsh("destroy", "restarted")
        host.virsh("start", "restarted", "--paused")
        held:FindVirtualMachine("restored"):Startup():WaitForCompletion(-1)
        host.virsh("start", "restarted unread", "--paused")
      end)

      teardown(function()
        held:Close()
        held = nil
        for _, name in ipairs(NAMES) do
          undefine(name)
        end
      end)

      -- For how long the machine's QEMU process has been running, in seconds, as
      -- the kernel tells: field 22 of its stat is its start, in ticks since boot.
      local function qemu_age(name)
        local stat = host.read_file(("/proc/%d/stat"):format(host.qemu_pid(name)))
        local fields = {}
        for field in stat:match("%) (.*)"):gmatch("%S+") do
          fields[#fields + 1] = field
        end
        return host.now() - fields[20] / tonumber(host.shell("getconf CLK_TCK"))
      end

      local function assert_near(expected, actual)
        assert.equal("integer", math.type(actual))
        assert.is_true(math.abs(expected - actual) <= TOLERANCE,
          ("%d instead of about %.1f"):format(actual, expected))
      end

      -- To a process that looked on, and to one that comes to it.
      local function assert_right(name)
        local aged <close> = connect { max_age = 3600 }
        for _, application in ipairs { held, objVS, aged } do
          local accountant = application:FindVirtualMachine(name).Accountant
          assert_near(os.time() - qemu_age(name), accountant.Since)
          assert_near(qemu_age(name), accountant.UpTime)
        end
      end

      it("are those of QEMU's start, which no process here has seen", function()
        assert.is_true(qemu_age("started before") > TOLERANCE + 1)
        assert_right("started before")
      end)

      it("are those of the start that was asked for", function()
        assert.is_true(qemu_age("asked") > TOLERANCE + 1)
        assert_right("asked")
      end)

      it("start over when the machine is turned off and on", function()
        assert_right("restarted")
        local objVM = held:FindVirtualMachine("restarted")
        objVM:TurnOff()
        objVM:Startup():WaitForCompletion(-1)
        assert_right("restarted")
      end)

      it("start over when it is restored", function()
        assert_right("restored")
      end)

      -- The start that a process asked for is not that of a later run, even when
      -- nothing was read in between.
      it("are not those of a run that has ended unread", function()
        assert_right("restarted unread")
      end)
    end)
  end)
end)
