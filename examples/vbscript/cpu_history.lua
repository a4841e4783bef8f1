-- The processor time of the last minute, a bar for each second, of every
-- virtual machine that runs: the port of cpu_history.vbs.
--
--     lua5.4 examples/vbscript/cpu_history.lua

if arg[1] == "-h" or arg[1] == "--help" then
  print("usage: lua5.4 cpu_history.lua")
  return
end

local _ENV = require("vmaccountant.vbscript").environment()

local arrHistory, intSum

objVS = CreateObject("VirtualServer.Application")

for objVM in Each(objVS.VirtualMachines) do
  if objVM.State == 5 then -- vmVMState_Running
    arrHistory = objVM.Accountant.CPUUtilizationHistory
    WScript.Echo(objVM.Name .. ": " .. objVM.Accountant.CPUUtilization .. " % now")
    intSum = 0
    for intPercent in Each(arrHistory) do
      WScript.Echo(vbTab .. intPercent .. vbTab .. string.rep("#", intPercent // 5))
      intSum = intSum + intPercent
    end
    WScript.Echo(vbTab .. "mean: " .. FormatNumber(intSum / 60, 1) .. " %")
  end
end
