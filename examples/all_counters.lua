-- Every property of every machine's accountant, by pairs(): no property's name
-- need be known, and one that a later version adds shows up too.
--
--     lua5.4 examples/all_counters.lua [URI]
--
-- A property that cannot be read does not end the loop: pairs() gives the
-- error object as its value.  A session that ends while the script runs,
-- because the machine is stopped or reset, is shown too.

if arg[1] == "-h" or arg[1] == "--help" then
  print("usage: lua5.4 all_counters.lua [URI]")
  return
end

local vma = require "vmaccountant"

-- Only an error object has a result code.
local function text(value)
  if type(value) ~= "table" then
    return tostring(value)
  elseif value.hresult then
    return ("(%s: %s)"):format(value.name, value.message)
  end
  return table.concat(value, " ")
end

-- max_age: the counts of a machine, and of all machines, come from one sample
-- and so belong together; it is longer than the loop takes on a large host.
local objVS = vma.CreateObject("VirtualServer.Application", arg[1], { max_age = 60 })

local LINE <const> = "  %-32s %s"
local OF_SESSION <const> = { "Started", "Ended", "Reason", "NetworkBytesSent", "NetworkBytesReceived" }

local machines = objVS.VirtualMachines
if #machines == 0 then -- names the host, and other hosts to try
  io.stderr:write(tostring(machines), "\n")
end

for accountant in machines:Accountants() do
  print(accountant)
  for name, value in pairs(accountant) do
    print(LINE:format(name, text(value)))
  end
  local last = accountant:LastSession()
  for _, name in ipairs(last and OF_SESSION or {}) do
    print(LINE:format("LastSession." .. name, text(last[name] or "unknown")))
  end
end
