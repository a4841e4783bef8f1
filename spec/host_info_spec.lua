-- VMHostInfo: what the simulator is told to be, what libvirt's test driver is,
-- and what a real host's own kernel says.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local host = require "spec.support.libvirt_host"

local PROGID <const> = "VirtualServer.Application"

local function first_line(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read()
end

-- The time is between two looks at a clock.
local function check_clock(info)
  local before = os.time()
  local now = info.UTCTime
  assert.is_true(before <= now and now <= os.time())
end

-- Of a host whose system this process shares.
local function check_system(info)
  local release = first_line("uname -r")
  assert.equal(release, info.OSVersionString)
  local major, minor = release:match("^(%d+)%.(%d+)")
  assert.equal(math.tointeger(tonumber(major)), info.OSMajorVersion)
  assert.equal(math.tointeger(tonumber(minor)), info.OSMinorVersion)
  local pretty = first_line(". /etc/os-release && echo \"$PRETTY_NAME\"")
  assert.equal(pretty, info.OperatingSystem)
  check_clock(info)
end

describe("VMHostInfo of the simulator", function()
  local simulated, objVS, info

  before_each(function()
    simulated = simulator.new()
    objVS = simulated:CreateObject(PROGID)
    info = objVS.HostInfo
  end)

  it("has sensible values at first", function()
    assert.equal("VMHostInfo (" .. tostring(objVS):match("%((.*)%)") .. ")", tostring(info))
    for name, value in pairs(info) do
      assert.is_true(type(value) ~= "userdata" and type(value) ~= "table", name)
    end
    assert.is_true(info.MMX)
    assert.is_false(info.ThreeDNow)
    assert.is_true(info.MemoryAvail < info.Memory)
    check_clock(info)
  end)

  it("tells what it was told to", function()
    simulated:SetHostInfo {
      LogicalProcessorCount = 64, PhysicalProcessorCount = 2, ProcessorSpeed = 3100,
      ProcessorManufacturerString = "Intel", ProcessorVersionString = "Icelake-Server",
      ProcessorFeaturesString = "mmxext sse2 3dnowprefetch 3dnow", Memory = 1 << 20, MemoryAvail = 12,
      OperatingSystem = "Somewhat Linux", OSVersionString = "5.10.0-1", OSMajorVersion = 5, OSMinorVersion = 10,
    }
    local values = {}
    for name, value in pairs(info) do
      values[name] = value
    end
    values.UTCTime = nil
    assert.same({
      LogicalProcessorCount = 64, PhysicalProcessorCount = 2, ProcessorSpeed = 3100, ProcessorSpeedString = "3100 MHz",
      ProcessorManufacturerString = "Intel", ProcessorVersionString = "Icelake-Server",
      ProcessorFeaturesString = "mmxext sse2 3dnowprefetch 3dnow", MMX = false, SSE = false, SSE2 = true,
      ThreeDNow = true, Memory = 1 << 20, MemoryAvail = 12, MemoryTotalString = "1048576 MB",
      MemoryAvailString = "12 MB", OperatingSystem = "Somewhat Linux", OSVersionString = "5.10.0-1",
      OSMajorVersion = 5, OSMinorVersion = 10,
    }, values)
  end)

  it("keeps what it is not told", function()
    simulated:SetHostInfo { Memory = 7 }
    assert.same({ 7, 1, "Simulated" }, { info.Memory, info.LogicalProcessorCount, info.ProcessorManufacturerString })
  end)

  it("does not know what is nothing", function()
    simulated:SetHostInfo { ProcessorSpeed = 0, ProcessorVersionString = "", ProcessorManufacturerString = "" }
    for _, member in ipairs { "ProcessorSpeed", "ProcessorSpeedString", "ProcessorVersionString",
      "ProcessorManufacturerString" } do
      failure.expect({ name = "DISP_E_EXCEPTION", member = member }, function() return info[member] end)
    end
  end)

  it("takes no other values", function()
    for words, members in pairs {
      ["unknown option 'Nonesuch'"] = { Nonesuch = 1 },
      ["'Memory' must be a whole number"] = { Memory = -1 },
      ["'LogicalProcessorCount' must be from 1 to 4096"] = { LogicalProcessorCount = 0 },
      ["'ProcessorSpeed' must be a whole number"] = { ProcessorSpeed = 1.5 },
      ["'OperatingSystem' is too long"] = { OperatingSystem = ("x"):rep(128) },
      ["option 'Memory' must be a number"] = { Memory = "much" },
    } do
      failure.expect_argument_error(words, simulated.SetHostInfo, simulated, members)
    end
    failure.expect_argument_error("table expected", simulated.SetHostInfo, simulated)
    assert.equal(16384, info.Memory)
  end)

  it("is equal to that of the same host, and closes with it", function()
    assert.equal(info, objVS.HostInfo)
    assert.not_equal(info, simulator.new():CreateObject(PROGID).HostInfo)
    objVS:Close()
    assert.equal("VMHostInfo (closed)", tostring(info))
    failure.expect({ name = "VM_E_APP_SHUTTING_DOWN", member = "Memory" }, function() return info.Memory end)
  end)

  it("raises what the host answers", function()
    simulated:Fail("host_info", "the daemon is gone")
    for name, value in pairs(info) do
      failure.check({ name = "DISP_E_EXCEPTION", member = name, message = "the daemon is gone" }, value)
    end
  end)

  it("names what Virtual Server's had and it has not", function()
    failure.expect({ name = "DISP_E_UNKNOWNNAME", member = "HostDrives", message = "left out" }, function()
      return info.hostdrives
    end)
  end)
end)

describe("VMHostInfo of test:///default", function()
  it("is what the driver makes up, on this process's system", function()
    local objVS <close> = vma.CreateObject(PROGID, "test:///default")
    local info = objVS.HostInfo
    assert.equal(16, info.LogicalProcessorCount)
    assert.equal(4, info.PhysicalProcessorCount) -- two sockets in each of two cells
    assert.equal(1400, info.ProcessorSpeed)
    assert.equal(3072, info.Memory)
    assert.equal("3072 MB", info.MemoryTotalString)
    assert.equal("integer", math.type(info.MemoryAvail))
    check_system(info)
    for _, member in ipairs { "ProcessorManufacturerString", "ProcessorVersionString", "ProcessorFeaturesString",
      "SSE2" } do
      failure.expect({ name = "DISP_E_EXCEPTION", member = member }, function() return info[member] end)
    end
  end)
end)

host.describe(_ENV, "VMHostInfo of a real host #root", function()
  local objVS, info

  setup(function()
    host.start()
    objVS = vma.CreateObject(PROGID, "qemu:///system")
    info = objVS.HostInfo
  end)

  teardown(function()
    objVS:Close()
    host.stop()
  end)

  local function virsh_says(command, field)
    return host.virsh(command):match(field .. " *: *([%w_]+)")
  end

  it("has the processors that the kernel counts", function()
    assert.equal(first_line("getconf _NPROCESSORS_ONLN"), tostring(info.LogicalProcessorCount))
    local count = info.PhysicalProcessorCount
    assert.is_true(count >= 1 and count <= info.LogicalProcessorCount)
    assert.equal(virsh_says("nodeinfo", "CPU frequency"), tostring(info.ProcessorSpeed))
    assert.equal(info.ProcessorSpeed .. " MHz", info.ProcessorSpeedString)
  end)

  it("has the features that the kernel sees", function()
    local flags = " " .. first_line("grep -m 1 '^flags' /proc/cpuinfo"):match(": (.*)") .. " "
    for member, flag in pairs { MMX = "mmx", SSE = "sse", SSE2 = "sse2", ThreeDNow = "3dnow" } do
      assert.equal(flags:find(" " .. flag .. " ", 1, true) ~= nil, info[member], member)
      assert.equal(info[member], (" " .. info.ProcessorFeaturesString .. " "):find(" " .. flag .. " ", 1, true) ~= nil)
    end
    local cpu = host.virsh("capabilities"):match("<host>.-<cpu>(.-)</cpu>")
    assert.equal(cpu:match("<model>(.-)</model>"), info.ProcessorVersionString)
    assert.equal(cpu:match("<vendor>(.-)</vendor>"), info.ProcessorManufacturerString)
  end)

  it("has the memory that the kernel has", function()
    local total = tonumber(host.read_file("/proc/meminfo"):match("MemTotal: *(%d+)"))
    assert.equal(total // 1024, info.Memory)
    local available = info.MemoryAvail
    assert.is_true(available > 0 and available <= info.Memory)
    assert.equal(info.Memory .. " MB", info.MemoryTotalString)
    assert.matches("^%d+ MB$", info.MemoryAvailString)
  end)

  it("has the system and the clock of this host", function()
    check_system(info)
  end)

  -- A socket can lead to another host; its daemon is then not in this network
  -- namespace.
  it("whose daemon is elsewhere has all but system and clock", function()
    local output = host.shell([[unshare --net env LUA_PATH_5_4=]] .. host.quote(package.path) .. " LUA_CPATH_5_4="
      .. host.quote(package.cpath) .. [[ timeout 60 lua5.4 -e '
      local vma = require "vmaccountant"
      local objVS <close> = vma.CreateObject("VirtualServer.Application", "qemu:///system")
      for name, value in pairs(objVS.HostInfo) do
        value = type(value) == "table" and value or { name = "" }
        print(name, value.name, value.member or "", (tostring(value):find("libvirt does not report", 1, true)))
      end']])
    local refused = {}
    for name, code, member, hint in output:gmatch("(%w+)\t([%w_]*)\t(%w*)\t([%w]+)\n") do
      if code ~= "" then
        assert.equal("DISP_E_EXCEPTION", code)
        assert.equal(name, member)
        assert.not_equal("nil", hint)
        refused[#refused + 1] = name
      end
    end
    assert.same({ "OperatingSystem", "OSVersionString", "OSMajorVersion", "OSMinorVersion", "UTCTime" }, refused)
  end)
end)
