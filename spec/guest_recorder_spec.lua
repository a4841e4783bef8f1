-- examples/recorder.lua, as a process of its own beside real machines: what it
-- writes down is what processes that start later count from.

local host = require "spec.support.libvirt_host"
local real_host = require "spec.support.real_host"
local guest = require "spec.support.guest"
local child = require "spec.support.child"

local URI <const> = "qemu:///system"

-- The recorder, in the background and with this process's modules. It ends with
-- the variable that holds it.
local function start_recorder()
  local path = host.folder .. "/recorder"
  host.shell(([[
    rm -f %s.*
    ( LUA_PATH_5_4=%s LUA_CPATH_5_4=%s lua5.4 examples/recorder.lua %s >%s.out 2>%s.err &
      echo $! >%s.pid; wait $!; echo $? >%s.status ) >/dev/null 2>&1 &]])
    :format(path, host.quote(package.path), host.quote(package.cpath), URI, path, path, path, path))
  local recorder = {}

  function recorder.output()
    return host.read_file(path .. ".out"), host.read_file(path .. ".err")
  end

  -- The exit status once it has ended; a signal's number is added to 128.
  function recorder.status()
    return math.tointeger(tonumber(host.read_file(path .. ".status") or ""))
  end

  host.wait_until("line of the recorder", 60, function()
    return recorder.output() == "recording the resets of VMVirtualServer (" .. URI .. ")\n" or recorder.status()
  end, 0.02, recorder.output)
  recorder.pid = math.tointeger(tonumber(host.read_file(path .. ".pid")))
  function recorder.signal(name)
    host.shell(("kill -%s %d"):format(name, recorder.pid))
  end

  -- The processor time that it has used, in hundredths of a second.
  function recorder.ticks()
    local user, system = host.read_file(("/proc/%d/stat"):format(recorder.pid))
      :match("^.*%)" .. (" %S+"):rep(11) .. " (%d+) (%d+)")
    return user + system
  end

  return setmetatable(recorder, { __close = function()
    if not recorder.status() then
      recorder.signal("KILL")
      host.wait_until("end of the recorder", 60, recorder.status, 0.02)
    end
  end })
end

-- The machine's figures, as a process that starts now has them.
local function figures_of_later_process(g)
  local sent, received = child.output_of(([[
    local objVS <close> = require("vmaccountant").CreateObject("VirtualServer.Application", %q)
    local accountant = objVS:FindVirtualMachine(%q).Accountant
    print(accountant.NetworkBytesSent, accountant.NetworkBytesReceived)]]):format(URI, g.name))
    :match("^(%d+)\t(%d+)\n$")
  return { math.tointeger(tonumber(sent)), math.tointeger(tonumber(received)) }
end

-- Demands that those are what the guest's kernel has counted since it booted,
-- and less than what the host's device has.
local function assert_recorded(g)
  g:quiet()
  local sent = g:tx_bytes()
  assert.same({ sent, g:rx_bytes() }, figures_of_later_process(g))
  assert.is_true(host.device_counters(g:taps()[1].device) > sent)
end

-- Waits until the recorder, the only one that has such a connection, is
-- connected again.
local function wait_for_connection()
  host.wait_until("read-only connection to libvirtd", 60, function()
    return host.read_file("/proc/net/unix"):find(" 03 +%d+ %S*/libvirt%-sock%-ro\n")
  end)
  host.sleep(1) -- that it listens to events comes a moment after
end

real_host.describe(_ENV, "recorder.lua #root", function()
  local g

  setup(function()
    g = guest.start()
  end)

  it("gives processes that start later what was sent since a reset", function()
    local recorder <close> = start_recorder()
    g:send(1, 200)
    g:receive(1, 50)
    g:quiet()
    assert.same({ 200 * 1000, 50 * 1000 }, figures_of_later_process(g))
    g:reset()
    assert_recorded(g)
    g:send(1, 7)
    g:receive(1, 3)
    assert_recorded(g)
    assert.same({ 7000, 3000 }, figures_of_later_process(g))
    g:reboot() -- the guest itself
    g:send(1, 5)
    assert_recorded(g)
    assert.same({ "", nil }, { select(2, recorder.output()), recorder.status() })
  end)

  it("needs no state: another one goes on where it ended", function()
    local before = figures_of_later_process(g)
    local recorder <close> = start_recorder()
    assert.same(before, figures_of_later_process(g))
    g:send(1, 11)
    assert_recorded(g)
    g:reset()
    g:send(1, 2)
    assert_recorded(g)
    assert.is_nil(recorder.status())
  end)

  for _, signal in ipairs { "TERM", "KILL" } do
    it("goes on when libvirtd has ended by SIG" .. signal .. " and started again", function()
      local recorder <close> = start_recorder()
      g:send(1, 30)
      g:reset()
      g:send(1, 3)
      g:quiet()
      host.kill(signal)
      host.sleep(2) -- some attempts to connect fail
      host.start()
      assert_recorded(g)
      wait_for_connection()
      g:send(1, 40)
      g:reset()
      g:send(1, 4)
      assert_recorded(g)
      assert.equal(4000, figures_of_later_process(g)[1])
      assert.same({ "", nil }, { select(2, recorder.output()), recorder.status() })
    end)
  end

  it("uses no processor time while nothing happens", function()
    local recorder <close> = start_recorder()
    host.sleep(0.5)
    local before = recorder.ticks()
    host.sleep(3)
    assert.is_near(before, recorder.ticks(), 1)
  end)

  for _, case in ipairs { { "TERM", 128 + 15 }, { "INT", 0 } } do
    local signal, status = table.unpack(case)
    for _, freeze in ipairs { false, true } do
      it(("ends at once by SIG%s while libvirtd %s"):format(signal, freeze and "hangs" or "runs"), function()
        local recorder <close> = start_recorder()
        if freeze then
          host.kill("STOP")
        end
        local started = host.now()
        recorder.signal(signal)
        pcall(host.wait_until, "end of the recorder", 30, recorder.status, 0.01)
        local ended = host.now()
        if freeze then
          host.kill("CONT")
        end
        assert.equal(status, recorder.status())
        assert.is_true(ended - started < 10, ended - started)
        assert.equal("", (select(2, recorder.output())))
      end)
    end
  end

  it("tells a user without the privilege what it takes", function()
    -- The user may not be able to look into this folder.
    local folder = host.folder .. "/of-nobody"
    host.shell(("mkdir -p %s/vmaccountant; cp lua/vmaccountant/*.lua %s %s/vmaccountant; cp examples/recorder.lua %s; "
      .. "chmod -R a+rX %s")
      :format(folder, host.quote(package.searchpath("vmaccountant.core", package.cpath)), folder, folder, folder))
    local ok, output = host.try_shell(([[
      cd %s && LUA_PATH_5_4='./?.lua;./?/init.lua' LUA_CPATH_5_4='./?.so' \
        timeout 20 setpriv --reuid nobody --regid nogroup --clear-groups lua5.4 recorder.lua %s
      status=$?
      echo "status $status"
      exit $status]]):format(folder, URI))
    assert.is_false(ok)
    assert.matches("^recorder%.lua: [^\n]*RecordResets: [^\n]*read%-write connection[^\n]*group libvirt[^\n]*"
      .. "%(E_ACCESSDENIED 0x80070005%)\nstatus 1\n$", output)
  end)
end, true)
