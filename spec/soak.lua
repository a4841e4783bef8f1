-- soak.lua [SECONDS]
--
-- Whatever may happen to real guests, at random, for three minutes by
-- default; whenever all is quiet, the accountant's counts are compared with
-- the guest kernel's own counters, to the byte. Run by `make soak`, inside
-- spec/support/private_host. VMACCOUNTANT_SEED repeats a run. Ends with a line
-- that sums up, and with a status other than 0 at the first difference.

package.path = "./?.lua;" .. package.path

local host = require "spec.support.libvirt_host"
local guest = require "spec.support.guest"
local vma = require "vmaccountant"

local SECONDS <const> = tonumber(arg[1] or os.getenv("VMACCOUNTANT_SOAK_SECONDS") or 180)
local SEED <const> = math.tointeger(tonumber(os.getenv("VMACCOUNTANT_SEED") or os.time()))
local URI <const> = "qemu:///system"
local GUESTS <const> = 2
local MOST_ADAPTERS <const> = 3
local RECONNECT_SECONDS <const> = 20
-- QEMU announces each adapter of a restored guest by itself, which the guest
-- does not know of: five times 60 bytes.
local ANNOUNCEMENTS <const> = 5 * 60

math.randomseed(SEED)
host.start()

local objVS = vma.CreateObject("VirtualServer.Application", URI)
objVS:RecordResets()

local counts, comparisons, bytes_sent = {}, 0, 0

-- What is known of a guest besides its own counters:
--   since[mac]  what its counters stood at when the session began
--   sent, received  of adapters that have been unplugged in this session
-- Each guest has a bridge of its own: what QEMU announces of a restored one
-- goes to all on its bridge, also to a guest that is booting and does not count.
local function new_subject(index)
  local bridge = "vmabr" .. index - 1
  local adapters = { { bridge = bridge }, { bridge = bridge } }
  local g = guest.start { name = "soak-" .. index, adapters = adapters, wait = false }
  return { g = g, bridge = bridge, since = {}, sent = 0, received = 0, announced = {}, has_unplugged = false }
end

local function forget(subject)
  subject.since, subject.announced = {}, {}
  subject.sent, subject.received = 0, 0
  subject.has_unplugged = false
end

local function counter_of(subject, counter)
  local since = subject.since[counter.mac] or { tx_bytes = 0, rx_bytes = 0 }
  return counter.tx_bytes - since.tx_bytes + (subject.announced[counter.mac] or 0), counter.rx_bytes - since.rx_bytes
end

-- The session's bytes as the guest itself has counted them.
local function truth(subject)
  local sent, received = subject.sent, subject.received
  for _, counter in ipairs(subject.g:counters()) do
    local tx, rx = counter_of(subject, counter)
    sent, received = sent + tx, received + rx
  end
  return sent, received
end

local function figures(application, name)
  local accountant = application:FindVirtualMachine(name).Accountant
  return accountant.NetworkBytesSent, accountant.NetworkBytesReceived
end

local function demand(what, name, expected, actual)
  comparisons = comparisons + 1
  if expected ~= actual then
    error(("%s of %s: the guest says %s, the accountant %s"):format(what, name, expected, actual), 0)
  end
end

local function compare(subject)
  local g = subject.g
  g:configure() -- an adapter that is down takes what it does not count
  g:quiet()
  local sent, received = truth(subject)
  local actual_sent, actual_received = figures(objVS, g.name)
  demand("NetworkBytesSent", g.name, sent, actual_sent)
  demand("NetworkBytesReceived", g.name, received, actual_received)
  -- A process that starts now knows of resets, but not of adapters that are gone.
  if not subject.has_unplugged then
    local later <close> = vma.CreateObject("VirtualServer.Application", URI)
    actual_sent, actual_received = figures(later, g.name)
    demand("NetworkBytesSent in a later process", g.name, sent, actual_sent)
    demand("NetworkBytesReceived in a later process", g.name, received, actual_received)
  end
  return sent, received
end

local function compare_last(subject, reason, sent, received)
  local last
  host.wait_until("end of the session of " .. subject.g.name, 5, function()
    last = objVS:FindVirtualMachine(subject.g.name).Accountant:LastSession()
    return last and last.Reason == reason
  end, 0.05, function()
    return last and last.Reason or "none"
  end)
  demand("last session", subject.g.name, ("%d sent, %d received"):format(sent, received),
    ("%s sent, %s received"):format(last.NetworkBytesSent, last.NetworkBytesReceived))
  bytes_sent = bytes_sent + sent
end

-- A session ends with the action, which boots the guest again or not.
local function end_session(subject, reason, action)
  local sent, received = compare(subject)
  action()
  compare_last(subject, reason, sent, received)
  forget(subject)
end

local events = {}

