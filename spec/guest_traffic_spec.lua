-- What the accountant says of real machines, to the byte, against what the
-- guests' own kernels and the host's devices have counted.

local host = require "spec.support.libvirt_host"
local idle_machine = require "spec.support.idle_machine"
local guest = require "spec.support.guest"
local counter_sources = require "spec.support.counter_sources"
local real_host = require "spec.support.real_host"

-- libvirt's 52:54:00:aa:00:01 as EthernetAddress spells it.
local function dashed(mac)
  return (mac:upper():gsub(":", "-"))
end

-- What the host's devices of a machine have counted, in the guest's view: sums
-- of sent and received, and both by MAC address.
local function device_bytes(name)
  local sent, received, by_mac = 0, 0, {}
  for _, tap in ipairs(host.taps(name)) do
    local rx, tx = host.device_counters(tap.device)
    sent, received = sent + rx, received + tx
    by_mac[dashed(tap.mac)] = { sent = rx, received = tx }
  end
  return sent, received, by_mac
end

-- Demands that the machine's figures and those of each adapter are what the
-- guest's kernel and the host's devices have counted; the link must be quiet.
local function assert_exact(objVM, g)
  local sent, received = device_bytes(g.name)
  local accountant = objVM.Accountant
  assert.same({ g:tx_bytes(), g:rx_bytes() }, { accountant.NetworkBytesSent, accountant.NetworkBytesReceived })
  assert.same({ sent, received }, { accountant.NetworkBytesSent, accountant.NetworkBytesReceived })

  local expected, actual = {}, {}
  for _, counter in ipairs(g:counters()) do
    expected[dashed(counter.mac)] = { sent = counter.tx_bytes, received = counter.rx_bytes }
  end
  for adapter in objVM.NetworkAdapters do
    actual[adapter.EthernetAddress] = { sent = adapter.BytesSent, received = adapter.BytesReceived }
  end
  assert.same(expected, actual)
end

local function figures(objVM)
  return { objVM.Accountant.NetworkBytesSent, objVM.Accountant.NetworkBytesReceived }
end

