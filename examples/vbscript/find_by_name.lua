-- Finds a virtual machine by its name, in any letter case: the port of
-- find_by_name.vbs.
--
--     lua5.4 examples/vbscript/find_by_name.lua NAME

if arg[1] == "-h" or arg[1] == "--help" then
  print("usage: lua5.4 find_by_name.lua NAME")
  return
end

local _ENV = require("vmaccountant.vbscript").environment()

local objVS, objVM, strName

if WScript.Arguments.Count ~= 1 then
  WScript.Echo("usage: " .. WScript.ScriptName .. " NAME")
  WScript.Quit(2)
end
strName = WScript.Arguments(0)

objVS = CreateObject("VirtualServer.Application")
objVM = objVS.FindVirtualMachine(strName)

if objVM == Nothing then
  WScript.Echo("There is no virtual machine " .. strName)
  WScript.Quit(1)
end

WScript.Echo("Name: " .. objVM)
WScript.Echo("Configuration ID: " .. objVM.ConfigID)
if objVM.State == 5 then -- vmVMState_Running
  WScript.Echo("It is running")
else
  WScript.Echo("Its state is " .. objVM.State)
end
