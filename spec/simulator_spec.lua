-- The simulator itself, as users' suites rely on it.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"

describe("the simulator", function()
  local host

  before_each(handles.remember)

  before_each(function() host = simulator.new() end)

  after_each(function()
    host = nil
    handles.check()
  end)

  it("makes hosts that know nothing of each other", function()
    local other = simulator.new()
    host:AddMachine("web01")
    assert.equal(1, #host:CreateObject("VirtualServer.Application").VirtualMachines)
    assert.equal(0, #other:CreateObject("VirtualServer.Application").VirtualMachines)
    assert.not_equal(tostring(host:CreateObject("VirtualServer.Application")),
      tostring(other:CreateObject("VirtualServer.Application")))
  end)

  it("gives application objects of one host the same machines", function()
    local first, second = host:CreateObject("VirtualServer.Application"), host:CreateObject("VirtualPC.Application")
    local _, nic = host:AddMachine("web01", { adapters = 1, running = true })
    nic:Send(5)
    assert.equal(5, first.VirtualMachines[1].Accountant.NetworkBytesSent)
    assert.equal(5, second.VirtualMachines[1].Accountant.NetworkBytesSent)
    first.VirtualMachines[1]:TurnOff()
    assert.equal(vma.vmVMState_TurnedOff, second.VirtualMachines[1].State)
  end)

  it("gives application objects the class of a real host's", function()
    local real <close> = vma.CreateObject("VirtualServer.Application", "test:///default")
    assert.equal(getmetatable(real), getmetatable(host:CreateObject("VirtualServer.Application")))
  end)

  describe("adds machines", function()
    it("that are off and bare unless the options say otherwise", function()
      local machine, nothing = host:AddMachine("web01")
      assert.is_nil(nothing)
      local objVM = host:CreateObject("VirtualServer.Application").VirtualMachines[1]
      assert.equal(vma.vmVMState_TurnedOff, objVM.State)
      assert.equal(0, #objVM.NetworkAdapters)
      machine:Startup()
      assert.equal(vma.vmVMState_Running, objVM.State)
    end)

    it("with any number of adapters", function()
      for _, count in ipairs { 0, 1, 2, 250, 1000 } do
        local added = table.pack(host:AddMachine("with " .. count, { adapters = count, running = true }))
        assert.equal(count + 1, added.n)
        local seen = {}
        for i = 2, added.n do
          local address = added[i].EthernetAddress
          assert.is_nil(seen[address])
          seen[address] = true
        end
      end
    end)

    it("each with a UUID of its own", function()
      local seen = {}
      for i = 1, 300 do
        host:AddMachine("vm" .. i)
      end
      for vm in host:CreateObject("VirtualServer.Application").VirtualMachines do
        assert.is_nil(seen[vm.ConfigID])
        seen[vm.ConfigID] = true
      end
    end)

    it("but not twice by one name, nor without one", function()
      host:AddMachine("web01")
      failure.expect({ name = "VM_E_CONFIG_DUPLICATE_NAME", member = "AddMachine" }, host.AddMachine, host, "web01")
      failure.expect({ name = "VM_E_CONFIG_NO_NAME", member = "AddMachine" }, host.AddMachine, host, "")
      assert.equal(1, #host:CreateObject("VirtualServer.Application").VirtualMachines)
    end)
  end)

  describe("plugs adapters", function()
    local machine, objVM

    before_each(function()
      machine = host:AddMachine("web01", { running = true })
      objVM = host:CreateObject("VirtualServer.Application").VirtualMachines[1]
    end)
    after_each(function() machine, objVM = nil, nil end)

    it("bridged ones by default", function()
      local nic = machine:Plug()
      local adapter = objVM.NetworkAdapters[1]
      assert.equal("bridge", adapter.Type)
      assert.equal("br0", adapter.VirtualNetwork.Name)
      assert.equal(nic.EthernetAddress, adapter.EthernetAddress)
      assert.is_true(adapter.IsCounted)
    end)

    it("of any kind", function()
      machine:Plug { type = "network", network = "default", mac = "52:54:00:aa:bb:cc" }
      machine:Plug { type = "user", counted = false }
      local first, second = objVM.NetworkAdapters[1], objVM.NetworkAdapters[2]
      assert.equal("network", first.Type)
      assert.equal("default", first.VirtualNetwork.Name)
      assert.equal("52-54-00-AA-BB-CC", first.EthernetAddress)
      assert.equal("user", second.Type)
      assert.is_false(second.IsCounted)
    end)

    it("and unplugs each once", function()
      local nic = machine:Plug()
      assert.equal(0, select("#", nic:Unplug()))
      assert.equal(0, #objVM.NetworkAdapters)
      for _, method in ipairs { "Unplug", "Send", "Receive", "SetBytesSent", "SetBytesReceived" } do
        failure.expect({ name = "VM_E_ADAPTER_NOT_FOUND", member = method }, nic[method], nic, 1)
      end
      failure.expect({ name = "VM_E_ADAPTER_NOT_FOUND", member = "EthernetAddress" }, function()
        return nic.EthernetAddress
      end)
    end)

    it("of a machine that is off, too", function()
      machine:TurnOff()
      local nic = machine:Plug()
      failure.expect({ name = "VM_E_VM_NOT_RUNNING", member = "Send" }, nic.Send, nic, 1)
      machine:Startup()
      nic:Send(1)
      assert.equal(1, objVM.Accountant.NetworkBytesSent)
      machine:TurnOff()
      nic:Unplug()
      assert.equal(0, #objVM.NetworkAdapters)
    end)
  end)

  describe("moves bytes", function()
    it("in the guest's directions", function()
      local _, nic = host:AddMachine("web01", { adapters = 1, running = true })
      local accountant = host:CreateObject("VirtualServer.Application").VirtualMachines[1].Accountant
      nic:Send(3)
      nic:Receive(5)
      assert.equal(3, accountant.NetworkBytesSent)
      assert.equal(5, accountant.NetworkBytesReceived)
    end)

    it("only of a machine that runs", function()
      local machine, nic = host:AddMachine("web01", { adapters = 1 })
      for _, method in ipairs { "Send", "Receive", "SetBytesSent", "SetBytesReceived" } do
        failure.expect({ name = "VM_E_VM_NOT_RUNNING", member = method }, nic[method], nic, 1)
      end
      machine:Startup()
      machine:Pause()
      nic:Receive(1)
      nic:Send(1)
      machine:Save()
      failure.expect({ name = "VM_E_VM_NOT_RUNNING", member = "Receive" }, nic.Receive, nic, 1)
    end)
  end)

  describe("does with a machine what an administrator does", function()
    it("and refuses what makes no sense", function()
      local machine = host:AddMachine("web01")
      for _, method in ipairs { "TurnOff", "Reset", "Save", "Pause", "Resume", "Crash" } do
        failure.expect({ name = "VM_E_VM_NOT_RUNNING", member = method }, machine[method], machine)
      end
      machine:Startup()
      failure.expect({ name = "VM_E_VM_RUNNING", member = "Startup" }, machine.Startup, machine)
      failure.expect({ name = "E_FAIL", member = "Resume" }, machine.Resume, machine)
      machine:Pause()
      failure.expect({ name = "E_FAIL", member = "Pause" }, machine.Pause, machine)
    end)

    it("until it is removed", function()
      local machine, nic = host:AddMachine("web01", { adapters = 1, running = true })
      machine:Remove()
      for _, method in ipairs { "Startup", "TurnOff", "Reset", "Save", "Pause", "Resume", "Crash", "Remove", "Plug" } do
        failure.expect({ name = "VM_E_VM_UNKNOWN", member = method }, machine[method], machine)
      end
      failure.expect({ name = "VM_E_VM_UNKNOWN", member = "Rename" }, machine.Rename, machine, "web02")
      failure.expect({ name = "VM_E_VM_UNKNOWN", member = "Name" }, function() return machine.Name end)
      failure.expect({ name = "VM_E_ADAPTER_NOT_FOUND", member = "Send" }, nic.Send, nic, 1)
      assert.equal(0, #host:CreateObject("VirtualServer.Application").VirtualMachines)
    end)

    it("a crash, after which it is off", function()
      local machine = host:AddMachine("web01", { running = true })
      local objVM = host:CreateObject("VirtualServer.Application").VirtualMachines[1]
      machine:Crash()
      assert.equal(vma.vmVMState_TurnedOff, objVM.State)
    end)
  end)

  describe("fails calls", function()
    it("of each kind, and no others", function()
      local calls = { "list", "find", "name", "state", "adapters", "sample", "sample_all", "change", "started_at",
        "product", "uptime" }
      host:AddMachine("web01", { running = true })
      for _, failing in ipairs(calls) do
        local objVS <close> = host:CreateObject("VirtualServer.Application")
        local objVM = objVS.VirtualMachines[1]
        host:Fail(failing, "no answer")
        local works = {
          list = pcall(function() return objVS.VirtualMachines end),
          state = pcall(function() return objVM.State end),
          product = pcall(function() return objVS.Version end),
          uptime = pcall(function() return objVS.UpTime end),
          sample = pcall(function() return objVM.Accountant.NetworkBytesSent end),
        }
        for call, works_still in pairs(works) do
          assert.equal(call ~= failing, works_still, failing .. " " .. call)
        end
        host:Fail(failing)
      end
    end)

    it("with the last message given", function()
      local objVS = host:CreateObject("VirtualServer.Application")
      host:Fail("list", "first")
      host:Fail("list", "second")
      assert.equal("second", failure.of(function() return objVS.VirtualMachines end).message)
      host:Fail("list", nil)
      host:Fail("list")
      assert.equal(0, #objVS.VirtualMachines)
    end)

    it("for all application objects of the host", function()
      local first, second = host:CreateObject("VirtualServer.Application"), host:CreateObject("VirtualPC.Application")
      host:Fail("list", "no answer")
      assert.is_false(pcall(function() return first.VirtualMachines end))
      assert.is_false(pcall(function() return second.VirtualMachines end))
      host:Fail("list")
    end)
  end)

  it("knows its members in any letter case, and suggests the nearest", function()
    local machine, nic = host:addmachine("web01", { adapters = 1, running = true })
    nic:SEND(5)
    assert.equal("web01", machine.name)
    for _, case in ipairs { { host, "AddMachin", "AddMachine" }, { machine, "Unplug", "Plug" },
      { nic, "Recieve", "Receive" } } do
      local object, wrong, right = table.unpack(case)
      local err = failure.expect({ name = "DISP_E_UNKNOWNNAME", member = wrong }, function() return object[wrong] end)
      assert.is_truthy(err.message:find("did you mean " .. right .. "?", 1, true), err.message)
    end
    failure.expect({ name = "DISP_E_MEMBERNOTFOUND", member = "Name" }, function() machine.Name = "web02" end)
  end)

  it("sees numbers of machines and adapters that no test host has", function()
    for i = 1, 2000 do
      local _, nic = host:AddMachine(("vm%04d"):format(i), { adapters = 1, running = true })
      nic:Send(i)
    end
    local objVS = host:CreateObject("VirtualServer.Application", { max_age = 60 })
    local sum = 0
    for vm in objVS.VirtualMachines do
      sum = sum + vm.Accountant.NetworkBytesSent
    end
    assert.equal(2000 * 2001 // 2, sum)
  end)
end)
