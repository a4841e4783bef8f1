-- A real machine's counts begin anew at each reset, whoever made it: after it
-- they are what the guest's kernel has counted since it booted, in a process
-- that listened and in one that started later, with a recorder running.

local host = require "spec.support.libvirt_host"
local guest = require "spec.support.guest"
local agent = require "spec.support.agent"
local counter_sources = require "spec.support.counter_sources"
local real_host = require "spec.support.real_host"
local exact = require "spec.support.exact"

real_host.describe(_ENV, "a real machine's reset #root", function(connect)
  local g, recorder, machines
  local recording = "kernel"

  setup(function()
    g = guest.start { name = "reset", adapters = { {}, { bridge = "vmabr1" } }, on_crash = "restart",
      devices = "<watchdog model='i6300esb' action='reset'/>" }
    recorder = agent.start()
    machines = counter_sources.machines(counter_sources.connect(connect), g.name)
  end)

  -- One process records, by each source in turn: of two, one would make up for
  -- the other.
  before_each(function()
    recording = recording == "kernel" and "hypervisor" or "kernel"
    recorder:eval(([[
      if objVS then objVS:Close() end
      objVS = connect { counters = %q }
      objVS:RecordResets()]]):format(recording))
  end)

  teardown(function()
    recorder:stop()
  end)

  local function assert_figures(expected)
    for counters, objVM in pairs(machines) do
      assert.same(expected, exact.figures(objVM), counters)
    end
  end

  local function assert_exact_everywhere()
    g:quiet()
    local truth = { g:tx_bytes(), g:rx_bytes() }
    assert_figures(truth)
    local newcomer, since = exact.figures_of_newcomer(g.name)
    assert.same(truth, newcomer)
    for counters, objVM in pairs(machines) do
      assert.equal(objVM.Accountant.Since, since, counters)
    end
    return truth
  end

  local function boots()
    return select(2, host.read_file(g.folder .. "/console.log"):gsub("@ready ", ""))
  end

  -- Resets the machine while it sends, waits until it has booted, and demands
  -- that all count what it has sent since, and that the session before has
  -- every byte of the devices.
  local function assert_exact_reset(reset)
    g:quiet()
    local before, at = {}, exact.device_bytes(g.name)
    for counters, objVM in pairs(machines) do
      before[counters] = exact.figures(objVM)
    end
    g:receive(1, 5)
    g:flood(2)
    g.flooding = false
    host.wait_until("traffic", 60, function()
      return exact.device_bytes(g.name)[1] - at[1] > 50000
    end)
    local booted, earliest = boots(), os.time()
    reset()
    host.wait_until("boot", 60, function()
      return boots() > booted
    end)
    local latest = os.time()
    -- No byte since the reset: the guest has just booted.
    assert_figures { 0, 0 }
    local now = exact.device_bytes(g.name)
    assert.is_true(now[1] - at[1] > 50000)
    for counters, objVM in pairs(machines) do
      local had = before[counters]
      assert.same({ had[1] + now[1] - at[1], had[2] + now[2] - at[2], "Reset" }, exact.last_session(objVM), counters)
      local since = objVM.Accountant.Since
      assert.is_true(since >= earliest and since <= latest)
    end

    g:send(1, 11)
    g:send(2, 13)
    g:receive(2, 7)
    assert.same({ 24000, 7000 }, assert_exact_everywhere())
  end

  it("is exact when the host makes it", function()
    assert_exact_reset(function()
      host.virsh("reset", g.name)
    end)
  end)

  it("is exact when this process makes it", function()
    assert_exact_reset(function()
      machines.kernel:Reset()
    end)
  end)

  it("is exact when another process makes it", function()
    assert_exact_reset(function()
      recorder:eval(("objVS:FindVirtualMachine(%q):Reset()"):format(g.name))
    end)
  end)

  -- The guest's answer to the console goes with it: it is told, and not waited for.
  local function by_guest(command)
    return function()
      g:post(command)
    end
  end

  it("is exact when the guest reboots", function()
    assert_exact_reset(by_guest "reboot -f")
  end)

  it("is exact when the guest's kernel panics and the machine is restarted", function()
    assert_exact_reset(by_guest "echo c >/proc/sysrq-trigger")
  end)

  it("is exact when the watchdog bites", function()
    assert_exact_reset(function()
      -- The guest's kernel has no driver for it, but its registers are few: the
      -- fast clock, on which two periods take two seconds, and go.
      g:post [[
        for device in /sys/bus/pci/devices/*; do
          if [ "$(cat $device/vendor $device/device | tr '\n' ' ')" = "0x8086 0x25ab " ]; then
            echo 1 >$device/enable
            printf '\004\000' | dd of=$device/config bs=2 seek=48 count=1 conv=notrunc
            printf '\002' | dd of=$device/config bs=1 seek=104 count=1 conv=notrunc
          fi
        done]]
    end)
  end)

  it("is exact after ten in a row, with traffic between them", function()
    local makers = {
      function() host.virsh("reset", g.name) end,
      function() machines.hypervisor:Reset() end,
      function() machines.kernel:Reset() end,
    }
    for round = 1, 10 do
      makers[(round - 1) % #makers + 1]()
      if round % 5 == 0 then -- the others do not let it boot
        g:wait_boot()
        g:send(1, round)
        g:send(2, 1)
        assert.same({ (round + 1) * 1000, 0 }, assert_exact_everywhere())
        g:flood(1)
        g.flooding = false
      end
    end
    for counters, objVM in pairs(machines) do
      assert.equal("Reset", objVM.Accountant:LastSession().Reason, counters)
    end
  end)

  it("is one for all processes, however late they have started", function()
    g:send(1, 2)
    local late <close> = agent.start()
    late:eval(([[
      accountants = {}
      for i, counters in ipairs { "kernel", "hypervisor" } do
        accountants[i] = connect { counters = counters }:FindVirtualMachine(%q).Accountant
      end]]):format(g.name))
    local function assert_late(expected)
      for i = 1, 2 do
        assert.same(expected, { late:eval(
          ("return accountants[%d].NetworkBytesSent, accountants[%d].NetworkBytesReceived"):format(i, i)) })
      end
    end
    assert_late(assert_exact_everywhere())
    g:reset()
    g:send(1, 3)
    assert.same({ 3000, 0 }, assert_exact_everywhere())
    assert_late { 3000, 0 }
  end)

  it("is nothing to a pause", function()
    for counters, objVM in pairs(machines) do
      g:quiet()
      local before = exact.figures(objVM)
      objVM:Pause()
      assert_figures(before)
      objVM:Resume()
      g:send(1, 1)
      g:quiet()
      assert.same({ before[1] + 1000, before[2] }, exact.figures(objVM), counters)
    end
  end)
end, true)
