-- threads_on_host.lua COMMAND [ARG...]
--
-- Runs `COMMAND ARG... qemu:///system` on a private host, while machines there
-- are reset, and adapters plugged and unplugged, by another process: what
-- spec/binding/threads_test.c is to be run under. Exits with its status.

package.path = "./?.lua;" .. package.path

local host = require "spec.support.libvirt_host"

local MACHINES <const> = 3
local SECONDS <const> = 120 -- the bound

local INTERFACE <const> = "<interface type='bridge'><mac address='52:54:00:77:%02x:%02x'/>" ..
  "<source bridge='vmabr%d'/><model type='virtio'/><rom enabled='no'/></interface>"

local function create(index)
  -- Paused before its first instruction: cheap. Without ACPI nothing can be plugged.
  local path = host.write_file(host.folder .. "/machine.xml", ([[
    <domain type='qemu'>
      <name>threads-%d</name>
      <memory unit='MiB'>16</memory>
      <os><type arch='x86_64' machine='pc'>hvm</type></os>
      <features><acpi/></features>
      <devices>%s<controller type='usb' model='none'/><memballoon model='none'/></devices>
    </domain>]]):format(index, INTERFACE:format(index, 0, 0)))
  host.virsh("create", path, "--paused")
  return "threads-" .. index
end

host.start()
local names = {}
for index = 1, MACHINES do
  names[index] = create(index)
end

host.define([[
  <domain type='qemu'>
    <name>threads-saved</name>
    <memory unit='MiB'>16</memory>
    <os><type arch='x86_64' machine='pc'>hvm</type></os>
    <devices><controller type='usb' model='none'/><memballoon model='none'/></devices>
  </domain>]])

local words = {}
for index = 1, #arg do
  words[index] = host.quote(arg[index])
end
-- The log is of ThreadSanitizer, where the command is built with it.
local status, log = host.folder .. "/status", host.folder .. "/thread-sanitizer"
os.execute(("{ TSAN_OPTIONS=\"$TSAN_OPTIONS log_path=%s\" timeout -k 5 %d %s qemu:///system; echo $? >%s; } &")
  :format(log, SECONDS, table.concat(words, " "), status))

local rounds, deadline = 0, host.now() + SECONDS + 10
while not host.read_file(status) and host.now() < deadline do
  rounds = rounds + 1
  for index, name in ipairs(names) do
    local path = host.write_file(("%s/plugged-%d.xml"):format(host.folder, index), INTERFACE:format(index, 1, 1))
    host.try_virsh("attach-device", name, path, "--live")
    -- No guest listens that would let the device go: the reset takes it, for
    -- which `virsh detach-device` would make every other call wait.
    host.try_virsh("qemu-monitor-command", name, [[{"execute": "device_del", "arguments": {"id": "net1"}}]])
    host.try_virsh("reset", name)
  end
end
local code = math.tointeger(tonumber(host.read_file(status) or ""))

-- libvirt's client takes its own locks (of the connection, of the client, of the
-- queue of events) in more than one order. A report of that kind counts only
-- where this project's own code takes one of the locks.
local SANITIZER_STATUS <const> = 66
local function is_of_libvirt_alone(report)
  return report:find("lock-order-inversion", 1, true) ~= nil
    and not report:find("#0 pthread_mutex_lock[^\n]*\n    #1 [^\n]- src/")
end
local reports = 0
local told = host.shell(("cat %s.* 2>/dev/null || true"):format(log))
for report in told:gmatch("WARNING: ThreadSanitizer.-\nSUMMARY[^\n]*") do
  if not is_of_libvirt_alone(report) then
    reports = reports + 1
    print(report)
  end
end
if reports > 0 then
  code = SANITIZER_STATUS
elseif code == SANITIZER_STATUS then
  code = 0
end
print(("%d rounds of plugging, unplugging and resetting %d machines"):format(rounds, MACHINES))
host.destroy_all()
host.stop()
os.exit(code or 1)
