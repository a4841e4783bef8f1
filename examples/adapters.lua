-- Each machine's network adapters: address, type, what it is plugged into, and
-- the bytes it has sent and received, or why there is no count of them.
--
--     lua5.4 examples/adapters.lua [URI]
--
-- Use it when a machine's NetworkBytesSent says that an adapter has no counter:
-- the others are still counted one by one.

if arg[1] == "-h" or arg[1] == "--help" then
  print("usage: lua5.4 adapters.lua [URI]")
  return
end

local vma = require "vmaccountant"

local ADAPTER <const> = "%-16s %-17s %-8s %-12s "
local COUNTS <const> = "%20s %20s"

-- What to say about an error of the host.  Any other error, such as that of
-- Ctrl-C, is a plain string and goes on up.
local function reason_of(err)
  return err.message or error(err, 0)
end

-- Both counts as text.  Raises when they cannot be known.
local function counts_of(objAdapter)
  return COUNTS:format(objAdapter.BytesSent, objAdapter.BytesReceived)
end

local function print_adapters(objVM)
  for objAdapter in objVM.NetworkAdapters do
    local network = objAdapter.VirtualNetwork
    local counted, counts = pcall(counts_of, objAdapter)
    print(ADAPTER:format(objVM, objAdapter.EthernetAddress, objAdapter.Type, network and network.Name or "-")
      .. (counted and counts or "not counted: " .. reason_of(counts)))
  end
end

-- max_age: one sample of the whole host serves all the lines.
local objVS = vma.CreateObject("VirtualServer.Application", arg[1], { max_age = 1 })
local machines = objVS.VirtualMachines
if #machines == 0 then -- names the host, and other hosts to try
  io.stderr:write(tostring(machines), "\n")
end

print(ADAPTER:format("Machine", "Address", "Type", "Network") .. COUNTS:format("Sent", "Received"))
for objVM in machines do
  local ok, err = pcall(print_adapters, objVM)
  if not ok then -- this machine cannot be read; the others can
    print(("%-16s %s"):format(objVM, reason_of(err)))
  end
end
