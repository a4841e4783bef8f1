--- Runs every member and metamethod of every class with a finalizer that acts
-- in the middle of it: at the first place where Lua may collect garbage, then
-- at the second, and so on, until the call is over before. To be run in a
-- process of its own, since the collector runs at each allocation.

local core = require "vmaccountant.core"

local sweep = {}

local PROGID <const> = "VirtualServer.Application"

-- Worlds: one object of each class by the class's name, all of one host ----------

-- The objects of an application's machine that is in that state.
local function objects_of(objVS, objVM)
  local objects = {
    VMVirtualServer = objVS,
    VMHostInfo = objVS.HostInfo,
    VMVirtualMachineCollection = objVS.VirtualMachines,
    VMVirtualMachine = objVM,
    VMAccountant = objVM.Accountant,
    VMNetworkAdapterCollection = objVM.NetworkAdapters,
    VMNetworkAdapter = objVM.NetworkAdapters[1],
    VMVirtualNetwork = objVM.NetworkAdapters[1].VirtualNetwork,
  }
  -- One of them can be done, whatever the state.
  for _, method in ipairs { "Startup", "Resume", "Pause" } do
    local ok, task = pcall(objVM[method], objVM)
    objects.VMTask = ok and task or objects.VMTask
  end
  return objects
end

local function simulated(state)
  return function()
    local host = core.new_simulator()
    local machine, adapter = host:AddMachine("web", { adapters = 2, running = state ~= "off" })
    local disk = machine:AddDisk()
    local objVS = host:CreateObject(PROGID)
    objVS:Connect { OnReset = function() end, OnVMStateChange = function() end }
    local objects = objects_of(objVS, objVS:FindVirtualMachine("web"))
    if state == "running" then
      machine:Resume()
      adapter:Send("79228162514264337593543900000")
      machine:Reset()
    elseif state == "off" then
      machine:TurnOff()
    else
      machine:Save()
    end
    objects.Simulator, objects.SimulatedMachine = host, machine
    objects.SimulatedAdapter, objects.SimulatedDisk = adapter, disk
    return objects
  end
end

local function on_test_driver()
  local objVS = core.CreateObject(PROGID, "test:///default")
  return objects_of(objVS, objVS.VirtualMachines[1]) -- it may be renamed
end

sweep.worlds = {
  { name = "a running machine", new = simulated "running" },
  { name = "a machine that is turned off", new = simulated "off" },
  { name = "a saved machine", new = simulated "saved" },
  { name = "libvirt's test driver", new = on_test_driver },
}

-- What a finalizer does --------------------------------------------------------------

sweep.actions = {
  close = function(objects)
    objects.VMVirtualServer:Close()
  end,
  -- As a finalizer of Lua's does that was called by hand.
  finalize = function(objects)
    for _, object in pairs(objects) do
      local finalize = getmetatable(object).__gc
      if finalize then
        finalize(object)
      end
    end
  end,
  -- All that C's objects may still point to, has changed.
  change = function(objects)
    local machine = objects.SimulatedMachine
    if machine then
      machine:Rename(machine.Name .. "2")
      objects.SimulatedDisk:Remove()
      objects.SimulatedAdapter:Unplug()
      objects.Simulator:SetHostInfo { ProcessorFeaturesString = ("sse2 "):rep(50) }
      machine:Remove()
    end
    pcall(function() return objects.VMVirtualMachine.Name end)
    objects.VMVirtualServer:Connect {}
  end,
}

-- Operations -----------------------------------------------------------------------------

local arguments = {
  call = "list", handlers = { OnReset = function() end }, index = 1, milliseconds = 1, name = "web", options = {},
  progid = PROGID, members = { Memory = 1024 },
}
local defaults = { boolean = true, integer = 2, number = 2, string = "text", table = {} }
local assigned = { Name = "other", Notes = "a\r\nb", Memory = 64 }

