-- The ports of VBScripts, run as their users run them, and the kinds of line
-- that scripts read an accountant with.

package.path = "./?.lua;" .. package.path

local port = require "spec.support.vbscript_port"
local shell = require "spec.support.shell"
local simulator = require "vmaccountant.simulator"
local vbscript = require "vmaccountant.vbscript"
local vma = require "vmaccountant"

local PORTS <const> = { "accountants", "adapters", "cpu_history", "find_by_name", "notes", "reset", "save", "start",
  "state_events", "turn_off" }

-- A host of the test driver with a running, a paused and a stopped machine.
local NODE <const> = [[
<node>
  <domain type='test'>
    <name>web01</name><memory>1024</memory><os><type>hvm</type></os>
    <devices>
      <interface type='network'>
        <mac address='52:54:00:00:00:01'/><source network='default'/><target dev='tap0'/>
      </interface>
      <interface type='user'><mac address='52:54:00:00:00:02'/></interface>
    </devices>
  </domain>
  <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
    <test:runstate>3</test:runstate>
    <name>db &amp; co</name><memory>1024</memory><os><type>hvm</type></os>
    <devices>
      <interface type='bridge'><mac address='52:54:00:00:00:03'/><source bridge='br0'/><target dev='tap1'/></interface>
    </devices>
  </domain>
  <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
    <test:runstate>5</test:runstate>
    <name>mail</name><uuid>11111111-2222-3333-4444-555555555555</uuid>
    <memory>1024</memory><os><type>hvm</type></os>
  </domain>
</node>
]]

