-- The error object, and the code of every failure of the accountant.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"

local COUNTS <const> = { "NetworkBytesSent", "NetworkBytesReceived", "UpTime", "Since" }

describe("an error", function()
  local host, machine, nic, objVS, objVM, accountant

  before_each(handles.remember)

  before_each(function()
    host = simulator.new()
    machine, nic = host:AddMachine("web01", { adapters = 1, running = true })
    objVS = host:CreateObject("VirtualServer.Application")
    objVM = objVS.VirtualMachines[1]
    accountant = objVM.Accountant
  end)

  after_each(function()
    host, machine, nic, objVS, objVM, accountant = nil, nil, nil, nil, nil, nil
    handles.check()
  end)

  describe("is an object", function()
    it("with the documented fields", function()
      machine:TurnOff()
      local err = failure.of(function() return accountant.NetworkBytesSent end)
      assert.equal("S_FALSE", err.name)
      assert.equal(1, err.hresult)
      assert.equal("the machine is not running", err.message)
      assert.equal("NetworkBytesSent", err.member)
      assert.equal("web01", err.machine)
      assert.is_nil(err.cause)
      assert.equal("VMError", getmetatable(err).__name)
    end)

    it("that prints as one line with the number in hex", function()
      machine:Remove()
      local err = failure.of(function() return accountant.NetworkBytesSent end)
      assert.matches("^spec/errors_spec.lua:%d+: web01: NetworkBytesSent: .+ %(VM_E_VM_UNKNOWN 0xA0040207%)$",
        tostring(err))
      machine = host:AddMachine("web02")
      err = failure.of(function() return objVS:FindVirtualMachine("web02").Accountant.UpTime end)
      assert.matches(": web02: UpTime: the machine is not running %(S_FALSE 0x00000001%)$", tostring(err))
    end)

    it("that names the line of the script", function()
      local line = debug.getinfo(1, "l").currentline + 1
      local err = failure.of(function() return accountant.NoSuchMember end)
      assert.equal("spec/errors_spec.lua:" .. line .. ":", err.where)
    end)

    it("that prints as one line for a name of several", function()
      host:AddMachine("two\nlines\27[2J\127")
      local err = failure.of(function() return objVS:FindVirtualMachine("two\nlines\27[2J\127").Accountant.UpTime end)
      assert.equal("two\nlines\27[2J\127", err.machine)
      assert.is_truthy(tostring(err):find("two\\x0alines\\x1b[2J\\x7f: UpTime: ", 1, true), tostring(err))
      assert.is_nil(tostring(err):find("%c"))
    end)

    it("that prints whatever is in it", function()
      local print_error = getmetatable(failure.of(function() return accountant.NoSuchMember end)).__tostring
      for _, fields in ipairs { {}, { message = true, hresult = "x", name = {} }, { hresult = 1.5 },
        { machine = 5, member = print, where = {} } } do
        assert.equal("string", type(print_error(fields)))
      end
      assert.has_error.matches(function() print_error(5) end, "table expected")
    end)

    it("that survives error() and pcall", function()
      local thrown = failure.of(function() return accountant.NoSuchMember end)
      assert.is_true(rawequal(thrown, failure.of(error, thrown)))
    end)
  end)

  describe("S_FALSE", function()
    for _, member in ipairs(COUNTS) do
      it("says that the machine is not running: " .. member, function()
        local expected = { name = "S_FALSE", member = member, machine = "web01" }
        machine:TurnOff()
        failure.expect(expected, function() return accountant[member] end)
        machine:Startup()
        assert.equal("integer", math.type(accountant[member]))
        machine:Save()
        failure.expect(expected, function() return accountant[member] end)
      end)

      it("is no error of a paused machine: " .. member, function()
        machine:Pause()
        assert.equal("integer", math.type(accountant[member]))
      end)
    end

    it("is 0 where the options say so", function()
      machine:TurnOff()
      local zero <close> = host:CreateObject("VirtualServer.Application", { not_running = "zero" })
      local stopped = zero.VirtualMachines[1]
      for _, member in ipairs(COUNTS) do
        assert.equal(0, stopped.Accountant[member])
        assert.equal("integer", math.type(stopped.Accountant[member]))
      end
      assert.equal(0, stopped.NetworkAdapters[1].BytesSent)
      assert.equal(0, stopped.NetworkAdapters[1].BytesReceived)
      machine:Startup()
      nic:Send(5)
      assert.equal(5, stopped.Accountant.NetworkBytesSent)
      machine:Remove()
      for _, member in ipairs(COUNTS) do
        failure.expect({ name = "VM_E_VM_UNKNOWN", member = member, machine = "web01" }, function()
          return stopped.Accountant[member]
        end)
      end
    end)

    it("is '0' where the options want strings too", function()
      machine:TurnOff()
      local zero <close> = host:CreateObject("VirtualServer.Application", { not_running = "zero", decimal = "string" })
      assert.equal("0", zero.VirtualMachines[1].Accountant.NetworkBytesSent)
      assert.equal("0", zero.VirtualMachines[1].NetworkAdapters[1].BytesSent)
      assert.equal(0, zero.VirtualMachines[1].Accountant.UpTime)
    end)
  end)

  describe("VM_E_VM_UNKNOWN says that the machine is no longer defined:", function()
    for _, member in ipairs(COUNTS) do
      it("VMAccountant." .. member, function()
        machine:Remove()
        failure.expect({ name = "VM_E_VM_UNKNOWN", member = member, machine = "web01" }, function()
          return accountant[member]
        end)
      end)
    end

    for _, member in ipairs { "Name", "State", "NetworkAdapters" } do
      it("VMVirtualMachine." .. member, function()
        machine:Remove()
        failure.expect({ name = "VM_E_VM_UNKNOWN", member = member, machine = "web01" }, function()
          return objVM[member]
        end)
      end)
    end

    it("but what makes no call to the host goes on", function()
      machine:Remove()
      assert.is_true(rawequal(objVM, accountant.VirtualMachine))
      assert.is_true(rawequal(accountant, objVM.Accountant))
      assert.equal(36, #objVM.ConfigID)
      assert.equal("web01", tostring(objVM))
    end)
  end)

  describe("VM_E_APP_SHUTTING_DOWN says that the application is closed:", function()
    local function members_of(object)
      local names = {}
      for name in pairs(object) do
        names[#names + 1] = name
      end
      return names
    end

    it("every property of every object", function()
      local adapters = objVM.NetworkAdapters
      local objects = { objVS, objVS.VirtualMachines, objVM, accountant, adapters, adapters[1],
        adapters[1].VirtualNetwork, objVM:Pause() }
      local names_of = {}
      for _, object in ipairs(objects) do
        names_of[object] = members_of(object)
      end
      objVS:Close()
      for object, names in pairs(names_of) do
        assert.is_true(#names > 0)
        for _, name in ipairs(names) do
          local err = failure.of(function() return object[name] end)
          assert.equal("VM_E_APP_SHUTTING_DOWN", err.name)
          assert.equal(vma.hresult.VM_E_APP_SHUTTING_DOWN, err.hresult)
          assert.equal(name, err.member)
        end
      end
    end)

    it("every method of every object", function()
      local machines, task = objVS.VirtualMachines, objVM:Pause()
      local adapters = objVM.NetworkAdapters
      objVS:Close()
      local calls = {
        { objVS, "FindVirtualMachine", "web01" }, { machines, "Item", 1 }, { machines, "Accountants" },
        { adapters, "Item", 1 }, { accountant, "Get", "UpTime" }, { accountant, "LastSession" },
        { objVS, "RecordResets" }, { task, "WaitForCompletion", -1 },
        { task, "Cancel" }, { objVM, "Startup" }, { objVM, "TurnOff" }, { objVM, "Reset" }, { objVM, "Save" },
        { objVM, "Pause" }, { objVM, "Resume" }, { objVM, "DiscardSavedState" },
      }
      for _, case in ipairs(calls) do
        local object, method, argument = table.unpack(case, 1, 3)
        failure.expect({ name = "VM_E_APP_SHUTTING_DOWN", member = method }, object[method], object, argument)
      end
    end)

    it("the items and loops of collections", function()
      local machines, accountants = objVS.VirtualMachines, objVS.VirtualMachines:Accountants()
      objVS:Close()
      local expected = { name = "VM_E_APP_SHUTTING_DOWN", member = "Item" }
      failure.expect(expected, function() return machines[1] end)
      failure.expect(expected, function() return machines(1) end)
      failure.expect(expected, function() for _ in machines do error("a machine") end end)
      failure.expect(expected, function() for _ in ipairs(machines) do error("a machine") end end)
      assert.equal("VM_E_APP_SHUTTING_DOWN", failure.of(accountants).name)
      assert.equal(1, #machines)
    end)

    it("but Close once more does nothing", function()
      for _ = 1, 3 do
        assert.equal(0, select("#", objVS:Close()))
      end
    end)

    it("and other applications on the host go on", function()
      local other <close> = host:CreateObject("VirtualServer.Application")
      objVS:Close()
      nic:Send(5)
      assert.equal(5, other.VirtualMachines[1].Accountant.NetworkBytesSent)
    end)
  end)

  describe("of Get", function()
    it("is returned, after nil", function()
      machine:TurnOff()
      for _, member in ipairs(COUNTS) do
        local value, err = accountant:Get(member)
        assert.is_nil(value)
        failure.check({ name = "S_FALSE", member = member, machine = "web01" }, err)
      end
      machine:Remove()
      local value, err = accountant:Get("networkbytessent")
      assert.is_nil(value)
      failure.check({ name = "VM_E_VM_UNKNOWN", member = "NetworkBytesSent", machine = "web01" }, err)
    end)

    it("is absent when there is a value", function()
      assert.equal(1, select("#", accountant:Get("NetworkBytesSent")))
      assert.equal(0, accountant:Get("NetworkBytesSent"))
      assert.is_true(rawequal(objVM, accountant:Get("VirtualMachine")))
    end)

    it("is raised when the script is wrong", function()
      failure.expect({ name = "DISP_E_UNKNOWNNAME", member = "NetworkBytes", machine = "web01" }, accountant.Get,
        accountant, "NetworkBytes")
      objVS:Close()
      failure.expect({ name = "VM_E_APP_SHUTTING_DOWN", member = "Get" }, accountant.Get, accountant, "UpTime")
    end)
  end)

  describe("of the host is DISP_E_EXCEPTION with the host's words", function()
    -- call of the host -> what asks it: member and a function
    local asks = {
      { "list", "VirtualMachines", function() return objVS.VirtualMachines end },
      { "find", "FindVirtualMachine", function() return objVS:FindVirtualMachine("web01") end },
      { "list", "FindVirtualMachine", function() return objVS:FindVirtualMachine("WEB01") end },
      { "name", "FindVirtualMachine", function() return objVS:FindVirtualMachine("web01") end },
      { "product", "Name", function() return objVS.Name end },
      { "product", "Version", function() return objVS.Version end },
      { "uptime", "UpTime", function() return objVS.UpTime end },
      { "name", "Name", function() return objVM.Name end, "web01" },
      { "state", "State", function() return objVM.State end, "web01" },
      { "sample", "NetworkAdapters", function() return objVM.NetworkAdapters end, "web01" },
      { "sample", "NetworkBytesSent", function() return accountant.NetworkBytesSent end, "web01" },
      { "sample", "NetworkBytesReceived", function() return accountant.NetworkBytesReceived end, "web01" },
      { "sample", "Since", function() return accountant.Since end, "web01" },
      { "sample", "UpTime", function() return accountant.UpTime end, "web01" },
      { "started_at", "Since", function() return accountant.Since end, "web01" },
      { "started_at", "UpTime", function() return accountant.UpTime end, "web01" },
      { "change", "TurnOff", function() return objVM:TurnOff() end, "web01" },
      { "change", "Reset", function() return objVM:Reset() end, "web01" },
      { "change", "Save", function() return objVM:Save() end, "web01" },
      { "change", "Pause", function() return objVM:Pause() end, "web01" },
    }

    for _, case in ipairs(asks) do
      local call, member, ask, name = table.unpack(case, 1, 4)
      it(("when %s fails: %s"):format(call, member), function()
        host:Fail(call, "end of file from the daemon %s%n")
        for _ = 1, 3 do
          failure.expect({ name = "DISP_E_EXCEPTION", member = member, machine = name,
            message = "end of file from the daemon %s%n" }, ask)
        end
        host:Fail(call)
        assert.is_not_nil(ask())
      end)
    end

    it("when adapters fails: NetworkAdapters of a stopped machine", function()
      machine:TurnOff()
      host:Fail("adapters", "no answer")
      failure.expect({ name = "DISP_E_EXCEPTION", member = "NetworkAdapters", machine = "web01",
        message = "no answer" }, function() return objVM.NetworkAdapters end)
      host:Fail("adapters")
      assert.equal(1, #objVM.NetworkAdapters)
    end)

    it("when sample fails: an adapter's bytes", function()
      local adapter = objVM.NetworkAdapters[1]
      host:Fail("sample", "no answer")
      for _, member in ipairs { "BytesSent", "BytesReceived" } do
        failure.expect({ name = "DISP_E_EXCEPTION", member = member, machine = "web01", message = "no answer" },
          function() return adapter[member] end)
      end
      host:Fail("sample")
      nic:Send(3)
      assert.equal(3, adapter.BytesSent)
    end)

    it("when the words are long", function()
      host:Fail("list", ("long "):rep(10000))
      local err = failure.expect({ name = "DISP_E_EXCEPTION", member = "VirtualMachines", message = "long long" },
        function() return objVS.VirtualMachines end)
      assert.is_true(#err.message <= 1000)
    end)

    it("and a failed change changes nothing", function()
      nic:Send(10)
      host:Fail("change", "refused")
      failure.expect({ name = "DISP_E_EXCEPTION", member = "Reset", machine = "web01" }, objVM.Reset, objVM)
      failure.expect({ name = "DISP_E_EXCEPTION", member = "TurnOff", machine = "web01" }, objVM.TurnOff, objVM)
      assert.equal(vma.vmVMState_Running, objVM.State)
      assert.equal(10, accountant.NetworkBytesSent)
    end)

    it("and no byte is lost while it does not answer", function()
      nic:Send(100)
      assert.equal(100, accountant.NetworkBytesSent)
      host:Fail("sample", "no answer")
      nic:Send(20)
      assert.is_nil(accountant:Get("NetworkBytesSent"))
      nic:Send(3)
      host:Fail("sample")
      assert.equal(123, accountant.NetworkBytesSent)
    end)
  end)

  describe("DISP_E_OVERFLOW", function()
    local LARGEST <const> = "79228162514264337593543950335"

    it("says that a sum is above 2^96-1", function()
      local other = machine:Plug()
      nic:Send(LARGEST)
      assert.equal(LARGEST, accountant.NetworkBytesSent)
      other:Send(1)
      failure.expect({ name = "DISP_E_OVERFLOW", member = "NetworkBytesSent", machine = "web01" }, function()
        return accountant.NetworkBytesSent
      end)
      assert.equal(LARGEST, objVM.NetworkAdapters[1].BytesSent)
      assert.equal(1, objVM.NetworkAdapters[2].BytesSent)
      assert.equal(0, accountant.NetworkBytesReceived)
    end)

    it("says that one adapter's bytes are above 2^96-1", function()
      nic:Send(LARGEST)
      assert.equal(LARGEST, accountant.NetworkBytesSent)
      nic:SetBytesSent(1)
      for _, expected in ipairs { { "NetworkBytesSent", accountant },
        { "BytesSent", objVM.NetworkAdapters[1] } } do
        local member, object = table.unpack(expected)
        failure.expect({ name = "DISP_E_OVERFLOW", member = member, machine = "web01" }, function()
          return object[member]
        end)
      end
    end)

    it("ends with the session", function()
      local other = machine:Plug()
      nic:Send(LARGEST)
      other:Send(1)
      assert.is_nil(accountant:Get("NetworkBytesSent"))
      machine:TurnOff()
      machine:Startup()
      other:Send(1)
      assert.equal(1, accountant.NetworkBytesSent)
    end)

    it("stops the simulator's own counters", function()
      nic:Send(LARGEST)
      failure.expect({ name = "DISP_E_OVERFLOW", member = "Send" }, nic.Send, nic, 1)
      assert.equal(LARGEST, accountant.NetworkBytesSent)
    end)
  end)

  describe("of names that differ in letter case only", function()
    before_each(function()
      host:AddMachine("WEB01")
    end)

    it("is DISP_E_EXCEPTION that names both", function()
      local err = failure.expect({ name = "DISP_E_EXCEPTION", member = "FindVirtualMachine",
        message = "differ in letter case only" }, objVS.FindVirtualMachine, objVS, "Web01")
      assert.is_truthy(err.message:find("'web01'", 1, true))
      assert.is_truthy(err.message:find("'WEB01'", 1, true))
    end)

    it("is DISP_E_BADINDEX of Item", function()
      local machines = objVS.VirtualMachines
      failure.expect({ name = "DISP_E_BADINDEX", member = "Item", message = "different letter case" },
        machines.Item, machines, "Web01")
    end)

    it("does not occur with the exact name", function()
      for _, name in ipairs { "web01", "WEB01" } do
        assert.equal(name, objVS:FindVirtualMachine(name).Name)
        assert.equal(name, objVS.VirtualMachines:Item(name).Name)
      end
    end)
  end)
end)
