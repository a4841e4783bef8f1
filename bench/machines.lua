-- The benchmark's machines: idle ones, of which each has sent a little.

local host = require "spec.support.libvirt_host"
local readers = require "bench.readers"

local machines = {}

local FRAME <const> = 60 -- bytes of an announcement
local AT_ONCE <const> = 25 -- machines that run at a time while they send

local function virsh_batch(commands)
  local path = host.write_file(host.folder .. "/bench.virsh", table.concat(commands, "\n"))
  host.shell("timeout 300 virsh --quiet --connect qemu:///system <" .. path)
end

local function sent_by(devices)
  local sent = 0
  for _, device in ipairs(devices) do
    sent = sent + host.device_counters(device)
  end
  return sent
end

-- Lets each machine send a few frames, so that the figures to be compared are
-- not all 0: QEMU itself announces the machine, as after a migration.  Adds the
-- bytes that each machine must then have sent to expected, by name.
local function send_frames(names, devices, expected)
  local resume, announce, suspend = {}, {}, {}
  for i, name in ipairs(names) do
    local frames = 1 + i % 5
    expected[name] = frames * #devices[name] * FRAME
    resume[i] = "resume " .. name
    announce[i] = ([[qemu-monitor-command %s '{"execute": "announce-self", "arguments":
      {"initial": 10, "max": 10, "rounds": %d, "step": 0}}']]):format(name, frames):gsub("%s+", " ")
    suspend[i] = "suspend " .. name
  end
  virsh_batch(resume)
  virsh_batch(announce)
  for _, name in ipairs(names) do
    host.wait_until("end of the announcements of " .. name, 60, function()
      return sent_by(devices[name]) == expected[name]
    end)
  end
  virsh_batch(suspend)
end

-- What kernel_exchange reads: the devices of the machines.
function machines.write_taps(names, devices)
  local lines = {}
  for _, name in ipairs(names) do
    for _, device in ipairs(devices[name]) do
      lines[#lines + 1] = ("%s %s\n"):format(device, name)
    end
  end
  host.write_file(readers.TAPS, table.concat(lines))
end

-- Starts more machines, which have sent something when this returns.
-- @param known  the names, devices and bytes sent of all machines: gets theirs, too
function machines.add(known, count, adapters, prefix)
  local names = host.idle_machines(count, adapters, prefix)
  known.devices = readers.devices()
  for first = 1, #names, AT_ONCE do
    local some = table.move(names, first, math.min(first + AT_ONCE - 1, #names), 1, {})
    send_frames(some, known.devices, known.sent)
  end
  table.move(names, 1, #names, #known.names + 1, known.names)
  return names
end

return machines
