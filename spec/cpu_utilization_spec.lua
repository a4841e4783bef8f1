-- CPUUtilization and its history: percents of the machine's own processors, one for
-- each second of the last minute.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"

describe("CPUUtilization", function()
  local host, machine, objVS, accountant

  before_each(function()
    host = simulator.new()
    machine = host:AddMachine("web01", { running = true })
    objVS = host:CreateObject("VirtualServer.Application")
    accountant = objVS:FindVirtualMachine("web01").Accountant
  end)

  local function pass(seconds, used)
    machine:UseProcessor(used)
    host:AdvanceClock(seconds)
    return accountant.CPUUtilization
  end

  -- The simulator's clock runs on by itself, too, which shows in a slow run.
  local function assert_near(expected, actual)
    assert.is_true(math.abs(expected - actual) <= 5, actual .. " % and not " .. expected .. " %")
  end

  local function assert_all_near(expected, actual)
    assert.equal(#expected, #actual)
    for i, percent in ipairs(expected) do
      assert_near(percent, actual[i])
    end
  end

  local function tail(count)
    local history = accountant.CPUUtilizationHistory
    assert.equal(60, #history)
    return { table.unpack(history, 61 - count) }
  end

  it("is what was used of the last second, whole", function()
    assert.equal(0, accountant.CPUUtilization)
    assert_near(50, pass(1, 0.5))
    assert_near(33, pass(1, 1 / 3))
    assert_near(0, pass(1, 0))
    assert_near(100, pass(1, 1))
    assert.equal("integer", math.type(accountant.CPUUtilization))
  end)

  it("is of the machine's own processors", function()
    machine:SetProcessors(4)
    accountant.VirtualMachine:TurnOff()
    accountant.VirtualMachine:Startup()
    assert_near(25, pass(1, 1))
    assert_near(100, pass(1, 4))
  end)

  it("is never above 100, whatever the hypervisor needs on top", function()
    assert_near(100, pass(1, 1.7))
  end)

  it("has a history of 60, oldest first", function()
    for second = 1, 70 do
      pass(1, second / 100)
    end
    local history = accountant.CPUUtilizationHistory
    assert.equal(60, #history)
    for i = 1, 60 do
      assert_near(10 + i, history[i])
      assert.equal("integer", math.type(history[i]))
    end
  end)

  it("has a history that is zero before the machine's start", function()
    pass(1, 0.3)
    pass(1, 0.6)
    assert_all_near({ 0, 30, 60 }, tail(3))
    machine:TurnOff()
    machine:Startup()
    assert_all_near({ 0, 0, 0 }, tail(3))
  end)

  it("spreads what was used between two samples", function()
    pass(1, 1)
    pass(4, 1)
    assert_all_near({ 100, 25, 25, 25, 25 }, tail(5))
    pass(1000, 1000)
    assert_near(100, accountant.CPUUtilizationHistory[1])
  end)

  it("goes on through a reset", function()
    pass(1, 0.4)
    machine:Reset()
    assert_all_near({ 40 }, tail(1))
  end)

  it("is an error of a machine that does not run, or zero", function()
    machine:TurnOff()
    for _, member in ipairs { "CPUUtilization", "CPUUtilizationHistory" } do
      failure.expect({ name = "S_FALSE", member = member, machine = "web01" }, function()
        return accountant[member]
      end)
    end
    local zero = host:CreateObject("VirtualServer.Application", { not_running = "zero" })
      :FindVirtualMachine("web01").Accountant
    assert.equal(0, zero.CPUUtilization)
    local history = zero.CPUUtilizationHistory
    assert.equal(60, #history)
    for i = 1, 60 do
      assert.equal(0, history[i])
    end
  end)

  it("is an error when the host does not know", function()
    pass(1, 0.4)
    host:Fail("processor_times", "the daemon is gone")
    failure.expect({ name = "DISP_E_EXCEPTION", member = "CPUUtilization", machine = "web01",
      message = "the daemon is gone" }, function() return accountant.CPUUtilization end)
    host:Fail("processor_times")
    assert_near(60, pass(1, 0.6))
  end)

  it("is an error of a machine that is gone", function()
    machine:Remove()
    failure.expect({ name = "VM_E_VM_UNKNOWN", member = "CPUUtilization", machine = "web01" },
      function() return accountant.CPUUtilization end)
  end)

  it("has a history that ends with it, from the first request on", function()
    local real <close> = vma.CreateObject("VirtualServer.Application", "test:///default")
    local objAccountant = real:FindVirtualMachine("test").Accountant
    -- The test driver's machine of two processors uses one second each second.
    local history = objAccountant.CPUUtilizationHistory
    assert_near(50, history[60])
    assert.equal(0, history[59])
    local other <close> = vma.CreateObject("VirtualServer.Application", "test:///default")
    objAccountant = other:FindVirtualMachine("test").Accountant
    for _ = 1, 3 do
      local percent = objAccountant.CPUUtilization
      history = objAccountant.CPUUtilizationHistory
      -- A sample may have come between the two.
      assert.is_true(percent == history[60] or percent == history[59], percent .. " " .. history[60])
      assert_near(50, history[60])
    end
  end)

  it("is read of a host that has a thread for it", function()
    local real <close> = vma.CreateObject("VirtualServer.Application", "test:///default")
    local objAccountant = real:FindVirtualMachine("test").Accountant
    assert.equal(60, #objAccountant.CPUUtilizationHistory)
    -- The test driver's machine of two processors uses one second each second.
    local percent = objAccountant.CPUUtilization
    assert.is_true(percent >= 45 and percent <= 55, percent .. " %")
    objAccountant.VirtualMachine:TurnOff()
    assert.equal("S_FALSE", failure.of(function() return objAccountant.CPUUtilization end).name)
  end)
end)

describe("The accountant of Virtual PC", function()
  local accountant

  before_each(function()
    local host = simulator.new()
    host:AddMachine("web01", { running = true })
    accountant = host:CreateObject("VirtualPC.Application"):FindVirtualMachine("web01").Accountant
  end)

  it("has the members that Virtual PC documents, and this module's own", function()
    local names = {}
    for name in pairs(accountant) do
      names[#names + 1] = name
    end
    table.sort(names)
    assert.same({ "CPUUtilization", "CPUUtilizationHistory", "DiskBytesRead", "DiskBytesWritten",
      "NetworkBytesReceived", "NetworkBytesSent", "Since", "UpTime", "VirtualMachine" }, names)
    assert.is_function(accountant.Get)
    assert.is_function(accountant.LastSession)
    assert.equal("VMAccountant of web01", tostring(accountant))
    assert.equal(0, accountant:Get("networkbytessent"))
    assert.equal(accountant, accountant.VirtualMachine.Accountant)
  end)

  it("says of the others that Virtual PC had none", function()
    for _, name in ipairs { "RelativeWeight", "MaximumSystemCapacity", "ReservedSystemCapacity",
      "AllowableMaximumSystemCapacity", "AllowableReservedSystemCapacity", "SetSchedulingParameters" } do
      failure.expect({ name = "DISP_E_UNKNOWNNAME", member = name, machine = "web01",
        message = "Virtual PC's accountant had none" }, function() return accountant[name] end)
    end
    failure.expect({ name = "DISP_E_UNKNOWNNAME", member = "relativeweight", machine = "web01",
      message = "Virtual PC's accountant had none" }, function() return accountant:Get("relativeweight") end)
  end)
end)
