-- What is suggested for an unknown name: first the member that other tools call
-- so, then the object that has it, and only then the nearest spelling.

local core = require "vmaccountant.core"
local simulator = require "vmaccountant.simulator"
local vma = require "vmaccountant"
local failure = require "spec.support.failure"

describe("the hint for", function()
  local objects

  before_each(function()
    local host = simulator.new()
    host:AddMachine("web01", { adapters = 1, running = true })
    local objVS = host:CreateObject("VirtualServer.Application")
    local objVM = objVS:FindVirtualMachine("web01")
    objects = { objVS = objVS, objVM = objVM, objAccountant = objVM.Accountant, colVMs = objVS.VirtualMachines,
      colAdapters = objVM.NetworkAdapters, objAdapter = objVM.NetworkAdapters[1], objHost = objVS.HostInfo,
      objTask = objVM:Pause() }
  end)

  local SENT <const> = "did you mean objVM.Accountant.NetworkBytesSent?"
  local DOMIFADDR <const> = "virsh domifaddr MACHINE"
  local cases = {
    -- Of an object near by.
    { "objVM", "NetworkBytesSent", SENT }, { "objVM", "UpTime", "did you mean objVM.Accountant.UpTime?" },
    { "objVM", "CPUUtilization", "did you mean objVM.Accountant.CPUUtilization?" },
    { "objVM", "LastSession", "did you mean objVM.Accountant:LastSession()?" },
    { "objVM", "EthernetAddress", "did you mean objVM.NetworkAdapters[1].EthernetAddress?" },
    { "objVM", "FindVirtualMachine", "did you mean objVS:FindVirtualMachine()?" },
    { "objVS", "NetworkBytesSent", SENT }, { "objVS", "State", "did you mean objVM.State?" },
    { "objVS", "LogicalProcessorCount", "did you mean objVS.HostInfo.LogicalProcessorCount?" },
    { "objVS", "TurnOff", "did you mean objVM:TurnOff()?" }, { "colVMs", "NetworkBytesSent", SENT },
    { "colAdapters", "BytesSent", "did you mean objVM.NetworkAdapters[1].BytesSent?" },
    { "objAccountant", "State", "did you mean objVM.State?" },
    { "objAdapter", "Accountant", "did you mean objVM.Accountant?" },
    { "objTask", "Startup", "did you mean objVM:Startup()?" },
    -- In other words.
    { "objVM", "Shutdown", "did you mean TurnOff? It is like pulling the plug; virsh shutdown MACHINE" },
    { "objVM", "Stop", "did you mean TurnOff?" }, { "objVM", "PowerOff", "did you mean TurnOff?" },
    { "objVM", "Suspend", "did you mean Save? It writes the machine's memory to disk; Pause " },
    { "objVM", "Reboot", "did you mean Reset?" }, { "objVM", "Unpause", "did you mean Resume?" },
    { "objVM", "UUID", "did you mean ConfigID?" }, { "objVM", "Id", "did you mean ConfigID?" },
    { "objVM", "IP", DOMIFADDR }, { "objVM", "IPAddress", DOMIFADDR }, { "objAdapter", "IP", DOMIFADDR },
    { "objVM", "Status", "did you mean State? vma.stateName(objVM.State)" },
    { "objVM", "MAC", "did you mean objVM.NetworkAdapters[1].EthernetAddress?" },
    { "objVM", "BytesSent", SENT }, { "objVM", "CPU", "did you mean objVM.Accountant.CPUUtilization?" },
    { "objAdapter", "MAC", "did you mean EthernetAddress?" },
    { "objAdapter", "NetworkBytesSent", "did you mean BytesSent?" },
    { "objVS", "Domains", "did you mean VirtualMachines?" },
    { "objVS", "LookupByName", "did you mean FindVirtualMachine?" },
    { "objAccountant", "TxBytes", "did you mean NetworkBytesSent?" },
    { "objHost", "Cores", "did you mean LogicalProcessorCount?" },
    { "objTask", "Wait", "did you mean WaitForCompletion?" },
    -- A slip of the pen, here or near by.
    { "objVM", "Acountant", "did you mean Accountant?" }, { "objVM", "NetworkByteSent", SENT },
    { "objVM", "uptim", "did you mean objVM.Accountant.UpTime?" },
  }

  for _, case in ipairs(cases) do
    local object, name, hint = table.unpack(case)
    it(("%s.%s is: %s"):format(object, name, hint), function()
      for _, spelling in ipairs { name, name:lower(), name:upper() } do
        local err = failure.of(function() return objects[object][spelling] end)
        assert.equal("DISP_E_UNKNOWNNAME", err.name)
        assert.matches("'" .. spelling .. "'; " .. hint, err.message, 1, true)
      end
    end)
  end

  it("what is like nothing is none", function()
    for _, name in ipairs { "", "xyzzy", "q", " ", ("y"):rep(200), "shutdown stop" } do
      local err = failure.of(function() return objects.objVM[name] end)
      assert.is_nil(err.message:find("did you mean", 1, true), err.message)
      assert.is_nil(err.message:find(";", 1, true), err.message)
    end
  end)

  it("a machine's name is the way to the machine, however near it is to a member elsewhere", function()
    for _, name in ipairs { "web01", "nam", "stat", "notez" } do
      local err = failure.of(function() return objects.colVMs[name] end)
      assert.matches(('; the machine of that name is collection:Item("%s")'):format(name), err.message, 1, true)
    end
  end)

  it("a dot instead of a colon is the same with an argument as without one", function()
    local objVS = objects.objVS
    local HINT <const> = "call the method with a colon, as in object:FindVirtualMachine()"
    failure.expect({ name = "E_POINTER", member = "FindVirtualMachine", message = HINT }, function()
      return objVS.FindVirtualMachine()
    end)
    failure.expect_argument_error("VMVirtualServer expected, got string: " .. HINT, function()
      return objVS.FindVirtualMachine("web01")
    end)
    failure.expect_argument_error("VMAccountant expected, got VMVirtualMachine: call the method with a colon",
      objects.objAccountant.Get, objects.objVM, "UpTime")
  end)

  it("members is of members that there are", function()
    local members = {}
    for _, class in ipairs(core.classes()) do
      for _, member in ipairs(class.members) do
        members[member.name] = true
      end
    end
    local file <close> = assert(io.open("src/binding/hint.c"))
    local count = 0
    for words, meant in file:read("a"):gmatch('{%u+,%s+"( [^}]-)",%s+"([%w.%[%]]+)",') do
      assert.is_true(members[meant:match("%a+$")], meant)
      assert.is_nil(words:find("%u"), words)
      count = count + 1
    end
    assert.is_true(count > 30, count)
  end)
end)

