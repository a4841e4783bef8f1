-- Records the resets of all machines, for every process that reads their bytes.
--
--     lua5.4 examples/recorder.lua [URI]
--
-- The host's counters do not restart when a machine is reset, so their
-- values at that moment are known only to a process that saw it.  This one
-- always does: it writes them into the machine's live libvirt definition, where every
-- later process finds them.  It needs a read-write connection, for which
-- libvirt wants root or a member of the group libvirt, and says so otherwise.
--
-- One for each host will do.  It has no state of its own, uses no processor
-- time while nothing happens, and connects again by itself when libvirtd is
-- restarted.  Ctrl-C or SIGTERM ends it at once.  Beside this file is a systemd
-- unit for it, vmaccountant-recorder.service.

if arg[1] == "-h" or arg[1] == "--help" then
  print("usage: lua5.4 recorder.lua [URI]")
  return
end

local vma = require "vmaccountant"

local function record()
  local objVS <close> = vma.CreateObject("VirtualServer.Application", arg[1])
  objVS:RecordResets()
  local machines = objVS.VirtualMachines
  if #machines == 0 then -- names the host, and other hosts to try
    io.stderr:write(tostring(machines), "\n")
  end
  print("recording the resets of " .. tostring(objVS))
  io.stdout:flush()
  while true do -- a thread of the object's own records
    objVS:WaitForEvents(-1)
  end
end

-- The interpreter turns Ctrl-C into an error in whatever Lua code runs.
local _, err = pcall(record)
if type(err) == "string" and err:find("interrupted!", 1, true) then
  os.exit(0)
end
io.stderr:write("recorder.lua: ", tostring(err), "\n")
os.exit(1)
