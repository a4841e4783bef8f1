-- What happens to a machine, and its count after each event: on a host in
-- memory, so that it runs anywhere and always prints the same.
--
--     lua5.4 examples/story.lua

if arg[1] == "-h" or arg[1] == "--help" then
  print("usage: lua5.4 story.lua")
  return
end

local simulator = require "vmaccountant.simulator"

local host = simulator.new()
local web01, first = host:AddMachine("web01", { adapters = 1, running = true })
local objAccountant = host:CreateObject("VirtualServer.Application"):FindVirtualMachine("web01").Accountant

local function show(event)
  local sent, reason = objAccountant:Get("NetworkBytesSent")
  print(("%-42s %s"):format(event, sent or reason.message))
end

print(("%-42s %s"):format("A machine of a simulated host", "NetworkBytesSent"))
show("is powered up")
first:Send(1500)
show("sends 1500 bytes")
local second = web01:Plug()
second:Send(500)
show("gets a second adapter, which sends 500")
second:Unplug()
show("loses that adapter; its bytes stay")
first:Send("18446744073709551616")
show("sends 2^64 bytes more")
web01:Pause()
show("is paused")
web01:Resume()
web01:Reset()
show("is reset: counts begin again")
first:Send(60)
show("sends 60 bytes")
web01:Save()
show("is saved")
web01:Startup()
show("is restored: counts begin again")
