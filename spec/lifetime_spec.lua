-- Objects may be dropped in any order, at any moment and under any collector,
-- and nothing is left.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local child = require "spec.support.child"
local handles = require "spec.support.handles"

local PROGID <const> = "VirtualServer.Application"

-- Calls `visit` with each order of the list's items.
local function each_permutation(list, visit, fixed)
  fixed = fixed or 1
  if fixed > #list then
    visit(list)
  end
  for i = fixed, #list do
    list[fixed], list[i] = list[i], list[fixed]
    each_permutation(list, visit, fixed + 1)
    list[fixed], list[i] = list[i], list[fixed]
  end
end

-- One object of each class, by name, from one host.
local function make_objects()
  local objects = {}
  objects.simulator = simulator.new()
  objects.simulated_machine, objects.simulated_adapter = objects.simulator:AddMachine("web01",
    { adapters = 1, running = true })
  objects.application = objects.simulator:CreateObject(PROGID)
  objects.machines = objects.application.VirtualMachines
  objects.machine = objects.machines[1]
  objects.accountant = objects.machine.Accountant
  objects.adapters = objects.machine.NetworkAdapters
  objects.adapter = objects.adapters[1]
  objects.network = objects.adapter.VirtualNetwork
  objects.task = objects.machine:Pause()
  objects.iterator = objects.machines:Accountants()
  return objects
end

