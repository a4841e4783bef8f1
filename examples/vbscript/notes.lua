-- The notes on every virtual machine; with arguments, a new note on one: the
-- port of notes.vbs.
--
--     lua5.4 examples/vbscript/notes.lua [NAME NOTE]

if arg[1] == "-h" or arg[1] == "--help" then
  print("usage: lua5.4 notes.lua [NAME NOTE]")
  return
end

local _ENV = require("vmaccountant.vbscript").environment()

objVS = CreateObject("VirtualServer.Application")

if WScript.Arguments.Count == 2 then
  objVM = objVS.FindVirtualMachine(WScript.Arguments.Item(0))
  if objVM == Nothing then
    WScript.Echo("There is no virtual machine " .. WScript.Arguments.Item(0))
    WScript.Quit(1)
  end
  objVM.Notes = WScript.Arguments.Item(1)
end

for objVM in Each(objVS.VirtualMachines) do
  if objVM.Notes == "" then
    WScript.Echo(objVM.Name .. vbTab .. "(none)")
  else
    WScript.Echo(objVM.Name .. vbTab .. objVM.Notes)
  end
end
