-- How to test a script that reads accountants, without a hypervisor: the
-- simulator is a host in memory whose machines do what the test says.
--
--     busted --lua=lua5.4 examples/testing_spec.lua
--
-- To copy: make a simulator, give the code under test the application object of
-- *its* CreateObject, then send, stop, unplug and fail at will.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"

-- The code under test; in a suite of yours it comes from a module of its own.
-- The names of the machines that have sent more than `limit` bytes, and those
-- of the machines whose bytes cannot be known, each with the reason. A count from
-- 2^63 on is a decimal string, so counts are compared by vma.compare, and not by >.
local function over_limit(objVS, limit)
  local over, unknown = {}, {}
  for objVM in objVS.VirtualMachines do
    local bytes, reason = objVM.Accountant:Get("NetworkBytesSent")
    if not bytes then
      unknown[tostring(objVM)] = reason.name
    elseif vma.compare(bytes, limit) > 0 then
      over[#over + 1] = tostring(objVM)
    end
  end
  return over, unknown
end

-- Also under test: how a machine's last session ended, and what it had sent.
-- nil when none has ended since the application object was made.
local function last_bill(objVS, name)
  local last = objVS:FindVirtualMachine(name).Accountant:LastSession()
  if last then
    return last.Reason, last.NetworkBytesSent
  end
end

describe("a script that reads accountants", function()
  local host, objVS

  before_each(function()
    host = simulator.new()
    objVS = host:CreateObject("VirtualServer.Application")
  end)

  after_each(function()
    objVS:Close()
  end)

  it("finds nothing on an empty host", function()
    assert.same({}, (over_limit(objVS, 0)))
  end)

  it("adds up all adapters of a machine", function()
    -- The machine, then its adapters.
    local _, lan, wan = host:AddMachine("web01", { adapters = 2, running = true })
    lan:Send(600)
    wan:Send(400)
    assert.same({}, (over_limit(objVS, 1000)))
    wan:Send(1)
    assert.same({ "web01" }, (over_limit(objVS, 1000)))
  end)

  it("compares counts of any size", function()
    local _, nic = host:AddMachine("web01", { adapters = 1, running = true })
    nic:Send("9223372036854775808") -- 2^63
    assert.same({ "web01" }, (over_limit(objVS, 1000)))
    assert.same({ "web01" }, (over_limit(objVS, math.maxinteger)))
    assert.same({}, (over_limit(objVS, "9223372036854775808")))
    nic:Send(1)
    assert.same({ "web01" }, (over_limit(objVS, "9223372036854775808")))
  end)

  it("ignores what a machine receives", function()
    local _, nic = host:AddMachine("backup", { adapters = 1, running = true })
    nic:Receive(1 << 40)
    assert.same({}, (over_limit(objVS, 1000)))
  end)

  it("starts afresh when a machine is powered up again", function()
    local web01, nic = host:AddMachine("web01", { adapters = 1, running = true })
    nic:Send(5000)
    assert.same({ "web01" }, (over_limit(objVS, 1000)))
    web01:TurnOff()
    web01:Startup()
    assert.same({}, (over_limit(objVS, 1000)))
  end)

  it("starts afresh when a machine is reset, by anyone", function()
    local web01, nic = host:AddMachine("web01", { adapters = 1, running = true })
    nic:Send(5000)
    web01:Reset()
    nic:Send(1000)
    assert.same({}, (over_limit(objVS, 1000)))
    nic:Send(1)
    assert.same({ "web01" }, (over_limit(objVS, 1000)))
    objVS:FindVirtualMachine("web01"):Reset()
    assert.same({}, (over_limit(objVS, 1000)))
  end)

  it("bills what was sent up to the end", function()
    local web01, nic = host:AddMachine("web01", { adapters = 1, running = true })
    assert.is_nil(last_bill(objVS, "web01"))
    nic:Send(5000)
    web01:Reset()
    assert.same({ "Reset", 5000 }, { last_bill(objVS, "web01") })
    nic:Send(700)
    web01:Crash()
    assert.same({ "Crashed", 700 }, { last_bill(objVS, "web01") })
    web01:Startup()
    nic:Send(1)
    assert.same({ "Crashed", 700 }, { last_bill(objVS, "web01") })
  end)

  it("bills the last sample where the host reports no events", function()
    local web01, nic = host:AddMachine("web01", { adapters = 1, running = true })
    host:SetEvents(false)
    nic:Send(5000)
    over_limit(objVS, 0)
    nic:Send(700) -- no sample was taken since
    web01:TurnOff()
    assert.equal(5000, (select(2, last_bill(objVS, "web01"))))
  end)

  it("names the machines that it cannot read", function()
    host:AddMachine("stopped", { adapters = 1 })
    -- As an adapter of QEMU's user-mode networking: the host cannot count it.
    local odd = host:AddMachine("odd", { running = true })
    odd:Plug { type = "user", counted = false }

    local over, unknown = over_limit(objVS, 1000)
    assert.same({}, over)
    assert.same({ stopped = "S_FALSE", odd = "DISP_E_EXCEPTION" }, unknown)
  end)

  it("goes on past a machine that the host cannot read", function()
    local _, nic = host:AddMachine("web01", { adapters = 1, running = true })
    nic:Send(5000)
    host:Fail("sample", "the daemon is busy")
    local _, unknown = over_limit(objVS, 1000)
    assert.same({ web01 = "DISP_E_EXCEPTION" }, unknown)
    host:Fail("sample", nil) -- the host has recovered
    assert.same({ "web01" }, (over_limit(objVS, 1000)))
  end)

  it("goes on past one machine that cannot be read", function()
    local web01, nic = host:AddMachine("web01", { adapters = 1, running = true })
    local _, other = host:AddMachine("web02", { adapters = 1, running = true })
    nic:Send(5000)
    other:Send(6000)
    web01:Fail("sample", "its monitor does not answer")
    assert.same({ "web02" }, (over_limit(objVS, 1000)))
  end)

  it("raises when the machines cannot be listed", function()
    host:Fail("list", "the daemon is gone")
    assert.has_error.matches(function()
      over_limit(objVS, 1000)
    end, "the daemon is gone")
  end)
end)
