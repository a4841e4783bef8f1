-- Connect and WaitForEvents: events of machines, delivered in the script's own thread.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local shell = require "spec.support.shell"

local STATES <const> = {}
for name, value in pairs(vma) do
  if type(name) == "string" and name:match("^vmVMState_") then
    STATES[value] = name:match("_(.*)")
  end
end

-- Handlers that write down what they are called with.
local function recorder()
  local events = {}
  return events, {
    OnVMStateChange = function(name, state) events[#events + 1] = name .. " " .. STATES[state] end,
    OnReset = function(name) events[#events + 1] = name .. " reset" end,
    OnAdapterRemoved = function(name, address) events[#events + 1] = name .. " lost " .. address end,
  }
end

describe("events of the simulator", function()
  local host, web01, nic, objVS, events

  before_each(function()
    host = simulator.new()
    web01, nic = host:AddMachine("web01", { adapters = 2 })
    objVS = host:CreateObject("VirtualServer.Application")
    local handlers
    events, handlers = recorder()
    objVS:Connect(handlers)
  end)

  after_each(function()
    objVS:Close()
  end)

  local SEQUENCES <const> = {
    { "a startup", {}, "Startup", { "TurningOn", "Running" } },
    { "a startup from saved state", { "Startup", "Save" }, "Startup", { "TurningOn", "Restoring", "Running" } },
    { "a turn-off", { "Startup" }, "TurnOff", { "TurningOff", "DeleteMachine", "TurnedOff" } },
    { "a crash", { "Startup" }, "Crash", { "TurningOff", "DeleteMachine", "TurnedOff" } },
    { "a save", { "Startup" }, "Save", { "Saving", "TurningOff", "DeleteMachine", "TurnedOff" } },
    { "a pause", { "Startup" }, "Pause", { "Paused" } },
    { "a resumption", { "Startup", "Pause" }, "Resume", { "Running" } },
    { "a reset", { "Startup" }, "Reset", { "TurningOff", "DeleteMachine", "TurningOn", "Running", "reset" } },
  }
  for _, sequence in ipairs(SEQUENCES) do
    local what, before, method, states = table.unpack(sequence)
    it("report " .. what .. " in the documented order", function()
      for _, name in ipairs(before) do
        web01[name](web01)
      end
      objVS:WaitForEvents(0)
      for i = #events, 1, -1 do
        events[i] = nil
      end
      web01[method](web01)
      assert.equal(#states, objVS:WaitForEvents(0))
      local expected = {}
      for i, state in ipairs(states) do
        expected[i] = "web01 " .. state
      end
      assert.same(expected, events)
    end)
  end

  it("report two resets as two", function()
    web01:Startup()
    web01:Reset()
    nic:Send(1)
    web01:Reset()
    objVS:WaitForEvents(0)
    local resets = 0
    for _, line in ipairs(events) do
      resets = resets + (line == "web01 reset" and 1 or 0)
    end
    assert.equal(2, resets)
  end)

  it("report an adapter that was unplugged, and none that was plugged", function()
    web01:Startup()
    local third = web01:Plug()
    objVS:WaitForEvents(0)
    local count = #events
    third:Unplug()
    assert.equal(1, objVS:WaitForEvents(0))
    assert.same({ "web01 lost 52-54-00-00-00-03" }, { table.unpack(events, count + 1) })
  end)

  it("have the name that the machine had then", function()
    web01:Startup()
    web01:TurnOff()
    web01:Rename("web02")
    web01:Startup()
    objVS:WaitForEvents(0)
    assert.same({ "web01 TurningOn", "web02 Running" }, { events[1], events[#events] })
  end)

  it("report new machines, and the last states of one that is gone", function()
    local db02 = host:AddMachine("db02")
    db02:Startup()
    db02:Remove()
    objVS:WaitForEvents(0)
    assert.same({ "db02 TurningOn", "db02 Running", "db02 TurningOff", "db02 DeleteMachine", "db02 TurnedOff" }, events)
  end)

  it("are kept between two waits, in their order", function()
    for _ = 1, 200 do
      web01:Startup()
      web01:TurnOff()
    end
    assert.equal(200 * 5, objVS:WaitForEvents(0))
    for i = 1, #events, 5 do
      assert.equal("web01 TurningOn", events[i])
      assert.equal("web01 TurnedOff", events[i + 4])
    end
    assert.equal(0, objVS:WaitForEvents(0))
  end)

  it("are bounded: so many that some had to go are an error, and the older ones come after it", function()
    for _ = 1, 17000 // 2 do
      web01:Startup()
      web01:Crash()
    end
    local err = failure.expect({ name = "DISP_E_EXCEPTION", member = "WaitForEvents" }, function()
      objVS:WaitForEvents(0)
    end)
    assert.matches("26116 events were lost", err.message)
    assert.equal(16384, objVS:WaitForEvents(0))
    assert.equal("web01 TurningOn", events[1])
    web01:Startup()
    assert.is_true(objVS:WaitForEvents(0) > 0)
  end)

  it("bring an error of a handler to the caller, and go on after it", function()
    objVS:Connect {
      OnVMStateChange = function(_, state)
        events[#events + 1] = STATES[state]
        if state == vma.vmVMState_TurningOn then
          error("of the handler", 0)
        end
      end,
    }
    web01:Startup()
    assert.has_error(function() objVS:WaitForEvents(0) end, "of the handler")
    assert.equal(1, objVS:WaitForEvents(0))
    assert.same({ "TurningOn", "Running" }, events)
  end)

  it("may be answered by any call, also by closing the object", function()
    local bytes
    objVS:Connect {
      OnVMStateChange = function(name, state)
        if state == vma.vmVMState_Running then
          nic:Send(77)
          bytes = objVS:FindVirtualMachine(name).Accountant.NetworkBytesSent
          objVS:Close()
        end
      end,
    }
    web01:Startup()
    assert.equal(2, objVS:WaitForEvents(-1))
    assert.equal(77, bytes)
    failure.expect({ name = "VM_E_APP_SHUTTING_DOWN", member = "WaitForEvents" }, function() objVS:WaitForEvents(0) end)
  end)

  it("end with an empty table of handlers, and can be connected again", function()
    web01:Startup()
    objVS:Connect {}
    assert.equal(0, objVS:WaitForEvents(0))
    web01:TurnOff()
    local handlers
    events, handlers = recorder()
    objVS:Connect(handlers)
    assert.equal(0, objVS:WaitForEvents(0))
    web01:Startup()
    objVS:WaitForEvents(0)
    assert.same({ "web01 TurningOn", "web01 Running" }, events)
  end)

  it("go to the current handlers", function()
    web01:Startup()
    local later, handlers = recorder()
    objVS:Connect(handlers)
    assert.equal(2, objVS:WaitForEvents(0))
    assert.same({}, events)
    assert.equal(2, #later)
  end)

  it("have handlers in any letter case", function()
    local names = {}
    objVS:Connect { onvmstatechange = function(name) names[#names + 1] = name end }
    web01:Startup()
    objVS:WaitForEvents(0)
    assert.same({ "web01", "web01" }, names)
  end)

  it("are refused on a host that reports none", function()
    host:SetEvents(false)
    local silent <close> = host:CreateObject("VirtualServer.Application")
    failure.expect({ name = "DISP_E_EXCEPTION", member = "Connect", message = "State" }, function()
      silent:Connect { OnReset = print }
    end)
  end)

  it("are refused while the host does not answer, and nothing is changed by that", function()
    local other <close> = host:CreateObject("VirtualServer.Application")
    host:Fail("list", "the host is down")
    failure.expect({ name = "DISP_E_EXCEPTION", member = "Connect", message = "the host is down" }, function()
      other:Connect { OnReset = print }
    end)
    host:Fail("list")
    web01:Startup()
    assert.equal(0, other:WaitForEvents(0))
  end)

  describe("refuse", function()
    it("missing handlers", function()
      failure.expect({ name = "E_POINTER", member = "Connect" }, function() objVS:Connect() end)
    end)
    it("handlers that are no table", function()
      assert.has_error(function() objVS:Connect(print) end)
    end)
    it("an unknown event, naming those that there are", function()
      failure.expect({ name = "E_INVALIDARG", member = "Connect", message = "OnVMStateChange" }, function()
        objVS:Connect { OnHeartbeatStopped = print }
      end)
    end)
    it("a handler that is no function", function()
      failure.expect({ name = "E_INVALIDARG", member = "Connect", message = "OnReset" }, function()
        objVS:Connect { OnReset = "print" }
      end)
    end)
    it("a missing time", function()
      failure.expect({ name = "E_POINTER", member = "WaitForEvents" }, function() objVS:WaitForEvents() end)
    end)
    for _, value in ipairs { -2, 0 / 0, math.huge, "soon", {} } do
      it("a time of " .. type(value) .. " " .. tostring(value):gsub(": .*", ""), function()
        failure.expect({ name = "E_INVALIDARG", member = "WaitForEvents" }, function() objVS:WaitForEvents(value) end)
      end)
    end
  end)
end)

describe("WaitForEvents", function()
  it("reports a machine of test:///default", function()
    local objVS <close> = vma.CreateObject("VirtualServer.Application", "test:///default")
    local events, handlers = recorder()
    objVS:Connect(handlers)
    local objVM = objVS.VirtualMachines[1]
    objVM:Pause()
    objVM:Resume()
    objVM:TurnOff()
    objVM:Startup()
    for _ = 1, 100 do
      if events[#events] == "test Running" and #events > 2 then
        break
      end
      objVS:WaitForEvents(1000)
    end
    assert.same({ "test Paused", "test Running", "test TurningOff", "test DeleteMachine", "test TurnedOff",
      "test TurningOn", "test Running" }, events)
  end)

  it("lets time pass without handlers", function()
    local objVS <close> = vma.CreateObject("VirtualServer.Application", "test:///default")
    assert.equal(0, objVS:WaitForEvents(20))
  end)

  for _, handlers in ipairs { "", "objVS:Connect { OnReset = print }" } do
    it("is ended by Ctrl-C " .. (handlers == "" and "without handlers" or "with handlers"), function()
      local output = shell.run("lua5.4 - 2>&1", ([[
        local vma = require "vmaccountant"
        io.popen("script=$PPID; (sleep 1; kill -INT $script) >/dev/null 2>&1 &"):close()
        local objVS = vma.CreateObject("VirtualServer.Application", "test:///default")
        %s
        local ok, err = pcall(function() while true do objVS:WaitForEvents(-1) end end)
        print(ok, err)]]):format(handlers))
      assert.matches("interrupted!", output)
    end)
  end
end)
