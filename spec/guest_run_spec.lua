-- A run of a machine is named by its process and the host's boot: libvirt gives a
-- domain ID again after its daemon was restarted while nothing ran.

local host = require "spec.support.libvirt_host"
local guest = require "spec.support.guest"
local agent = require "spec.support.agent"
local child = require "spec.support.child"

local MIB <const> = 1024 * 1024
local NAMESPACE <const> = "urn:vmaccountant:baseline"

host.describe(_ENV, "a baseline whose domain ID has come again #root", function()
  local g, restored_at

  local function element()
    return (host.virsh("metadata", g.name, "--uri", NAMESPACE, "--live"):gsub("%s+$", ""))
  end

  local function set_element(xml)
    host.virsh("metadata", g.name, "--uri", NAMESPACE, "--key", "vmaccountant", "--live", "--set", xml)
  end

  local function read_disk(megabytes)
    local output, status = g:run(("dd if=/dev/vda of=/dev/null bs=1M count=%d iflag=direct 2>&1"):format(megabytes))
    assert.equal(0, status, output)
  end

  -- Of a process that starts now: sent, DiskBytesRead and Since, and its warnings.
  local function read_in_new_process()
    local status, output, warnings = child.run(([[
      warn "@on"
      local objVS <close> = require("vmaccountant").CreateObject("VirtualServer.Application", "qemu:///system")
      local accountant = objVS:FindVirtualMachine(%q).Accountant
      for _ = 1, 3 do
        accountant:Get("NetworkBytesSent")
      end
      io.write(accountant.NetworkBytesSent, " ", accountant.DiskBytesRead, " ", accountant.Since)]]):format(g.name))
    assert.equal(0, status, warnings)
    local sent, read, since = output:match("^(%d+) (%d+) (%d+)$")
    return { sent = math.tointeger(sent), read = math.tointeger(read), since = math.tointeger(since) }, warnings
  end

  local function qemu_disk_bytes()
    return math.tointeger(tonumber(host.virsh("domblkstat", g.name, "vda"):match("rd_bytes (%d+)")))
  end

  setup(function()
    host.start()
    host.destroy_all()
    host.restart() -- so that its first machine has the first ID
    g = guest.start { name = "run", disks = { 64 * MIB } }
    local old = g:domain_id()
    read_disk(8)
    local recorder <close> = agent.start()
    recorder:eval(([[
      objVS = connect()
      objVS:FindVirtualMachine(%q):Reset()]]):format(g.name))
    recorder:stop()
    g:wait_boot()
    read_disk(4)
    assert.is_truthy(element():find("baseline", 1, true))
    g:save()
    host.restart()
    host.sleep(2)
    restored_at = os.time()
    g:restore()
    assert.equal(old, g:domain_id())
    read_disk(40)
    g:quiet()
  end)

  teardown(function()
    if g then
      g:remove()
    end
    host.destroy_all()
    host.stop()
  end)

  it("is ignored with a warning, of the disks and of the start too", function()
    assert.is_truthy(element():find("baseline", 1, true))
    local figures, warnings = read_in_new_process()
    assert.equal(qemu_disk_bytes(), figures.read)
    assert.is_true(figures.since >= restored_at - 1, restored_at - figures.since)
    assert.matches("earlier run of the machine", warnings)
    assert.equal(1, select(2, warnings:gsub("\n", "")), warnings)
  end)

  it("is followed by one of this run", function()
    do
      local recorder <close> = agent.start()
      recorder:eval(([[
        objVS = connect()
        objVS:FindVirtualMachine(%q):Reset()]]):format(g.name))
    end
    g:wait_boot()
    local before = qemu_disk_bytes()
    read_disk(3)
    g:send(1, 7)
    g:quiet()
    local figures, warnings = read_in_new_process()
    assert.equal("", warnings)
    assert.equal(7000, figures.sent)
    assert.is_true(figures.read >= 3 * MIB and figures.read < before, figures.read)
    assert.matches("process=['\"]%d+['\"]", element())
    assert.matches("boot=['\"]" .. host.read_file("/proc/sys/kernel/random/boot_id"):sub(1, -2):gsub("%-", "%%-"),
      element())
  end)

  it("or that names no run, or that of another boot or process, is ignored with a warning", function()
    local good = element()
    for words, bad in pairs {
      ["older form"] = good:gsub(" boot=(['\"]).-%1", ""):gsub(" ordinal=(['\"]).-%1", "")
        :gsub(" clock=(['\"]).-%1", ""):gsub(" process=(['\"]).-%1", ""),
      ["another host"] = good:gsub(" boot=(['\"]).", " boot=%1x"),
      ["earlier run"] = good:gsub(" process=(['\"])(%d+)", function(quote, ticks)
        return (" process=%s%d"):format(quote, ticks - 1)
      end),
      ["yet to come"] = good:gsub(" clock=(['\"])", " clock=%19"),
    } do
      assert.not_equal(good, bad)
      set_element(bad)
      local figures, warnings = read_in_new_process()
      assert.matches(words, warnings)
      assert.equal(qemu_disk_bytes(), figures.read, words)
      assert.is_true(figures.sent >= 7000)
    end
    -- By the host's own clock, a reset after the process's start is of the process.
    set_element((good:gsub(" process=(['\"]).-%1", "")))
    local figures, warnings = read_in_new_process()
    assert.equal("", warnings)
    assert.equal(7000, figures.sent)
    set_element((good:gsub(" process=(['\"]).-%1", ""):gsub(" clock=(['\"])%d+", " clock=%11")))
    assert.matches("earlier run", select(2, read_in_new_process()))
  end)
end)