-- What still must answer of each object that is left.
local USES <const> = {
  simulator = function(object) object:AdvanceClock(0) end,
  simulated_machine = function(object) assert.equal("web01", object.Name) end,
  simulated_adapter = function(object) object:Send(1) end,
  application = function(object) assert.equal(1, #object.VirtualMachines) end,
  machines = function(object) assert.equal("web01", object[1].Name) end,
  machine = function(object) assert.equal("web01", object.Name) end,
  accountant = function(object) assert.equal("integer", math.type(object.NetworkBytesSent)) end,
  adapters = function(object) assert.equal("integer", math.type(object[1].BytesSent)) end,
  adapter = function(object) assert.equal("integer", math.type(object.BytesReceived)) end,
  network = function(object) assert.equal("br0", object.Name) end,
  task = function(object) assert.equal("Pause of web01", object.Description) end,
  iterator = function(object) assert.is_not_nil(object) end,
}

describe("an object", function()
  before_each(handles.remember)
  after_each(handles.check)

  it("outlives any other, alone", function()
    for kept in pairs(USES) do
      local objects = make_objects()
      local object = objects[kept]
      objects = nil -- luacheck: ignore 311
      handles.collect()
      USES[kept](object)
      assert.equal("string", type(tostring(object)))
    end
  end)

  it("outlives the others, whatever the order in which they are dropped", function()
    -- All orders of six, the rest after them: those that hold one another.
    local names = { "simulator", "application", "machine", "accountant", "adapter", "task" }
    each_permutation(names, function(order)
      local objects = make_objects()
      for _, name in ipairs(order) do
        objects[name] = nil
        collectgarbage()
        for left, object in pairs(objects) do
          USES[left](object)
        end
      end
    end)
  end)

  it("outlives its closed host, and says so", function()
    local objects = make_objects()
    objects.application:Close()
    for _, name in ipairs { "machines", "machine", "accountant", "adapters", "adapter", "network", "task" } do
      local object = objects[name]
      local kept = tostring(object)
      handles.collect()
      assert.is_false(pcall(USES[name], object))
      assert.equal(kept, tostring(object))
    end
    USES.simulated_adapter(objects.simulated_adapter)
  end)

  it("is not kept by the others that came from it", function()
    local weak = setmetatable({}, { __mode = "k" })
    for _, object in pairs(make_objects()) do
      weak[object] = true
    end
    handles.collect()
    assert.is_nil(next(weak))
  end)

  it("closes its host with a local <close>", function()
    local kept
    do
      local objVS <close> = vma.CreateObject(PROGID, "test:///default")
      kept = objVS
      assert.equal(1, #objVS.VirtualMachines)
    end
    assert.equal("VMVirtualServer (closed)", tostring(kept))
  end)

  it("closes its host with a local <close> when an error is raised", function()
    local kept
    assert.has_error(function()
      local objVS <close> = vma.CreateObject(PROGID, "test:///default")
      kept = objVS
      error(objVS.VirtualMachines[1].Name)
    end)
    assert.equal("VMVirtualServer (closed)", tostring(kept))
  end)

  it("closes its host once, however often it is told to", function()
    local objVS <close> = vma.CreateObject(PROGID, "test:///default")
    local metatable = getmetatable(objVS)
    objVS:Close()
    metatable.__close(objVS)
    metatable.__gc(objVS)
    objVS:Close()
    assert.equal("VMVirtualServer (closed)", tostring(objVS))
  end)

  it("may be closed within a loop over its machines", function()
    for _, open in ipairs { function() return vma.CreateObject(PROGID, "test:///default") end,
      function()
        local host = simulator.new()
        host:AddMachine("a")
        host:AddMachine("b")
        return host:CreateObject(PROGID)
      end } do
      local objVS = open()
      local ok, err = pcall(function()
        for vm in objVS.VirtualMachines do
          assert(vm)
          objVS:Close()
        end
      end)
      assert.is_false(ok)
      assert.equal("VM_E_APP_SHUTTING_DOWN", err.name)
    end
  end)

  it("may be dropped in the middle of a loop that an error ends", function()
    for _ = 1, 100 do
      pcall(function()
        for vm in vma.CreateObject(PROGID, "test:///default").VirtualMachines do
          for adapter in vm.NetworkAdapters do
            error(adapter)
          end
        end
      end)
    end
    handles.collect()
  end)

  it("may be dropped in a coroutine that never ends", function()
    for _ = 1, 100 do
      local thread = coroutine.create(function()
        for accountant in vma.CreateObject(PROGID, "test:///default").VirtualMachines:Accountants() do
          coroutine.yield(accountant.NetworkBytesSent)
        end
      end)
      assert.is_true(coroutine.resume(thread))
    end
    handles.collect()
  end)

  it("may be revived by a finalizer", function()
    local revived = {}
    do
      local objVM = vma.CreateObject(PROGID, "test:///default").VirtualMachines[1]
      setmetatable({ objVM }, { __gc = function(holder) revived[1] = holder[1] end })
    end
    handles.collect()
    local ok, err = pcall(function() return revived[1].Name end)
    assert.is_true(ok or err.name == "VM_E_APP_SHUTTING_DOWN")
    assert.equal("test", tostring(revived[1]))
    revived[1] = nil
    handles.collect()
  end)
end)

describe("under pressure of the collector,", function()
  before_each(handles.remember)
  after_each(handles.check)

  -- In a process of its own, whose heap is small enough to be collected at
  -- every step.
  local WORK <const> = [[
    local vma = require "vmaccountant"
    local simulator = require "vmaccountant.simulator"

    local function work()
      local host = simulator.new()
      for i = 1, 20 do
        local _, nic = host:AddMachine("vm" .. i, { adapters = 2, running = true })
        nic:Send(i)
      end
      local objVS <close> = host:CreateObject("VirtualServer.Application")
      for _ = 1, 5 do
        local sum = 0
        for vm in objVS.VirtualMachines do
          sum = sum + vm.Accountant.NetworkBytesSent
          for adapter in vm.NetworkAdapters do
            assert(adapter.VirtualNetwork.Name == "br0")
            assert(rawequal(vm, adapter.VirtualMachine))
          end
          assert(rawequal(vm, objVS:FindVirtualMachine(vm.Name)))
          local ok, err = pcall(function() return vm.NoSuchMember end)
          assert(not ok and #tostring(err) > 0)
        end
        assert(sum == 210)
      end
      local real <close> = vma.CreateObject("VirtualServer.Application", "test:///default")
      for _ = 1, 20 do
        assert(real.VirtualMachines[1].Accountant.NetworkBytesSent > 0)
      end
    end

    %s
    work()
    debug.sethook()
    print "done"
  ]]

  local collectors = {
    { "a generational one", 'collectgarbage("generational", 1, 1)' },
    { "one that never rests", 'collectgarbage("incremental", 1, 1000)' },
    { "one at every line", 'debug.sethook(function() collectgarbage("step") end, "l")' },
    { "a whole one at every call", 'debug.sethook(function() collectgarbage() end, "c")' },
    { "none at all", 'collectgarbage("stop")' },
  }

  for _, case in ipairs(collectors) do
    local what, setting = table.unpack(case)
    it(what .. ", all goes on", function()
      assert.equal("done\n", child.output_of(WORK:format(setting)))
    end)
  end
end)

describe("at the end of the program", function()
  before_each(handles.remember)
  after_each(handles.check)

  local OPEN <const> = [[
    local vma = require "vmaccountant"
    local simulator = require "vmaccountant.simulator"
    local early = setmetatable({}, { __gc = function(self) self.use() end })
    host = simulator.new()
    machine, nic = host:AddMachine("web01", { adapters = 1, running = true })
    objVS = vma.CreateObject("VirtualServer.Application", "test:///default")
    objVS2 = host:CreateObject("VirtualServer.Application")
    objVM, objVM2 = objVS.VirtualMachines[1], objVS2.VirtualMachines[1]
    accountant, adapters = objVM.Accountant, objVM2.NetworkAdapters
    assert(accountant.NetworkBytesSent > 0 and adapters[1].BytesSent == 0)
    -- It runs after the finalizers of all that was made later.
    function early.use()
      for _, call in ipairs {
        function() return accountant.NetworkBytesSent end,
        function() return adapters[1].BytesSent end,
        function() return objVM2.Name end,
        function() nic:Send(1) end,
        function() machine:Reset() end,
        function() return machine.Name end,
        function() host:AddMachine("web02") end,
        function() return objVS2.VirtualMachines end,
        function() objVS:Close() end,
        function() return tostring(objVS) .. tostring(objVM) .. tostring(accountant) .. tostring(host) end,
      } do
        local ok, err = pcall(call)
        assert(ok or type(err) == "table" and err.name == "VM_E_APP_SHUTTING_DOWN", err)
      end
      io.stdout:write("finalized\n")
    end
    used = early
  ]]

  local ends = {
    { "that just ends", "", 0, "finalized\n" },
    { "that closes its state", "os.exit(true, true)", 0, "finalized\n" },
    { "that closes its state with a status", "os.exit(7, true)", 7, "finalized\n" },
    { "that exits at once", "os.exit(true)", 0, "" },
    { "that is ended by an error", "error('the end')", 1, "finalized\n" },
    { "that is ended by an error within a loop", "for vm in objVS.VirtualMachines do error(vm.Name) end", 1,
      "finalized\n" },
    { "that has closed its hosts", "objVS:Close() objVS2:Close() collectgarbage()", 0, "finalized\n" },
    { "that ends within a coroutine", "coroutine.wrap(function() os.exit(true, true) end)()", 0, nil },
  }

  for _, case in ipairs(ends) do
    local what, last, expected_status, expected_output = table.unpack(case, 1, 4)
    it(what .. ", nothing crashes", function()
      local status, output, errors = child.run(OPEN .. last)
      assert.equal(expected_status, status, errors)
      if expected_output then
        assert.equal(expected_output, output)
      end
      if expected_status ~= 1 then
        assert.equal("", errors)
      end
    end)
  end

  it("the module may have been loaded anew: the objects of before are used and finalized still", function()
    handles.remember()
    local objVS = vma.CreateObject(PROGID, "test:///default")
    local loaded = {}
    for name, module in pairs(package.loaded) do
      if name:find("^vmaccountant") then
        loaded[name], package.loaded[name] = module, nil
      end
    end
    local anew = require "vmaccountant"
    for name, module in pairs(loaded) do
      package.loaded[name] = module
    end
    assert.is_not.equal(vma, anew)
    local later = anew.CreateObject(PROGID, "test:///default")
    assert.equal(later:FindVirtualMachine("test").ConfigID, objVS:FindVirtualMachine("test").ConfigID)
    objVS, later = nil, nil -- luacheck: ignore 311
    handles.collect()
    handles.check()
  end)

  it("the module may be required and never used", function()
    assert.equal("", child.output_of 'require "vmaccountant" require "vmaccountant.simulator"')
  end)
end)

describe("memory does not grow #slow", function()
  before_each(handles.remember)
  after_each(handles.check)

  local WINDOWS <const> = 4
  local BYTES_A_ROUND <const> = 16 -- less than the smallest block that malloc gives

  -- A leak shows in every part of the run; what allocators take at times, and
  -- huge pages, in some only.
  local function assert_does_not_grow(rounds, work)
    for _ = 1, rounds // 10 do
      work()
    end
    handles.collect()
    local descriptors, threads = handles.descriptors(), handles.threads()
    local least = math.huge
    for _ = 1, WINDOWS do
      local before = handles.memory()
      for _ = 1, rounds // WINDOWS do
        work()
      end
      handles.collect()
      least = math.min(least, handles.memory() - before)
    end
    local room = math.max(rounds // WINDOWS * BYTES_A_ROUND // 1024, 64)
    assert.is_true(least <= room, ("%d kB more after each %d rounds"):format(least, rounds // WINDOWS))
    local more_descriptors, more_threads = handles.wait_for(descriptors, threads)
    assert.is_true(more_descriptors <= 0 and more_threads <= 0)
  end

  it("over 10^5 rounds of create, read and close on the simulator", function()
    local host = simulator.new()
    local _, nic = host:AddMachine("web01", { adapters = 1, running = true })
    nic:Send(1500)
    assert_does_not_grow(100000, function()
      local objVS = host:CreateObject(PROGID)
      local objVM = objVS.VirtualMachines[1]
      assert(objVM.Accountant.NetworkBytesSent == 1500)
      objVS:Close()
    end)
  end)

  it("over 10^4 rounds of a whole simulated host", function()
    assert_does_not_grow(10000, function()
      local host = simulator.new()
      local machine, nic = host:AddMachine("web01", { adapters = 2, running = true })
      nic:Send(1500)
      local objVM = host:CreateObject(PROGID):FindVirtualMachine("web01")
      assert(objVM.NetworkAdapters[1].BytesSent == 1500)
      nic:Unplug()
      machine:Reset()
      assert(objVM.Accountant:LastSession().NetworkBytesSent == 1500)
    end)
  end)

  it("over 10^5 reads and errors", function()
    local host = simulator.new()
    local machine = host:AddMachine("web01", { adapters = 2 })
    local objVM = host:CreateObject(PROGID).VirtualMachines[1]
    assert_does_not_grow(100000, function()
      assert(objVM.Accountant:Get("NetworkBytesSent") == nil)
      assert(#objVM.NetworkAdapters == 2)
      assert(not pcall(function() return objVM.NoSuchMember end))
      assert(machine.Name == "web01")
    end)
  end)

  it("over 10^4 rounds of create, read and close on test:///default", function()
    assert_does_not_grow(10000, function()
      local objVS = vma.CreateObject(PROGID, "test:///default")
      assert(objVS.VirtualMachines[1].Accountant.NetworkBytesSent > 0)
      objVS:Close()
    end)
  end)

  it("over 10^3 hosts that cannot be reached", function()
    assert_does_not_grow(1000, function()
      assert(not pcall(vma.CreateObject, PROGID, "qemu+unix:///system?socket=/no/such/socket"))
      assert(not pcall(vma.CreateObject, PROGID, "test:///no/such/file"))
    end)
  end)
end)
