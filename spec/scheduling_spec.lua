-- The scheduling members: percents of the whole host, and a weight.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"

describe("Scheduling", function()
  local host, machine, accountant

  before_each(function()
    host = simulator.new()
    machine = host:AddMachine("web01")
    accountant = host:CreateObject("VirtualServer.Application"):FindVirtualMachine("web01").Accountant
  end)

  local function settings()
    return { accountant.ReservedSystemCapacity, accountant.MaximumSystemCapacity, accountant.RelativeWeight }
  end

  local function expect_invalid(message, ...)
    local before, arguments = settings(), table.pack(...)
    failure.expect({ name = "E_INVALIDARG", member = "SetSchedulingParameters", machine = "web01", message = message },
      function() accountant:SetSchedulingParameters(table.unpack(arguments, 1, arguments.n)) end)
    assert.same(before, settings())
  end

  it("is without a limit at first, in any state of the machine", function()
    assert.same({ 0.0, 100.0, 100 }, settings())
    machine:Startup()
    assert.same({ 0.0, 100.0, 100 }, settings())
    assert.equal("float", math.type(accountant.MaximumSystemCapacity))
    assert.equal("float", math.type(accountant.ReservedSystemCapacity))
    assert.equal("integer", math.type(accountant.RelativeWeight))
  end)

  it("is what has been set, as numbers or as text", function()
    accountant:SetSchedulingParameters(0, 33.5, 250)
    assert.same({ 0.0, 33.5, 250 }, settings())
    accountant:SetSchedulingParameters("0", "99", "99")
    assert.same({ 0.0, 99.0, 99 }, settings())
    accountant:SetSchedulingParameters(0, 1, 1)
    accountant:SetSchedulingParameters(0.0, 100, 10000.0)
    assert.same({ 0.0, 100.0, 10000 }, settings())
  end)

  it("is an answer of at most max_age, and at once what this application sets", function()
    machine:Startup()
    local aged = host:CreateObject("VirtualServer.Application", { max_age = 60 }):FindVirtualMachine("web01").Accountant
    assert.equal(100, aged.RelativeWeight)
    assert.equal(0.0, aged.ReservedSystemCapacity)
    accountant:SetSchedulingParameters(0, 50, 250)
    assert.equal(100, aged.RelativeWeight)
    assert.equal(100.0, aged.MaximumSystemCapacity)
    host:AdvanceClock(61)
    assert.equal(250, aged.RelativeWeight)
    assert.equal(50.0, aged.MaximumSystemCapacity)
    aged:SetSchedulingParameters(0, 25, 300)
    assert.equal(300, aged.RelativeWeight)
    assert.equal(25.0, aged.MaximumSystemCapacity)
    machine:Remove()
    assert.equal("VM_E_VM_UNKNOWN", select(2, aged:Get "ReservedSystemCapacity").name)
  end)

  it("allows a machine of one processor its part of the host, as documented", function()
    for processors, allowable in pairs { [1] = 100.0, [2] = 50.0, [4] = 25.0 } do
      host:SetProcessors(processors)
      assert.equal(allowable, accountant.AllowableMaximumSystemCapacity)
      assert.equal(allowable, accountant.MaximumSystemCapacity)
      accountant:SetSchedulingParameters(0, allowable, 99)
      expect_invalid("the maximum capacity must be from 1 to", 0, allowable + 0.1, 99)
    end
  end)

  it("allows a machine of several processors as many parts", function()
    host:SetProcessors(8)
    machine:SetProcessors(2)
    assert.equal(25.0, accountant.AllowableMaximumSystemCapacity)
    machine:SetProcessors(16)
    assert.equal(100.0, accountant.AllowableMaximumSystemCapacity)
  end)

  it("refuses the documented example where the host has several processors", function()
    host:SetProcessors(2)
    expect_invalid("the reserved capacity must be from 0 to 50 percent of the host", 99, 99, 99)
  end)

  it("cannot reserve, and says so", function()
    assert.equal(0.0, accountant.AllowableReservedSystemCapacity)
    expect_invalid("cannot reserve", 99, 99, 99)
    expect_invalid("cannot reserve", 0.1, 99, 99)
  end)

  it("refuses what is out of range, and changes nothing", function()
    expect_invalid("reserved capacity must be from 0", -1, 50, 100)
    expect_invalid("maximum capacity must be from 1", 0, 0, 100)
    expect_invalid("maximum capacity must be from 1", 0, 0.99, 100)
    expect_invalid("maximum capacity must be from 1", 0, 101, 100)
    expect_invalid("maximum capacity must be from 1", 0, math.huge, 100)
    expect_invalid("maximum capacity must be from 1", 0, 0 / 0, 100)
    expect_invalid("reserved capacity must be from 0", 0 / 0, 50, 100)
    expect_invalid("weight must be from 1 to 10000", 0, 50, 0)
    expect_invalid("weight must be from 1 to 10000", 0, 50, 10001)
    expect_invalid("must not be above the maximum", 60, 50, 100)
  end)

  it("refuses what is missing or no number", function()
    for count = 0, 2 do
      failure.expect({ name = "E_POINTER", member = "SetSchedulingParameters" }, function()
        accountant:SetSchedulingParameters(table.unpack({ 0, 50 }, 1, count))
      end)
    end
    assert.has_error(function() accountant:SetSchedulingParameters(0, "much", 100) end)
    assert.has_error(function() accountant:SetSchedulingParameters(0, 50, 99.5) end)
    assert.has_error(function() accountant:SetSchedulingParameters({}, 50, 99) end)
    assert.same({ 0.0, 100.0, 100 }, settings())
  end)

  it("is read-only but for its method", function()
    failure.expect({ name = "DISP_E_MEMBERNOTFOUND", member = "RelativeWeight", machine = "web01" },
      function() accountant.RelativeWeight = 5 end)
  end)

  it("is an error when the host does not know, or the machine is gone", function()
    host:Fail("scheduling", "no cgroups")
    failure.expect({ name = "DISP_E_EXCEPTION", member = "MaximumSystemCapacity", machine = "web01",
      message = "no cgroups" }, function() return accountant.MaximumSystemCapacity end)
    host:Fail("scheduling")
    host:Fail("set_scheduling", "no permission")
    failure.expect({ name = "DISP_E_EXCEPTION", member = "SetSchedulingParameters", machine = "web01",
      message = "no permission" }, function() accountant:SetSchedulingParameters(0, 50, 50) end)
    assert.same({ 0.0, 100.0, 100 }, settings())
    machine:Remove()
    failure.expect({ name = "VM_E_VM_UNKNOWN", member = "RelativeWeight", machine = "web01" },
      function() return accountant.RelativeWeight end)
  end)

  it("is a weight only on test:///default", function()
    local real <close> = vma.CreateObject("VirtualServer.Application", "test:///default")
    local objAccountant = real:FindVirtualMachine("test").Accountant
    assert.equal(50, objAccountant.RelativeWeight)
    local allowable = objAccountant.AllowableMaximumSystemCapacity
    assert.equal(12.5, allowable) -- two of sixteen
    assert.equal(allowable, objAccountant.MaximumSystemCapacity)
    objAccountant:SetSchedulingParameters(0, allowable, 77) -- the driver takes it, and keeps its own
    failure.expect({ name = "E_INVALIDARG", member = "SetSchedulingParameters", machine = "test",
      message = "cannot limit a machine" }, function() objAccountant:SetSchedulingParameters(0, 10, 77) end)
  end)
end)