real_host.describe(_ENV, "the traffic of a real machine #root", function(connect)
  local one, two
  local applications

  setup(function()
    one = guest.start { name = "one adapter", wait = false }
    two = guest.start { name = "two adapters", adapters = { {}, { bridge = "vmabr1" } } }
    one:wait_boot()
  end)

  before_each(function()
    applications = counter_sources.connect(connect)
  end)

  local function machines_of(g)
    return counter_sources.machines(applications, g.name)
  end

  -- What each source says of the machine.
  local function figures_of(g)
    local all = {}
    for counters, objVM in pairs(machines_of(g)) do
      all[counters] = figures(objVM)
    end
    return all
  end

  local function assert_all_exact(machines, g)
    for _, objVM in pairs(machines) do
      assert_exact(objVM, g)
    end
  end

  -- Does the traffic and demands that both figures grow by exactly these bytes.
  -- As every test, it leaves quiet links behind, and so finds them.
  local function assert_grows(g, sent, received, traffic)
    local machines, before = machines_of(g), figures_of(g)
    traffic()
    g:quiet()
    for counters, objVM in pairs(machines) do
      local had = before[counters]
      assert.same({ had[1] + sent, had[2] + received }, figures(objVM), counters)
      assert_exact(objVM, g)
    end
  end

  it("is what it sent by its one adapter", function()
    assert_grows(one, 200 * 1234, 0, function()
      one:send(1, 200, 1234)
    end)
  end)

  it("is what its one adapter was given", function()
    assert_grows(one, 0, 100 * 777, function()
      one:receive(1, 100, 777)
    end)
  end)

  it("is the sum over two adapters, with traffic each way", function()
    local HEADERS <const> = 14 + 20 + 8
    assert_grows(two, 100 * 600 + 70 * 1514 + 10 * (HEADERS + 1000) + 12 * (HEADERS + 64),
      50 * 700 + 30 * 1000 + 10 * (HEADERS + 1000) + 12 * (HEADERS + 64), function()
        two:send(1, 100, 600)
        two:send(2, 70, 1514)
        two:receive(1, 50, 700)
        two:receive(2, 30, 1000)
        two:ping(1, 10, 1000)
        two:ping(2, 12, 64)
      end)
  end)

  it("is told by adapter, with its address, type and network", function()
    local machines, before = machines_of(two), {}
    for counters, objVM in pairs(machines) do
      before[counters] = {}
      for i, adapter in ipairs(objVM.NetworkAdapters) do
        before[counters][i] = { adapter.BytesSent, adapter.BytesReceived }
      end
    end
    two:send(1, 3)
    two:send(2, 5)
    two:receive(2, 7)
    two:quiet()

    local grown = { { 3000, 0 }, { 5000, 7000 } }
    for counters, objVM in pairs(machines) do
      local adapters = objVM.NetworkAdapters
      assert.equal(2, #adapters)
      for i, bridge in ipairs { "vmabr0", "vmabr1" } do
        local adapter, had = adapters[i], before[counters][i]
        assert.equal(dashed(two.macs[i]), adapter.EthernetAddress)
        assert.equal("bridge", adapter.Type)
        assert.equal(bridge, adapter.VirtualNetwork.Name)
        assert.is_true(adapter.IsCounted)
        assert.equal(objVM, adapter.VirtualMachine)
        assert.same({ had[1] + grown[i][1], had[2] + grown[i][2] }, { adapter.BytesSent, adapter.BytesReceived },
          counters)
      end
    end
  end)

  it("never falls while it flows, and is exact when it has ended", function()
    local machines, first, last = machines_of(two), {}, {}
    for counters, objVM in pairs(machines) do
      first[counters] = objVM.Accountant.NetworkBytesSent
      last[counters] = first[counters]
    end
    two:flood(2)
    for _ = 1, 20 do
      host.sleep(0.02)
      for counters, objVM in pairs(machines) do
        local now = objVM.Accountant.NetworkBytesSent
        assert.is_true(now >= last[counters], ("%s: %d after %d"):format(counters, now, last[counters]))
        last[counters] = now
      end
    end
    for counters in pairs(machines) do
      assert.is_true(last[counters] > first[counters], counters)
    end
    two:quiet()
    assert_all_exact(machines, two)
  end)

  it("is an integer, or a decimal string where those are asked for", function()
    local texts = counter_sources.machines(counter_sources.connect(connect, { decimal = "string" }), one.name)
    for counters, objVM in pairs(machines_of(one)) do
      local asText = texts[counters]
      for _, member in ipairs { "NetworkBytesSent", "NetworkBytesReceived" } do
        assert.equal("integer", math.type(objVM.Accountant[member]))
        assert.equal(tostring(objVM.Accountant[member]), asText.Accountant[member])
      end
      for _, member in ipairs { "BytesSent", "BytesReceived" } do
        assert.equal("integer", math.type(objVM.NetworkAdapters[1][member]))
        assert.equal(tostring(objVM.NetworkAdapters[1][member]), asText.NetworkAdapters[1][member])
      end
    end
  end)

  it("goes on when the guest changes its network and when its link was down", function()
    assert_grows(one, 9 * 1000, 4 * 1000, function()
      one:send(1, 2)
      one:run("ip link set eth0 down; ip address flush dev eth0; ip link set eth0 up")
      one:send(1, 3)
      local device = one:taps()[1].device
      host.virsh("domif-setlink", one.name, device, "down")
      host.virsh("domif-setlink", one.name, device, "up")
      one:receive(1, 4)
      one:send(1, 4)
    end)
  end)

  describe("with max_age", function()
    it("is that of one look at all machines, until that is too old", function()
      local aged = counter_sources.connect(connect, { max_age = 3600 })
      local agedTwo = counter_sources.machines(aged, two.name)
      assert_all_exact(counter_sources.machines(aged, one.name), one)
      local before = figures_of(two)
      two:send(1, 10)
      two:receive(2, 10)
      two:quiet()
      local now = figures_of(two)
      for counters, had in pairs(before) do
        assert.same(had, figures(agedTwo[counters]), counters)
        assert.same({ had[1] + 10000, had[2] + 10000 }, now[counters], counters)
      end
    end)

    it("is exact again as soon as the look is too old", function()
      local AGE <const> = 0.3
      local machines = counter_sources.machines(counter_sources.connect(connect, { max_age = AGE }), two.name)
      assert_all_exact(machines, two)
      two:send(2, 10)
      two:quiet()
      host.sleep(AGE)
      assert_all_exact(machines, two)
    end)
  end)

  describe("among 50 idle machines", function()
    local names, expected

    setup(function()
      names = host.idle_machines(50, 2)
      idle_machine.announce("idle-7", 3, "net0")
      idle_machine.announce("idle-7", 5, "net1")
      idle_machine.announce("idle-23", 2, "net1")
      idle_machine.announce("idle-50", 7, "net0")
      one:quiet()
      two:quiet()
      expected = {}
      for _, name in ipairs { one.name, two.name, table.unpack(names) } do
        local sent, received, by_mac = device_bytes(name)
        expected[name] = { sent = sent, received = received, adapters = by_mac }
      end
    end)

    local function assert_all_told(application)
      for objVM in application.VirtualMachines do
        local adapters = {}
        for adapter in objVM.NetworkAdapters do
          adapters[adapter.EthernetAddress] = { sent = adapter.BytesSent, received = adapter.BytesReceived }
        end
        assert.same(expected[objVM.Name], {
          sent = objVM.Accountant.NetworkBytesSent,
          received = objVM.Accountant.NetworkBytesReceived,
          adapters = adapters,
        }, objVM.Name)
      end
    end

    it("is told for all of them, each by its own devices", function()
      assert.equal(8 * 60, expected["idle-7"].sent)
      assert.equal(2 * 60, expected["idle-23"].sent)
      assert.equal(7 * 60, expected["idle-50"].sent)
      for _, options in ipairs { {}, { max_age = 60 } } do
        for _, application in pairs(counter_sources.connect(connect, options)) do
          assert_all_told(application)
        end
      end
    end)

    it("is found by the machine's name, and swept by the list's accountants", function()
      for counters, objVS in pairs(applications) do
        for _, name in ipairs(names) do
          assert.equal(expected[name].sent, objVS:FindVirtualMachine(name).Accountant.NetworkBytesSent, counters)
        end
        local count = 0
        for accountant in objVS.VirtualMachines:Accountants() do
          local name = accountant.VirtualMachine.Name
          assert.same({ expected[name].sent, expected[name].received },
            { accountant.NetworkBytesSent, accountant.NetworkBytesReceived }, name)
          count = count + 1
        end
        assert.equal(52, count, counters)
      end
    end)

    it("has its machine at its place in the list, which is in the order of names", function()
      table.sort(names)
      for _, objVS in pairs(applications) do
        local listed = {}
        for i, objVM in ipairs(objVS.VirtualMachines) do
          listed[i] = tostring(objVM)
        end
        assert.same({ one.name, two.name }, { table.unpack(listed, 51) })
        assert.same(names, { table.unpack(listed, 1, 50) })
      end
    end)
  end)
end)
