-- Every function and every method with wrong receivers and arguments: an
-- argument error that names the expected type or an error with a code, and
-- never a crash.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"

-- class -> its methods
local METHODS <const> = {
  VMVirtualServer = { "FindVirtualMachine", "RecordResets", "Close" },
  VMVirtualMachineCollection = { "Item", "Accountants" },
  VMVirtualMachine = { "Startup", "TurnOff", "Reset", "Save", "Pause", "Resume", "DiscardSavedState" },
  VMAccountant = { "Get", "LastSession" },
  VMNetworkAdapterCollection = { "Item" },
  VMTask = { "WaitForCompletion", "Cancel" },
  Simulator = { "AddMachine", "CreateObject", "Fail", "AdvanceClock", "SetEvents" },
  SimulatedMachine = { "Startup", "TurnOff", "Reset", "Save", "Pause", "Resume", "Crash", "Rename", "Remove",
    "Plug" },
  SimulatedAdapter = { "Send", "Receive", "SetBytesSent", "SetBytesReceived", "Unplug" },
}

local METAMETHODS <const> = { "__index", "__newindex", "__tostring", "__pairs", "__len", "__call", "__concat", "__eq",
  "__gc", "__close" }

describe("bad arguments", function()
  local host, machine, nic, objVS, objVM, objects

  before_each(handles.remember)

  before_each(function()
    host = simulator.new()
    machine, nic = host:AddMachine("web01", { adapters = 1, running = true })
    objVS = host:CreateObject("VirtualServer.Application")
    objVM = objVS.VirtualMachines[1]
    objects = {
      VMVirtualServer = objVS,
      VMVirtualMachineCollection = objVS.VirtualMachines,
      VMVirtualMachine = objVM,
      VMAccountant = objVM.Accountant,
      VMNetworkAdapterCollection = objVM.NetworkAdapters,
      VMNetworkAdapter = objVM.NetworkAdapters[1],
      VMVirtualNetwork = objVM.NetworkAdapters[1].VirtualNetwork,
      VMTask = objVM:Pause(),
      Simulator = host,
      SimulatedMachine = machine,
      SimulatedAdapter = nic,
    }
  end)

  after_each(function()
    host, machine, nic, objVS, objVM, objects = nil, nil, nil, nil, nil, nil
    handles.check()
  end)

  local function foreign_receivers(class)
    local list = { true, 1, 1.5, "text", {}, print, io.stdout, coroutine.create(print) }
    for other, object in pairs(objects) do
      if other ~= class then
        list[#list + 1] = object
      end
    end
    return list
  end

  for class, methods in pairs(METHODS) do
    for _, method in ipairs(methods) do
      it(("%s.%s() without a receiver raises E_POINTER"):format(class, method), function()
        local call = objects[class][method]
        local expected = { name = "E_POINTER", member = method, message = "call the method with a colon" }
        failure.expect(expected, call)
        failure.expect(expected, call, nil)
        failure.expect(expected, call, nil, "argument")
      end)

      it(("%s.%s() on something else names the expected type"):format(class, method), function()
        local call = objects[class][method]
        for _, receiver in ipairs(foreign_receivers(class)) do
          failure.expect_argument_error(class .. " expected, got ", call, receiver)
          failure.expect_argument_error(class .. " expected, got ", call, receiver, "argument")
        end
      end)
    end
  end

  it("are counted from the first after the colon", function()
    local calls = {
      { "#1 to 'FindVirtualMachine'", function() objVS:FindVirtualMachine({}) end },
      { "#1 to 'Item'", function() objects.VMVirtualMachineCollection:Item({}) end },
      { "#1 to 'Get'", function() objVM.Accountant:Get({}) end },
      { "#2 to 'CreateObject'", function() vma.CreateObject("VirtualPC.Application", {}) end },
      { "#3 to 'CreateObject'", function() vma.CreateObject("VirtualPC.Application", nil, 5) end },
      { "#2 to 'CreateObject'", function() host:CreateObject("VirtualPC.Application", 5) end },
      { "#2 to 'AddMachine'", function() host:AddMachine("web02", 5) end },
      { "#1 to 'Send'", function() nic:Send(-1) end },
      { "#1 to 'Plug'", function() machine:Plug(5) end },
    }
    for _, case in ipairs(calls) do
      failure.expect_argument_error(case[1], case[2])
    end
  end)

  it("to the metamethods do no harm", function()
    local outsiders = { {}, true, 1, "text", print, io.stdout, coroutine.create(print) }
    local calls = 0
    for class, object in pairs(objects) do
      for _, name in ipairs(METAMETHODS) do
        local metamethod = getmetatable(object)[name]
        if type(metamethod) == "function" then
          pcall(metamethod)
          for _, first in ipairs(outsiders) do
            pcall(metamethod, first)
            for _, second in ipairs(outsiders) do
              local ok, err = pcall(metamethod, first, second)
              calls = calls + 1
              -- What does not fail says that two values are not the same
              -- object, has nothing to release, or joins two texts.
              local may_pass = name == "__eq" or name == "__gc" or name == "__close" or name == "__concat"
              assert.is_true(not ok or may_pass, class .. name)
              assert.is_true(ok or type(err) == "string", class .. name)
            end
          end
        end
      end
    end
    assert.is_true(calls > 1000)
    assert.equal(0, objects.VMAccountant.NetworkBytesSent)
  end)

  it("to the metamethods of one class are not objects of another", function()
    for class, object in pairs(objects) do
      local index = getmetatable(object).__index
      for other_class, other in pairs(objects) do
        if other_class ~= class then
          failure.expect_argument_error(class .. " expected, got " .. other_class, index, other, "Name")
        end
      end
    end
  end)

  describe("of CreateObject:", function()
    local PROGID <const> = "VirtualServer.Application"

    it("a ProgID in any letter case is known", function()
      for _, progid in ipairs { "VirtualServer.Application", "VirtualPC.Application", "virtualserver.application",
        "VIRTUALPC.APPLICATION" } do
        local created <close> = vma.CreateObject(progid, "test:///default")
        assert.equal("VMVirtualServer", getmetatable(created).__name)
        local simulated <close> = host:CreateObject(progid)
        assert.equal(1, #simulated.VirtualMachines)
      end
    end)

    it("an unknown ProgID lists the two known ones", function()
      for _, progid in ipairs { "Excel.Application", "", "VirtualServer", "VirtualServer.Application ",
        "VirtualServer.Application.1", "%s%n", 5 } do
        for _, create in ipairs { vma.CreateObject, function(...) return host:CreateObject(...) end } do
          local err = failure.of(create, progid)
          assert.is_truthy(err:find(("unknown ProgID '%s'"):format(progid), 1, true), err)
          assert.is_truthy(err:find("'VirtualServer.Application' and 'VirtualPC.Application'", 1, true), err)
        end
      end
    end)

    it("a ProgID is a string", function()
      for _, progid in ipairs { true, {}, print, host } do
        failure.expect_argument_error("string expected, got", vma.CreateObject, progid)
        failure.expect_argument_error("string expected, got", host.CreateObject, host, progid)
      end
      failure.expect_argument_error("string expected, got no value", vma.CreateObject)
      failure.expect_argument_error("string expected, got nil", vma.CreateObject, nil)
    end)

    it("a host is a string", function()
      for _, uri in ipairs { true, 5, {}, print, host, false } do
        failure.expect_argument_error("string expected, got ", vma.CreateObject, PROGID, uri)
      end
      failure.expect_argument_error("NUL", vma.CreateObject, PROGID, "test:///default\0")
    end)

    local bad_options = {
      { { decimal = "float" }, "option 'decimal' must be 'integer' or 'string', not 'float'" },
      { { decimal = true }, "option 'decimal' must be 'integer' or 'string', not 'true'" },
      { { decimal = 1 }, "option 'decimal' must be 'integer' or 'string', not '1'" },
      { { not_running = "nil" }, "option 'not_running' must be 'error' or 'zero', not 'nil'" },
      { { not_running = false }, "option 'not_running' must be 'error' or 'zero', not 'false'" },
      { { max_age = "soon" }, "option 'max_age' must be a number of seconds from 0 to 1e9, not 'soon'" },
      { { max_age = "1" }, "option 'max_age' must be a number of seconds from 0 to 1e9, not '1'" },
      { { max_age = -1 }, "option 'max_age' must be a number of seconds from 0 to 1e9, not '-1'" },
      { { max_age = 1e10 }, "option 'max_age' must be a number of seconds from 0 to 1e9, not '10000000000.0'" },
      { { max_age = math.huge }, "option 'max_age' must be a number of seconds from 0 to 1e9, not 'inf'" },
      { { max_age = 0 / 0 }, "option 'max_age' must be a number of seconds from 0 to 1e9, not '" },
      { { counters = "libvirt" }, "option 'counters' must be" },
      { { counters = 1 }, "option 'counters' must be" },
      { { timeout = "30" }, "option 'timeout' must be" },
      { { timeout = -1 }, "option 'timeout' must be" },
      { { timeout = 0 }, "option 'timeout' must be" },
      { { timeout = 0 / 0 }, "option 'timeout' must be" },
      { { timeout = math.huge }, "option 'timeout' must be" },
      { { maxage = 1 }, "unknown option 'maxage'" },
      { { Decimal = "string" }, "unknown option 'Decimal'" },
      { { "string" }, "unknown option '1'" },
      { { [true] = 1 }, "unknown option 'true'" },
    }

    for _, case in ipairs(bad_options) do
      local options, words = table.unpack(case)
      it(words, function()
        failure.expect_argument_error(words, vma.CreateObject, PROGID, "test:///default", options)
        failure.expect_argument_error(words, host.CreateObject, host, PROGID, options)
      end)
    end

    it("options are a table", function()
      for _, options in ipairs { true, 5, "decimal", print, host } do
        failure.expect_argument_error("table expected, got ", vma.CreateObject, PROGID, "test:///default", options)
        failure.expect_argument_error("table expected, got ", host.CreateObject, host, PROGID, options)
      end
    end)

    it("valid options are taken", function()
      for _, options in ipairs { {}, { decimal = "integer" }, { decimal = "string" }, { not_running = "error" },
        { not_running = "zero" }, { max_age = 0 }, { max_age = 0.25 }, { max_age = 1000000000 },
        { counters = "auto" }, { counters = "hypervisor" }, { timeout = 2 }, { timeout = 60 },
        { max_age = 1, decimal = "string", not_running = "zero", timeout = 10 } } do
        local created <close> = vma.CreateObject(PROGID, "test:///default", options)
        assert.equal(1, #created.VirtualMachines)
      end
    end)
  end)

  describe("of FindVirtualMachine:", function()
    it("a missing name is E_POINTER", function()
      failure.expect({ name = "E_POINTER", member = "FindVirtualMachine" }, objVS.FindVirtualMachine, objVS)
      failure.expect({ name = "E_POINTER", member = "FindVirtualMachine" }, objVS.FindVirtualMachine, objVS, nil)
    end)

    it("a name is a string", function()
      for _, name in ipairs { true, {}, print, objVM } do
        failure.expect_argument_error("string expected, got ", objVS.FindVirtualMachine, objVS, name)
      end
    end)

    it("a name that nobody has finds nil", function()
      for _, name in ipairs { "nobody", "", "web01\0", "web0", "web011", ("x"):rep(1000000), 5 } do
        assert.is_nil(objVS:FindVirtualMachine(name))
      end
      assert.equal(1, select("#", objVS:FindVirtualMachine("nobody")))
    end)
  end)

  describe("of Get:", function()
    local accountant
    before_each(function() accountant = objVM.Accountant end)
    after_each(function() accountant = nil end)

    it("a missing name is E_POINTER", function()
      for _, arguments in ipairs { table.pack(), table.pack(nil) } do
        local err = failure.of(accountant.Get, accountant, table.unpack(arguments, 1, arguments.n))
        assert.equal("E_POINTER", err.name)
        assert.equal("Get", err.member)
      end
    end)

    it("a name is a string", function()
      for _, name in ipairs { true, {}, print, objVM } do
        failure.expect_argument_error("string expected, got ", accountant.Get, accountant, name)
      end
    end)

    it("a name is a property's", function()
      for _, name in ipairs { "NetworkBytesSend", "Name", "State", "5" } do
        failure.expect({ name = "DISP_E_UNKNOWNNAME", member = name, machine = "web01" }, accountant.Get, accountant,
          name)
      end
      assert.equal("DISP_E_UNKNOWNNAME", failure.of(accountant.Get, accountant, "Get").name)
    end)
  end)

  describe("of the simulator:", function()
    local bytes = { -1, math.mininteger, 1.5, 2 ^ 63, 2 ^ 96, 1e300, 0 / 0, math.huge, "", "-1", "1.0", "1e3", " 1",
      "0x10", "79228162514264337593543950336", "1\0", true, {}, print }

    for _, method in ipairs { "Send", "Receive", "SetBytesSent", "SetBytesReceived" } do
      it(method .. " takes whole numbers from 0 to 2^96-1", function()
        objVM:Resume()
        for _, value in ipairs(bytes) do
          failure.expect_argument_error("(", nic[method], nic, value)
        end
        failure.expect_argument_error("number expected, got no value", nic[method], nic)
        assert.equal(0, objVM.Accountant.NetworkBytesSent)
        assert.equal(0, objVM.Accountant.NetworkBytesReceived)
        for _, value in ipairs { 0, 5, 2.0, "7", "0007" } do
          nic[method](nic, value)
        end
      end)
    end

    local additions = {
      { table.pack(), "string expected, got no value" },
      { table.pack(nil), "string expected, got nil" },
      { table.pack({}), "string expected, got table" },
      { table.pack("a\0b"), "NUL" },
      { table.pack("a", 5), "table expected, got number" },
      { table.pack("a", { adapters = "1" }), "option 'adapters' must be a number, not a string" },
      { table.pack("a", { adapters = -1 }), "option 'adapters' must be" },
      { table.pack("a", { adapters = 1001 }), "option 'adapters' must be" },
      { table.pack("a", { adapters = 1.5 }), "option 'adapters' must be" },
      { table.pack("a", { adapters = 0 / 0 }), "option 'adapters' must be" },
      { table.pack("a", { adapters = math.huge }), "option 'adapters' must be" },
      { table.pack("a", { running = 1 }), "option 'running' must be a boolean, not a number" },
      { table.pack("a", { state = "running" }), "unknown option 'state'" },
      { table.pack("a", { true }), "unknown option '1'" },
    }

    for index, case in ipairs(additions) do
      local arguments, words = table.unpack(case)
      it(("AddMachine, case %d: %s"):format(index, words), function()
        failure.expect_argument_error(words, host.AddMachine, host, table.unpack(arguments, 1, arguments.n))
        assert.equal(1, #objVS.VirtualMachines)
      end)
    end

    local plans = {
      { 5, "table expected, got number" },
      { { type = 5 }, "option 'type' must be a string, not a number" },
      { { network = true }, "option 'network' must be a string, not a boolean" },
      { { counted = "no" }, "option 'counted' must be a boolean, not a string" },
      { { mac = 5 }, "option 'mac' must be a string, not a number" },
      { { mac = "" }, "option 'mac' must be an address" },
      { { mac = "52:54:00:12:34" }, "option 'mac' must be an address" },
      { { mac = "52:54:00:12:34:5g" }, "option 'mac' must be an address" },
      { { mac = "52:54:00:12:34:56:78" }, "option 'mac' must be an address" },
      { { MAC = "52:54:00:12:34:56" }, "unknown option 'MAC'" },
    }

    for index, case in ipairs(plans) do
      local plan, words = table.unpack(case)
      it(("Plug, case %d: %s"):format(index, words), function()
        failure.expect_argument_error(words, machine.Plug, machine, plan)
        assert.equal(1, #objVM.NetworkAdapters)
      end)
    end

    it("Rename takes a free name", function()
      host:AddMachine("taken")
      failure.expect_argument_error("string expected, got no value", machine.Rename, machine)
      failure.expect_argument_error("NUL", machine.Rename, machine, "a\0b")
      failure.expect({ name = "VM_E_CONFIG_NO_NAME", member = "Rename" }, machine.Rename, machine, "")
      failure.expect({ name = "VM_E_CONFIG_DUPLICATE_NAME", member = "Rename" }, machine.Rename, machine, "taken")
      assert.equal("web01", machine.Name)
    end)

    it("Fail takes the name of a call", function()
      failure.expect_argument_error("string expected, got no value", host.Fail, host)
      failure.expect_argument_error("unknown call 'everything'; the known ones are 'find', 'name', ",
        host.Fail, host, "everything")
      failure.expect_argument_error("string expected, got table", host.Fail, host, "list", {})
    end)

    it("SetEvents takes a boolean", function()
      failure.expect_argument_error("boolean expected, got no value", host.SetEvents, host)
      for _, value in ipairs { 1, "true", {} } do
        failure.expect_argument_error("boolean expected, got ", host.SetEvents, host, value)
      end
    end)

    it("AdvanceClock takes seconds that do not go back", function()
      failure.expect_argument_error("number expected, got no value", host.AdvanceClock, host)
      for _, seconds in ipairs { -1, -0.001, 1e10, math.huge, 0 / 0 } do
        failure.expect_argument_error("a clock never goes back", host.AdvanceClock, host, seconds)
      end
    end)
  end)
end)