local function read_file(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

describe("the port", function()
  local node_file, uri

  setup(function()
    node_file = os.tmpname()
    local file <close> = assert(io.open(node_file, "w"))
    file:write(NODE)
    uri = "test://" .. node_file
  end)

  teardown(function()
    os.remove(node_file)
  end)

  -- The counts of the test driver follow the clock.
  local function without_counts(text)
    return (port.without_clock(text):gsub("%d%d%d%d%d%d%d%d%d%d%d%d+", "COUNT"))
  end

  it("of every script stands beside it, and there is no other", function()
    local listed = shell.run("ls examples/vbscript")
    local expected = {}
    for _, name in ipairs(PORTS) do
      expected[#expected + 1] = ("%s.lua\n%s.vbs\n"):format(name, name)
    end
    assert.equal(table.concat(expected), listed)
  end)

  -- What a script says and asks for, in its order: its texts, its numbers and
  -- the members that it reads.
  local function substance_of(text, comment, statement)
    local found = {}
    for line in text:gmatch("[^\n]+") do
      if not line:find("^%s*" .. comment) and not line:find(statement, 1, true) then
        for word in line:gsub(comment .. " vm%a+_.*", ""):gmatch('"[^"]*"') do
          found[#found + 1] = word
        end
        for member in line:gsub('"[^"]*"', ""):gmatch("%f[%w]%a[%w_]*%.(%a+)") do
          found[#found + 1] = member
        end
      end
    end
    table.sort(found) -- handlers stand below in one, above in the other
    return found
  end

  for _, name in ipairs(PORTS) do
    it(name .. " says and asks what its VBScript does", function()
      local original = substance_of(read_file("examples/vbscript/" .. name .. ".vbs"), "'", "Option Explicit")
      -- Above that line stands the usage, which is no part of the VBScript.
      local below = read_file("examples/vbscript/" .. name .. ".lua"):match("\nlocal _ENV.*$")
      local ported = substance_of(below, "%-%-", "local _ENV")
      for i, word in ipairs(ported) do
        if word == "rep" then -- string.rep, for VBScript's String
          table.remove(ported, i)
        end
      end
      assert.same(original, ported)
      assert.is_true(#original >= 6)
    end)
  end

  for _, name in ipairs(PORTS) do
    it(name .. " shows its usage, and asks no host for it", function()
      for _, option in ipairs { "-h", "--help" } do
        local output, errors, status = shell.run(("LIBVIRT_DEFAULT_URI=nonesuch:/// lua5.4 examples/vbscript/%s.lua %s")
          :format(name, option))
        assert.matches("^usage: lua5%.4 " .. name .. "%.lua[^\n]*\n$", output)
        assert.same({ "", 0 }, { errors, status })
      end
    end)
  end

  it("accountants prints what the members say, machine by machine", function()
    local objVS <close> = vma.CreateObject("VirtualServer.Application", uri, { not_running = "zero" })
    local expected = { "3 virtual machines on " .. objVS.Name .. "\n\n" }
    for objVM in objVS.VirtualMachines do
      expected[#expected + 1] = port.accountant_text(objVM)
    end
    local output = port.output_of(uri, "accountants")
    assert.equal(without_counts(table.concat(expected)), without_counts(output))
    assert.matches("Virtual machine: db & co\n.*\tNetwork bytes sent: %d+\n.*Virtual machine: mail\n.*"
      .. "\tNetwork bytes sent: 0\n.*Virtual machine: web01\n", output)
  end)

  it("adapters tells each adapter's network", function()
    assert.equal("db & co: 1 adapters\n\t1\t52-54-00-00-00-03\tbr0\nmail: 0 adapters\n"
      .. "web01: 2 adapters\n\t1\t52-54-00-00-00-01\tdefault\n\t2\t52-54-00-00-00-02\tnot plugged in\n",
      port.output_of(uri, "adapters"))
  end)

  it("find_by_name finds in any letter case, and says when there is none", function()
    assert.equal("Name: mail\nConfiguration ID: 11111111-2222-3333-4444-555555555555\nIts state is 1\n",
      port.output_of(uri, "find_by_name", "MAIL"))
    assert.matches("^Name: web01\nConfiguration ID: [%x-]+\nIt is running\n$",
      port.output_of(uri, "find_by_name", "Web01"))
    assert.same({ "There is no virtual machine web02\n", "", 1 }, { port.run(uri, "find_by_name", "web02") })
  end)

  for _, name in ipairs { "find_by_name", "start", "save", "turn_off" } do
    it(name .. " shows its usage", function()
      assert.same({ ("usage: %s.lua NAME\n"):format(name), "", 2 }, { port.run(uri, name) })
    end)
  end

  for _, name in ipairs { "start", "save", "turn_off" } do
    it(name .. " says that there is no such machine", function()
      assert.same({ "There is no virtual machine web02\n", "", 1 }, { port.run(uri, name, "web02") })
    end)
  end

  -- On libvirt's own test machine, which every connection of a process sees.
  it("save and turn_off change the machine, and start says what the host refuses", function()
    assert.equal("test is saved, its state is 2\n", port.output_of("test:///default", "save", "TEST"))
    assert.equal("test is off, its state is 1\n", port.output_of("test:///default", "turn_off", "test"))
    local output, errors, status = port.run("test:///default", "start", "test")
    assert.same({ "", 1 }, { errors, status })
    assert.equal(("test: error %d: the machine is running already\n"):format(vma.hresult.VM_E_VM_RUNNING - (1 << 32)),
      output)
  end)

  it("reset shows that the counts restart", function()
    local before, after = port.output_of("test:///default", "reset"):match(
      "^test has sent (%d+) bytes\ntest has sent (%d+) bytes since its reset\n$")
    assert.is_true(math.tointeger(tonumber(before)) > math.tointeger(tonumber(after)))
  end)

  it("reset goes on after what the host refuses, and leaves out what does not run", function()
    assert.matches("^db & co is not running\nmail is not running\nweb01 has sent ", port.output_of(uri, "reset"))
  end)

  describe("cpu_history", function()
    it("draws 60 bars for each machine that runs", function()
      local output = port.output_of(uri, "cpu_history")
      assert.matches("^web01: %d+ %% now\n", output)
      local bars = 0
      for percent, bar in output:gmatch("\t(%d+)\t(#*)\n") do
        assert.equal(tonumber(percent) // 5, #bar)
        bars = bars + 1
      end
      assert.equal(60, bars)
      assert.matches("\n\tmean: %d+%.%d %%\n$", output)
    end)
  end)

  describe("notes", function()
    it("keeps a note, and shows all", function()
      assert.equal("db & co\t(none)\nmail\t(none)\nweb01\t(none)\n", port.output_of(uri, "notes"))
      assert.equal("test\tthe spare one\n", port.output_of("test:///default", "notes", "TEST", "the spare one"))
      assert.same({ "There is no virtual machine web02\n", "", 1 }, { port.run(uri, "notes", "web02", "x") })
    end)
  end)

  describe("state_events", function()
    it("waits for so many seconds", function()
      assert.equal("Waiting for events, for 1 seconds\nNo longer waiting\n", port.output_of(uri, "state_events", "1"))
    end)
  end)
end)

describe("docs/porting.md", function()
  local text = read_file("docs/porting.md")

  it("has blocks of Lua that print what they say", function()
    local blocks = 0
    for block in text:gmatch("\n```lua\n(.-\n)```\n") do
      blocks = blocks + 1
      local expected = {}
      for line in block:gmatch("%-%-> ([^\n]*\n)") do
        expected[#expected + 1] = line
      end
      assert.same({ table.concat(expected), "", 0 }, { shell.run("lua5.4 -", block) })
    end
    assert.equal(3, blocks)
  end)

  it("names in its table only what the environment has", function()
    local env = vbscript.environment()
    local names = 0
    for row in text:match("\n| VBScript | Lua | |\n[^\n]*\n(.-)\n\n"):gmatch("[^\n]+") do
      local original, ported = row:match("^| (.-) | (.-) |")
      -- Functions of no object, and none that the row itself defines.
      for before, name in (ported == "the same" and original or ported):gmatch("(.?)%f[%w](%u%w+)%f[(]") do
        if before ~= "." and before ~= ":" and name ~= "Show" and name ~= "Twice" then
          assert.is_function(env[name], name)
          names = names + 1
        end
      end
      for name in ported:gmatch("WScript%.(%a+)") do
        assert.is_not_nil(env.WScript[name])
        names = names + 1
      end
    end
    assert.is_true(names >= 10)
  end)
end)

-- Each member of the accountant alone, and the ways in which scripts come to
-- it: what each line prints is what the member says, on machines in each state.
describe("a script's line about the accountant", function()
  local host, objVS, env, output

  before_each(function()
    host = simulator.new()
    local _, nic = host:AddMachine("running", { adapters = 1, running = true })
    nic:Send(1500)
    nic:Receive(64)
    host:AddMachine("paused", { adapters = 1, running = true }):Pause()
    host:AddMachine("stopped", { adapters = 1 })
    host:AdvanceClock(90)
    objVS = host:CreateObject("VirtualServer.Application", { not_running = "zero" })
    output = {}
    env = vbscript.environment {
      CreateObject = function(progid, _, options) return host:CreateObject(progid, options) end,
      write = function(text) output[#output + 1] = text end,
    }
  end)

  local function run(text)
    output = {}
    assert(load(text, "=port.lua", "t", env))()
    return table.concat(output)
  end

  -- Runs the line for each machine and compares what it prints with
  -- expect(accountant, machine).
  local function check(line, expect)
    local expected = {}
    for objVM in objVS.VirtualMachines do
      expected[#expected + 1] = expect(objVM.Accountant, objVM)
    end
    assert.equal(3, #expected)
    assert.equal(table.concat(expected), run([[
      OnErrorResumeNext()
      objVS = CreateObject("VirtualServer.Application")
      for objVM in objVS.VirtualMachines do
      ]] .. line .. [[

      end]]))
  end

  local MEMBERS <const> = { "AllowableMaximumSystemCapacity", "AllowableReservedSystemCapacity",
    "MaximumSystemCapacity", "ReservedSystemCapacity", "RelativeWeight", "CPUUtilization", "DiskBytesRead",
    "DiskBytesWritten", "NetworkBytesReceived", "NetworkBytesSent", "UpTime" }

  for _, member in ipairs(MEMBERS) do
    it("joins " .. member .. " to text", function()
      check(([[WScript.Echo("%s: " .. CStr(objVM.Accountant.%s))]]):format(member, member), function(accountant)
        return ("%s: %s\n"):format(member, vbscript.CStr(accountant[member]))
      end)
    end)
  end

  it("joins the CPUUtilizationHistory in a loop", function()
    check([[
      strHistory = ""
      for intPercent in Each(objVM.Accountant.CPUUtilizationHistory) do
        strHistory = strHistory .. intPercent .. " "
      end
      WScript.Echo(strHistory)]], function(accountant)
      local history = accountant.CPUUtilizationHistory
      assert.equal(60, #history)
      return table.concat(history, " ") .. " \n"
    end)
  end)

  it("holds the accountant in a variable, spelled in two cases", function()
    check([[
      colAccountants = objVM.Accountant
      Wscript.Echo("Virtual machine: " .. objVM.Name)
      Wscript.Echo("Network bytes sent: " .. ColAccountants.networkbytessent)
      Wscript.Echo()]], function(accountant, objVM)
      return ("Virtual machine: %s\nNetwork bytes sent: %d\n\n"):format(objVM.Name, accountant.NetworkBytesSent)
    end)
  end)

  it("reads the counts of machines that run or are paused", function()
    check([[
      if objVM.State == vmVMState_Running or objVM.State == vmVMState_Paused then
        WScript.Echo(objVM .. vbTab .. objVM.Accountant.NetworkBytesReceived)
      end]], function(accountant, objVM)
      return objVM.Name == "stopped" and "" or ("%s\t%d\n"):format(objVM.Name, accountant.NetworkBytesReceived)
    end)
  end)

  it("computes with a count", function()
    check([[WScript.Echo(FormatNumber(objVM.Accountant.NetworkBytesSent / 1000, 1) .. " kB")]],
      function(accountant) return ("%.1f kB\n"):format(accountant.NetworkBytesSent / 1000) end)
  end)

  -- Whatever the host can express of them: a script sees no more of a refusal
  -- than Err.
  it("sets the scheduling parameters, and takes the first one as text, too", function()
    local printed = run [[
      OnErrorResumeNext()
      objVS = CreateObject("VirtualServer.Application")
      objAccountant = objVS.FindVirtualMachine("running").Accountant
      objAccountant.SetSchedulingParameters(0, objAccountant.AllowableMaximumSystemCapacity, 200)
      WScript.Echo(Err.Number, objAccountant.RelativeWeight)
      objAccountant.SetSchedulingParameters("0", "1", "300")
      WScript.Echo(Err.Number, objAccountant.RelativeWeight, CStr(objAccountant.MaximumSystemCapacity))
      objAccountant.SetSchedulingParameters(0, 1, 0)
      WScript.Echo(Err.Number == 0, objAccountant.RelativeWeight)]]
    assert.equal("0 200\n0 300 1\nFalse 300\n", printed)
  end)

  it("is skipped where the member is none, and the next one is not", function()
    assert.equal("before\nafter\n", run [[
      OnErrorResumeNext()
      objVM = CreateObject("VirtualServer.Application").FindVirtualMachine("running")
      WScript.Echo("before")
      WScript.Echo("Name: " .. objVM.Accountant.Name)
      WScript.Echo("after")]])
  end)
end)
