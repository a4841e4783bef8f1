-- Resets every virtual machine that runs, and shows that its counts restart:
-- the port of reset.vbs.
--
--     lua5.4 examples/vbscript/reset.lua

if arg[1] == "-h" or arg[1] == "--help" then
  print("usage: lua5.4 reset.lua")
  return
end

local _ENV = require("vmaccountant.vbscript").environment()

OnErrorResumeNext()

objVS = CreateObject("VirtualServer.Application")

for objVM in Each(objVS.VirtualMachines) do
  if objVM.State == 5 then -- vmVMState_Running
    WScript.Echo(objVM.Name .. " has sent " .. objVM.Accountant.NetworkBytesSent .. " bytes")
    objTask = objVM.Reset()
    objTask.WaitForCompletion(60000)
    WScript.Echo(objVM.Name .. " has sent " .. objVM.Accountant.NetworkBytesSent .. " bytes since its reset")
  else
    WScript.Echo(objVM.Name .. " is not running")
  end
end
