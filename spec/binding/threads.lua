-- What the threads of threads_test.c do, each in a Lua state of its own:
-- functions by name, each of a URI and of the seconds after which to end.
--
-- An error that a machine's life explains is an answer like another: it is
-- counted by its name. Any other error fails the test.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"

local PROGID <const> = "VirtualServer.Application"

local EXPLAINED <const> = {
  S_FALSE = true, -- not running
  E_FAIL = true, -- paused already, or not
  VM_E_VM_UNKNOWN = true,
  VM_E_VM_RUNNING = true,
  VM_E_VM_NOT_RUNNING = true,
  VM_E_ADAPTER_NOT_FOUND = true,
  DISP_E_EXCEPTION = true, -- no counter; stopped while it was read
}

-- Calls, and returns what it returned, or nil.
local function try(call, ...)
  local ok, result = pcall(call, ...)
  if ok then
    return result
  elseif type(result) ~= "table" or not EXPLAINED[result.name] then
    error(result, 0)
  end
end

local function read(object, member)
  return try(function()
    return object[member]
  end)
end

local function method(object, name, ...)
  return try(object[name], object, ...)
end

-- A counter of bytes may restart at any moment here, but is never nonsense.
local function read_bytes(object, member)
  local bytes = read(object, member)
  if bytes and (math.type(bytes) ~= "integer" or bytes < 0) then
    error(("%s is %s"):format(member, tostring(bytes)), 0)
  end
end

local function read_all(objVS)
  for objVM in objVS.VirtualMachines do
    read(objVM, "State")
    local accountant = objVM.Accountant
    read_bytes(accountant, "NetworkBytesSent")
    read_bytes(accountant, "NetworkBytesReceived")
    read(accountant, "Since")
    read_bytes(accountant, "DiskBytesRead")
    read(accountant, "CPUUtilizationHistory")
    method(accountant, "LastSession")
    for adapter in read(objVM, "NetworkAdapters") or ipairs {} do
      read_bytes(adapter, "BytesSent")
    end
  end
end

local function until_then(seconds, body)
  local deadline <const> = os.time() + seconds
  local rounds = 0
  while rounds == 0 or os.time() < deadline do
    body(rounds)
    rounds = rounds + 1
  end
  return rounds
end

local roles = {}

--- Reads everything of every machine.
function roles.read(uri, seconds)
  local objVS <close> = vma.CreateObject(PROGID, uri)
  return until_then(seconds, function(round)
    read_all(objVS)
    if round % 8 == 0 then
      collectgarbage()
    end
  end)
end

--- The same from samples of all machines.
function roles.read_aged(uri, seconds)
  local objVS <close> = vma.CreateObject(PROGID, uri, { max_age = 0.01 })
  return until_then(seconds, function()
    read_all(objVS)
  end)
end

--- Has every reset recorded, and changes machines: what the others read.
function roles.change(uri, seconds)
  local objVS <close> = vma.CreateObject(PROGID, uri)
  objVS:RecordResets()
  -- What is turned off on a real host may be gone for ever.
  local changes = uri:find("^test:") and { "TurnOff", "Startup", "Reset", "Pause", "Resume" } or
    { "Reset", "Resume", "Reset", "Pause" }
  return until_then(seconds, function(round)
    for objVM in objVS.VirtualMachines do
      method(objVM, changes[round % #changes + 1])
    end
  end)
end

--- Receives events, and at times stops listening.
function roles.watch(uri, seconds)
  local objVS <close> = vma.CreateObject(PROGID, uri)
  local function handler(name)
    local objVM = try(objVS.FindVirtualMachine, objVS, name)
    if not objVM then
      error("an event of " .. name .. ", which does not exist", 0)
    end
    read_bytes(objVM.Accountant, "NetworkBytesSent")
  end
  return until_then(seconds, function(round)
    objVS:Connect(round % 8 == 7 and {} or { OnVMStateChange = handler, OnReset = handler, OnAdapterRemoved = handler })
    objVS:WaitForEvents(20)
  end)
end

--- Starts and saves the one machine that is made for it on a real host, in tasks.
function roles.start_and_save(uri, seconds)
  local objVM = vma.CreateObject(PROGID, uri):FindVirtualMachine(uri:find("^test:") and "test" or "threads-saved")
  return until_then(seconds, function(round)
    local task = method(objVM, round % 2 == 0 and "Startup" or "Save")
    if task then
      assert(task.PercentCompleted <= 100)
      task:WaitForCompletion(round % 3 == 0 and 10 or -1)
      method(task, "Cancel")
    end
  end)
end

--- Opens and closes applications, some of them by collecting them.
function roles.open(uri, seconds)
  return until_then(seconds, function(round)
    local objVS = vma.CreateObject(PROGID, uri)
    if round % 3 == 0 then
      read_all(objVS)
    end
    if round % 4 == 0 then
      objVS:RecordResets()
    end
    if round % 2 == 0 then
      objVS:Close()
    else
      objVS = nil -- luacheck: ignore 311
      collectgarbage()
    end
  end)
end

--- A host in memory, which shares nothing with any other but the code.
function roles.simulate(_, seconds)
  return until_then(seconds, function()
    local host = simulator.new()
    local machine, nic = host:AddMachine("web01", { adapters = 1, running = true })
    local objVS <close> = host:CreateObject(PROGID)
    objVS:RecordResets()
    nic:Send(1500)
    assert(objVS:FindVirtualMachine("WEB01").Accountant.NetworkBytesSent == 1500)
    machine:Reset()
    assert(objVS:FindVirtualMachine("web01").Accountant.NetworkBytesSent == 0)
    machine:Remove()
  end)
end

return roles