describe("a misspelt constant", function()
  it("is an error that names the nearest", function()
    for wrong, right in pairs { vmVMState_Runing = "vmVMState_Running", VMVMSTATE_RUNNING = "vmVMState_Running",
      vmRunning = "vmVMState_Running", vmState_Paused = "vmVMState_Paused",
      vmTaskResult_Sucess = "vmTaskResult_Success" } do
      failure.expect({ name = "DISP_E_UNKNOWNNAME", member = wrong, message = "vmaccountant has no constant '"
        .. wrong .. "'; did you mean " .. right .. "?" }, function() return vma[wrong] end)
    end
    for wrong, right in pairs { S_FLASE = "S_FALSE", VM_E_VM_UNKNWN = "VM_E_VM_UNKNOWN", e_pointer = "E_POINTER",
      DISP_E_BADINDX = "DISP_E_BADINDEX" } do
      failure.expect({ name = "DISP_E_UNKNOWNNAME", member = wrong, message = "there is no result code '"
        .. wrong .. "'; did you mean " .. right .. "?" }, function() return vma.hresult[wrong] end)
    end
    failure.expect({ name = "DISP_E_UNKNOWNNAME", member = "vmSomethingElse" }, function()
      return vma.vmSomethingElse
    end)
  end)

  it("names the place in the script", function()
    local _, err = pcall(function() return vma.vmVMState_Runing end)
    assert.matches("hint_spec.lua:%d+:$", err.where)
  end)

  it("is nil for a key that is no such name", function()
    for _, key in ipairs { "something", "_NAME", "__index", "new", "VERSION", 1, 1.5, true, "", print } do
      assert.is_nil(vma[key])
      assert.is_nil(vma.hresult[key])
    end
    for name, value in pairs(core.constants) do
      assert.equal(value, vma[name])
    end
    assert.same(vma, vma)
  end)
end)

describe("stateName", function()
  it("is the name of each state", function()
    local count = 0
    for name, value in pairs(core.constants) do
      local state = name:match("^vmVMState_(.*)")
      if state then
        assert.equal(state, vma.stateName(value))
        count = count + 1
      end
    end
    assert.equal(11, count)
    assert.equal("Running", vma.stateName(5))
  end)

  it("takes no other number", function()
    failure.expect_argument_error("no state has the number 11", vma.stateName, 11)
    failure.expect_argument_error("no state has the number -1", vma.stateName, -1)
    failure.expect_argument_error("number expected, got nil", vma.stateName, nil)
  end)
end)
