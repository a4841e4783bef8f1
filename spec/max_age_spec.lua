-- How old a sample may be that answers a read, and the host's clock.

local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"

describe("a read", function()
  local host, machine, nic, other_machine, other_nic

  before_each(handles.remember)

  before_each(function()
    host = simulator.new()
    machine, nic = host:AddMachine("web01", { adapters = 1, running = true })
    other_machine, other_nic = host:AddMachine("db02", { adapters = 1, running = true })
    nic:Send(100)
    other_nic:Send(200)
  end)

  after_each(function()
    host, machine, nic, other_machine, other_nic = nil, nil, nil, nil, nil
    handles.check()
  end)

  local function open(max_age)
    local objVS = host:CreateObject("VirtualServer.Application", { max_age = max_age })
    return objVS:FindVirtualMachine("web01"), objVS:FindVirtualMachine("db02")
  end

  for _, max_age in ipairs { 0, 0.0 } do
    it("without an age asks the host each time: " .. max_age, function()
      local objVM = open(max_age)
      for i = 1, 10 do
        assert.equal(99 + i, objVM.Accountant.NetworkBytesSent)
        nic:Send(1)
      end
    end)
  end

  it("within the age is answered by the sample, and after it by the host", function()
    local objVM = open(5)
    assert.equal(100, objVM.Accountant.NetworkBytesSent)
    nic:Send(11)
    assert.equal(100, objVM.Accountant.NetworkBytesSent)
    host:AdvanceClock(4)
    assert.equal(100, objVM.Accountant.NetworkBytesSent)
    host:AdvanceClock(1.5)
    assert.equal(111, objVM.Accountant.NetworkBytesSent)
  end)

  it("of one machine refreshes the sample of all", function()
    local objVM, objVM2 = open(5)
    assert.equal(100, objVM.Accountant.NetworkBytesSent)
    nic:Send(1)
    other_nic:Send(1)
    host:Fail("sample", "nobody should ask for one machine")
    host:Fail("sample_all", "nobody should ask again")
    assert.equal(200, objVM2.Accountant.NetworkBytesSent)
    assert.equal(100, objVM.Accountant.NetworkBytesSent)
  end)

  it("within the age shows both directions and all adapters of one moment", function()
    local objVM = open(5)
    nic:Receive(7)
    assert.equal(100, objVM.Accountant.NetworkBytesSent)
    nic:Send(50)
    nic:Receive(50)
    assert.equal(7, objVM.Accountant.NetworkBytesReceived)
    assert.equal(100, objVM.NetworkAdapters[1].BytesSent)
  end)

  it("within the age does not see an adapter that was plugged", function()
    local objVM = open(5)
    assert.equal(100, objVM.Accountant.NetworkBytesSent)
    machine:Plug():Send(9)
    assert.equal(100, objVM.Accountant.NetworkBytesSent)
    host:AdvanceClock(6)
    assert.equal(109, objVM.Accountant.NetworkBytesSent)
  end)

  it("finds a machine that was added within the age", function()
    local objVS <close> = host:CreateObject("VirtualServer.Application", { max_age = 1000 })
    assert.equal(100, objVS:FindVirtualMachine("web01").Accountant.NetworkBytesSent)
    local _, new_nic = host:AddMachine("new", { adapters = 1, running = true })
    new_nic:Send(4)
    assert.is_true(objVS:FindVirtualMachine("new").Accountant.NetworkBytesSent <= 4)
    host:AdvanceClock(1001)
    assert.equal(4, objVS:FindVirtualMachine("new").Accountant.NetworkBytesSent)
  end)

  for _, change in ipairs { "TurnOff", "Save" } do
    it("sees at once what this application did: " .. change, function()
      local objVM, objVM2 = open(1000)
      assert.equal(100, objVM.Accountant.NetworkBytesSent)
      objVM[change](objVM)
      failure.expect({ name = "S_FALSE", member = "NetworkBytesSent", machine = "web01" }, function()
        return objVM.Accountant.NetworkBytesSent
      end)
      assert.equal(200, objVM2.Accountant.NetworkBytesSent)
      objVM:Startup()
      nic:Send(1)
      assert.equal(1, objVM.Accountant.NetworkBytesSent)
    end)
  end

  it("sees at once that this application reset the machine", function()
    local objVM = open(1000)
    assert.equal(100, objVM.Accountant.NetworkBytesSent)
    objVM:Reset()
    assert.equal(0, objVM.Accountant.NetworkBytesSent)
  end)

  it("gives no older sample when the host fails", function()
    local objVM = open(5)
    assert.equal(100, objVM.Accountant.NetworkBytesSent)
    host:Fail("sample_all", "no answer")
    host:Fail("sample", "no answer")
    assert.equal(100, objVM.Accountant.NetworkBytesSent)
    host:AdvanceClock(6)
    for _ = 1, 2 do
      failure.expect({ name = "DISP_E_EXCEPTION", member = "NetworkBytesSent", machine = "web01",
        message = "no answer" }, function() return objVM.Accountant.NetworkBytesSent end)
    end
    nic:Send(1)
    host:Fail("sample_all")
    assert.equal(101, objVM.Accountant.NetworkBytesSent)
  end)

  it("loses nothing of what happened between samples", function()
    local objVM = open(5)
    assert.equal(100, objVM.Accountant.NetworkBytesSent)
    nic:SetBytesSent(30) -- made again
    host:AdvanceClock(6)
    assert.equal(130, objVM.Accountant.NetworkBytesSent)
  end)

  it("of a machine that is gone does not linger beyond the age", function()
    local _, objVM2 = open(5)
    assert.equal(200, objVM2.Accountant.NetworkBytesSent)
    other_machine:Remove()
    host:AdvanceClock(6)
    failure.expect({ name = "VM_E_VM_UNKNOWN", member = "NetworkBytesSent", machine = "db02" }, function()
      return objVM2.Accountant.NetworkBytesSent
    end)
  end)

  it("with ages of all sizes works", function()
    for _, max_age in ipairs { 1e-9, 0.001, 1, 1e9 } do
      assert.equal(100, (open(max_age).Accountant.NetworkBytesSent))
    end
  end)
end)

