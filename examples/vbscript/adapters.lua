-- The network adapters of every virtual machine, and where each is plugged in:
-- the port of adapters.vbs.
--
--     lua5.4 examples/vbscript/adapters.lua

if arg[1] == "-h" or arg[1] == "--help" then
  print("usage: lua5.4 adapters.lua")
  return
end

local _ENV = require("vmaccountant.vbscript").environment()

local objVS, colAdapters, objAdapter

objVS = CreateObject("VirtualServer.Application")

for objVM in Each(objVS.VirtualMachines) do
  colAdapters = objVM.NetworkAdapters
  WScript.Echo(objVM.Name .. ": " .. colAdapters.Count .. " adapters")
  for i = 1, colAdapters.Count do
    objAdapter = colAdapters.Item(i)
    if objAdapter.VirtualNetwork == Nothing then
      WScript.Echo(vbTab .. i .. vbTab .. objAdapter.EthernetAddress .. vbTab .. "not plugged in")
    else
      WScript.Echo(vbTab .. i .. vbTab .. objAdapter.EthernetAddress .. vbTab .. objAdapter.VirtualNetwork.Name)
    end
  end
end
