-- The simulator's clock: it moves only with AdvanceClock, so that a suite's
-- results do not depend on how fast the suite runs.

local vma = require "vmaccountant"
local core = require "vmaccountant.core"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"

local PROGID <const> = "VirtualServer.Application"

describe("the simulator's clock", function()
  local host, objVS

  before_each(handles.remember)

  before_each(function()
    host = simulator.new()
    objVS = host:CreateObject(PROGID)
  end)

  after_each(function()
    objVS:Close()
    host, objVS = nil, nil
    handles.check()
  end)

  it("stands still while the suite sleeps", function()
    host:AddMachine("web01", { running = true })
    local accountant = objVS.VirtualMachines[1].Accountant
    local now, since = objVS.HostInfo.UTCTime, accountant.Since
    core.sleep(1.1)
    assert.same({ now, since, 0 }, { objVS.HostInfo.UTCTime, accountant.Since, accountant.UpTime })
    assert.equal(0, objVS.UpTime)
    host:AdvanceClock(7)
    assert.same({ now + 7, since, 7 }, { objVS.HostInfo.UTCTime, accountant.Since, accountant.UpTime })
    assert.equal(7, objVS.UpTime)
  end)

  it("gives the same CPUUtilization however slow the suite is", function()
    local web01 = host:AddMachine("web01", { running = true })
    local accountant = objVS.VirtualMachines[1].Accountant
    web01:UseProcessor(0.25)
    core.sleep(0.2)
    host:AdvanceClock(1)
    core.sleep(0.2)
    assert.equal(25, accountant.CPUUtilization)
    assert.equal(25, accountant.CPUUtilizationHistory[60])
  end)

  it("makes parts of seconds into the same whole ones each time", function()
    host:AddMachine("web01", { running = true })
    local accountant = objVS.VirtualMachines[1].Accountant
    for tenths = 1, 25 do
      host:AdvanceClock(0.1)
      assert.equal(tenths // 10, accountant.UpTime)
    end
  end)

  it("does not make a sample young that is old, nor old that is young", function()
    local _, nic = host:AddMachine("web01", { adapters = 1, running = true })
    local cached <close> = host:CreateObject(PROGID, { max_age = 0.05 })
    local accountant = cached.VirtualMachines[1].Accountant
    assert.equal(0, accountant.NetworkBytesSent)
    nic:Send(5)
    core.sleep(0.1)
    assert.equal(0, accountant.NetworkBytesSent)
    host:AdvanceClock(0.06)
    assert.equal(5, accountant.NetworkBytesSent)
  end)

  it("asks each time where no age is allowed, of disks as well", function()
    local web01, nic = host:AddMachine("web01", { adapters = 1, running = true })
    local disk = web01:AddDisk()
    local accountant = objVS.VirtualMachines[1].Accountant
    for i = 1, 3 do
      nic:Send(1)
      disk:Read(2)
      assert.same({ i, 2 * i }, { accountant.NetworkBytesSent, accountant.DiskBytesRead })
    end
  end)

  it("does not hold up WaitForEvents, which waits in real time", function()
    local before, now = core.monotonic_time(), objVS.HostInfo.UTCTime
    assert.equal(0, objVS:WaitForEvents(50))
    assert.is_true(core.monotonic_time() - before >= 0.045)
    assert.equal(now, objVS.HostInfo.UTCTime)
  end)

  it("follows real time where it is asked to", function()
    for _, clock in ipairs { "told", "real" } do
      local other = simulator.new { clock = clock }
      local application <close> = other:CreateObject(PROGID)
      local before = application.HostInfo.UTCTime
      core.sleep(1.05)
      other:AdvanceClock(100)
      local passed = application.HostInfo.UTCTime - before
      if clock == "told" then
        assert.equal(100, passed)
      else
        assert.is_true(passed >= 101, tostring(passed))
      end
    end
  end)

  it("is chosen by a name that there is", function()
    failure.expect_argument_error("unknown clock 'fast'; the known ones are 'told' and 'real'", simulator.new,
      { clock = "fast" })
    failure.expect_argument_error("unknown option 'clocks'; the known ones are 'clock'", simulator.new, { clocks = 1 })
    failure.expect_argument_error("unknown option 'clock", simulator.new, { ["clock\0"] = "real" })
    failure.expect_argument_error("option 'clock' must be a string, not a number", simulator.new, { clock = 1 })
    failure.expect_argument_error("table expected, got string", simulator.new, "real")
  end)
end)

describe("names that the simulator does not know", function()
  it("are answered with those that it knows", function()
    local host = simulator.new()
    local web01 = host:AddMachine("web01")
    failure.expect_argument_error("the known ones are 'adapters' and 'running'", host.AddMachine, host, "a",
      { on = true })
    failure.expect_argument_error("the known ones are 'type', 'network', 'mac' and 'counted'", web01.Plug, web01,
      { x = 1 })
    failure.expect_argument_error("the known ones are 'target' and 'counted'", web01.AddDisk, web01, { x = 1 })
    failure.expect_argument_error("'LogicalProcessorCount', 'PhysicalProcessorCount'", host.SetHostInfo, host,
      { x = 1 })
    failure.expect_argument_error("unknown call 'samples'; the known ones are ", host.Fail, host, "samples")
    failure.expect_argument_error("unknown call of one machine 'list'; the known ones are 'find', 'name', ", web01.Fail,
      web01, "list")
  end)
end)

describe("the processors of a simulated host", function()
  it("are one number, whoever says it", function()
    local host = simulator.new()
    local objVS <close> = host:CreateObject(PROGID)
    local web01 = host:AddMachine("web01", { running = true })
    local accountant = objVS.VirtualMachines[1].Accountant
    web01:SetProcessors(2)
    assert.same({ 1, 100 }, { objVS.HostInfo.LogicalProcessorCount, accountant.AllowableMaximumSystemCapacity })
    host:SetProcessors(8)
    assert.same({ 8, 25 }, { objVS.HostInfo.LogicalProcessorCount, accountant.AllowableMaximumSystemCapacity })
    host:SetHostInfo { LogicalProcessorCount = 4 }
    assert.same({ 4, 50 }, { objVS.HostInfo.LogicalProcessorCount, accountant.AllowableMaximumSystemCapacity })
    assert.equal(vma.vmVMState_Running, objVS.VirtualMachines[1].State)
  end)
end)