describe("the clock", function()
  before_each(handles.remember)
  after_each(handles.check)

  it("moves UpTime and not Since", function()
    local host = simulator.new()
    host:AddMachine("web01", { running = true })
    local objVS <close> = host:CreateObject("VirtualServer.Application")
    local accountant = objVS.VirtualMachines[1].Accountant
    local since, uptime, host_uptime = accountant.Since, accountant.UpTime, objVS.UpTime
    assert.is_true(math.abs(since - os.time()) <= 30)
    assert.is_true(uptime >= 0 and uptime <= 30)
    host:AdvanceClock(3600)
    assert.equal(since, accountant.Since)
    assert.is_true(accountant.UpTime - uptime - 3600 <= 30 and accountant.UpTime - uptime >= 3600)
    assert.is_true(objVS.UpTime - host_uptime - 3600 <= 30 and objVS.UpTime - host_uptime >= 3600)
  end)

  it("goes by fractions of a second, too", function()
    local host = simulator.new()
    host:AddMachine("web01", { running = true })
    local objVS <close> = host:CreateObject("VirtualServer.Application")
    local before = objVS.VirtualMachines[1].Accountant.UpTime
    for _ = 1, 40 do
      host:AdvanceClock(0.25)
    end
    assert.is_true(objVS.VirtualMachines[1].Accountant.UpTime >= before + 10)
  end)

  it("keeps running while the machine is paused, and stops with it", function()
    local host = simulator.new()
    local machine = host:AddMachine("web01", { running = true })
    local objVS <close> = host:CreateObject("VirtualServer.Application")
    local accountant = objVS.VirtualMachines[1].Accountant
    machine:Pause()
    host:AdvanceClock(100)
    assert.is_true(accountant.UpTime >= 100)
    machine:TurnOff()
    assert.is_nil(accountant:Get("UpTime"))
    host:AdvanceClock(100)
    machine:Startup()
    assert.is_true(accountant.UpTime <= 30)
  end)

  it("restarts with a reset", function()
    local host = simulator.new()
    host:AddMachine("web01", { running = true })
    local objVS <close> = host:CreateObject("VirtualServer.Application")
    local objVM = objVS.VirtualMachines[1]
    local since = objVM.Accountant.Since
    host:AdvanceClock(100)
    objVM:Reset()
    assert.is_true(objVM.Accountant.Since >= since + 100)
    assert.is_true(objVM.Accountant.UpTime <= 30)
  end)
end)
