-- Saves the state of a virtual machine and stops it: the port of save.vbs.
--
--     lua5.4 examples/vbscript/save.lua NAME

if arg[1] == "-h" or arg[1] == "--help" then
  print("usage: lua5.4 save.lua NAME")
  return
end

local _ENV = require("vmaccountant.vbscript").environment()

local objVS, objVM, objTask

if WScript.Arguments.Count ~= 1 then
  WScript.Echo("usage: " .. WScript.ScriptName .. " NAME")
  WScript.Quit(2)
end

objVS = CreateObject("VirtualServer.Application")
objVM = objVS.FindVirtualMachine(WScript.Arguments(0))
if objVM == Nothing then
  WScript.Echo("There is no virtual machine " .. WScript.Arguments(0))
  WScript.Quit(1)
end

OnErrorResumeNext()
objTask = objVM.Save()
objTask.WaitForCompletion(-1)

if Err.Number ~= 0 then
  WScript.Echo(objVM.Name .. ": error " .. Err.Number .. ": " .. Err.Description)
  WScript.Quit(1)
elseif objTask.Result ~= 0 then -- vmTaskResult_Success
  WScript.Echo(objVM.Name .. ": the task has ended with " .. objTask.Result)
  WScript.Quit(1)
end
WScript.Echo(objVM.Name .. " is saved, its state is " .. objVM.State)
