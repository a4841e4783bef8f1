-- A real machine's disk bytes are what its own kernel has read and written since it
-- was powered up, reset or restored, in every process.

local host = require "spec.support.libvirt_host"
local real_host = require "spec.support.real_host"
local guest = require "spec.support.guest"
local agent = require "spec.support.agent"
local failure = require "spec.support.failure"

local function raises(code, call)
  local err = failure.of(call)
  assert.equal(code, err.name, tostring(err))
  return err
end

local MIB <const> = 1024 * 1024

real_host.describe(_ENV, "a real machine's disk bytes #root", function(connect)
  local g, objVS, objVM

  setup(function()
    g = guest.start { name = "disks", disks = { 64 * MIB, 32 * MIB } }
    objVS = connect()
    objVM = objVS:FindVirtualMachine(g.name)
  end)

  -- What the guest's kernel says, since it booted: read and written. Sectors are
  -- of 512 bytes there, whatever the disk's are.
  local function truth()
    local read, written = 0, 0
    for _, disk in ipairs { "vda", "vdb" } do
      local output, status = g:run(("cat /sys/block/%s/stat"):format(disk))
      assert.equal(0, status, output)
      local fields = {}
      for field in output:gmatch("%d+") do
        fields[#fields + 1] = math.tointeger(field)
      end
      read, written = read + fields[3] * 512, written + fields[7] * 512
    end
    return { read, written }
  end

  local function figures(machine)
    local accountant = (machine or objVM).Accountant
    return { accountant.DiskBytesRead, accountant.DiskBytesWritten }
  end

  local function check_run(command)
    local output, status = g:run(command, 60)
    assert.equal(0, status, output)
  end

  local function read(disk, mebibytes)
    check_run(("dd if=/dev/%s of=/dev/null bs=1M count=%d iflag=direct"):format(disk, mebibytes))
  end

  local function write(disk, mebibytes)
    check_run(("dd if=/dev/zero of=/dev/%s bs=1M count=%d oflag=direct"):format(disk, mebibytes))
  end

  local function difference(now, before)
    return { now[1] - before[1], now[2] - before[2] }
  end

  it("grow by what the guest reads and writes, over all its disks", function()
    local before, before_there = figures(), truth()
    read("vda", 8)
    assert.same({ 8 * MIB, 0 }, difference(figures(), before))
    write("vda", 3)
    read("vdb", 2)
    write("vdb", 1)
    assert.same({ 10 * MIB, 4 * MIB }, difference(figures(), before))
    assert.same({ 10 * MIB, 4 * MIB }, difference(truth(), before_there))
  end)

  it("begin with what the firmware and the kernel read at the start", function()
    -- The firmware looks at the disks' first sector before there is a kernel to count it.
    local there, here = truth(), figures()
    assert.equal(there[2], here[2])
    assert.is_true(here[1] >= there[1])
    assert.is_true(here[1] - there[1] <= 64 * 1024, here[1] - there[1] .. " bytes by the firmware")
  end)

  -- Zero but for what the guest's kernel has read while it booted, and what the
  -- firmware has.
  local function assert_begun_anew(machine)
    local there, here = truth(), figures(machine)
    assert.equal(there[2], here[2])
    assert.is_true(here[1] >= there[1] and here[1] - there[1] <= 64 * 1024,
      ("%d here, %d there"):format(here[1], there[1]))
    assert.is_true(here[1] < MIB)
    return here
  end

  local resets = {
    ["the host makes it"] = function() g:reset() end,
    ["the guest reboots"] = function() g:reboot() end,
    ["this process makes it"] = function()
      objVM:Reset()
      g:wait_boot()
    end,
  }
  for what, reset in pairs(resets) do
    it("begin anew with a reset when " .. what, function()
      read("vda", 4)
      write("vdb", 2)
      assert.is_true(figures()[1] >= 4 * MIB)
      reset()
      assert_begun_anew()
      read("vda", 1)
      write("vda", 1)
      local here = figures()
      assert.equal(truth()[2], here[2])
      assert.equal(MIB, here[2])
    end)
  end

  it("are one for all processes with a recorder, however late they have started", function()
    local recorder <close> = agent.start()
    recorder:eval [[
      objVS = connect()
      objVS:RecordResets()]]
    read("vda", 4)
    g:reset()
    read("vda", 2)
    write("vdb", 1)
    local expected = figures()
    assert.is_true(expected[1] >= 2 * MIB and expected[1] < 3 * MIB)
    local late <close> = agent.start()
    local seen
    host.wait_until("the recorder's baseline in a new process", 30, function()
      seen = { late:eval(([[
        local objVS = connect()
        local accountant = objVS:FindVirtualMachine(%q).Accountant
        local read, written = accountant:Get("DiskBytesRead"), accountant:Get("DiskBytesWritten")
        objVS:Close()
        return read, written]]):format(g.name)) }
      return seen[1] == expected[1]
    end, 0.5, function()
      return tostring(seen and seen[1]) .. " and not " .. expected[1]
    end)
    assert.same(expected, seen)
  end)

  it("are not made up where a reset was recorded without them", function()
    local id = g:domain_id()
    local mac, device = g.macs[1], g:taps()[1].device
    host.virsh("metadata", g.name, "urn:vmaccountant:baseline", "--live", "--key", "vmaccountant", "--set",
      ("<baseline version='1' domain='%d' boot='%s' ordinal='99' clock='%d' reset='%d000'>" ..
        "<adapter mac='%s' device='%s' sent='0' received='0'/></baseline>"):format(id,
        host.read_file("/proc/sys/kernel/random/boot_id"):match("%S+"),
        math.floor(1000 * host.read_file("/proc/uptime"):match("%S+")), os.time(), mac, device))
    local late <close> = connect()
    local accountant = late:FindVirtualMachine(g.name).Accountant
    raises("DISP_E_EXCEPTION", function() return accountant.DiskBytesRead end)
    assert.is_truthy(math.type(accountant.NetworkBytesSent))
    host.virsh("metadata", g.name, "urn:vmaccountant:baseline", "--live", "--remove")
  end)

  it("begin at zero when the machine is restored from its saved state", function()
    read("vda", 4)
    g:save()
    raises("S_FALSE", function() return objVM.Accountant.DiskBytesRead end)
    g:restore()
    local before = truth()
    assert.same({ 0, 0 }, figures())
    read("vda", 1)
    assert.same(difference(truth(), before), figures())
    assert.equal(MIB, figures()[1])
  end)

  it("are served from one look at all machines under max_age", function()
    local watching <close> = connect { max_age = 600 }
    local machine = watching:FindVirtualMachine(g.name)
    local before = figures(machine)
    assert.same(figures(), before)
    read("vda", 1)
    assert.same(before, figures(machine))
    assert.equal(before[1] + MIB, figures()[1])
  end)

  it("keep the bytes of a disk that is unplugged", function()
    host.shell("truncate --size=16M /run/vmaccountant/plugged.img")
    host.attach(g.name, [[<disk type='file'><driver name='qemu' type='raw'/>
      <source file='/run/vmaccountant/plugged.img'/><target dev='vdc' bus='virtio'/></disk>]])
    host.wait_until("vdc in the guest", 30, function()
      return select(2, g:run("test -b /dev/vdc")) == 0
    end)
    read("vdc", 5)
    local before = figures()
    host.virsh("detach-disk", g.name, "vdc", "--live")
    host.wait_until("end of vdc", 30, function()
      return not g:xml():find("vdc", 1, true)
    end)
    assert.same(before, figures())
  end)

  it("cost a machine that hangs no more than the time-out, and the network nothing", function()
    local pid = host.qemu_pid(g.name)
    local impatient <close> = connect { timeout = 2 }
    local accountant = impatient:FindVirtualMachine(g.name).Accountant
    local before = { accountant.DiskBytesRead, accountant.DiskBytesWritten }
    assert.is_truthy(accountant.NetworkBytesSent)
    host.shell("kill -STOP " .. pid)
    local err = raises("DISP_E_EXCEPTION", function() return accountant.DiskBytesRead end)
    assert.is_truthy(err.message:find("has not answered within 2 seconds", 1, true), err.message)
    assert.is_truthy(accountant.NetworkBytesSent)
    assert.is_truthy(accountant.CPUUtilization)
    host.shell("kill -CONT " .. pid)
    host.wait_until("answer of the machine", 60, function()
      return accountant:Get("DiskBytesRead")
    end, 0.5)
    assert.same(before, { accountant.DiskBytesRead, accountant.DiskBytesWritten })
  end)
end, true)
