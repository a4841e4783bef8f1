-- Which daemon a connection is to: objVS.UpTime where several run on one host.

local vma = require "vmaccountant"
local compiled = require "spec.support.compiled"
local failure = require "spec.support.failure"
local host = require "spec.support.libvirt_host"

local PROGID <const> = "VirtualServer.Application"

-- A user with a daemon of its own, and a place for what it needs.
local USER <const> = 65534
local HOME <const> = "/run/vmaccountant-user"
local SESSION_SOCKET <const> = HOME .. "/runtime/libvirt/libvirt-sock"

-- Runs the Lua script as that user, with a copy of the modules: the tree may be
-- where only root gets to.
local function as_user(script)
  local core = assert(package.searchpath("vmaccountant.core", package.cpath))
  host.shell(("mkdir -p %s/lua/vmaccountant %s/runtime && cp -r lua/. %s/lua && cp %s %s/lua/vmaccountant && "
    .. "chown -R %d %s"):format(HOME, HOME, HOME, host.quote(core), HOME, USER, HOME))
  host.write_file(HOME .. "/script.lua", ([[
    package.path, package.cpath = "%s/lua/?.lua;%s/lua/?/init.lua", "%s/lua/?.so"
    local vma = require "vmaccountant"
    %s]]):format(HOME, HOME, HOME, script))
  return host.shell(("cd / && chmod 755 /run && setpriv --reuid %d --regid %d --clear-groups env "
    .. "HOME=%s XDG_RUNTIME_DIR=%s/runtime timeout 120 lua5.4 %s/script.lua"):format(USER, USER, HOME, HOME, HOME))
end

