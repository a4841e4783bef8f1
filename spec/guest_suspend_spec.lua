-- Real machines whose guest sleeps (ACPI S3), or has panicked and is kept: they
-- are Paused, and the same run goes on.

local vma = require "vmaccountant"
local host = require "spec.support.libvirt_host"
local guest = require "spec.support.guest"
local exact = require "spec.support.exact"

local URI <const> = "qemu:///system"

local STATES <const> = {}
for name, value in pairs(vma) do
  if type(name) == "string" and name:match("^vmVMState_") then
    STATES[value] = name:match("_(.*)")
  end
end

-- An application that keeps the states that it is told of.
local function watch(name)
  local watcher = { told = {}, objVS = vma.CreateObject("VirtualServer.Application", URI) }
  watcher.objVM = watcher.objVS:FindVirtualMachine(name)
  watcher.objVS:Connect {
    OnVMStateChange = function(machine, state)
      if machine == name then
        watcher.told[#watcher.told + 1] = STATES[state]
      end
    end,
    OnReset = function() watcher.told[#watcher.told + 1] = "reset" end,
  }
  return setmetatable(watcher, { __close = function() watcher.objVS:Close() end })
end

-- Demands these states, and for a moment longer no other.
local function assert_told(expected, watcher)
  host.wait_until("event " .. expected[#expected], 60, function()
    watcher.objVS:WaitForEvents(200)
    return #watcher.told >= #expected
  end, 0, function()
    return table.concat(watcher.told, ", ")
  end)
  watcher.objVS:WaitForEvents(500)
  assert.same(expected, watcher.told)
  watcher.told = {}
end

host.describe(_ENV, "a real machine whose guest sleeps #root", function()
  local g

  setup(function()
    host.start()
    g = guest.start { name = "sleeper", sleeps = true }
    g:send(1, 5)
    g:quiet()
  end)

  teardown(function()
    g:remove()
    host.stop()
  end)

  local function is_asleep()
    return host.virsh("domstate", g.name):find("pmsuspended", 1, true) ~= nil
  end

  local function sleep()
    g:post("echo mem >/sys/power/state")
    host.wait_until("sleep of the guest", 60, is_asleep)
  end

  local function wake()
    host.virsh("dompmwakeup", g.name)
    g:wait_boot()
  end

  it("is Paused, then Running, in one session whose totals go on", function()
    local before <close> = watch(g.name)
    local accountant = before.objVM.Accountant
    local sent, since = accountant.NetworkBytesSent, accountant.Since
    assert.equal(g:tx_bytes(), sent)

    sleep()
    assert_told({ "Paused" }, before)
    assert.equal(vma.vmVMState_Paused, before.objVM.State)
    assert.equal(sent, accountant.NetworkBytesSent)
    local after <close> = watch(g.name)
    assert.equal(vma.vmVMState_Paused, after.objVM.State)

    wake()
    assert_told({ "Running" }, before)
    assert_told({ "Running" }, after)
    g:send(1, 3)
    g:quiet()
    for _, watcher in ipairs { before, after } do
      assert.equal(vma.vmVMState_Running, watcher.objVM.State)
      assert.equal(sent + 3000, watcher.objVM.Accountant.NetworkBytesSent)
      assert.same(exact.device_bytes(g.name), exact.figures(watcher.objVM))
      assert.is_nil(watcher.objVM.Accountant:LastSession())
    end
    assert.is_true(math.abs(accountant.Since - since) <= 1)
  end)

  it("is woken by Resume, and Running when that returns", function()
    local watcher <close> = watch(g.name)
    sleep()
    local task = watcher.objVM:Resume()
    assert.equal(vma.vmTaskResult_Success, task.Result)
    assert.equal(vma.vmVMState_Running, watcher.objVM.State)
    assert_told({ "Paused", "Running" }, watcher)
    g:wait_boot()
  end)
end)

-- The first sector of a disk that tells the panic device, at port 0x505, of a panic:
-- mov dx, 0x505; mov al, 1; out dx, al; jmp $
local PANIC <const> = "\xba\x05\x05\xb0\x01\xee\xeb\xfe" .. ("\0"):rep(510 - 8) .. "\x55\xaa"

host.describe(_ENV, "a real machine whose guest panics #root", function()
  local NAME <const> = "panicker"
  -- libvirt reports SUSPENDED beside CRASHED or not, as two of its threads happen to run.
  local ROUNDS <const> = 8

  setup(function()
    host.start()
    host.write_file(host.folder .. "/panic", PANIC)
  end)

  teardown(function()
    host.stop()
  end)

  after_each(function()
    host.try_virsh("destroy", NAME)
    host.try_virsh("undefine", NAME)
  end)

  local function define(on_crash)
    host.define(([[<domain type='qemu'><name>%s</name><memory unit='MiB'>16</memory>
      <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>
      <on_crash>%s</on_crash>
      <devices>
        <disk type='file'><driver name='qemu' type='raw'/><source file='%s/panic'/>
          <target dev='hda' bus='ide'/></disk>
        <interface type='bridge'><source bridge='vmabr0'/><model type='virtio'/><rom enabled='no'/></interface>
        <panic model='isa'/><controller type='usb' model='none'/><memballoon model='none'/>
      </devices></domain>]]):format(NAME, on_crash, host.folder))
  end

  it("and is kept is Paused, each time", function()
    define "preserve"
    local watcher <close> = watch(NAME)
    for _ = 1, ROUNDS do
      host.virsh("start", NAME)
      assert_told({ "TurningOn", "Running", "Paused" }, watcher)
      assert.equal(vma.vmVMState_Paused, watcher.objVM.State)
      assert.equal(0, watcher.objVM.Accountant.NetworkBytesSent)
      host.virsh("destroy", NAME)
      assert_told({ "TurningOff", "DeleteMachine", "TurnedOff" }, watcher)
    end
  end)

  it("and is destroyed passes through the same states each time", function()
    define "destroy"
    local watcher <close> = watch(NAME)
    for _ = 1, ROUNDS do
      host.virsh("start", NAME)
      assert_told({ "TurningOn", "Running", "Paused", "TurningOff", "DeleteMachine", "TurnedOff" }, watcher)
      assert.equal("Crashed", watcher.objVM.Accountant:LastSession().Reason)
    end
  end)
end)
