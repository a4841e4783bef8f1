-- A real host without its daemon, users without its permission, machines in
-- trouble, and that reading changes nothing.

local host = require "spec.support.libvirt_host"
local real_host = require "spec.support.real_host"
local guest = require "spec.support.guest"
local virsh = require "spec.support.virsh"
local failure = require "spec.support.failure"
local vma = require "vmaccountant"

local function figures(objVM)
  return { objVM.Accountant.NetworkBytesSent, objVM.Accountant.NetworkBytesReceived }
end

-- A machine that does nothing, has a real tap and starts in no time.
local function define_small(name)
  host.define(([[
<domain type='qemu'>
  <name>%s</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <interface type='bridge'><source bridge='vmabr1'/><model type='virtio'/><rom enabled='no'/></interface>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>]]):format(name))
end

real_host.describe(_ENV, "a real host #root", function(connect)
  local g, objVS, objVM

  setup(function()
    g = guest.start { name = "witness" }
    g:send(1, 12)
    g:receive(1, 5)
    g:quiet()
  end)

  before_each(function()
    objVS = connect()
    objVM = objVS:FindVirtualMachine(g.name)
  end)

  describe("without its daemon", function()
    after_each(host.start)

    it("cannot be connected to, which is told with libvirt's words, a hint and the cause", function()
      host.stop()
      local err = failure.expect({ name = "DISP_E_EXCEPTION", member = "CreateObject" }, connect)
      assert.matches("qemu:///system", err.message, 1, true)
      assert.matches("Failed to connect socket to '[^']*libvirt%-sock%-ro'", err.message)
      assert.matches("is libvirtd .* running there", err.message)
      assert.equal(38, err.cause.code) -- VIR_ERR_SYSTEM_ERROR
      assert.equal("integer", math.type(err.cause.domain))
      assert.matches(err.cause.message, err.message, 1, true)
      assert.matches("DISP_E_EXCEPTION 0x80020009", tostring(err), 1, true)
    end)

    it("raises and does not hang, and what needs no answer still gives one", function()
      local accountant, adapter = objVM.Accountant, objVM.NetworkAdapters[1]
      host.stop()
      local begun = host.now()
      for _, member in ipairs { "State", "Name" } do
        failure.expect({ name = "DISP_E_EXCEPTION", member = member, machine = g.name }, function()
          return objVM[member]
        end)
      end
      failure.expect({ name = "DISP_E_EXCEPTION", member = "VirtualMachines" }, function()
        return objVS.VirtualMachines
      end)
      failure.expect({ name = "DISP_E_EXCEPTION", member = "FindVirtualMachine" }, function()
        return objVS:FindVirtualMachine(g.name)
      end)
      assert.is_true(host.now() - begun < 5)
      assert.equal(g.name, tostring(objVM))
      assert.equal("VMAccountant of witness", tostring(accountant))
      assert.equal("bridge", adapter.Type)
    end)

    it("refuses to change a machine for want of the daemon, not of permission", function()
      host.stop()
      local err = failure.expect({ name = "DISP_E_EXCEPTION", member = "TurnOff", machine = g.name },
        objVM.TurnOff, objVM)
      assert.matches("Failed to connect socket", err.message, 1, true)
    end)

    it("answers again when the daemon is back, also to those who were connected", function()
      local before = figures(objVM)
      for _, signal in ipairs { "TERM", "KILL" } do
        host.kill(signal)
        failure.expect({ name = "DISP_E_EXCEPTION", member = "State", machine = g.name }, function()
          return objVM.State
        end)
        host.start()
        assert.equal(vma.vmVMState_Running, objVM.State)
        assert.same(before, figures(objVM))
        local fresh <close> = connect()
        assert.same(before, figures(fresh:FindVirtualMachine(g.name)))
      end
      g:send(1, 3)
      g:quiet()
      assert.same({ before[1] + 3000, before[2] }, figures(objVM))
    end)
  end)

  describe("to a user without rights", function()
    local FOLDER <const> = host.folder .. "/for-nobody"
    local SOCKET <const> = "/run/libvirt/libvirt-sock-ro"

    -- The tree may be in a folder that this user cannot enter.
    setup(function()
      local core = assert(package.searchpath("vmaccountant.core", package.cpath))
      local init = assert(package.searchpath("vmaccountant", package.path))
      host.shell(([[
        mkdir -p %s/vmaccountant
        cp %s %s/vmaccountant/core.so
        cp %s %s/vmaccountant.lua
        chmod -R a+rX %s]]):format(FOLDER, host.quote(core), FOLDER, host.quote(init), FOLDER, FOLDER))
    end)

    after_each(function()
      host.shell("chmod 0777 " .. SOCKET)
    end)

    -- What a script prints that the user "nobody" runs.
    local function as_nobody(script)
      local path = host.write_file(FOLDER .. "/script.lua", ([[
        package.path, package.cpath = "%s/?.lua", "%s/?.so"
        local vma = require "vmaccountant"
        %s]]):format(FOLDER, FOLDER, script))
      host.shell("chmod a+r " .. path)
      return host.shell(("cd / && setpriv --reuid=65534 --regid=65534 --clear-groups timeout 30 lua5.4 %s")
        :format(path))
    end

    it("tells everything through the read-only socket, which suffices for reading", function()
      local output = as_nobody([[
        local objVS = vma.CreateObject("VirtualServer.Application", "qemu:///system")
        local accountant = objVS:FindVirtualMachine("witness").Accountant
        print(objVS.VirtualMachines.Count, accountant.NetworkBytesSent, accountant.NetworkBytesReceived)
        print(accountant.Since)
      ]])
      local figures_read, since = output:match("^(.*\n)(%d+)\n$")
      assert.equal(("1\t%d\t%d\n"):format(g:tx_bytes(), g:rx_bytes()), figures_read)
      assert.is_true(math.abs(objVM.Accountant.Since - since) <= 1, since)
    end)

    it("refuses every change, with a hint and the cause, and nothing happens", function()
      local before = figures(objVM)
      local output = as_nobody([[
        local objVS = vma.CreateObject("VirtualServer.Application", "qemu:///system")
        local objVM = objVS:FindVirtualMachine("witness")
        for _, method in ipairs { "TurnOff", "Save", "Pause", "Resume", "Startup", "DiscardSavedState" } do
          local ok, err = pcall(objVM[method], objVM)
          print(method, ok, err.name, err.member, err.machine, err.cause.code, err.message)
        end
        print(objVM.State == vma.vmVMState_Running)
      ]])
      local count = 0
      for line in output:gmatch("[^\n]*\twitness\t[^\n]*") do
        local method = line:match("^%a+")
        assert.equal(("%s\tfalse\tE_ACCESSDENIED\t%s\twitness\t38\t"):format(method, method),
          line:match("^.*\twitness\t38\t"))
        assert.matches("read-write connection", line, 1, true)
        assert.matches("libvirt", line, 1, true)
        assert.matches("Permission denied", line, 1, true)
        count = count + 1
      end
      assert.equal(6, count, output)
      assert.equal("true\n", output:match("[^\n]*\n$"))
      assert.equal(vma.vmVMState_Running, objVM.State)
      assert.same(before, figures(objVM))
    end)

    it("cannot be connected to where the read-only socket is closed to it, too", function()
      host.shell("chmod 0700 " .. SOCKET)
      local output = as_nobody([[
        local ok, err = pcall(vma.CreateObject, "VirtualServer.Application", "qemu:///system")
        print(ok, err.name, err.cause.code, err.message)
      ]])
      assert.matches("^false\tDISP_E_EXCEPTION\t38\t", output)
      assert.matches("Permission denied", output, 1, true)
      assert.matches("join the group", output, 1, true)
    end)
  end)

  describe("with machines in trouble", function()
    before_each(function()
      define_small("trouble")
      host.virsh("start", "trouble", "--paused")
    end)

    after_each(function()
      host.try_virsh("destroy", "trouble")
      host.virsh("undefine", "trouble")
    end)

    it("says that one is not running whose QEMU was killed, and counts it anew when it is back", function()
      local trouble = objVS:FindVirtualMachine("trouble")
      assert.same({ 0, 0 }, figures(trouble))
      host.shell(("kill -KILL %d"):format(host.qemu_pid("trouble")))
      host.wait_until("end of the machine", 60, function()
        return trouble.State == vma.vmVMState_TurnedOff
      end)
      failure.expect({ name = "S_FALSE", member = "NetworkBytesSent", machine = "trouble" }, function()
        return trouble.Accountant.NetworkBytesSent
      end)
      assert.equal(g:tx_bytes(), objVM.Accountant.NetworkBytesSent)
      trouble:Startup():WaitForCompletion(-1)
      assert.same({ 0, 0 }, figures(trouble))
    end)

    it("reads one whose QEMU hangs, and the others beside it, without waiting", function()
      local pid = host.qemu_pid("trouble")
      host.shell(("kill -STOP %d"):format(pid))
      finally(function()
        host.shell(("kill -CONT %d"):format(pid))
      end)
      -- Somebody else waits for an answer of the machine's monitor meanwhile.
      os.execute("timeout 20 virsh --quiet --connect qemu:///system dommemstat trouble >/dev/null 2>&1 &")
      host.sleep(0.3)
      local begun = host.now()
      local fresh <close> = connect()
      local aged <close> = connect { max_age = 3600 }
      for _, application in ipairs { objVS, fresh, aged } do
        assert.same({ 0, 0 }, figures(application:FindVirtualMachine("trouble")))
        assert.same({ g:tx_bytes(), g:rx_bytes() }, figures(application:FindVirtualMachine(g.name)))
        assert.equal(vma.vmVMState_Paused, application:FindVirtualMachine("trouble").State)
      end
      assert.is_true(host.now() - begun < 5)
    end)
  end)

  describe("is not changed by reading", function()
    local NAMES <const> = { "witness", "off", "saved", "paused" }

    setup(function()
      for _, name in ipairs { "off", "saved", "paused" } do
        define_small(name)
      end
      host.virsh("start", "saved")
      host.virsh("managedsave", "saved")
      host.virsh("start", "paused", "--paused")
    end)

    teardown(function()
      host.virsh("destroy", "paused")
      for _, name in ipairs { "off", "saved", "paused" } do
        host.virsh("undefine", name, "--managed-save")
      end
    end)

    -- How many clients of libvirtd may change something.
    local function writers()
      local count = 0
      for line in host.shell("virt-admin --quiet client-list libvirtd"):gmatch("[^\n]+") do
        local id = assert(line:match("^%s*(%d+)%s"), line)
        local info = host.shell("virt-admin --quiet client-info libvirtd " .. id)
        -- All but the virsh that this spec itself uses.
        local process = math.tointeger(tonumber(info:match("unix_process_id%s*:%s*(%d+)")))
        if info:find("readonly%s*:%s*no") and process ~= virsh.pid() then
          count = count + 1
        end
      end
      return count
    end

    -- All that libvirt tells of its machines, and all that it has written of
    -- them: names, sizes, times and inodes of files.
    local function everything()
      local parts = { host.virsh("list", "--all", "--uuid"), host.virsh("list", "--all", "--managed-save") }
      for _, name in ipairs(NAMES) do
        parts[#parts + 1] = host.virsh("dumpxml", name)
        parts[#parts + 1] = host.virsh("dumpxml", name, "--inactive")
      end
      parts[#parts + 1] = host.shell("find /etc/libvirt /run/libvirt/qemu /var/lib/libvirt -type f " ..
        "-printf '%p %s %T@ %i\n' | sort")
      return table.concat(parts, "\n")
    end

    -- Reads every property that pairs() shows, and of what it shows in turn.
    local function read_all(object, depth, seen)
      for name, value in pairs(object) do
        seen[#seen + 1] = name
        if type(value) == "userdata" and depth > 0 then
          read_all(value, depth - 1, seen)
          if name == "VirtualMachines" or name == "NetworkAdapters" then
            for item in value do
              read_all(item, depth - 1, seen)
            end
          end
        end
      end
      return seen
    end

    it("every property of every object", function()
      objVS:Close()
      local before = everything()
      assert.equal(0, writers())
      for _, options in ipairs { {}, { max_age = 3600 } } do
        local application <close> = connect(options)
        local seen = table.concat(read_all(application, 4, {}), " ")
        for _, name in ipairs { "State", "NetworkBytesSent", "Since", "BytesReceived", "IsCounted" } do
          assert.matches(name, seen, 1, true)
        end
        assert.equal(0, writers())
        assert.equal(before, everything())
      end
      assert.equal(before, everything())

      -- That the look would have seen a change:
      local application <close> = connect()
      application:FindVirtualMachine("paused"):Resume()
      assert.equal(1, writers())
      assert.not_equal(before, everything())
      application:FindVirtualMachine("paused"):Pause()
    end)
  end)
end)
