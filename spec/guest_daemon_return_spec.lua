-- libvirtd goes and comes back while nobody asks for anything: how soon resets
-- are seen again.
--
-- The machine is reset through a monitor of its QEMU process, so that nothing
-- but libvirtd's own event can tell of it.

local host = require "spec.support.libvirt_host"
local agent = require "spec.support.agent"

local NAME <const> = "returned"
local PORT <const> = 4455

-- Seconds from the moment that libvirtd first answers anybody until the reset.
local WINDOW <const> = 0.05
-- On a machine that is busy otherwise, two of eight may be given the processor late.
local TRIALS <const>, ENOUGH <const> = 8, 6
-- Two events within this time, with nothing sent between them, are one reset.
local ONE_RESET <const> = 2

host.describe(_ENV, "libvirtd that was killed and comes back #root", function()
  local listener, prober

  setup(function()
    host.start()
    host.define(([[<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
      <name>%s</name><memory unit='MiB'>16</memory><os><type arch='x86_64' machine='pc'>hvm</type></os>
      <devices>
        <interface type='bridge'><source bridge='vmabr0'/><model type='virtio'/><rom enabled='no'/></interface>
        <controller type='usb' model='none'/><memballoon model='none'/>
      </devices>
      <qemu:commandline><qemu:arg value='-qmp'/><qemu:arg value='tcp:127.0.0.1:%d,server=on,wait=off'/>
      </qemu:commandline></domain>]]):format(NAME, PORT))
    host.virsh("start", NAME, "--paused")
    listener, prober = agent.start(), agent.start()
    listener:eval(([[
      objVS = connect()
      objVM = objVS:FindVirtualMachine(%q)
      heard = 0
      objVS:Connect { OnReset = function() heard = heard + 1 end }
      function take(expected)
        local deadline = process.now() + 1
        repeat objVS:WaitForEvents(100) until heard >= expected or process.now() > deadline
        return heard
      end]]):format(NAME))
    -- Says when libvirtd answers for the first time, and resets the machine so long after.
    prober:eval(([[
      monitor = assert(io.popen("exec bash -c '" ..
        "exec 3<>/dev/tcp/127.0.0.1/%d && read -u 3 greeting && " ..
        "echo \"{\\\"execute\\\": \\\"qmp_capabilities\\\"}\" >&3 && " ..
        "while read line; do echo \"{\\\"execute\\\": \\\"system_reset\\\"}\" >&3; done'", "w"))
      monitor:setvbuf "no"
      function reset() monitor:write "\n" end
      function reset_after_answer(seconds)
        local began = process.now()
        local ok, application
        repeat
          ok, application = pcall(connect)
        until ok or process.now() > began + 30
        assert(ok, application)
        process.sleep(seconds)
        reset()
        application:Close()
      end]]):format(PORT))
  end)

  teardown(function()
    listener:stop()
    prober:stop()
    host.start()
    host.try_virsh("destroy", NAME)
    host.try_virsh("undefine", NAME)
    host.stop()
  end)

  -- Whether the listener hears of a reset that comes so long after the answer.
  local function is_heard(offset)
    host.sleep(ONE_RESET)
    local before = listener:eval "return take(0)"
    host.kill("KILL")
    local id = prober:post(("reset_after_answer(%f)"):format(offset))
    host.shell("libvirtd --daemon")
    prober:answer(id, 60)
    local heard = listener:eval(("return take(%d)"):format(before + 1)) > before
    host.start()
    return heard
  end

  it("is a reset away from the monitor's own: it is heard", function()
    local before = listener:eval "return take(0)"
    prober:eval "reset()"
    assert.equal(before + 1, listener:eval(("return take(%d)"):format(before + 1)))
  end)

  it("is watched for with one descriptor, while it is away only", function()
    -- Each attempt to connect opens and closes others, also while they are listed.
    local function watches()
      local _, count = host.shell(("ls -l /proc/%d/fd 2>/dev/null || true"):format(listener.pid)):gsub("inotify", "")
      return count
    end
    local function wait_for(count)
      host.wait_until(count .. " inotify descriptors", 10, function() return watches() == count end)
    end
    wait_for(0)
    host.kill("KILL")
    wait_for(1)
    host.start()
    wait_for(0)
    listener:eval "other = connect()"
    host.kill("KILL")
    wait_for(2)
    listener:eval "other:Close()"
    wait_for(1)
    host.start()
    wait_for(0)
  end)

  it("is listened to again within 50 ms of its first answer", function()
    local heard, report = 0, {}
    local function try(offset)
      local ok = is_heard(offset)
      report[#report + 1] = ("%.0f ms %s"):format(offset * 1000, ok and "seen" or "lost")
      return ok and 1 or 0
    end
    for _, offset in ipairs { 0, 0.01 } do -- no promise is made for these
      try(offset)
    end
    for trial = 1, TRIALS do
      heard = heard + try(WINDOW + (trial - 1) * 0.01)
    end
    print("\nresets after libvirtd's first answer: " .. table.concat(report, ", "))
    assert.is_true(heard >= ENOUGH, table.concat(report, ", "))
  end)
end)
