-- All properties of the accountants of all virtual machines: the port of
-- accountants.vbs.
--
--     lua5.4 examples/vbscript/accountants.lua

if arg[1] == "-h" or arg[1] == "--help" then
  print("usage: lua5.4 accountants.lua")
  return
end

local _ENV = require("vmaccountant.vbscript").environment()

OnErrorResumeNext()

objVS = CreateObject("VirtualServer.Application")
colVMs = objVS.VirtualMachines

WScript.Echo(colVMs.Count .. " virtual machines on " .. objVS.Name)
WScript.Echo()

for objVM in Each(colVMs) do
  objAccountant = objVM.Accountant
  WScript.Echo("Virtual machine: " .. objVM.Name)
  WScript.Echo(vbTab .. "Allowable maximum system capacity: " .. CStr(objAccountant.AllowableMaximumSystemCapacity))
  WScript.Echo(vbTab .. "Allowable reserved system capacity: " .. CStr(objAccountant.AllowableReservedSystemCapacity))
  WScript.Echo(vbTab .. "Maximum system capacity: " .. CStr(objAccountant.MaximumSystemCapacity))
  WScript.Echo(vbTab .. "Reserved system capacity: " .. CStr(objAccountant.ReservedSystemCapacity))
  WScript.Echo(vbTab .. "Relative weight: " .. objAccountant.RelativeWeight)
  WScript.Echo(vbTab .. "CPU utilization: " .. objAccountant.CPUUtilization .. " %")
  strHistory = ""
  for intPercent in Each(objAccountant.CPUUtilizationHistory) do
    strHistory = strHistory .. " " .. intPercent
  end
  WScript.Echo(vbTab .. "CPU utilization history:" .. strHistory)
  WScript.Echo(vbTab .. "Disk bytes read: " .. objAccountant.DiskBytesRead)
  WScript.Echo(vbTab .. "Disk bytes written: " .. objAccountant.DiskBytesWritten)
  WScript.Echo(vbTab .. "Network bytes received: " .. objAccountant.NetworkBytesReceived)
  WScript.Echo(vbTab .. "Network bytes sent: " .. objAccountant.NetworkBytesSent)
  WScript.Echo(vbTab .. "Up time: " .. objAccountant.Uptime .. " seconds")
  WScript.Echo()
end
