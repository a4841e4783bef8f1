-- Adapters of real machines that come and go, that have no counter, or that
-- the host's administrator made.

local host = require "spec.support.libvirt_host"
local idle_machine = require "spec.support.idle_machine"
local real_host = require "spec.support.real_host"
local guest = require "spec.support.guest"
local failure = require "spec.support.failure"

-- libvirt's 52:54:00:aa:00:01 as EthernetAddress spells it.
local function dashed(mac)
  return (mac:upper():gsub(":", "-"))
end

local function figures(objVM)
  return { objVM.Accountant.NetworkBytesSent, objVM.Accountant.NetworkBytesReceived }
end

-- The adapter of that address in a fresh snapshot.
local function adapter_of(objVM, mac)
  for adapter in objVM.NetworkAdapters do
    if adapter.EthernetAddress == dashed(mac) then
      return adapter
    end
  end
  error(("%s has no adapter %s"):format(tostring(objVM), mac), 2)
end

real_host.describe(_ENV, "the adapters of a real machine #root", function(connect)
  local g, objVS, objVM

  setup(function()
    g = guest.start { name = "plugged" }
  end)

  before_each(function()
    objVS = connect()
    objVM = objVS:FindVirtualMachine(g.name)
  end)

  -- Leaves the guest with its first adapter alone, whatever a failed test did.
  after_each(function()
    while #g.macs > 1 do
      g:unplug(g.macs[#g.macs])
    end
  end)

  it("join the sum when they are plugged, and keep their bytes in it when they are unplugged", function()
    local before = figures(objVM)
    local mac, number = g:plug { bridge = "vmabr1" }
    assert.same(before, figures(objVM))
    g:send(number, 7)
    g:receive(number, 5)
    g:send(1, 2)
    g:quiet()
    assert.same({ before[1] + 9000, before[2] + 5000 }, figures(objVM))
    local adapter = adapter_of(objVM, mac)
    assert.same({ 7000, 5000 }, { adapter.BytesSent, adapter.BytesReceived })
    assert.equal(2, #objVM.NetworkAdapters)

    g:unplug(mac)
    assert.same({ before[1] + 9000, before[2] + 5000 }, figures(objVM))
    assert.equal(1, #objVM.NetworkAdapters)
    failure.expect({ name = "VM_E_ADAPTER_NOT_FOUND", member = "BytesSent", machine = g.name }, function()
      return adapter.BytesSent
    end)
    g:send(1, 3)
    g:quiet()
    assert.same({ before[1] + 12000, before[2] + 5000 }, figures(objVM))
  end)

  it("are counted on when one of the same address is plugged again", function()
    local before = figures(objVM)
    local mac = g:plug { mac = "52:54:00:76:aa:01", bridge = "vmabr1" }
    g:send(2, 7)
    g:quiet()
    assert.same({ before[1] + 7000, before[2] }, figures(objVM))
    g:unplug(mac)
    assert.same({ before[1] + 7000, before[2] }, figures(objVM))
    g:plug { mac = mac, bridge = "vmabr1" }
    g:send(2, 4)
    g:quiet()
    assert.same({ before[1] + 11000, before[2] }, figures(objVM))
    local adapter = adapter_of(objVM, mac)
    assert.equal(4000, adapter.BytesSent)
  end)

  describe("in user mode", function()
    -- Demands that the machine's totals are errors that name the adapter, and
    -- that its other adapter is still counted.
    local function assert_uncounted(application, mac)
      local machine = application:FindVirtualMachine(g.name)
      for _, member in ipairs { "NetworkBytesSent", "NetworkBytesReceived" } do
        local err = failure.expect({ name = "DISP_E_EXCEPTION", member = member, machine = g.name }, function()
          return machine.Accountant[member]
        end)
        assert.matches(dashed(mac), err.message, 1, true)
        assert.matches("'user'", err.message, 1, true)
        assert.matches("plug the adapter into a bridge or network", err.message, 1, true)
        assert.matches("NetworkAdapters", err.message, 1, true)
      end
      local uncounted, counted = adapter_of(machine, mac), adapter_of(machine, g.macs[1])
      assert.is_false(uncounted.IsCounted)
      assert.equal("user", uncounted.Type)
      assert.is_nil(uncounted.VirtualNetwork)
      for _, member in ipairs { "BytesSent", "BytesReceived" } do
        failure.expect({
          name = "DISP_E_EXCEPTION", member = member, machine = g.name, message = "no byte counter",
        }, function()
          return uncounted[member]
        end)
      end
      assert.is_true(counted.IsCounted)
      local sent, received = host.device_counters(g:taps()[1].device)
      assert.same({ sent, received }, { counted.BytesSent, counted.BytesReceived })
    end

    it("make the machine's figures an error that names them, and no other machine's", function()
      idle_machine.create("neighbour", "<interface type='bridge'><source bridge='vmabr1'/></interface>")
      local mac = g:plug { type = "user" }
      local aged <close> = connect { max_age = 3600 }
      for _, application in ipairs { objVS, aged } do
        assert_uncounted(application, mac)
        assert.same({ 0, 0 }, figures(application:FindVirtualMachine("neighbour")))
      end
      assert.equal("integer", math.type(objVM.Accountant.Since))
      host.virsh("destroy", "neighbour")
    end)

    it("leave the session's figures unknown when they are unplugged", function()
      local mac = g:plug { type = "user" }
      assert_uncounted(objVS, mac)
      g:unplug(mac)
      local err = failure.expect({ name = "DISP_E_EXCEPTION", member = "NetworkBytesSent", machine = g.name },
        function()
          return objVM.Accountant.NetworkBytesSent
        end)
      assert.matches("has been unplugged", err.message, 1, true)
      assert.equal("integer", math.type(adapter_of(objVM, g.macs[1]).BytesSent))
    end)

    -- One in the place of another looks the same in libvirt's bulk statistics,
    -- which name neither.
    it("are told apart by their addresses when one takes the place of another", function()
      local first = g:plug { type = "user" }
      assert_uncounted(objVS, first)
      g:unplug(first)
      local second = g:plug { type = "user" }
      assert.not_equal(first, second)
      assert_uncounted(objVS, second)
    end)
  end)

  describe("on a device that the administrator made", function()
    local TAP <const> = "admintap0"

    setup(function()
      host.shell(([[
        ip tuntap add %s mode tap
        ip link set %s master vmabr1 up]]):format(TAP, TAP))
    end)

    teardown(function()
      host.shell("ip link delete " .. TAP)
    end)

    it("are counted", function()
      local before = figures(objVM)
      local mac, number = g:plug { type = "ethernet", target = TAP, managed = "no" }
      assert.same({ 0, 0 }, { host.device_counters(TAP) })
      g:send(1, 2)
      g:send(number, 3)
      g:receive(number, 4)
      g:quiet()
      assert.same({ before[1] + 5000, before[2] + 4000 }, figures(objVM))
      assert.same({ 3000, 4000 }, { host.device_counters(TAP) })
      local adapter = adapter_of(objVM, mac)
      assert.equal("ethernet", adapter.Type)
      assert.is_true(adapter.IsCounted)
      assert.same({ 3000, 4000 }, { adapter.BytesSent, adapter.BytesReceived })
    end)
  end)

  describe("of an idle machine", function()
    local NAME <const> = "idle"

    after_each(function()
      host.virsh("destroy", NAME)
    end)

    it("are told apart when they share an address", function()
      local twin = "<interface type='bridge'><mac address='52:54:00:76:bb:01'/><source bridge='vmabr%d'/>" ..
        "<model type='virtio'/><rom enabled='no'/></interface>"
      idle_machine.create(NAME, twin:format(0) .. twin:format(1))
      idle_machine.announce(NAME, 4, "net1")
      local machine = objVS:FindVirtualMachine(NAME)
      local adapters = machine.NetworkAdapters
      assert.equal("vmabr1", adapters[2].VirtualNetwork.Name)
      assert.equal(adapters[1].EthernetAddress, adapters[2].EthernetAddress)
      assert.same({ 0, 240 }, { adapters[1].BytesSent, adapters[2].BytesSent })
      assert.equal(240, machine.Accountant.NetworkBytesSent)
    end)

    it("are known by libvirt's network where they are plugged into one", function()
      local path = host.write_file(host.folder .. "/network.xml",
        "<network><name>the lan</name><forward mode='bridge'/><bridge name='vmabr1'/></network>")
      host.virsh("net-create", path)
      finally(function()
        host.virsh("net-destroy", "the lan")
      end)
      idle_machine.create(NAME, "<interface type='network'><source network='the lan'/><model type='virtio'/>" ..
        "<rom enabled='no'/></interface>")
      idle_machine.announce(NAME, 3)
      local adapter = objVS:FindVirtualMachine(NAME).NetworkAdapters[1]
      assert.equal("bridge", adapter.Type) -- what libvirt has made of it
      assert.equal("the lan", adapter.VirtualNetwork.Name)
      assert.is_true(adapter.IsCounted)
      assert.equal(180, adapter.BytesSent)
    end)

    it("may be none, which makes the sums zero", function()
      idle_machine.create(NAME, "")
      local machine = objVS:FindVirtualMachine(NAME)
      assert.same({ 0, 0 }, figures(machine))
      assert.equal(0, #machine.NetworkAdapters)
    end)
  end)
end)