local function arguments_of(member)
  local given = {}
  for name, type in (member.parameters or ""):gmatch("([%a_]+)%??: ([%a_]+)") do
    local argument = arguments[name]
    if argument == nil then
      argument = defaults[type]
    end
    assert(argument ~= nil, "what is a " .. type .. "?")
    given[#given + 1] = argument
  end
  if member.name == "Get" then
    given[1] = "NetworkBytesSent"
  end
  return given
end

local metamethods = {
  __tostring = tostring,
  __len = function(object) return #object end,
  __eq = function(object) return object == setmetatable({}, { __eq = rawequal }) end,
  __concat = function(object) return "x" .. object .. 1 end,
  __close = function(object) local _ <close> = object end,
  __call = function(object) return object(1) end,
  __pairs = function(object) for _, value in pairs(object) do local _ = tostring(value) end end,
  __index = function(object) return object.nonesuch end,
  __newindex = function(object) object.nonesuch = 1 end,
}

--- Calls `visit` with the class's name, what is done, and a function that does
-- it to an object of the class.
local function each_operation(visit)
  for _, class in ipairs(core.classes()) do
    for _, member in ipairs(class.members) do
      local name, given = member.name, arguments_of(member)
      if member.kind == "property" then
        visit(class.name, name, function(object) return object[name] end)
        visit(class.name, name:upper(), function(object) return object[name:upper()] end)
        if member.writable then
          visit(class.name, name .. " =", function(object) object[name] = assigned[name] or 1 end)
        end
      else
        visit(class.name, name, function(object) return object[name](object, table.unpack(given)) end)
        visit(class.name, name .. " with nothing", function(object) return object[name](object) end)
      end
    end
    for event, operate in pairs(metamethods) do
      visit(class.name, event, operate)
    end
    visit(class.name, "[1]", function(object) return object[1] end)
    visit(class.name, "for", function(object) for item in object do local _ = item.Name end end)
  end
end

-- The sweep -----------------------------------------------------------------------------------

-- Does it, with `act` at the k-th collection. Whether that came, and the result
-- of pcall.
local function run(operate, object, act, k)
  local collections, armed = 0, true
  local metatable = {}
  function metatable.__gc()
    collections = collections + 1
    if armed and collections == k then
      act()
    elseif armed then
      setmetatable({}, metatable)
    end
  end
  collectgarbage()
  -- From the first step on a whole cycle, with its finalizers, wherever one may
  -- begin.
  collectgarbage("incremental", 1, 1000, 64)
  collectgarbage("step")
  setmetatable({}, metatable)
  local ok, result = pcall(operate, object)
  collectgarbage("incremental", 200, 100, 13)
  armed = false
  return collections >= k, ok, result
end

local function is_error_of_ours(value)
  return type(value) == "table" and math.type(value.hresult) == "integer"
end

--- Returns how many calls an action was in the middle of. Raises where one fails
-- with what is no error object, though it does not otherwise.
function sweep.run(new_world, action)
  local interrupted, covered = 0, {}
  each_operation(function(class, what, operate)
    local reached, k = true, 0
    local plain_ok, plain_result
    if not new_world()[class] then
      return
    end
    covered[class] = true
    while reached do
      local objects = new_world()
      local ok, result
      reached, ok, result = run(operate, objects[class], function() action(objects) end, k)
      if k == 0 then -- at none
        reached, plain_ok, plain_result = true, ok, result
      end
      local is_usual = ok == plain_ok and type(result) == type(plain_result)
      assert(ok or is_usual or is_error_of_ours(result), ("%s %s at %d: %s"):format(class, what, k, result))
      interrupted = interrupted + (reached and k > 0 and 1 or 0)
      -- What has come of it may be used, and all be dropped.
      pcall(tostring, result)
      pcall(operate, objects[class])
      k = k + 1
      assert(k < 10000, what)
    end
  end)
  collectgarbage()
  return interrupted, covered
end

return sweep
