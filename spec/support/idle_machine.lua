--- Machines that are paused before their first instruction: cheap, with real taps. QEMU
-- itself can send from them: it announces the machine, as after a migration.

local host = require "spec.support.libvirt_host"

local idle_machine = {
  --- The bytes of one announcement.
  ANNOUNCEMENT = 60,
  --- An <interface> on the first bridge.
  BRIDGE = "<interface type='bridge'><source bridge='vmabr0'/><model type='virtio'/><rom enabled='no'/></interface>",
}

--- The definition of a machine with these <interface>s.
function idle_machine.xml(name, ...)
  return ([[
<domain type='qemu'>
  <name>%s</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices>%s<controller type='usb' model='none'/><memballoon model='none'/></devices>
</domain>]]):format(name, table.concat { ... })
end

--- Defines and starts a machine with these <interface>s.
function idle_machine.start(name, ...)
  host.define(idle_machine.xml(name, ...))
  host.virsh("start", name, "--paused")
end

--- Starts a transient one.
function idle_machine.create(name, ...)
  host.virsh("create", host.write_file(host.folder .. "/idle.xml", idle_machine.xml(name, ...)), "--paused")
end

--- Ends and undefines a machine, in whatever state it is.
function idle_machine.remove(name)
  host.try_virsh("destroy", name)
  host.try_virsh("undefine", name)
end

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

--- Has QEMU send from an adapter, and waits until a device has received it all. The
-- machine is paused, and runs meanwhile: QEMU sends nothing else from it.
-- @param name  of the machine
-- @param rounds  how many announcements
-- @param alias  of the adapter in its definition, default "net0"
-- @return the bytes that the adapter has sent
function idle_machine.announce(name, rounds, alias)
  local before, wanted = received_bytes(), rounds * idle_machine.ANNOUNCEMENT
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

return idle_machine
