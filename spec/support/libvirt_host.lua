--- The libvirtd of a private host (see `private_host`), and its machines.
--
--     local host = require "spec.support.libvirt_host"
--
-- Needs "./?.lua" in package.path, which the busted helper
-- `enter_private_host.lua` adds.  Every wait is bounded, and raises an error
-- that names what did not happen.  All functions raise on failure unless they
-- say otherwise.

local compiled = require "spec.support.compiled"
local virsh = require "spec.support.virsh"

local host = {}

--- Files of this run, gone with the private host.
host.folder = "/run/vmaccountant"

local MARKER <const> = "/run/vmaccountant-private-host"
local VIRSH_SECONDS <const> = 60
local PID_FILE <const> = "/run/libvirtd.pid"
local LOG_FILE <const> = "/var/log/libvirt/libvirtd.log"

--- A word that the shell takes as it is.
function host.quote(word)
    return "'" .. tostring(word):gsub("'", [['\'']]) .. "'"
end

--- The content of a file, or nil.
function host.read_file(path)
    local file <close> = io.open(path, "rb")
    return file and file:read("a")
end

--- Writes a file anew and returns its path.
function host.write_file(path, content)
    local file <close> = assert(io.open(path, "wb"))
    assert(file:write(content))
    return path
end

--- Runs a shell command and returns ok, output (standard output and error).
function host.try_shell(command)
    local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1 </dev/null"))
    local output = pipe:read("a")
    local ok = pipe:close()
    return ok == true, output
end

--- Runs a shell command and returns its output.
function host.shell(command)
    local ok, output = host.try_shell(command)
    if not ok then
        error(("%s: failed: %s"):format(command, output), 2)
    end
    return output
end

--- Seconds since boot.
function host.now()
    return tonumber(host.read_file("/proc/uptime"):match("^[%d.]+"))
end

local process

function host.sleep(seconds)
    process = process or compiled.module("process")
    process.sleep(seconds)
end

--- Polls until `predicate()` gives a true value, and returns what it gave.
-- @param what  what is waited for, for the error
-- @param seconds  the bound
-- @param predicate  called about every `interval` seconds
-- @param interval  default 0.02
-- @param describe  optional function whose text is added to the error
function host.wait_until(what, seconds, predicate, interval, describe)
    local deadline <const> = host.now() + seconds
    while true do
        local value = predicate()
        if value then
            return value
        elseif host.now() > deadline then
            error(("no %s within %g s%s"):format(what, seconds,
                describe and ": " .. describe() or ""), 2)
        end
        host.sleep(interval or 0.02)
    end
end

--- Whether this process is root.
function host.is_root()
    return host.read_file("/proc/self/status"):match("\nUid:%s+%d+%s+(%d+)") == "0"
end

--- Whether this process is inside a private host.  The marker is asked too:
-- the machines of a real host must not suffer for a forgotten variable.
function host.is_private()
    return os.getenv("VMACCOUNTANT_PRIVATE_HOST") == "1" and host.read_file(MARKER) ~= nil
end

--- Whether machines can be started here.
-- @return true; or false, the reason, and whether that is a reason to skip
-- (as opposed to a mistake in how the specs are run)
function host.available()
    if not host.is_root() then
        return false, "needs root", true
    elseif host.is_private() then
        return true
    elseif os.getenv("VMACCOUNTANT_NO_PRIVATE_HOST") == "1" then
        return false, "VMACCOUNTANT_NO_PRIVATE_HOST=1", true
    end
    return false, "not inside spec/support/private_host", false
end

--- Defines, for busted, `body` if machines can be started here, and otherwise
-- one test that is pending (or fails) with the reason.
-- @param busted  a table with the caller's `describe`, `it`, `pending`: `_ENV`
function host.describe(busted, name, body)
    local available, reason, skip = host.available()
    busted.describe(name, available and body or function()
        busted.it("runs on a private host", function()
            if skip then
                busted.pending(reason)
            else
                error(reason, 0)
            end
        end)
    end)
end

local function check_private()
    local available, reason = host.available()
    if not available then
        error("no private host: " .. reason, 3)
    end
end

-- The daemon ------------------------------------------------------------

local function is_libvirtd(pid)
    return host.read_file(("/proc/%d/comm"):format(pid)) == "libvirtd\n"
end

--- The process id of the running libvirtd, or nil.
function host.pid()
    local pid = math.tointeger(tonumber(host.read_file(PID_FILE) or ""))
    return pid and is_libvirtd(pid) and pid or nil
end

--- Starts libvirtd unless it runs, and waits until it answers.
function host.start()
    check_private()
    os.execute("mkdir -p " .. host.folder)
    virsh.open(host.folder)
    if not host.pid() then
        virsh.stop()
        host.shell("libvirtd --daemon")
    end
    host.wait_until("answer from libvirtd", 30, function()
        return (virsh.run({"version"}, 5))
    end, 0.02, function()
        return (host.read_file(LOG_FILE) or "no log"):sub(-2000)
    end)
