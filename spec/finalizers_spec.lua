-- A finalizer may run wherever Lua allocates, also within a member, and may
-- close, finalize or change what that member works on.

local child = require "spec.support.child"
local core = require "vmaccountant.core"
local sweep = require "spec.support.finalizer_sweep"

describe("A finalizer", function()
  local SCRIPT <const> = [[
    local sweep = require "spec.support.finalizer_sweep"
    local interrupted, covered = sweep.run(sweep.worlds[%d].new, sweep.actions.%s)
    local classes = {}
    for class in pairs(covered) do
      classes[#classes + 1] = class
    end
    table.sort(classes)
    print(table.concat(classes, " "))
    print(interrupted)
  ]]

  local function sorted_classes(where)
    local names = {}
    for _, class in ipairs(core.classes()) do
      if where == "simulated" or not class.name:find("^Simulat") then
        names[#names + 1] = class.name
      end
    end
    table.sort(names)
    return table.concat(names, " ")
  end

  for number, world in ipairs(sweep.worlds) do
    describe("in a world with " .. world.name, function()
      local ended = {}

      -- Side by side: a first CPUUtilization waits, at every place.
      setup(function()
        for action in pairs(sweep.actions) do
          ended[action] = child.start(SCRIPT:format(number, action))
        end
      end)

      for action in pairs(sweep.actions) do
        it(("may %s at any place in any member"):format(action), function()
          local status, output, errors = ended[action]()
          assert.same({ 0, "" }, { status, errors }, output)
          local classes, interrupted = output:match("^([^\n]*)\n(%d+)\n$")
          assert.equal(sorted_classes(world.name:find("driver") and "real" or "simulated"), classes)
          assert.is_true(tonumber(interrupted) > 500)
        end)
      end
    end)
  end

  -- The collector as it comes, many times over.
  local PREAMBLE <const> = [[
    local vma = require "vmaccountant"
    local simulator = require "vmaccountant.simulator"
    local PROGID = "VirtualServer.Application"
    local function close_when_collected(app, round)
      local done = { false }
      setmetatable({}, { __gc = function() done[1] = true app:Close() end })
      local pad = {}
      for i = 1, round % 97 do pad[i] = {} end
      return done
    end
  ]]

  for what, script in pairs {
    ["a property of libvirt's test driver"] = [[
      for round = 1, 100 do
        local app = vma.CreateObject(PROGID, "test:///default")
        local vm = app:FindVirtualMachine("test")
        local done = close_when_collected(app, round)
        while not done[1] do pcall(function() return vm.Name end) end
      end]],
    ["VirtualMachines"] = [[
      local host = simulator.new()
      host:AddMachine("web01", { running = true })
      for _ = 1, 3000 do
        local app = host:CreateObject(PROGID)
        setmetatable({}, { __gc = function() app:Close() end })
        for _ = 1, 20 do pcall(function() return app.VirtualMachines end) end
      end]],
    ["WaitForEvents"] = [[
      for round = 1, 2000 do
        local host = simulator.new()
        host:AddMachine("a", { adapters = 1, running = true })
        local app = host:CreateObject(PROGID)
        local done = close_when_collected(app, round)
        while not done[1] do pcall(app.WaitForEvents, app, 0) end
      end]],
  } do
    it("may close the application in the middle of " .. what, function()
      assert.equal("survived\n", child.output_of(PREAMBLE .. script .. "\nprint 'survived'"))
    end)
  end

  it("finds every member of a task that was finalized with it an error", function()
    assert.equal("10 errors\n", child.output_of([[
      local core = require "vmaccountant.core"
      host = core.new_simulator()
      host:AddMachine("web01")
      objVS = host:CreateObject("VirtualServer.Application")
      -- Finalized after all that was made later.
      job = setmetatable({}, { __gc = function(self)
        local errors = 0
        for _, class in ipairs(core.classes()) do
          for _, member in ipairs(class.name == "VMTask" and class.members or {}) do
            local ok, err = pcall(function()
              local value = self.task[member.name]
              return member.kind == "method" and value(self.task, 0)
            end)
            assert(not ok and err.name == "VM_E_APP_SHUTTING_DOWN", err)
            errors = errors + 1
          end
        end
        print(errors .. " errors")
        io.stdout:flush()
      end })
      job.task = objVS:FindVirtualMachine("web01"):Startup()
    ]]))
  end)

  it("may revive a task, which then still has its members or says that it has none", function()
    local simulator = require "vmaccountant.simulator"
    local host = simulator.new()
    host:AddMachine("web01")
    local objVS = host:CreateObject("VirtualServer.Application")
    local revived
    do
      local task = objVS:FindVirtualMachine("web01"):Startup()
      setmetatable({}, { __gc = function() revived = task end })
    end
    collectgarbage()
    collectgarbage()
    local ok, result = pcall(function() return revived.IsComplete end)
    assert.is_true(ok and result == true or result.name == "VM_E_APP_SHUTTING_DOWN")
    assert.equal("VMTask Startup of web01", tostring(revived))
  end)
end)

describe("An application that is closed", function()
  it("gives its descriptors back at once, not when it is collected", function()
    assert.equal("same\n", child.output_of([[
      local lfs = require "lfs"
      local vma = require "vmaccountant"
      local function descriptors()
        local count = 0
        for _ in lfs.dir("/proc/self/fd") do count = count + 1 end
        return count
      end
      local function open_and_close()
        local objVS = vma.CreateObject("VirtualServer.Application", "test:///default")
        objVS:WaitForEvents(0)
        objVS:Close()
        return objVS
      end
      open_and_close()
      collectgarbage("stop")
      local before, closed = descriptors(), {}
      for i = 1, 20 do closed[i] = open_and_close() end
      for _ = 1, 100 do
        if descriptors() <= before + 2 then break end
        require "vmaccountant.core".sleep(0.05)
      end
      print(descriptors() <= before + 2 and "same" or descriptors() .. " for " .. before)
    ]]))
  end)
end)
