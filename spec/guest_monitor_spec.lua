-- The kernel's messages about network devices can be more than a process that
-- is not given the processor takes in. It then looks at everything anew.

local host = require "spec.support.libvirt_host"
local real_host = require "spec.support.real_host"
local guest = require "spec.support.guest"
local agent = require "spec.support.agent"

real_host.describe(_ENV, "a burst of network devices #root", function()
  local g, a

  setup(function()
    g = guest.start { name = "monitor" }
    a = agent.start()
    a:eval(([[
      objVS = connect()
      accountant = objVS:FindVirtualMachine(%q).Accountant]]):format(g.name))
  end)

  -- Makes a thousand taps and deletes them.
  local function burst()
    local lines = {}
    for i = 1, 1000 do
      lines[i] = ("tuntap add burst%d mode tap"):format(i)
    end
    for i = 1, 1000 do
      lines[#lines + 1] = ("tuntap delete burst%d mode tap"):format(i)
    end
    local path = host.write_file(host.folder .. "/burst", table.concat(lines, "\n") .. "\n")
    host.shell("timeout 60 ip -batch " .. path)
  end

  -- Many messages for little work: the kernel tells of each change of a device.
  local function flood()
    local lines = { "tuntap add flood mode tap" }
    for i = 1, 10000 do
      lines[i + 1] = ("link set flood mtu %d"):format(i % 2 == 0 and 1400 or 1500)
    end
    lines[#lines + 1] = "tuntap delete flood mode tap"
    host.shell("timeout 60 ip -batch " .. host.write_file(host.folder .. "/flood", table.concat(lines, "\n") .. "\n"))
  end

  -- How many messages the process's sockets have lost.
  local function drops()
    local inodes = {}
    for link in host.shell(("ls -l /proc/%d/fd 2>/dev/null || true"):format(a.pid)):gmatch("socket:%[(%d+)%]") do
      inodes[link] = true
    end
    local lost = 0
    for line in host.read_file(("/proc/%d/net/netlink"):format(a.pid)):gmatch("[^\n]+") do
      local count, inode = line:match("(%d+)%s+(%d+)%s*$")
      if inodes[inode] then
        lost = lost + math.tointeger(tonumber(count))
      end
    end
    return lost
  end

  local function demand(expected)
    assert.same(expected, { a:eval "return accountant.NetworkBytesSent, accountant.NetworkBytesReceived" })
  end

  it("changes nothing when it is taken in", function()
    g:send(1, 10)
    g:quiet()
    demand { 10000, 0 }
    burst()
    demand { 10000, 0 }
  end)

  it("loses messages while the process is stopped, and later figures are exact", function()
    local mac = g:plug { bridge = "vmabr1" }
    g:send(2, 5)
    g:quiet()
    demand { 15000, 0 }
    a:signal("STOP")
    local before = drops()
    burst()
    host.wait_until("overflow of the socket", 60, function()
      flood()
      return drops() > before
    end)
    -- Gone without a word of the kernel's; what it sent last was seen.
    g:unplug(mac)
    g:send(1, 3)
    a:signal("CONT")
    g:quiet()
    demand { 18000, 0 }
    -- Devices are followed again.
    local other, number = g:plug { bridge = "vmabr1" }
    g:send(number, 7)
    g:unplug(other)
    demand { 25000, 0 }
    g:reset()
    g:send(1, 2)
    g:quiet()
    demand { 2000, 0 }
  end)
end, true)