local function age_of(pid)
  local stat = host.read_file(("/proc/%d/stat"):format(pid)):match("%) (.*)")
  local fields = {}
  for field in stat:gmatch("%S+") do
    fields[#fields + 1] = field
  end
  return host.now() - tonumber(fields[20]) / 100 -- USER_HZ
end

local function assert_uptime_is_of(pid, uptime)
  local age = age_of(pid)
  assert.is_true(uptime <= age and age - uptime < 2.5, ("%s s, but process %d is %.2f s old"):format(uptime, pid, age))
end

-- The processes of that user's daemons, the youngest last.
local function session_pids()
  local pids = {}
  for pid in host.shell("stat -c '%u %n' /proc/[0-9]* 2>/dev/null || true"):gmatch(USER .. " /proc/(%d+)\n") do
    if host.read_file("/proc/" .. pid .. "/comm") == "libvirtd\n" then
      pids[#pids + 1] = math.tointeger(tonumber(pid))
    end
  end
  table.sort(pids, function(one, other) return age_of(one) > age_of(other) end)
  return pids
end

host.describe(_ENV, "UpTime of a host with several daemons #root", function()
  -- The session's daemon is younger by more than UpTime's second.
  setup(function()
    host.start()
    host.wait_until("3 s between the daemons", 20, function()
      return age_of(host.pid()) > 3
    end)
    as_user [[
      local objVS = vma.CreateObject("VirtualServer.Application", "qemu:///session")]]
  end)

  teardown(function()
    host.try_shell("kill " .. table.concat(session_pids(), " "))
    host.stop()
    host.shell("rm -rf " .. HOME)
  end)

  it("is of the system's daemon for qemu:///system", function()
    for _, uri in ipairs { "qemu:///system", "qemu+unix:///system",
      "qemu:///system?socket=/run/libvirt/libvirt-sock-ro" } do
      local objVS <close> = vma.CreateObject(PROGID, uri)
      assert_uptime_is_of(host.pid(), objVS.UpTime)
      objVS:FindVirtualMachine("none")
      assert_uptime_is_of(host.pid(), objVS.UpTime)
    end
  end)

  it("is of the user's daemon for qemu:///session, and for the default of a user", function()
    for _, argument in ipairs { "'qemu:///session'", "nil" } do
      local uri, uptime = as_user(([[
        local objVS = vma.CreateObject("VirtualServer.Application", %s)
        print(tostring(objVS), objVS.UpTime)]]):format(argument)):match("%((.-)%)\t(%d+)\n")
      assert.equal("qemu:///session", uri)
      assert_uptime_is_of(session_pids()[1], math.tointeger(uptime))
    end
  end)

  it("is not all: an empty list of a user's own host names the system's", function()
    local system = host.define [[<domain type='qemu'><name>of-the-system</name><memory unit='MiB'>16</memory>
      <os><type arch='x86_64' machine='pc'>hvm</type></os></domain>]]
    assert.is_truthy(system)
    finally(host.destroy_all)
    local output = as_user [[
      local objVS = vma.CreateObject("VirtualServer.Application")
      print(tostring(objVS.VirtualMachines))]]
    assert.equal("VMVirtualMachineCollection of 0: qemu:///session, the user's own, has no machines; "
      .. "the system's are on qemu:///system\n", output)
    local objVS <close> = vma.CreateObject(PROGID, "qemu:///system")
    assert.equal("VMVirtualMachineCollection of 1", tostring(objVS.VirtualMachines))
    host.destroy_all()
    local machines = objVS.VirtualMachines
    assert.equal("VMVirtualMachineCollection of 0: qemu:///system has no machines", tostring(machines))
    objVS:Close()
    assert.equal("VMVirtualMachineCollection of 0", tostring(machines))
  end)

  it("is of each of two daemons that one process is connected to", function()
    local system <close> = vma.CreateObject(PROGID, "qemu:///system")
    local session <close> = vma.CreateObject(PROGID, "qemu:///session?socket=" .. SESSION_SOCKET)
    assert_uptime_is_of(host.pid(), system.UpTime)
    assert_uptime_is_of(session_pids()[1], session.UpTime)
    assert.is_true(system.UpTime > session.UpTime)
  end)

  it("does not believe a PID file", function()
    local old = host.shell("sleep 600 >/dev/null 2>&1 & echo $!"):match("%d+")
    local pid, written = host.pid(), host.read_file("/run/libvirtd.pid")
    finally(function()
      host.write_file("/run/libvirtd.pid", written)
      host.shell("rm -f /run/virtqemud.pid; kill " .. old)
    end)
    -- Process 1 is older than the daemon, and the sleeping one younger.
    for _, stale in ipairs { "1", old } do
      host.write_file("/run/libvirtd.pid", stale)
      host.write_file("/run/virtqemud.pid", stale)
      local objVS <close> = vma.CreateObject(PROGID, "qemu:///system")
      assert_uptime_is_of(pid, objVS.UpTime)
    end
  end)

  -- Starts what listens at a socket and is not the daemon; its process.
  local function listener(path, arguments, prefix)
    local command = ("mkdir -p %s && cp %s %s/listener && cd / && %s %s/listener %s %s"):format(HOME,
      compiled.program "listener", HOME, prefix or "exec", HOME, path, arguments)
    local pid = math.tointeger(tonumber(host.shell("sh -c " .. host.quote(command) .. " >/dev/null 2>&1 & echo $!")))
    finally(function() host.try_shell("kill " .. pid) end)
    host.wait_until("socket", 10, function()
      return (host.try_shell("test -S " .. path))
    end)
    return pid
  end

  it("is an error where a program forwards to a daemon", function()
    local path = HOME .. "/libvirt-sock"
    local pid = listener(path, "relay /run/libvirt/libvirt-sock")
    local objVS <close> = vma.CreateObject(PROGID, "qemu:///system?socket=" .. path)
    assert.equal(0, #objVS.VirtualMachines)
    failure.expect({ name = "DISP_E_EXCEPTION", member = "UpTime",
      message = ("process %d at the other end of the connection is neither libvirtd nor virtqemud"):format(pid) },
      function() return objVS.UpTime end)
  end)

  it("is of the daemon that was given a socket on which another process had listened", function()
    local runtime = HOME .. "/activated"
    host.shell(("mkdir -p %s/libvirt && chown -R %d %s"):format(runtime, USER, runtime))
    listener(runtime .. "/libvirt/libvirt-sock", "activate libvirtd --timeout=60",
      ("exec setpriv --reuid %d --regid %d --clear-groups env HOME=%s XDG_RUNTIME_DIR=%s")
        :format(USER, USER, HOME, runtime))
    host.sleep(2.5)
    local objVS <close> = vma.CreateObject(PROGID, ("qemu:///session?socket=%s/libvirt/libvirt-sock"):format(runtime),
      { timeout = 10 })
    assert.equal(0, #objVS.VirtualMachines)
    local pids = session_pids()
    local pid = pids[#pids]
    assert_uptime_is_of(pid, objVS.UpTime)
    assert.is_true(objVS.UpTime < 2)
    host.shell("kill " .. pid)
  end)

  it("is of the daemon that came after one that ended", function()
    local objVS <close> = vma.CreateObject(PROGID, "qemu:///system", { timeout = 10 })
    local before = objVS.UpTime
    host.stop()
    failure.expect({ name = "DISP_E_EXCEPTION", member = "UpTime" }, function() return objVS.UpTime end)
    host.start()
    assert.is_true(objVS.UpTime < before)
    assert_uptime_is_of(host.pid(), objVS.UpTime)
  end)
end)
