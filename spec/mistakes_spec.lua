-- What those write who know the object model from VBScript, and the hint that
-- each gets.

local core = require "vmaccountant.core"
local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"

describe("a mistake of VBScript's habit", function()
  local host, objVS, objVM, colVMs

  before_each(function()
    handles.remember()
    host = simulator.new()
    host:AddMachine("web01", { adapters = 1, running = true })
    host:AddMachine("db02")
    objVS = host:CreateObject("VirtualServer.Application")
    objVM = objVS:FindVirtualMachine("web01")
    colVMs = objVS.VirtualMachines
  end)

  after_each(function()
    objVS:Close()
    host, objVS, objVM, colVMs = nil, nil, nil, nil
    handles.check()
  end)

  -- The error that a function with that body raises.
  local function expect(code, member, machine, hint, body)
    return failure.expect({ name = code, member = member, machine = machine, message = hint }, body)
  end

  it("is a call of an object", function()
    local machine <const> = "web01"
    expect("DISP_E_MEMBERNOTFOUND", nil, machine, "write objVM.Accountant, without parentheses", function()
      return objVM.Accountant()
    end)
    expect("DISP_E_MEMBERNOTFOUND", nil, machine, "write objVM.Accountant", function()
      return objVM.Accountant("NetworkBytesSent")
    end)
    for _, case in ipairs {
      { objVS, nil, "objVS" }, { objVM, machine, "objVM" }, { objVS.HostInfo, nil, "objVS.HostInfo" },
      { objVM.NetworkAdapters[1], machine, "objVM.NetworkAdapters[1]" },
      { objVM.NetworkAdapters[1].VirtualNetwork, nil, "objAdapter.VirtualNetwork" },
      { host, nil, "host" },
    } do
      expect("DISP_E_MEMBERNOTFOUND", nil, case[2], "an object, not a method: write " .. case[3] .. ",", function()
        return case[1]()
      end)
    end
    expect("DISP_E_MEMBERNOTFOUND", nil, nil, "without parentheses", function() return objVS.VirtualMachines() end)
  end)

  it("is none where the parentheses are those of the default member Item", function()
    assert.equal(objVM, objVS.VirtualMachines("web01"))
    assert.equal(objVM, objVS.VirtualMachines(2))
    assert.equal("db02", colVMs(1).Name)
  end)

  it("is a loop over what is no collection", function()
    expect("DISP_E_MEMBERNOTFOUND", nil, "web01", "is not a collection", function()
      for _ in objVM do end -- luacheck: ignore
    end)
    expect("DISP_E_MEMBERNOTFOUND", nil, nil, "such as objVS.VirtualMachines", function()
      for _ in objVS do end -- luacheck: ignore
    end)
  end)

  it("is an index of 0", function()
    for _, list in ipairs { colVMs, objVM.NetworkAdapters } do
      for _, read in ipairs {
        function() return list:Item(0) end, function() return list(0) end, function() return list[0] end,
      } do
        expect("DISP_E_BADINDEX", "Item", nil, "items count from 1 to " .. #list, read)
      end
    end
  end)

  it("is a machine's name in brackets or after a point", function()
    expect("DISP_E_UNKNOWNNAME", "web01", nil, [[collection:Item("web01")]], function() return colVMs["web01"] end)
    expect("DISP_E_UNKNOWNNAME", "web01", nil, [[collection:Item("web01")]], function() return colVMs.web01 end)
    local err = expect("DISP_E_UNKNOWNNAME", "cuont", nil, "did you mean Count", function() return colVMs.cuont end)
    assert.is_nil(err.message:find("Item"))
  end)

  it("is Set", function()
    local accountant = objVM.Accountant
    expect("DISP_E_MEMBERNOTFOUND", "Accountant", "web01", "is local x = object.Accountant", function()
      objVM.Accountant = accountant
    end)
    expect("DISP_E_MEMBERNOTFOUND", "VirtualMachines", nil, "Set does in VBScript", function()
      objVS.virtualmachines = colVMs
    end)
    local err = expect("DISP_E_MEMBERNOTFOUND", "State", "web01", "read-only", function() objVM.State = 1 end)
    assert.is_nil(err.message:find("Set", 1, true))
    assert.is_nil(err.message:find("State", 1, true)) -- it is before the message already
    expect("DISP_E_UNKNOWNNAME", "1", nil, "are read-only", function() colVMs[1] = objVM end)
  end)

  it("is a value for a method, or a method for a value", function()
    expect("DISP_E_MEMBERNOTFOUND", "Startup", "web01", "call it, as in object:Startup()", function()
      objVM.Startup = true
    end)
    expect("DISP_E_UNKNOWNNAME", "LastSession", nil, "call it with a colon, as in object:LastSession()", function()
      return objVM.Accountant:Get("lastsession")
    end)
    expect("E_POINTER", "Startup", nil, "call the method with a colon", function() return objVM.Startup() end)
  end)

  it("is a member that is left out, and there is another way to it", function()
    local objects = {
      VMVirtualServer = objVS, VMVirtualMachine = objVM, VMHostInfo = objVS.HostInfo,
      VMNetworkAdapter = objVM.NetworkAdapters[1], VMVirtualNetwork = objVM.NetworkAdapters[1].VirtualNetwork,
    }
    local machines = { VMVirtualMachine = "web01", VMNetworkAdapter = "web01" }
    local members = {}
    for _, class in ipairs(core.classes()) do
      for _, member in ipairs(class.members) do
        members[class.name .. "." .. member.name:lower()] = true
      end
    end
    local seen = {}
    for _, left_out in ipairs(core.left_out()) do
      local name = left_out.class .. "." .. left_out.name
      assert.is_nil(seen[name:lower()], name .. " is there twice")
      seen[name:lower()] = true
      assert.is_nil(members[left_out.class .. "." .. left_out.name:lower()], name .. " is not left out")
      local object = objects[left_out.class]
      for _, spelling in ipairs { left_out.name, left_out.name:upper() } do
        local err = expect("DISP_E_UNKNOWNNAME", left_out.name, machines[left_out.class], left_out.way, function()
          return object[spelling]
        end)
        assert.matches("left out", err.message, 1, true)
        expect("DISP_E_UNKNOWNNAME", left_out.name, machines[left_out.class], "left out", function()
          object[spelling] = 1
        end)
      end
    end
    for _, name in ipairs { "VMVirtualMachine.GuestOS", "VMVirtualMachine.Security", "VMVirtualMachine.Display",
      "VMVirtualMachine.Keyboard", "VMVirtualMachine.Mouse", "VMVirtualMachine.DVDROMDrives",
      "VMVirtualMachine.FloppyDrives", "VMVirtualMachine.HardDiskConnections", "VMVirtualMachine.SCSIControllers",
      "VMVirtualMachine.SerialPorts", "VMVirtualMachine.ParallelPorts", "VMVirtualServer.VirtualNetworks",
      "VMVirtualServer.Tasks", "VMVirtualServer.SupportDrivers", "VMVirtualServer.CreateVirtualMachine" } do
      assert.is_true(seen[name:lower()], name)
    end
  end)
end)

describe("the registry", function()
  it("has no key of this module that another could have", function()
    simulator.new()
    pcall(vma.CreateObject, "nonesuch")
    for key, value in pairs(debug.getregistry()) do
      local name = type(value) == "table" and rawget(value, "__name")
      if type(key) == "string" and type(name) == "string" and (name:find("^VM") or name:find("^Simulat")) then
        assert.matches("^vmaccountant%.", key)
      end
    end
  end)
end)
