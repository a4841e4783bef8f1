-- Adapters that come and go while a real machine runs: no byte is lost, and no
-- total falls.

local host = require "spec.support.libvirt_host"
local guest = require "spec.support.guest"
local agent = require "spec.support.agent"
local device_watch = require "spec.support.device_watch"
local counter_sources = require "spec.support.counter_sources"
local real_host = require "spec.support.real_host"
local exact = require "spec.support.exact"

real_host.describe(_ENV, "plugging adapters into a real machine #root", function(connect)
  local watch, g, reader, machines

  -- All are there from the start: who comes later does not know what the guest's
  -- first session had.
  setup(function()
    watch = device_watch.start()
    g = guest.start { name = "plug" }
    reader = agent.start()
    reader:eval(([[
      machines = {}
      for _, counters in ipairs { "auto", "hypervisor" } do
        machines[counters] = connect { counters = counters }:FindVirtualMachine(%q)
      end]]):format(g.name))
    machines = counter_sources.machines(counter_sources.connect(connect, nil, "auto"), g.name)
  end)

  teardown(function()
    watch:stop()
    reader:stop()
  end)

  local function assert_figures(sent, received)
    for counters, objVM in pairs(machines) do
      assert.same({ sent, received }, exact.figures(objVM), counters)
    end
  end

  -- What both sources say; the link must be quiet.
  local function figures()
    local now = exact.figures(machines.auto)
    assert_figures(now[1], now[2])
    return now
  end

  -- Demands that they are those of the guest's own kernel. Quiets it.
  local function demand_exact()
    g:quiet()
    assert_figures(g:tx_bytes(), g:rx_bytes())
  end

  local function tap_of(mac)
    for _, tap in ipairs(g:taps()) do
      if tap.mac == mac then
        return tap.device
      end
    end
  end

  -- Begins to read in the other process, for as many seconds.
  local function begin_reading(seconds)
    return reader:post(([[
      local last, reads, fell, errors = {}, 0, {}, {}
      local deadline = process.now() + %g
      while reads < 1000 or process.now() < deadline do
        reads = reads + 1
        for counters, objVM in pairs(machines) do
          local bytes, err = objVM.Accountant:Get "NetworkBytesSent"
          if not bytes then
            errors[#errors + 1] = counters .. ": " .. err.message
          else
            if bytes < (last[counters] or 0) then
              fell[#fell + 1] = counters .. ": " .. bytes .. " after " .. last[counters]
            end
            last[counters] = bytes
          end
        end
      end
      return reads, fell, errors]]):format(seconds))
  end

  local function assert_no_fall(id)
    local reads, fell, errors = reader:answer(id, 60)
    assert.same({}, fell)
    assert.same({}, errors)
    assert.is_true(reads >= 1000)
  end

  -- The host's side of it: the guest is not asked, for it may be flooding.
  local function unplug(mac)
    host.virsh("detach-interface", g.name, "bridge", "--mac", mac, "--live")
    host.wait_until("end of the adapter", 60, function()
      return not tap_of(mac)
    end)
  end

  it("counts the bytes of both, and keeps those of the one that is unplugged while it sends", function()
    g:send(1, 10)
    demand_exact()
    for round = 1, 3 do
      local before = figures()
      local first_of_eth0 = g:counters()[1].tx_bytes
      local id = begin_reading(round == 1 and 0 or 4)
      local mac, number = g:plug { bridge = "vmabr1" }
      local ifindex = device_watch.ifindex(tap_of(mac))
      g:send(1, 20)
      g:receive(number, 9)
      g:flood(number)
      host.wait_until("traffic", 60, function()
        return host.device_counters(tap_of(mac)) > 300000
      end)
      unplug(mac)
      g.flooding = false
      table.remove(g.macs, number)
      local sent, received = watch:final(ifindex)
      assert.is_true(sent > 300000)
      g:send(1, 5)
      g:quiet()
      local by_eth0 = g:counters()[1].tx_bytes - first_of_eth0
      assert.equal(25000, by_eth0)
      assert_figures(before[1] + by_eth0 + sent, before[2] + received)
      assert_no_fall(id)
      for counters, objVM in pairs(machines) do
        assert.same(exact.figures(objVM), { reader:eval(([[
          local accountant = machines[%q].Accountant
          return accountant.NetworkBytesSent, accountant.NetworkBytesReceived]]):format(counters)) }, counters)
      end
    end
  end)

  it("drops the bytes of the unplugged with a reset", function()
    assert.is_true(figures()[1] > g:tx_bytes())
    g:reset()
    g:send(1, 6)
    demand_exact()
  end)

  it("counts two adapters with one MAC address", function()
    local mac = "52:54:00:76:aa:01"
    local before = figures()
    g:plug { bridge = "vmabr0", mac = mac }
    local first = tap_of(mac)
    host.attach(g.name, ("<interface type='bridge'><source bridge='vmabr1'/><mac address='%s'/>" ..
      "<model type='virtio'/><rom enabled='no'/></interface>"):format(mac))
    host.wait_until("second device", 60, function()
      return #g:counters() == 3
    end)
    -- The guest's own names tell them apart; both send to nobody.
    for i, packets in ipairs { 0, 3, 5 } do
      local device = g:counters()[i].device
      g:run(([[
        ip link set %s up
        [ -e /proc/net/pktgen ] || insmod /modules/pktgen.ko
        echo rem_device_all >/proc/net/pktgen/kpktgend_0
        echo add_device %s >/proc/net/pktgen/kpktgend_0
        for setting in "count %d" "pkt_size 1000" "dst 10.99.0.254" "dst_mac 02:76:6d:61:00:00"; do
          echo "$setting" >/proc/net/pktgen/%s
        done
        [ %d = 0 ] || echo start >/proc/net/pktgen/pgctrl]]):format(device, device, packets, device, packets))
    end
    demand_exact()
    local now = figures()
    assert.equal(before[1] + 8000, now[1])
    for counters, objVM in pairs(machines) do
      local bytes = {}
      for adapter in objVM.NetworkAdapters do
        bytes[#bytes + 1] = adapter.BytesSent
      end
      table.sort(bytes)
      assert.same({ 3000, 5000, 6000 }, bytes, counters)
    end
    local ifindex = device_watch.ifindex(first)
    local alias = g:xml():match("<target dev='" .. first .. "'/>.-<alias name='([^']+)'")
    host.virsh("detach-device-alias", g.name, alias, "--live")
    watch:final(ifindex)
    assert.same(now, figures())
    -- libvirt lists an adapter for a while after its device has gone.
    host.wait_until("adapter that is alone with the address", 60, function()
      return select(2, g:xml():gsub(mac, "")) == 1
    end)
    unplug(mac)
    assert.same(now, figures())
    table.remove(g.macs)
  end)

  it("goes on when the host takes the link down and puts it up again", function()
    local device = g:taps()[1].device
    local before = figures()
    g:send(1, 1)
    host.virsh("domif-setlink", g.name, device, "down")
    g:quiet()
    assert_figures(before[1] + 1000, before[2])
    host.virsh("domif-setlink", g.name, device, "up")
    g:send(1, 2)
    g:quiet()
    assert_figures(before[1] + 3000, before[2])
  end)

  it("goes on when the adapter is moved to another bridge", function()
    local before = figures()
    local function assert_bridge(bridge)
      for counters, objVM in pairs(machines) do
        assert.equal(bridge, objVM.NetworkAdapters[1].VirtualNetwork.Name, counters)
      end
    end
    local function move(bridge)
      host.virsh("update-device", g.name, host.write_file(host.folder .. "/update.xml",
        (g:xml():match("<interface.-</interface>"):gsub("bridge='vmabr%d'", "bridge='" .. bridge .. "'"))), "--live")
    end
    g:send(1, 4)
    move "vmabr1"
    assert_bridge "vmabr1"
    g:send(1, 3)
    g:quiet()
    assert_figures(before[1] + 7000, before[2])
    move "vmabr0"
    g:send(1, 1)
    g:quiet()
    assert_figures(before[1] + 8000, before[2])
    assert_bridge "vmabr0"
  end)

  it("keeps the bytes when the device is made anew under the same name", function()
    local mac = g:plug { bridge = "vmabr1", target = "again0" }
    g:send(2, 12)
    g:quiet()
    local before = figures()
    unplug(mac)
    table.remove(g.macs)
    host.wait_until("end of the device in the guest", 60, function()
      return #g:counters() == 1
    end)
    g:plug { bridge = "vmabr1", target = "again0", mac = mac }
    assert.same(before, figures())
    g:send(2, 3)
    g:quiet()
    assert_figures(before[1] + 3000, before[2])
    g:unplug(mac)
    assert_figures(before[1] + 3000, before[2])
  end)

  it("keeps the bytes of a device that an administrator deletes under the machine", function()
    local mac = g:plug { bridge = "vmabr1", target = "doomed0" }
    g:send(2, 12)
    g:quiet()
    local before = figures()
    host.shell("ip link delete doomed0")
    assert.same(before, figures())
    host.shell("ip tuntap add doomed0 mode tap && ip link set doomed0 master vmabr1 up")
    assert.same(before, figures())
    unplug(mac)
    table.remove(g.macs)
    host.try_shell("ip link delete doomed0")
    assert.same(before, figures())
    g:send(1, 1)
    g:quiet()
    assert_figures(before[1] + 1000, before[2])
  end)
end, true)
