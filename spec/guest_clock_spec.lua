-- Wall clocks that differ or are set: they change no figure and no duration.

local host = require "spec.support.libvirt_host"
local real_host = require "spec.support.real_host"
local guest = require "spec.support.guest"
local agent = require "spec.support.agent"
local child = require "spec.support.child"
local wall_clock = require "spec.support.wall_clock"

real_host.describe(_ENV, "a wall clock that is set #root", function()
  local g, recorder, recorders_clock, readers_clock

  setup(function()
    recorders_clock, readers_clock = wall_clock.new(), wall_clock.new()
    g = guest.start { name = "clock" }
    recorder = agent.start(recorders_clock.environment)
    recorder:eval [[
      objVS = connect()
      objVS:RecordResets()]]
  end)

  -- What a process that starts now has sent and received, its UpTime, and whether
  -- its Since is its wall clock's.
  local function read_in_new_process()
    local output = child.output_of(([[
      local objVS <close> = require("vmaccountant").CreateObject("VirtualServer.Application", "qemu:///system")
      local accountant = objVS:FindVirtualMachine(%q).Accountant
      io.write(accountant.NetworkBytesSent, " ", accountant.NetworkBytesReceived, " ", accountant.UpTime)]])
      :format(g.name), readers_clock.environment)
    local sent, received, uptime = output:match("^(%d+) (%d+) (%d+)$")
    return { math.tointeger(sent), math.tointeger(received) }, math.tointeger(uptime)
  end

  it("does not decide whether a baseline counts", function()
    g:send(1, 20)
    local reset_at = host.now()
    g:reset()
    g:send(1, 4)
    g:quiet()
    local truth = { g:tx_bytes(), g:rx_bytes() }
    for _, seconds in ipairs { 0, -4, -30, -3600, 3600 } do
      readers_clock:set(seconds)
      local figures, uptime = read_in_new_process()
      assert.same(truth, figures, seconds)
      assert.is_true(uptime <= host.now() - reset_at, uptime)
    end
    readers_clock:set(0)
  end)

  it("does not make a later reset the older one", function()
    recorders_clock:set(-3600)
    g:reset()
    g:send(1, 5)
    g:quiet()
    local figures = read_in_new_process()
    assert.same({ g:tx_bytes(), g:rx_bytes() }, figures)
    recorders_clock:set(0)
  end)

  it("moves no UpTime, and ends no session before its start", function()
    for _, seconds in ipairs { -3600, 3600 } do
      readers_clock:set(0)
      local reader <close> = agent.start(readers_clock.environment)
      local before = reader:eval(([[
        objVS = connect()
        accountant = objVS:FindVirtualMachine(%q).Accountant
        return accountant.UpTime]]):format(g.name))
      local begun = host.now()
      readers_clock:set(seconds)
      local uptime = reader:eval "return accountant.UpTime"
      assert.is_true(uptime >= before and uptime - before <= host.now() - begun + 1,
        ("%d %d"):format(before, uptime))
      g:reset()
      local last = reader:eval "return accountant:LastSession()"
      assert.equal("Reset", last.Reason)
      assert.is_true(last.Ended >= last.Started and last.Ended - last.Started <= before + host.now() - begun + 2,
        ("%d %d"):format(last.Started, last.Ended))
      assert.is_true(reader:eval "return accountant.UpTime" <= host.now() - begun)
      readers_clock:set(2 * seconds)
      assert.is_true(reader:eval "return accountant.UpTime" <= host.now() - begun)
    end
  end)
end, true)
