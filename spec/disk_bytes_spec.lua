-- DiskBytesRead and DiskBytesWritten: over all disks of a machine, since it was last
-- powered up, reset or restored.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"

describe("Disk bytes", function()
  local host, machine, disk, accountant

  local function connect(options)
    return host:CreateObject("VirtualServer.Application", options):FindVirtualMachine("web01").Accountant
  end

  before_each(function()
    host = simulator.new()
    machine = host:AddMachine("web01", { running = true })
    disk = machine:AddDisk()
    accountant = connect()
  end)

  local function counts(of)
    of = of or accountant
    return { of.DiskBytesRead, of.DiskBytesWritten }
  end

  it("are what was read and written", function()
    assert.same({ 0, 0 }, counts())
    disk:Read(4096)
    disk:Write(512)
    assert.same({ 4096, 512 }, counts())
    assert.equal(0, accountant.NetworkBytesSent)
  end)

  it("are of all disks", function()
    local second, third = machine:AddDisk(), machine:AddDisk { target = "hdc" }
    assert.same({ "vda", "vdb", "hdc" }, { disk.Target, second.Target, third.Target })
    disk:Read(1)
    second:Read(20)
    third:Read(300)
    third:Write(5)
    assert.same({ 321, 5 }, counts())
  end)

  it("are zero of a machine without disks", function()
    disk:Remove()
    assert.same({ 0, 0 }, counts(connect()))
  end)

  it("are exact to 2^96-1", function()
    for _, case in ipairs {
      { "9007199254740993", 9007199254740993 }, { "9223372036854775807", math.maxinteger },
      { "9223372036854775808", "9223372036854775808" },
      { "79228162514264337593543950335", "79228162514264337593543950335" } } do
      disk:SetBytesRead(0)
      machine:TurnOff()
      machine:Startup()
      disk:Read(case[1])
      assert.equal(case[2], accountant.DiskBytesRead)
    end
    machine:AddDisk():Read(1)
    failure.expect({ name = "DISP_E_OVERFLOW", member = "DiskBytesRead", machine = "web01" },
      function() return accountant.DiskBytesRead end)
    assert.equal("0", connect { decimal = "string" }.DiskBytesWritten)
  end)

  for _, was_read in ipairs { true, false } do
    local how = was_read and " of a reader" or " before the first read"

    it("restart with a power cycle" .. how, function()
      disk:Read(100)
      if was_read then
        counts()
      end
      machine:TurnOff()
      machine:Startup()
      assert.same({ 0, 0 }, counts())
      disk:Write(7)
      assert.same({ 0, 7 }, counts())
    end)

    it("restart with a reset" .. how, function()
      disk:Read(100)
      if was_read then
        counts()
      end
      machine:Reset()
      assert.same({ 0, 0 }, counts())
      disk:Read(7)
      assert.same({ 7, 0 }, counts())
    end)

    it("restart with a restore" .. how, function()
      disk:Read(100)
      if was_read then
        counts()
      end
      machine:Save()
      machine:Startup()
      assert.same({ 0, 0 }, counts())
    end)
  end

  it("go on through a pause", function()
    disk:Read(100)
    machine:Pause()
    assert.same({ 100, 0 }, counts())
    machine:Resume()
    disk:Read(1)
    assert.same({ 101, 0 }, counts())
  end)

  it("keep those of a disk that is removed, and of one that falls", function()
    local second = machine:AddDisk()
    second:Read(50)
    disk:Read(100)
    assert.same({ 150, 0 }, counts())
    second:Remove()
    assert.same({ 150, 0 }, counts())
    disk:SetBytesRead(30)
    assert.same({ 180, 0 }, counts())
    machine:Reset()
    assert.same({ 0, 0 }, counts())
  end)

  it("cannot be known with a disk that has no counter, which is named", function()
    local dumb = machine:AddDisk { target = "sdb", counted = false }
    for _, member in ipairs { "DiskBytesRead", "DiskBytesWritten" } do
      failure.expect({ name = "DISP_E_EXCEPTION", member = member, machine = "web01", message = "disk sdb" },
        function() return accountant[member] end)
    end
    assert.equal(0, accountant.NetworkBytesSent)
    dumb:Remove()
    failure.expect({ name = "DISP_E_EXCEPTION", member = "DiskBytesRead", machine = "web01", message = "unplugged" },
      function() return accountant.DiskBytesRead end)
    machine:Reset()
    assert.same({ 0, 0 }, counts())
  end)

  it("are an error of a machine that does not run, or zero", function()
    machine:TurnOff()
    failure.expect({ name = "S_FALSE", member = "DiskBytesWritten", machine = "web01" },
      function() return accountant.DiskBytesWritten end)
    assert.same({ 0, 0 }, counts(connect { not_running = "zero" }))
    machine:Remove()
    failure.expect({ name = "VM_E_VM_UNKNOWN", member = "DiskBytesRead", machine = "web01" },
      function() return accountant.DiskBytesRead end)
  end)

  it("are an error when the host fails, which changes nothing", function()
    disk:Read(10)
    assert.same({ 10, 0 }, counts())
    host:Fail("sample_disks", "the daemon is gone")
    failure.expect({ name = "DISP_E_EXCEPTION", member = "DiskBytesRead", machine = "web01",
      message = "the daemon is gone" }, function() return accountant.DiskBytesRead end)
    assert.equal(0, accountant.NetworkBytesSent)
    host:Fail("sample_disks")
    assert.same({ 10, 0 }, counts())
  end)

  it("have the counts of the first answer after a reset as their baseline", function()
    disk:Read(10)
    assert.same({ 10, 0 }, counts())
    host:Fail("sample_disks", "busy")
    machine:Reset()
    host:Fail("sample_disks")
    assert.same({ 0, 0 }, counts())
    disk:Read(3)
    assert.same({ 3, 0 }, counts())
  end)

  it("are never asked for by those who read the network", function()
    host:Fail("sample_disks", "nobody may ask")
    assert.equal(0, accountant.NetworkBytesSent)
    machine:TurnOff()
    machine:Startup()
    assert.equal(0, accountant.NetworkBytesSent)
    assert.is_not_nil(accountant:LastSession())
    assert.is_nil(accountant:LastSession().DiskBytesRead)
  end)

  it("are shared with the baseline of a reset", function()
    disk:Read(1000)
    accountant.VirtualMachine:Reset() -- writes the baseline
    disk:Read(5)
    disk:Write(6)
    assert.same({ 5, 6 }, counts())
    assert.same({ 5, 6 }, counts(connect()))
    machine:AddDisk():Read(70)
    assert.same({ 75, 6 }, counts(connect()))
  end)

  it("cannot be known where a reset was recorded without them", function()
    disk:Read(1000)
    host:Fail("sample_disks", "busy")
    accountant.VirtualMachine:Reset()
    host:Fail("sample_disks")
    local late = connect()
    failure.expect({ name = "DISP_E_EXCEPTION", member = "DiskBytesRead", machine = "web01",
      message = "did not record where the disks' counters stood" }, function() return late.DiskBytesRead end)
    assert.equal(0, late.NetworkBytesSent)
    machine:Reset()
    assert.same({ 0, 0 }, counts(late))
  end)

  it("are taken from a recorder's baseline by those who missed the reset", function()
    local recorder = host:CreateObject("VirtualServer.Application")
    recorder:RecordResets()
    disk:Read(1000)
    assert.same({ 1000, 0 }, counts())
    machine:Reset()
    disk:Read(8)
    assert.same({ 8, 0 }, counts(connect()))
  end)

  it("are as old as max_age allows", function()
    local other = host:AddMachine("web02", { running = true }):AddDisk()
    local old = host:CreateObject("VirtualServer.Application", { max_age = 10 })
    local first = old:FindVirtualMachine("web01").Accountant
    local second = old:FindVirtualMachine("web02").Accountant
    disk:Read(1)
    other:Read(2)
    assert.equal(1, first.DiskBytesRead)
    disk:Read(10)
    other:Read(20)
    assert.equal(1, first.DiskBytesRead)
    assert.same({ 11, 0 }, counts())
    host:AdvanceClock(11)
    assert.equal(11, first.DiskBytesRead)
    assert.equal(22, second.DiskBytesRead)
    machine:Reset()
    assert.equal(0, first.DiskBytesRead)
  end)

  it("are those of test:///default, whose driver has no statistics in bulk", function()
    local real <close> = vma.CreateObject("VirtualServer.Application", "test:///default")
    local objAccountant = real:FindVirtualMachine("test").Accountant
    local before = counts(objAccountant)
    assert.is_true(before[1] > 0 and before[2] > 0) -- they follow the clock
    assert.is_true(objAccountant.DiskBytesRead >= before[1])
    objAccountant.VirtualMachine:Reset()
    objAccountant.VirtualMachine:TurnOff()
    failure.expect({ name = "S_FALSE", member = "DiskBytesRead", machine = "test" },
      function() return objAccountant.DiskBytesRead end)
  end)

  it("take no wrong arguments from a simulation", function()
    for _, bad in ipairs { -1, 1.5, "x", "-1", "79228162514264337593543950336" } do
      assert.has_error(function() disk:Read(bad) end)
    end
    assert.has_error(function() machine:AddDisk { size = 5 } end)
    assert.equal("VM_E_DRIVE_BUS_LOC_IN_USE",
      failure.of(machine.AddDisk, machine, { target = "vda" }).name)
    disk:Remove()
    assert.equal("VM_E_DRIVE_INVALID", failure.of(disk.Read, disk, 1).name)
    assert.same({ 0, 0 }, counts())
  end)
end)
