-- Prints for some seconds (60 by default) what happens to the virtual
-- machines: the port of state_events.vbs.
--
--     lua5.4 examples/vbscript/state_events.lua [SECONDS]
--
-- A function must be there when it is needed, so it stands before the lines
-- that wait.

if arg[1] == "-h" or arg[1] == "--help" then
  print("usage: lua5.4 state_events.lua [SECONDS]")
  return
end

local _ENV = require("vmaccountant.vbscript").environment()

local objVS, intSeconds

function VS_OnVMStateChange(strName, intState)
  if intState == 1 then -- vmVMState_TurnedOff
    WScript.Echo(strName .. " is off")
  elseif intState == 5 then -- vmVMState_Running
    WScript.Echo(strName .. " is running")
  elseif intState == 6 then -- vmVMState_Paused
    WScript.Echo(strName .. " is paused")
  else
    WScript.Echo(strName .. " has changed, its state is " .. intState)
  end
end

intSeconds = 60
if WScript.Arguments.Count > 0 then
  intSeconds = CLng(WScript.Arguments(0))
end

objVS = CreateObject("VirtualServer.Application")
WScript.ConnectObject(objVS, "VS_")
WScript.Echo("Waiting for events, for " .. intSeconds .. " seconds")
WScript.Sleep(intSeconds * 1000)
WScript.Echo("No longer waiting")
