-- A text from Lua has a length: a NUL does not end it, and what is no UTF-8 is
-- no name. Such a text matches nothing, and is an error where it would be kept.

local vma = require "vmaccountant"
local core = require "vmaccountant.core"
local simulator = require "vmaccountant.simulator"

local PROGID <const> = "VirtualServer.Application"

-- What is put behind a name, before it or in it.
local ENDINGS <const> = {
  "\0", "\0junk", "\x80", "\xff", "\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
  "\xc3",
}

describe("A name with a NUL or invalid UTF-8 in it", function()
  local host, machine, objVS, objVM

  before_each(function()
    host = simulator.new()
    machine = host:AddMachine("web", { adapters = 1, running = true })
    objVS = host:CreateObject(PROGID)
    objVM = objVS:FindVirtualMachine("web")
  end)

  local function refused(call, ...)
    assert.is_false((pcall(call, ...)))
  end

  local function refused_as(name, call, ...)
    local ok, err = pcall(call, ...)
    assert.is_false(ok)
    assert.equal(name, err.name)
  end

  -- All in which a text goes, as functions of what is wrong with it.
  local places = {
    ["a member that is read"] = function(x)
      refused_as("DISP_E_UNKNOWNNAME", function() return objVS["Name" .. x] end)
    end,
    ["a method"] = function(x)
      refused_as("DISP_E_UNKNOWNNAME", function() return objVS["Close" .. x] end)
    end,
    ["a member that is written"] = function(x)
      refused_as("DISP_E_UNKNOWNNAME", function() objVM["Notes" .. x] = "hacked" end)
      assert.equal("", objVM.Notes)
    end,
    ["what is left out"] = function(x)
      local _, err = pcall(function() return objVM["Display" .. x] end)
      assert.equal("DISP_E_UNKNOWNNAME", err.name)
      assert.is_nil(err.message:find("domdisplay"))
    end,
    ["what Get is given"] = function(x)
      local value, err = objVM.Accountant:Get("UpTime" .. x)
      assert.is_nil(value)
      assert.equal("DISP_E_UNKNOWNNAME", err.name)
    end,
    ["a machine that is sought"] = function(x)
      assert.is_nil(objVS:FindVirtualMachine("web" .. x))
      assert.is_nil(objVS:FindVirtualMachine(x .. "web"))
    end,
    ["an item of a collection"] = function(x)
      refused_as("DISP_E_BADINDEX", objVS.VirtualMachines.Item, objVS.VirtualMachines, "web" .. x)
      refused_as("DISP_E_BADINDEX", objVS.VirtualMachines, "web" .. x)
    end,
    ["a ProgID"] = function(x)
      refused(vma.CreateObject, PROGID .. x, "test:///default")
      refused(host.CreateObject, host, PROGID .. x)
    end,
    ["a host"] = function(x)
      refused(vma.CreateObject, PROGID, "test:///default" .. x)
    end,
    ["an option"] = function(x)
      refused(host.CreateObject, host, PROGID, { ["timeout" .. x] = 3 })
      refused(host.CreateObject, host, PROGID, { decimal = "string" .. x })
      refused(host.CreateObject, host, PROGID, { not_running = "zero" .. x })
      refused(host.CreateObject, host, PROGID, { counters = "auto" .. x })
    end,
    ["a handler"] = function(x)
      refused_as("E_INVALIDARG", objVS.Connect, objVS, { ["OnReset" .. x] = print })
    end,
    ["a text that is assigned"] = function(x)
      pcall(machine.TurnOff, machine)
      refused(function() objVM.Name = "new" .. x end)
      refused(function() objVM.Notes = "new" .. x end)
      refused(function() objVM.Memory = "64" .. x end)
      assert.equal("web", objVM.Name)
      assert.equal("", objVM.Notes)
    end,
    ["a simulated machine"] = function(x)
      refused(host.AddMachine, host, "new" .. x)
      refused(host.AddMachine, host, "new", { ["running" .. x] = true })
      refused(machine.Rename, machine, "new" .. x)
    end,
    ["what a simulated machine has"] = function(x)
      refused(machine.Plug, machine, { type = "bridge" .. x })
      refused(machine.Plug, machine, { network = "br0" .. x })
      refused(machine.Plug, machine, { mac = "52:54:00:00:00:99" .. x })
      refused(machine.AddDisk, machine, { target = "sda" .. x })
    end,
    ["what a simulated host has"] = function(x)
      refused(host.Fail, host, "list" .. x)
      refused(host.Fail, host, "list", "message" .. x)
      refused(host.SetHostInfo, host, { OperatingSystem = "Linux" .. x })
      refused(host.SetHostInfo, host, { ProcessorFeaturesString = "sse2" .. x })
    end,
    ["a name that help is given"] = function(x)
      refused(core.find_member, "VMTask", "Result" .. x)
      refused(core.find_member, "VMTask" .. x, "Result")
    end,
  }

  for what, try in pairs(places) do
    it("is no name of " .. what, function()
      for _, ending in ipairs(ENDINGS) do
        try(ending)
      end
    end)
  end

  it("is shown whole in the message", function()
    local _, err = pcall(function() return objVS["Name\0ju\xffnk"] end)
    assert.truthy(err.message:find("'Name\\x00ju\\xFFnk'", 1, true), err.message)
  end)
end)
