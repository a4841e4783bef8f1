--- Has QEMU itself send from an adapter, without a guest: it announces the machine, as
-- after a migration.

local host = require "spec.support.libvirt_host"

local announcement = {
  --- The bytes of one round.
  BYTES = 60,
}

-- What each device of the host has received, by index: names may change.
local function received_bytes()
  local bytes = {}
  for line in host.read_file("/proc/net/dev"):gmatch("[^\n]+") do
    local name, received = line:match("^%s*([^:%s]+):%s*(%d+)")
    local ifindex = name and host.read_file(("/sys/class/net/%s/ifindex"):format(name))
    if ifindex then
      bytes[ifindex] = math.tointeger(tonumber(received))
    end
  end
  return bytes
end

--- Sends, and waits until a device has received it all. The machine is paused, and
-- runs meanwhile: QEMU sends nothing else from it.
-- @param name  of the machine
-- @param rounds  how many announcements
-- @param alias  of the adapter in its definition, default "net0"
-- @return the bytes that the adapter has sent
function announcement.send(name, rounds, alias)
  local before, wanted = received_bytes(), rounds * announcement.BYTES
  host.virsh("resume", name)
  host.virsh("qemu-monitor-command", name, ([[{"execute": "announce-self", "arguments":
    {"initial": 10, "max": 10, "rounds": %d, "step": 1, "interfaces": ["%s"]}}]]):format(rounds, alias or "net0"))
  host.wait_until("announcements of " .. name, 60, function()
    for ifindex, bytes in pairs(received_bytes()) do
      if bytes - (before[ifindex] or 0) == wanted then
        return true
      end
    end
    return false
  end, 0.005)
  host.virsh("suspend", name)
  return wanted
end

return announcement