function events.send(subject)
  subject.g:send(math.random(#subject.g.macs), math.random(200), math.random(60, 1514))
end

function events.receive(subject)
  subject.g:receive(math.random(#subject.g.macs), math.random(100), math.random(60, 1514))
end

function events.ping(subject)
  subject.g:ping(math.random(#subject.g.macs), math.random(20), math.random(56, 1400))
end

function events.flood(subject)
  subject.g:flood(math.random(#subject.g.macs))
  host.sleep(math.random() / 2)
end

function events.plug(subject)
  if #subject.g.macs < MOST_ADAPTERS then
    subject.g:plug { bridge = subject.bridge }
    subject.g:configure()
  end
end

function events.unplug(subject)
  local g = subject.g
  if #g.macs < 2 then
    return
  end
  compare(subject)
  local mac = g.macs[math.random(#g.macs)]
  for _, counter in ipairs(g:counters()) do
    if counter.mac == mac then
      local tx, rx = counter_of(subject, counter)
      subject.sent, subject.received = subject.sent + tx, subject.received + rx
    end
  end
  g:unplug(mac)
  subject.since[mac], subject.announced[mac], subject.has_unplugged = nil, nil, true
end

function events.host_reset(subject)
  end_session(subject, "Reset", function()
    subject.g:reset()
  end)
end

function events.guest_reset(subject)
  end_session(subject, "Reset", function()
    subject.g:reboot()
  end)
end

function events.api_reset(subject)
  end_session(subject, "Reset", function()
    objVS:FindVirtualMachine(subject.g.name):Reset()
    subject.g:wait_boot()
  end)
end

function events.power_cycle(subject)
  end_session(subject, "TurnedOff", function()
    subject.g:destroy()
  end)
  -- What was plugged into the running machine is not in its definition.
  local defined = {}
  for index, tap in ipairs(subject.g:taps()) do
    defined[index] = tap.mac
  end
  subject.g.macs = defined
  subject.g:start()
end

function events.save_and_restore(subject)
  local g = subject.g
  -- The guest goes on where it was, its counters too.
  compare(subject)
  local at_save = g:counters()
  end_session(subject, "Saved", function()
    g:save()
  end)
  g:restore()
  for _, counter in ipairs(at_save) do
    subject.since[counter.mac] = counter
    subject.announced[counter.mac] = ANNOUNCEMENTS
  end
end

function events.pause(subject)
  host.virsh("suspend", subject.g.name)
  figures(objVS, subject.g.name)
  host.virsh("resume", subject.g.name)
end

-- Nothing that cannot be known happens while the daemon is down.
function events.restart_libvirtd(subject)
  subject.g:quiet()
  local sent, received = truth(subject)
  host.kill(math.random(2) == 1 and "KILL" or "TERM")
  host.start()
  host.wait_until("answer after a restart of libvirtd", RECONNECT_SECONDS, function()
    return (pcall(figures, objVS, subject.g.name))
  end)
  local actual_sent, actual_received = figures(objVS, subject.g.name)
  demand("NetworkBytesSent after a restart of libvirtd", subject.g.name, sent, actual_sent)
  demand("NetworkBytesReceived after a restart of libvirtd", subject.g.name, received, actual_received)
end

-- Traffic is what there is most of.
local lots = {}
for name, weight in pairs {
  send = 5, receive = 4, ping = 3, flood = 3, plug = 3, unplug = 3, host_reset = 1, guest_reset = 1, api_reset = 1,
  power_cycle = 1, save_and_restore = 1, pause = 2, restart_libvirtd = 1,
} do
  for _ = 1, weight do
    lots[#lots + 1] = name
  end
  counts[name] = 0
end
table.sort(lots)

local once = {}
for event in pairs(counts) do
  once[#once + 1] = event
end
table.sort(once)

local subjects = {}
local started <const> = host.now()
local total = 0
local name, subject

local function soak()
  for index = 1, GUESTS do
    subjects[index] = new_subject(index)
  end
  for _, one in ipairs(subjects) do
    one.g:wait_boot()
    one.g:configure()
  end
  while host.now() - started < SECONDS do
    -- Each kind once, in an order of the seed's, before chance decides.
    name = #once > 0 and table.remove(once, math.random(#once)) or lots[math.random(#lots)]
    subject = subjects[math.random(#subjects)]
    events[name](subject)
    counts[name], total = counts[name] + 1, total + 1
    if math.random(3) == 1 then
      compare(subject)
    end
  end
  name = "the last sample"
  for _, one in ipairs(subjects) do
    subject = one
    bytes_sent = bytes_sent + compare(one)
  end
end

local ok, err = xpcall(soak, function(message)
  return type(message) == "string" and debug.traceback(message, 2) or tostring(message)
end)
for _, one in ipairs(subjects) do
  pcall(one.g.remove, one.g)
end
objVS:Close()
host.stop()

local parts = {}
for event, count in pairs(counts) do
  parts[#parts + 1] = event .. " " .. count
end
table.sort(parts)
if not ok then
  io.stderr:write(("soak: FAILED in %s of %s: %s\n"):format(name, subject and subject.g.name or "no guest", err))
end
print(("soak: %s: seed %d, %d events in %.0f s (%s), %d comparisons, %d bytes sent"):format(ok and "ok" or "FAILED",
  SEED, total, host.now() - started, table.concat(parts, ", "), comparisons, bytes_sent))
os.exit(ok and 0 or 1)
