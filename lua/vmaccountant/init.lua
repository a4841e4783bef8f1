--- Per-machine network accounting for libvirt hosts, in the object model of
-- Microsoft Virtual Server 2005.
--
--     local vma = require "vmaccountant"
--     local objVS = vma.CreateObject("VirtualServer.Application")
--     for objVM in objVS.VirtualMachines do
--       print(objVM.Name, objVM.Accountant:Get("NetworkBytesSent"))
--     end
--
-- @module vmaccountant

pcall(require, "vmaccountant.preload") -- only makes the next line quicker
local core = require "vmaccountant.core"

local vmaccountant = {
  --- The module's name and version, in the form of Lua's own `_VERSION`: "vmaccountant MAJOR.MINOR.PATCH".
  -- @field _VERSION
  _VERSION = core._VERSION,
  CreateObject = core.CreateObject,
  stateName = core.stateName,
  compare = core.compare,

  --- The documented result codes by name: `vma.hresult.VM_E_VM_UNKNOWN` is 0xA0040207.
  -- @table hresult
  hresult = core.hresult,
}

--- Prints what an object has: `vma.help(objVM)`, `vma.help("VMAccountant")`,
-- `vma.help(objVM, "Notes")`; `vma.help()` lists all. See vmaccountant.help.
function vmaccountant.help(...)
  return require "vmaccountant.help"(...)
end

-- vmVMState_Running and the like are fields of the module itself, as they were
-- globals of a VBScript that declared them.
for name, value in pairs(core.constants) do
  vmaccountant[name] = value
end

-- A misspelt constant is an error, and not a nil that no state is equal to.
setmetatable(vmaccountant, { __index = core.unknown_name })

return vmaccountant --[[@as vmaccountant]]