end

-- Scheduling ----------------------------------------------------------------
--
-- The private host's libvirtd uses no cgroups.  For the few specs that need the
-- controller cpu it gets a group of its own, in a namespace where that is the
-- root: what libvirt makes there is beside nobody else's.

local CPU_GROUPS <const> = host.folder .. "/cgroup-cpu"
local cpu_group

--- Why machines cannot be given scheduler parameters here, or nil.
function host.scheduler_lacks()
    os.execute("mkdir -p " .. CPU_GROUPS)
    if cpu_group or host.try_shell("mount -t cgroup -o cpu cgroup " .. CPU_GROUPS) then
        return nil
    end
    return "no cgroup hierarchy (version 1) with the controller cpu can be mounted here"
end

--- Starts libvirtd with the cgroup controller cpu; `stop_with_scheduler` is to
-- follow.  The machines must be off.
function host.start_with_scheduler()
    check_private()
    host.stop()
    cpu_group = os.tmpname():gsub(".*/", CPU_GROUPS .. "/vmaccountant-")
    host.shell(([[
        sed -i 's/^cgroup_controllers.*/cgroup_controllers = ["cpu"]/' /etc/libvirt/qemu.conf &&
        mkdir %s &&
        sh -c 'echo $$ >%s/tasks && exec unshare --cgroup --mount sh -c "
            mount -t tmpfs tmpfs /sys/fs/cgroup && mkdir /sys/fs/cgroup/cpu &&
            mount -t cgroup -o cpu cgroup /sys/fs/cgroup/cpu && exec libvirtd --daemon"']])
        :format(cpu_group, cpu_group))
    host.start()
end

--- Stops libvirtd, and removes what `start_with_scheduler` has made.
function host.stop_with_scheduler()
    host.stop()
    host.shell([[sed -i 's/^cgroup_controllers.*/cgroup_controllers = []/' /etc/libvirt/qemu.conf]])
    if cpu_group then
        host.wait_until("end of all in " .. cpu_group, 30, function()
            return (host.try_shell(("find %s -depth -type d -exec rmdir {} \\; && [ ! -e %s ]")
                :format(cpu_group, cpu_group)))
        end)
        host.shell("umount " .. CPU_GROUPS)
        cpu_group = nil
    end
end

--- Sends a signal ("KILL", "STOP", "CONT", ...) to libvirtd, and after a
-- deadly one waits until it is gone.  The machines run on.
function host.kill(signal)
    check_private()
    local pid = host.pid() or error("libvirtd does not run", 2)
    host.shell(("kill -%s %d"):format(signal, pid))
    if signal == "KILL" or signal == "TERM" then
        virsh.stop()
        host.wait_until("end of libvirtd", 30, function()
            return not is_libvirtd(pid)
        end, 0.02)
    end
end

--- Stops libvirtd if it runs.  The machines run on.
function host.stop()
    if host.pid() then
        host.kill("TERM")
    end
end

function host.restart()
    host.stop()
    host.start()
end

-- virsh -------------------------------------------------------------------

--- `virsh ARG...`: ok, output.
function host.try_virsh(...)
    check_private()
    if host.pid() and virsh.takes({...}) then
        local ok, output = virsh.run({...}, VIRSH_SECONDS)
        if ok ~= nil then
            return ok, output
        end
    end
    local words = {("timeout %d virsh --quiet --connect qemu:///system"):format(VIRSH_SECONDS)}
    for index = 1, select("#", ...) do
        words[index + 1] = host.quote((select(index, ...)))
    end
    return host.try_shell(table.concat(words, " "))
end

--- `virsh ARG...`: its output.
function host.virsh(...)
    local ok, output = host.try_virsh(...)
    if not ok then
        error(("virsh %s: %s"):format(table.concat({...}, " "), output), 2)
    end
    return output
end

-- Runs many virsh commands in few processes and returns their output.  A
-- failing command does not stop the others.
local function virsh_batch(commands)
    local PROCESSES <const> = 4
    local scripts = {}
    for index, command in ipairs(commands) do
        local number = index % PROCESSES + 1
        scripts[number] = (scripts[number] or "") .. command .. "\n"
    end
    local lines = {}
    for number, script in pairs(scripts) do
        local path = host.write_file(("%s/batch.%d"):format(host.folder, number), script)
        lines[#lines + 1] = ("timeout 300 virsh --quiet --connect qemu:///system <%s &"):format(path)
    end
    lines[#lines + 1] = "wait"
    return host.shell(table.concat(lines, "\n"))
end

local function virsh_xml(xml, ...)
    check_private()
    local path = host.write_file(host.folder .. "/virsh.xml", xml)
    local arguments = {...}
    arguments[#arguments + 1] = path
    local ok, output = host.try_virsh(table.unpack(arguments))
    if not ok then
        error(("virsh %s: %s\n%s"):format(table.concat(arguments, " "), output, xml), 3)
    end
    return output
end

--- Defines a persistent machine.
function host.define(xml)
    return virsh_xml(xml, "define")
end

--- Starts a transient machine.
function host.create(xml)
    return virsh_xml(xml, "create")
end

--- Attaches a device to a running machine.
function host.attach(name, xml)
    return virsh_xml(xml, "attach-device", name, "--live")
end

local function machine_names()
    local names = {}
    for name in host.virsh("list", "--all", "--name"):gmatch("[^\n]+") do
        names[#names + 1] = name
    end
    return names
end

-- libvirt looks only every 0.2 s whether the QEMU that it ends has gone: so those
-- of these machines are gone before.
local function kill_qemus(names)
    local function runs(pid)
        return (host.read_file(("/proc/%d/comm"):format(pid)) or ""):find("^qemu") ~= nil
    end
    local pids = {}
    for _, name in ipairs(names) do
        local pid = host.qemu_pid(name)
        if pid and runs(pid) then
            pids[#pids + 1] = pid
        end
    end
    if #pids > 0 then
        host.try_shell("kill -KILL " .. table.concat(pids, " "))
    end
    for _, pid in ipairs(pids) do
        host.wait_until("end of QEMU", 30, function()
            return not runs(pid)
        end, 0.002)
    end
end

--- Destroys and undefines every machine, with what was saved of it.
function host.destroy_all()
    check_private()
    local FEW <const> = 8       -- are gone before another virsh has started
    local names = machine_names()
    kill_qemus(names)
    local commands, output = {}, {}
    for _, name in ipairs(names) do
        -- Of these, some must fail: a machine is active or not, persistent or not.
        if #names <= FEW then
            output[#output + 1] = select(2, host.try_virsh("destroy", name))
            output[#output + 1] = select(2, host.try_virsh("undefine", name, "--managed-save", "--snapshots-metadata"))
        else
            commands[#commands + 1] = ("destroy %s; undefine %s --managed-save --snapshots-metadata")
                :format(host.quote(name), host.quote(name))
        end
    end
    if #commands > 0 then
        output[#output + 1] = virsh_batch(commands)
    end
    local left = #names > 0 and machine_names() or {}
    if #left > 0 then
        error(("machines left: %s: %s"):format(table.concat(left, ", "), table.concat(output)), 2)
    end
end

-- Machines ------------------------------------------------------------------

--- What the kernel has counted on a device of the host: rx_bytes, tx_bytes.
-- For a tap, rx is what the guest has sent.
function host.device_counters(device)
    local function counter(name)
        local path = ("/sys/class/net/%s/statistics/%s"):format(device, name)
        return math.tointeger(tonumber(host.read_file(path) or error("no device " .. device, 3)))
    end
    return counter("rx_bytes"), counter("tx_bytes")
end

--- The network adapters of an active machine, as its live XML has them: a list
-- of {device =, mac =, type =, source =}.  `device` and `source` are nil where
-- there is none.
function host.taps(name)
    local taps = {}
    for line in host.virsh("domiflist", name):gmatch("[^\n]+") do
        local device, kind, source, _, mac = line:match("(%S+)%s+(%S+)%s+(%S+)%s+(%S+)%s+(%S+)")
        if mac then
            taps[#taps + 1] = {
                device = device ~= "-" and device or nil,
                type = kind,
                source = source ~= "-" and source or nil,
                mac = mac,
            }
        end
    end
    return taps
end

--- The process id of a machine's QEMU, or nil.
function host.qemu_pid(name)
    return math.tointeger(tonumber(host.read_file(("/run/libvirt/qemu/%s.pid"):format(name)) or ""))
end

--- Starts machines that are paused before their first instruction: cheap, with
-- real taps on vmabr0.  For counts, not for traffic.
-- @param count  how many
-- @param adapters_each  how many adapters each
-- @param prefix  of their names, default "idle-"; numbers follow, from 1
-- @return the names
function host.idle_machines(count, adapters_each, prefix)
    check_private()
    local adapter = "<interface type='bridge'><source bridge='vmabr0'/><model type='virtio'/>" ..
        "<rom enabled='no'/></interface>"
    local names, commands = {}, {}
    for index = 1, count do
        local name = (prefix or "idle-") .. index
        local path = host.write_file(("%s/%s.xml"):format(host.folder, name), ([[
<domain type='qemu'>
  <name>%s</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>%s<controller type='usb' model='none'/><memballoon model='none'/></devices>
</domain>
]]):format(name, adapter:rep(adapters_each)))
        names[index] = name
        commands[index] = ("create %s --paused"):format(host.quote(path))
    end
    local output = virsh_batch(commands)
    os.execute(("rm -f %s/%s[0-9]*.xml"):format(host.folder, host.quote(prefix or "idle-")))
    local running = {}
    for _, name in ipairs(machine_names()) do
        running[name] = true
    end
    for _, name in ipairs(names) do
        if not running[name] then
            error(("machine %s did not start: %s"):format(name, output), 2)
        end
    end
    return names
end

return host
