-- The kernel's counters in place of libvirt's: which adapters are read that
-- way, that the figures are the same, and that no hand on the devices, no other
-- network namespace and no loss of the daemon makes them another device's.

local host = require "spec.support.libvirt_host"
local idle_machine = require "spec.support.idle_machine"
local real_host = require "spec.support.real_host"
local exact = require "spec.support.exact"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"
local shell = require "spec.support.shell"
local vma = require "vmaccountant"

local URI <const> = "qemu:///system"
local PROVEN <const> = "the device is the adapter's own"
local ANNOUNCEMENT <const> = idle_machine.ANNOUNCEMENT

local BRIDGE <const> = idle_machine.BRIDGE
local OTHER_BRIDGE <const> = BRIDGE:gsub("vmabr0", "vmabr1")
local USER <const> = "<interface type='user'><model type='virtio'/><rom enabled='no'/></interface>"

local start, remove, announce = idle_machine.start, idle_machine.remove, idle_machine.announce
local figures = exact.figures

-- What Accounting says of a machine's adapters, in the order of the machine's.
local function sources(objVS, name)
  local found, lines = {}, objVS.Accounting
  for _, one in ipairs(lines) do
    if one.machine == name then
      found[#found + 1] = one
    end
  end
  return found, tostring(lines)
end

local function assert_source(objVS, name, source, reason)
  local found = sources(objVS, name)
  assert.is_true(#found > 0, name .. " is not in Accounting")
  for _, one in ipairs(found) do
    assert.same({ name, source, reason }, { one.machine, one.source, one.reason })
  end
  return found
end

local function assert_kernel(objVS, name)
  return assert_source(objVS, name, "kernel", PROVEN)
end

-- Reads until the machine is read from the kernel again: events take a moment.
local function wait_for_kernel(objVS, name)
  host.wait_until(name .. " read from the kernel", 60, function()
    local found = sources(objVS, name)
    return #found > 0 and found[1].source == "kernel" and found[1].reason == PROVEN
  end)
end

-- What libvirt itself says, in the guest's view.
local function libvirt_figures(name)
  local sent, received = 0, 0
  for _, tap in ipairs(host.taps(name)) do
    local output = host.virsh("domifstat", name, tap.device)
    sent = sent + math.tointeger(tonumber(output:match("tx_bytes (%d+)")))
    received = received + math.tointeger(tonumber(output:match("rx_bytes (%d+)")))
  end
  return { sent, received }
end

-- Runs a chunk in a process of another network namespace, after a shell script
-- that furnishes it, and returns what it wrote. Sockets of the file system,
-- libvirtd's among them, are reached from there.
local function elsewhere(furnish, chunk)
  local path = host.write_file(host.folder .. "/elsewhere.lua", [[
    local host = require "spec.support.libvirt_host"
    local vma = require "vmaccountant"
    ]] .. chunk)
  local script = host.write_file(host.folder .. "/elsewhere.sh",
    "set -e\nip link set lo up\n" .. furnish .. "\nexec lua5.4 -e \"" ..
    "package.path='./?.lua;'..package.path\" " .. path .. "\n")
  local output, errors, status = shell.run("unshare -n sh " .. script)
  if status ~= 0 then
    error(("elsewhere: %d: %s%s"):format(status, output, errors), 2)
  end
  return output
end

real_host.describe(_ENV, "the kernel's counters #root", function(connect)
  local objVS

  before_each(function()
    host.start()
  end)

  after_each(function()
    host.start()
    host.destroy_all()
  end)

  describe("are read", function()
    it("for taps of bridges, networks and one's own, after one or two looks", function()
      host.virsh("net-create", host.write_file(host.folder .. "/net.xml",
        "<network><name>web</name><forward mode='bridge'/><bridge name='vmabr1'/></network>"))
      finally(function()
        host.destroy_all()
        host.virsh("net-destroy", "web")
      end)
      start("all", BRIDGE,
        "<interface type='network'><source network='web'/><model type='virtio'/><rom enabled='no'/></interface>",
        "<interface type='ethernet'><model type='virtio'/><rom enabled='no'/></interface>")
      objVS = connect()
      local found, text = sources(objVS, "all")
      local taps = host.taps("all")
      assert.equal(3, #taps)
      assert.equal(3, #found)
      for i, tap in ipairs(taps) do
        local one = found[i]
        local ifindex = math.tointeger(tonumber(host.read_file(("/sys/class/net/%s/ifindex"):format(tap.device))))
        assert.same({
          machine = "all",
          adapter = tap.mac:upper():gsub(":", "-"),
          device = tap.device,
          ifindex = ifindex,
          source = "kernel",
          reason = PROVEN,
        }, one)
        assert.equal("integer", math.type(one.ifindex))
        local line = ("all  %s  %s (%d)  kernel  %s\n"):format(one.adapter, tap.device, ifindex, PROVEN)
        assert.matches(line, text:gsub("   +", "  "), 1, true)
      end
    end)

    it("with the very figures of libvirt, adapter by adapter", function()
      start("busy", BRIDGE, OTHER_BRIDGE)
      objVS = connect()
      assert_kernel(objVS, "busy")
      local through <close> = connect { counters = "hypervisor" }
      local objVM, other = objVS:FindVirtualMachine("busy"), through:FindVirtualMachine("busy")
      local first = announce("busy", 5)
      local second = announce("busy", 3, "net1")
      assert.same({ first + second, 0 }, figures(objVM))
      assert.same(figures(other), figures(objVM))
      assert.same(libvirt_figures("busy"), figures(objVM))
      assert.same(exact.device_bytes("busy"), figures(objVM))
      for i, bytes in ipairs { first, second } do
        assert.equal(bytes, objVM.NetworkAdapters[i].BytesSent)
        assert.equal(bytes, other.NetworkAdapters[i].BytesSent)
      end
      assert_kernel(objVS, "busy")
      assert_source(through, "busy", "libvirt", "option counters = 'hypervisor'")
    end)

    it("without libvirtd, once they are proven, and not before", function()
      start("known", BRIDGE)
      start("unknown", BRIDGE)
      objVS = connect()
      local known, unknown = objVS:FindVirtualMachine("known"), objVS:FindVirtualMachine("unknown")
      assert_kernel(objVS, "known")
      local late <close> = connect()
      local unread = late:FindVirtualMachine("unknown").Accountant
      announce("known", 2)
      assert.equal(2 * ANNOUNCEMENT, known.Accountant.NetworkBytesSent)
      assert.equal(0, unknown.Accountant.NetworkBytesSent)

      host.stop()
      for _ = 1, 3 do
        assert.equal(2 * ANNOUNCEMENT, known.Accountant.NetworkBytesSent)
      end
      host.wait_until("loss of the connection", 10, function()
        return sources(objVS, "known")[1].reason == "libvirt does not answer; the device was the adapter's own before"
      end)
      assert.equal("kernel", sources(objVS, "known")[1].source)
      late:Close()
      failure.expect({ name = "VM_E_APP_SHUTTING_DOWN", member = "NetworkBytesSent" }, function()
        return unread.NetworkBytesSent
      end)

      host.start()
      wait_for_kernel(objVS, "known")
      announce("known", 3)
      assert.equal(5 * ANNOUNCEMENT, known.Accountant.NetworkBytesSent)
    end)

    it("of no machine that is unproven when libvirtd is lost", function()
      start("mixed", BRIDGE, USER)
      objVS = connect()
      local objVM = objVS:FindVirtualMachine("mixed")
      assert.equal(0, objVM.NetworkAdapters[1].BytesSent)
      local adapter = objVM.NetworkAdapters[1]
      host.kill("KILL")
      failure.expect({ name = "DISP_E_EXCEPTION", member = "BytesSent", machine = "mixed" }, function()
        return adapter.BytesSent
      end)
      host.start()
      host.wait_until("figure of mixed", 60, function()
        return select(2, pcall(function() return adapter.BytesSent end)) == 0
      end)
    end)
  end)

  describe("are not read", function()
    it("for a machine with an adapter of user mode, which goes through libvirt whole", function()
      start("mixed", BRIDGE, USER)
      objVS = connect()
      local found, text = sources(objVS, "mixed")
      assert.equal(2, #found)
      assert.same({ "libvirt", "another adapter of the machine is read through libvirt" },
        { found[1].source, found[1].reason })
      assert.same({ "libvirt", "the adapter has no network device on the host" },
        { found[2].source, found[2].reason })
      assert.is_nil(found[2].device)
      assert.is_nil(found[2].ifindex)
      assert.is_truthy(text:find("  %- +libvirt +the adapter has no network device"), text)
      announce("mixed", 4)
      assert.equal(4 * ANNOUNCEMENT, objVS:FindVirtualMachine("mixed").NetworkAdapters[1].BytesSent)
    end)

    it("for an unmanaged tap, which outlives the machine", function()
      host.shell("ip tuntap add dev byhand mode tap vnet_hdr && ip link set byhand up")
      finally(function()
        host.destroy_all()
        host.try_shell("ip link del byhand")
      end)
      start("unmanaged", "<interface type='ethernet'><target dev='byhand' managed='no'/><model type='virtio'/>" ..
        "<rom enabled='no'/></interface>")
      objVS = connect()
      local found = sources(objVS, "unmanaged")
      assert.equal(1, #found)
      assert.equal("libvirt", found[1].source)
      assert.is_truthy(found[1].reason == "an unmanaged device outlives its machine's runs" or
        found[1].reason == "the device of that name has another address than the adapter's", found[1].reason)
      announce("unmanaged", 4)
      assert.equal(4 * ANNOUNCEMENT, objVS:FindVirtualMachine("unmanaged").Accountant.NetworkBytesSent)
    end)

    it("with counters = 'hypervisor', whatever the age", function()
      start("any", BRIDGE)
      for _, max_age in ipairs { 0, 3600 } do
        local through <close> = connect { counters = "hypervisor", max_age = max_age }
        assert.equal(0, through:FindVirtualMachine("any").Accountant.NetworkBytesSent)
        assert_source(through, "any", "libvirt", "option counters = 'hypervisor'")
      end
    end)

    it("for machines of another host's kind, and none is kept", function()
      local test <close> = vma.CreateObject("VirtualServer.Application", "test:///default")
      assert.equal(0, #test.Accounting)
      assert.matches("^no counters are kept: .*\n$", tostring(test.Accounting))
    end)

    it("through a socket that somebody forwards, or has elsewhere", function()
      start("far", BRIDGE)
      host.shell("mkdir -p /run/far && mount --bind /run/libvirt /run/far")
      finally(function()
        host.try_shell("umount /run/far")
      end)
      for _, uri in ipairs { "qemu:///system?socket=/run/far/libvirt-sock",
        "qemu+unix:///system?mode=direct&socket=/run/far/libvirt-sock-ro" } do
        local far <close> = vma.CreateObject("VirtualServer.Application", uri)
        assert_source(far, "far", "libvirt", "the daemon's socket is not one of this network namespace")
        announce("far", 1)
        assert.same(libvirt_figures("far"), figures(far:FindVirtualMachine("far")))
      end
      for _, uri in ipairs { "qemu+unix:///system", "qemu:///system?socket=/run/libvirt/libvirt-sock",
        "qemu+unix:///system?mode=direct&socket=%2Frun%2Flibvirt%2Flibvirt-sock-ro" } do
        local near <close> = vma.CreateObject("VirtualServer.Application", uri)
        assert_kernel(near, "far")
      end
    end)
  end)

  describe("with counters = 'kernel'", function()
    local function expect_refusal(application, name, reason)
      failure.expect({ name = "DISP_E_EXCEPTION", member = "NetworkBytesSent", machine = name, message = reason },
        function()
          return application:FindVirtualMachine(name).Accountant.NetworkBytesSent
        end)
    end

    for _, max_age in ipairs { 0, 3600 } do
      it("are what every figure comes from, or an error says why not; max_age " .. max_age, function()
        host.shell("ip tuntap add dev byhand mode tap vnet_hdr && ip link set byhand up")
        finally(function()
          host.destroy_all()
          host.try_shell("ip link del byhand")
        end)
        start("taps", BRIDGE, BRIDGE)
        start("user", USER)
        start("unmanaged", "<interface type='ethernet'><target dev='byhand' managed='no'/><model type='virtio'/>" ..
          "<rom enabled='no'/></interface>")
        local sent = announce("taps", 2)
        objVS = connect { counters = "kernel", max_age = max_age }
        assert.equal(sent, objVS:FindVirtualMachine("taps").Accountant.NetworkBytesSent)
        expect_refusal(objVS, "user", "the adapter has no network device on the host")
        expect_refusal(objVS, "unmanaged", "device")
        assert_kernel(objVS, "taps")
        assert.equal(sent, objVS:FindVirtualMachine("taps").Accountant.NetworkBytesSent)
      end)

      it("are refused by the test driver; max_age " .. max_age, function()
        local test <close> = vma.CreateObject("VirtualServer.Application", "test:///default",
          { counters = "kernel", max_age = max_age })
        expect_refusal(test, "test", "not a local QEMU host")
      end)
    end

    it("are refused in another network namespace", function()
      start("here", BRIDGE)
      local output = elsewhere("", [[
        local objVS = vma.CreateObject("VirtualServer.Application", "qemu:///system")
        local kernel = vma.CreateObject("VirtualServer.Application", "qemu:///system", { counters = "kernel" })
        print(objVS:FindVirtualMachine("here").Accountant.NetworkBytesSent)
        local value, err = kernel:FindVirtualMachine("here").Accountant:Get("NetworkBytesSent")
        print(value, err.name, err.message)]])
      assert.is_truthy(output:find("^0\nnil\tDISP_E_EXCEPTION\t.*not one of this network namespace"), output)
    end)

    it("begin at the reset that another process has seen and recorded", function()
      start("reset", BRIDGE)
      announce("reset", 7)
      local recorder <close> = connect()
      recorder:RecordResets()
      assert.equal(7 * ANNOUNCEMENT, recorder:FindVirtualMachine("reset").Accountant.NetworkBytesSent)
      host.virsh("resume", "reset")
      host.virsh("reset", "reset")
      host.wait_until("written baseline", 60, function()
        return host.virsh("dumpxml", "reset"):find("baseline", 1, true)
      end)
      host.virsh("suspend", "reset")
      for _, max_age in ipairs { 0, 3600 } do
        local newcomer <close> = connect { counters = "kernel", max_age = max_age }
        assert.equal(0, newcomer:FindVirtualMachine("reset").Accountant.NetworkBytesSent)
      end
    end)
  end)

  describe("in another network namespace than the daemon's", function()
    -- A device there with the name of the machine's tap.
    local function impostor(tap, kind, mac)
      local make = kind == "tap" and "ip tuntap add dev %s mode tap" or
        "ip link add dev %s type veth peer name other\nip link set dev other up"
      return (make .. "\nip link set dev %s address %s up"):format(tap.device, tap.device, mac)
    end

    local SEND <const> = [[
      ip address add 10.98.0.1/24 dev %s
      ip neighbour add 10.98.0.2 lladdr 02:00:00:00:00:02 dev %s nud permanent
      bash -c 'for i in 1 2 3; do echo impostor >/dev/udp/10.98.0.2/9; done']]

    -- One process reads at each age, before and after announcements, and a newcomer
    -- then.
    local READ <const> = [[
      local AGES = { 0, 0.1, 3600 }
      local applications = {}
      for i, max_age in ipairs(AGES) do
        applications[i] = vma.CreateObject("VirtualServer.Application", "qemu:///system", { max_age = max_age })
      end
      local function read(when)
        for i, application in ipairs(applications) do
          local accountant = application:FindVirtualMachine("far").Accountant
          for _ = 1, 3 do
            local sent = accountant.NetworkBytesSent
            local accounting = when ~= "after" and application.Accounting[1] or {}
            print(when, AGES[i], sent, accounting.source, accounting.ifindex)
          end
        end
      end
      read "before"
      host.virsh("resume", "far")
      host.virsh("qemu-monitor-command", "far", '{"execute": "announce-self", "arguments": ' ..
        '{"initial": 10, "max": 10, "rounds": 5, "step": 1, "interfaces": ["net0"]}}')
      host.sleep(0.3)
      host.virsh("suspend", "far")
      read "after"
      for i, max_age in ipairs(AGES) do
        applications[i] = vma.CreateObject("VirtualServer.Application", "qemu:///system", { max_age = max_age })
      end
      read "anew"]]

    local function assert_libvirts(furnish)
      local sent = 5 * ANNOUNCEMENT
      local lines = {}
      local function expect(when, max_age, bytes, source)
        lines[#lines + 1] = ("%s\t%s\t%d\t%s\tnil\n"):format(when, max_age, bytes, source or "nil"):rep(3)
      end
      for _, max_age in ipairs { "0", "0.1", "3600" } do
        expect("before", max_age, 0, "libvirt")
      end
      expect("after", "0", sent)
      expect("after", "0.1", sent)
      expect("after", "3600", 0)
      for _, max_age in ipairs { "0", "0.1", "3600" } do
        expect("anew", max_age, sent, "libvirt")
      end
      assert.equal(table.concat(lines), elsewhere(furnish, READ))
      assert.equal(sent, libvirt_figures("far")[1])
    end

    local tap

    before_each(function()
      start("far", BRIDGE)
      tap = host.taps("far")[1]
    end)

    it("are libvirt's, where the device is not to be seen", function()
      assert_libvirts("")
    end)

    it("are libvirt's, where a tap of that name has another address", function()
      assert_libvirts(impostor(tap, "tap", "02:00:00:00:00:01"))
    end)

    -- Both have counted nothing yet: so far their figures are the same.
    it("are libvirt's, where a tap of that name has the same address", function()
      assert_libvirts(impostor(tap, "tap", "fe" .. tap.mac:sub(3)))
    end)

    it("are libvirt's, where a device of that name and address has other figures", function()
      assert_libvirts(impostor(tap, "veth", "fe" .. tap.mac:sub(3)) .. "\n" ..
        SEND:format(tap.device, tap.device))
    end)
  end)

  describe("under hands that work on the devices", function()
    local objVM, tap

    before_each(function()
      start("hand", BRIDGE)
      tap = host.taps("hand")[1].device
      objVS = connect()
      objVM = objVS:FindVirtualMachine("hand")
      assert_kernel(objVS, "hand")
      announce("hand", 3)
      assert.equal(3 * ANNOUNCEMENT, objVM.Accountant.NetworkBytesSent)
    end)

    after_each(function()
      host.try_shell("ip link del impostor; ip link del moved; ip link del " .. tap)
      objVM = nil
    end)

    local function rename(from, to)
      host.shell(("ip link set %s down && ip link set %s name %s && ip link set %s up"):format(from, from, to, to))
    end

    -- A device that has counted, in both directions of a tap, more than any
    -- machine here.
    local function make_impostor(name, more)
      host.shell(([[ip link add %s %s type veth peer name impostor
        ip link set %s up
        ip link set impostor up
        ip address add 10.97.0.1/24 dev %s
        ip neighbour replace 10.97.0.2 lladdr 02:00:00:00:00:02 dev %s nud permanent
        ip neighbour replace 10.97.0.2 lladdr 02:00:00:00:00:02 dev %s nud permanent
        bash -c 'for i in 1 2 3 4 5 6 7 8 9; do printf %%900s >/dev/udp/10.97.0.2/9; done']])
        :format(name, more or "", name, name, name, name))
      local _, sent = host.device_counters(name)
      assert.is_true(sent > 8000)
    end

    -- What a read gives: the figure, or nil for an error.
    local function read()
      local value, err = objVM.Accountant:Get("NetworkBytesSent")
      if not value then
        failure.check({ name = "DISP_E_EXCEPTION", member = "NetworkBytesSent", machine = "hand" }, err)
      end
      return value
    end

    -- A device that is gone leaves its final figure, until libvirt's word that
    -- the adapter has none is taken for it.
    local function assert_final_or_refused()
      for _ = 1, 3 do
        local value = read()
        assert.is_true(value == nil or value == 3 * ANNOUNCEMENT, tostring(value))
      end
    end

    it("stay the machine's, while its tap has another name", function()
      rename(tap, "moved")
      announce("hand", 2)
      assert.equal(5 * ANNOUNCEMENT, read())
      rename("moved", tap)
      announce("hand", 2)
      assert.equal(7 * ANNOUNCEMENT, read())
      wait_for_kernel(objVS, "hand")
    end)

    it("are not those of a device that got the name of a renamed tap", function()
      rename(tap, "moved")
      make_impostor(tap)
      for _ = 1, 3 do
        announce("hand", 1)
        read()
      end
      assert.equal(6 * ANNOUNCEMENT, read())
      assert.same({ 6 * ANNOUNCEMENT, 0 }, figures(objVM))
    end)

    -- QEMU holds it, whatever its name is.
    it("are the machine's to a process that finds the tap renamed", function()
      rename(tap, "moved")
      local newcomer <close> = connect()
      assert.equal(3 * ANNOUNCEMENT, newcomer:FindVirtualMachine("hand").Accountant.NetworkBytesSent)
    end)

    it("are not libvirt's to a process that finds another device of that name", function()
      rename(tap, "moved")
      make_impostor(tap)
      local newcomer <close> = connect()
      assert.same({ 3 * ANNOUNCEMENT, 0 }, figures(newcomer:FindVirtualMachine("hand")))
    end)

    it("are the machine's, whatever the address of its tap is", function()
      host.shell(("ip link set %s address 02:11:22:33:44:55"):format(tap))
      announce("hand", 2)
      assert.equal(5 * ANNOUNCEMENT, read())
      local newcomer <close> = connect()
      assert.equal(5 * ANNOUNCEMENT, newcomer:FindVirtualMachine("hand").Accountant.NetworkBytesSent)
      assert_source(newcomer, "hand", "libvirt", "the device of that name has another address than the adapter's")
    end)

    it("are final or an error when the tap is deleted", function()
      host.shell("ip link del " .. tap)
      assert_final_or_refused()
      assert.equal("libvirt", sources(objVS, "hand")[1].source)
      host.virsh("destroy", "hand")
      host.virsh("start", "hand", "--paused")
      tap = host.taps("hand")[1].device
      announce("hand", 1)
      assert.equal(ANNOUNCEMENT, read())
      wait_for_kernel(objVS, "hand")
    end)

    it("are not those of a device that got the index of a deleted tap", function()
      local ifindex = sources(objVS, "hand")[1].ifindex
      host.shell("ip link del " .. tap)
      make_impostor("moved", ("index %d"):format(ifindex))
      local index = host.read_file("/sys/class/net/moved/ifindex")
      assert.equal(ifindex, math.tointeger(tonumber(index)))
      host.sleep(0.2)
      assert_final_or_refused()
    end)

    it("are not those of a device that got name and index of a deleted tap", function()
      local ifindex = sources(objVS, "hand")[1].ifindex
      host.shell("ip link del " .. tap)
      make_impostor(tap, ("index %d"):format(ifindex))
      host.sleep(0.2)
      -- libvirt itself takes the device for the machine's.
      local value = read()
      assert.is_true(value == nil or value == libvirt_figures("hand")[1] + 3 * ANNOUNCEMENT, tostring(value))
      assert.equal("libvirt", sources(objVS, "hand")[1].source)
    end)
  end)

  describe("follow the machine", function()
    it("from run to run, between two reads", function()
      start("cycle", BRIDGE)
      objVS = connect()
      local objVM = objVS:FindVirtualMachine("cycle")
      for rounds = 1, 4 do
        wait_for_kernel(objVS, "cycle")
        announce("cycle", rounds)
        assert.same({ rounds * ANNOUNCEMENT, 0 }, figures(objVM))
        host.virsh("destroy", "cycle")
        host.virsh("start", "cycle", "--paused")
        assert.same({ 0, 0 }, figures(objVM))
      end
    end)

    it("when adapters come and go", function()
      start("plug", BRIDGE)
      objVS = connect()
      local objVM = objVS:FindVirtualMachine("plug")
      assert_kernel(objVS, "plug")
      announce("plug", 2)
      host.attach("plug", BRIDGE:gsub("<source", "<alias name='ua-second'/><source"))
      announce("plug", 3, "ua-second")
      assert.equal(5 * ANNOUNCEMENT, objVM.Accountant.NetworkBytesSent)
      host.wait_until("proof of both adapters", 60, function()
        local found = sources(objVS, "plug")
        return #found == 2 and found[1].source == "kernel" and found[2].source == "kernel"
      end)
      announce("plug", 1, "ua-second")
      assert.equal(6 * ANNOUNCEMENT, objVM.Accountant.NetworkBytesSent)
      host.attach("plug", USER)
      host.wait_until("the adapter of user mode", 60, function()
        local found = sources(objVS, "plug")
        return #found == 3 and found[1].source == "libvirt"
      end)
      assert.equal(2 * ANNOUNCEMENT, objVM.NetworkAdapters[1].BytesSent)
      failure.expect({ name = "DISP_E_EXCEPTION", member = "NetworkBytesSent", machine = "plug" }, function()
        return objVM.Accountant.NetworkBytesSent
      end)
    end)

    -- libvirtd begins anew with its numbers, and the kernel does not.
    it("when a name is used again after a restart of libvirtd", function()
      start("low", BRIDGE)
      start("high", BRIDGE)
      objVS = connect()
      local high = objVS:FindVirtualMachine("high")
      assert_kernel(objVS, "high")
      announce("high", 5)
      local name = host.taps("high")[1].device
      assert.equal(5 * ANNOUNCEMENT, high.Accountant.NetworkBytesSent)
      host.virsh("destroy", "high")
      host.restart()
      start("newcomer", BRIDGE)
      assert.equal(name, host.taps("newcomer")[1].device)
      announce("newcomer", 2)
      failure.expect({ name = "S_FALSE", member = "NetworkBytesSent", machine = "high" }, function()
        return high.Accountant.NetworkBytesSent
      end)
      assert.equal(2 * ANNOUNCEMENT, objVS:FindVirtualMachine("newcomer").Accountant.NetworkBytesSent)
      wait_for_kernel(objVS, "newcomer")
      assert.equal(2 * ANNOUNCEMENT, objVS:FindVirtualMachine("newcomer").Accountant.NetworkBytesSent)
    end)

    it("when it changes while libvirtd cannot tell", function()
      start("silent", BRIDGE)
      objVS = connect()
      local objVM = objVS:FindVirtualMachine("silent")
      assert_kernel(objVS, "silent")
      announce("silent", 5)
      assert.equal(5 * ANNOUNCEMENT, objVM.Accountant.NetworkBytesSent)
      host.stop()
      assert.equal(5 * ANNOUNCEMENT, objVM.Accountant.NetworkBytesSent)
      host.shell(("kill -KILL %d"):format(host.qemu_pid("silent")))
      host.sleep(0.3)
      failure.expect({ name = "DISP_E_EXCEPTION", member = "NetworkBytesSent", machine = "silent" }, function()
        return objVM.Accountant.NetworkBytesSent
      end)
      host.start()
      host.virsh("start", "silent", "--paused")
      announce("silent", 1)
      host.wait_until("answer about the new run", 60, function()
        return objVM.Accountant:Get("NetworkBytesSent") == ANNOUNCEMENT
      end)
      wait_for_kernel(objVS, "silent")
      assert.equal(ANNOUNCEMENT, objVM.Accountant.NetworkBytesSent)
    end)
  end)

  describe("with max_age", function()
    it("are of one dump for all machines, which do not move before it is too old", function()
      start("one", BRIDGE)
      start("two", BRIDGE, BRIDGE)
      objVS = connect { max_age = 3600 }
      local one, two = objVS:FindVirtualMachine("one"), objVS:FindVirtualMachine("two")
      assert_kernel(objVS, "one")
      assert_kernel(objVS, "two")
      announce("one", 2)
      announce("two", 3, "net1")
      assert.same({ { 0, 0 }, { 0, 0 } }, { figures(one), figures(two) })
      assert_kernel(objVS, "one") -- looks anew
      announce("two", 3)
      assert.same({ 2 * ANNOUNCEMENT, 3 * ANNOUNCEMENT }, { figures(one)[1], figures(two)[1] })
      assert.same({ 0, 3 * ANNOUNCEMENT },
        { two.NetworkAdapters[1].BytesSent, two.NetworkAdapters[2].BytesSent })
    end)

    it("tell of machines that stop, start and come within the age", function()
      start("one", BRIDGE)
      start("two", BRIDGE)
      objVS = connect { max_age = 0.05 }
      local one, two = objVS:FindVirtualMachine("one"), objVS:FindVirtualMachine("two")
      for _ = 1, 3 do
        wait_for_kernel(objVS, "two")
        host.virsh("destroy", "two")
        host.sleep(0.1)
        for _ = 1, 5 do
          failure.expect({ name = "S_FALSE", member = "NetworkBytesSent", machine = "two" }, function()
            return two.Accountant.NetworkBytesSent
          end)
          assert.equal(0, one.Accountant.NetworkBytesSent)
          host.sleep(0.06)
        end
        host.virsh("start", "two", "--paused")
        announce("two", 2)
        assert.equal(2 * ANNOUNCEMENT, two.Accountant.NetworkBytesSent)
      end
      start("three", BRIDGE)
      announce("three", 1)
      assert.equal(ANNOUNCEMENT, objVS:FindVirtualMachine("three").Accountant.NetworkBytesSent)
      remove("three")
      host.sleep(0.1)
      assert.is_nil(objVS:FindVirtualMachine("three"))
    end)

    it("come through libvirt's one call for the machines that the kernel does not serve", function()
      for i = 1, 9 do
        start("tap-" .. i, BRIDGE)
      end
      start("mixed", BRIDGE, USER)
      objVS = connect { max_age = 0.05 }
      assert_kernel(objVS, "tap-1")
      announce("mixed", 3)
      announce("tap-9", 4)
      host.sleep(0.06)
      assert.equal(3 * ANNOUNCEMENT, objVS:FindVirtualMachine("mixed").NetworkAdapters[1].BytesSent)
      assert.equal(4 * ANNOUNCEMENT, objVS:FindVirtualMachine("tap-9").Accountant.NetworkBytesSent)
      assert.equal("libvirt", sources(objVS, "mixed")[1].source)
      assert_kernel(objVS, "tap-9")
    end)

    it("are nothing on a host without machines", function()
      for _, counters in ipairs { "auto", "kernel", "hypervisor" } do
        local application <close> = connect { max_age = 0.01, counters = counters }
        assert.equal(0, #application.Accounting)
        assert.equal(0, #application.VirtualMachines)
      end
    end)

    it("go on without libvirtd for the machines that are proven", function()
      start("one", BRIDGE)
      start("two", BRIDGE)
      announce("two", 2)
      objVS = connect { max_age = 0.05 }
      local one, two = objVS:FindVirtualMachine("one"), objVS:FindVirtualMachine("two")
      assert_kernel(objVS, "two")
      host.kill("KILL")
      for _ = 1, 5 do
        host.sleep(0.06)
        assert.equal(0, one.Accountant.NetworkBytesSent)
        assert.equal(2 * ANNOUNCEMENT, two.Accountant.NetworkBytesSent)
      end
      host.start()
      announce("two", 2)
      wait_for_kernel(objVS, "two")
      assert.equal(4 * ANNOUNCEMENT, two.Accountant.NetworkBytesSent)
    end)
  end)

  it("serve 50 machines of two adapters, while devices come and go", function()
    local names = host.idle_machines(50, 2)
    objVS = connect { max_age = 1e-9 }
    local kernel = 0
    for _, one in ipairs(objVS.Accounting) do
      kernel = kernel + (one.source == "kernel" and 1 or 0)
    end
    assert.equal(100, kernel)
    announce("idle-17", 5)
    announce("idle-33", 3, "net1")
    local expected = { ["idle-17"] = 5 * ANNOUNCEMENT, ["idle-33"] = 3 * ANNOUNCEMENT }

    local done = host.folder .. "/churn-done"
    os.remove(done)
    -- By one process: they come and go the faster.
    host.shell(([[(i=0; while [ $i -lt 150 ]; do
      echo link add churn$i type veth peer name churnb$i; echo tuntap add dev churnt$i mode tap
      echo link del churn$i; echo link del churnt$i
      i=$((i+1)); done | ip -force -batch -; : >%s) >/dev/null 2>&1 &]]):format(done))
    local sweeps = 0
    local machines = objVS.VirtualMachines
    repeat
      for accountant in machines:Accountants() do
        local name = tostring(accountant.VirtualMachine)
        assert.equal(expected[name] or 0, accountant.NetworkBytesSent)
      end
      sweeps = sweeps + 1
    until host.read_file(done)
    assert.is_true(sweeps > 10)
    assert.equal(50, #names)
    assert_kernel(objVS, "idle-33")
  end)

  it("are read without Lua garbage, and without growth over many #slow", function()
    start("still", BRIDGE, BRIDGE)
    start("aged", BRIDGE)
    objVS = connect()
    local aged <close> = connect { max_age = 1e-9 }
    assert_kernel(objVS, "still")
    assert_kernel(aged, "aged")
    for _, accountant in ipairs { objVS:FindVirtualMachine("still").Accountant,
      aged:FindVirtualMachine("aged").Accountant } do
      local function read(count)
        for _ = 1, count do
          local _ = accountant.NetworkBytesSent
        end
      end
      read(10000)
      collectgarbage()
      collectgarbage("stop")
      local before = collectgarbage("count")
      read(1000)
      local garbage = collectgarbage("count") - before
      collectgarbage("restart")
      assert.equal(0, garbage)
      -- Less than any block for every 64 reads.
      local READS <const> = 250000
      local memory = handles.memory()
      read(READS)
      local grown = handles.memory() - memory
      assert.is_true(grown <= READS // 4 // 1000, ("grew by %d KiB"):format(grown))
    end
  end)

  it("stay right while events, plugs and restarts happen under the reads", function()
    start("steady", BRIDGE)
    start("restless", BRIDGE)
    local sent = announce("steady", 4)
    objVS = connect()
    local aged <close> = connect { max_age = 0.001 }
    local done = host.folder .. "/restless-done"
    os.remove(done)
    host.shell(([[(for i in 1 2 3 4 5; do
      virsh -q -c %s destroy restless; virsh -q -c %s start restless --paused
      virsh -q -c %s reset restless; done; : >%s) >/dev/null 2>&1 &]]):format(URI, URI, URI, done))
    local readers = {}
    for i, application in ipairs { objVS, aged } do
      readers[i] = { application:FindVirtualMachine("steady").Accountant,
        application:FindVirtualMachine("restless").Accountant }
    end
    local reads = 0
    repeat
      for _, reader in ipairs(readers) do
        for _ = 1, 100 do
          assert.equal(sent, reader[1].NetworkBytesSent)
          local value, err = reader[2]:Get("NetworkBytesSent")
          assert.is_true(value == 0 or err and err.name == "S_FALSE" or
            err and err.name == "DISP_E_EXCEPTION", tostring(value or err))
          reads = reads + 1
        end
      end
    until host.read_file(done)
    assert.is_true(reads > 1000)
    wait_for_kernel(objVS, "restless")
  end)
end)
