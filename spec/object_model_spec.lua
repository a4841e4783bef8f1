-- The objects, their members and how they hang together.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"

-- The readable members of each class and its methods.
local MEMBERS <const> = {
  VMVirtualServer = {
    properties = { "Name", "Version", "UpTime", "VirtualMachines", "HostInfo", "Accounting" },
    methods = { "FindVirtualMachine", "Connect", "WaitForEvents", "RecordResets", "Close" },
  },
  VMHostInfo = {
    properties = { "LogicalProcessorCount", "PhysicalProcessorCount", "ProcessorSpeed", "ProcessorSpeedString",
      "ProcessorManufacturerString", "ProcessorVersionString", "ProcessorFeaturesString", "MMX", "SSE", "SSE2",
      "ThreeDNow", "Memory", "MemoryAvail", "MemoryTotalString", "MemoryAvailString", "OperatingSystem",
      "OSVersionString", "OSMajorVersion", "OSMinorVersion", "UTCTime" },
    methods = {},
  },
  VMVirtualMachineCollection = { properties = { "Count" }, methods = { "Item", "Accountants" } },
  VMVirtualMachine = {
    properties = { "Name", "ConfigID", "State", "Notes", "Memory", "SavedStateFilePath", "Accountant",
      "NetworkAdapters" },
    methods = { "Startup", "TurnOff", "Reset", "Save", "Pause", "Resume", "DiscardSavedState" },
  },
  VMAccountant = {
    properties = { "NetworkBytesSent", "NetworkBytesReceived", "UpTime", "DiskBytesRead", "DiskBytesWritten",
      "CPUUtilization", "CPUUtilizationHistory", "Since", "VirtualMachine", "MaximumSystemCapacity",
      "ReservedSystemCapacity", "RelativeWeight", "AllowableMaximumSystemCapacity",
      "AllowableReservedSystemCapacity" },
    methods = { "Get", "LastSession" },
  },
  VMNetworkAdapterCollection = { properties = { "Count" }, methods = { "Item" } },
  VMNetworkAdapter = {
    properties = { "EthernetAddress", "VirtualNetwork", "VirtualMachine", "BytesSent", "BytesReceived", "IsCounted",
      "Type" },
    methods = {},
  },
  VMVirtualNetwork = { properties = { "Name" }, methods = {} },
  VMTask = {
    properties = { "ID", "Description", "IsComplete", "IsCancelable", "PercentCompleted", "Result", "Error",
      "ErrorDescription" },
    methods = { "WaitForCompletion", "Cancel" },
  },
}

-- Members that can be assigned.
local WRITABLE <const> = {
  ["VMVirtualMachine.Name"] = true,
  ["VMVirtualMachine.Notes"] = true,
  ["VMVirtualMachine.Memory"] = true,
}

-- A letter case that no documentation uses.
local function scramble(name)
  local upper = false
  return (name:gsub("%a", function(letter)
    upper = not upper
    return upper and letter:lower() or letter:upper()
  end))
end

describe("the object model", function()
  local host, nic, objVS, objVM, accountant, objects

  before_each(handles.remember)

  before_each(function()
    local off, _
    host = simulator.new()
    _, nic = host:AddMachine("web01", { adapters = 1, running = true })
    off = host:AddMachine("db02")
    nic:Send(1500)
    nic:Receive(60)
    objVS = host:CreateObject("VirtualServer.Application")
    objVM = objVS:FindVirtualMachine("web01")
    accountant = objVM.Accountant
    objects = {
      VMVirtualServer = objVS,
      VMHostInfo = objVS.HostInfo,
      VMVirtualMachineCollection = objVS.VirtualMachines,
      VMVirtualMachine = objVM,
      VMAccountant = accountant,
      VMNetworkAdapterCollection = objVM.NetworkAdapters,
      VMNetworkAdapter = objVM.NetworkAdapters[1],
      VMVirtualNetwork = objVM.NetworkAdapters[1].VirtualNetwork,
      VMTask = objVS:FindVirtualMachine("db02"):Startup(),
    }
    off:TurnOff()
  end)

  after_each(function()
    host, nic, objVS, objVM, accountant, objects = nil, nil, nil, nil, nil, nil
    handles.check()
  end)

  it("has these classes", function()
    for class, object in pairs(objects) do
      assert.equal("userdata", type(object))
      assert.equal(class, getmetatable(object).__name)
    end
  end)

  describe("of a running machine", function()
    it("has what its adapters counted", function()
      assert.equal(1500, accountant.NetworkBytesSent)
      assert.equal(60, accountant.NetworkBytesReceived)
      local adapter = objVM.NetworkAdapters[1]
      assert.equal(1500, adapter.BytesSent)
      assert.equal(60, adapter.BytesReceived)
      assert.is_true(adapter.IsCounted)
      assert.equal("bridge", adapter.Type)
      assert.equal("br0", adapter.VirtualNetwork.Name)
      assert.equal(nic.EthernetAddress, adapter.EthernetAddress)
    end)

    it("has its name, its UUID and its state", function()
      assert.equal("web01", objVM.Name)
      assert.matches("^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$", objVM.ConfigID)
      assert.equal(vma.vmVMState_Running, objVM.State)
    end)

    it("has addresses of six upper-case pairs with dashes", function()
      local machine = host:AddMachine("addressed")
      machine:Plug { mac = "52:54:00:ab:cd:ef" }
      machine:Plug { mac = "fE-00-00-00-00-0a" }
      local adapters = objVS:FindVirtualMachine("addressed").NetworkAdapters
      assert.equal("52-54-00-AB-CD-EF", adapters[1].EthernetAddress)
      assert.equal("FE-00-00-00-00-0A", adapters[2].EthernetAddress)
    end)

    it("reads every live property again", function()
      nic:Send(1)
      assert.equal(1501, accountant.NetworkBytesSent)
      nic:Send(1)
      assert.equal(1502, objVM.NetworkAdapters[1].BytesSent)
    end)
  end)

  describe("of a stopped machine", function()
    it("lists the adapters of its definition, which have no counts", function()
      host:AddMachine("spare", { adapters = 2 })
      local adapters = objVS:FindVirtualMachine("spare").NetworkAdapters
      assert.equal(2, adapters.Count)
      for adapter in adapters do
        assert.is_false(adapter.IsCounted)
        failure.expect({ name = "S_FALSE", member = "BytesSent", machine = "spare" }, function()
          return adapter.BytesSent
        end)
      end
    end)
  end)

  it("of the host is the product's name, not the host's", function()
    assert.equal("simulator", objVS.Name)
    assert.matches("^%d+%.%d+%.%d+$", objVS.Version)
    assert.equal("integer", math.type(objVS.UpTime))
  end)

  describe("finds members", function()
    -- The property's value, or the code of the error that it raises.
    local function read(object, name)
      local ok, value = pcall(function() return object[name] end)
      return ok and value or not ok and value.name
    end

    for class, members in pairs(MEMBERS) do
      it("of " .. class .. " in any letter case", function()
        local object = objects[class]
        for _, name in ipairs(members.properties) do
          local value = read(object, name)
          for _, spelling in ipairs { name:lower(), name:upper(), scramble(name) } do
            local same = read(object, spelling)
            if name == "UTCTime" or name == "UpTime" then
              assert.is_true(same - value >= 0 and same - value < 60, spelling)
            elseif type(value) == "userdata" then
              assert.equal(tostring(value), tostring(same), spelling)
            else
              assert.same(value, same, spelling)
            end
          end
        end
        for _, name in ipairs(members.methods) do
          assert.is_function(object[name], name)
          for _, spelling in ipairs { name:lower(), name:upper(), scramble(name) } do
            assert.equal(object[name], object[spelling], spelling)
          end
        end
      end)
    end

    it("in any letter case along a whole path", function()
      assert.equal("db02", objVS.virtualmachines[1].name)
      assert.equal(1500, objVM.accountant.networkbytessent)
      assert.equal(1500, objVS:findvirtualmachine("web01").ACCOUNTANT:get("networkbytesSENT"))
    end)
  end)

  describe("gives in pairs()", function()
    for class, members in pairs(MEMBERS) do
      it("every property of " .. class .. " and no method", function()
        local names = {}
        for name, value in pairs(objects[class]) do
          assert.is_not_nil(value, name)
          names[#names + 1] = name
        end
        assert.same(members.properties, names)
      end)
    end

    it("the same values as the properties", function()
      local values = {}
      for name, value in pairs(accountant) do
        values[name] = value
      end
      assert.equal(1500, values.NetworkBytesSent)
      assert.equal(60, values.NetworkBytesReceived)
      assert.is_true(rawequal(objVM, values.VirtualMachine))
    end)

    it("the error of a property that cannot be read, and goes on", function()
      local values = {}
      for name, value in pairs(objVS:FindVirtualMachine("db02").Accountant) do
        values[name] = value
      end
      failure.check({ name = "S_FALSE", member = "NetworkBytesSent", machine = "db02" }, values.NetworkBytesSent)
      assert.equal("db02", values.VirtualMachine.Name)
    end)

    it("all properties of a closed host as errors", function()
      objVS:Close()
      local count = 0
      for _, value in pairs(objVM) do
        count = count + 1
        assert.equal("VM_E_APP_SHUTTING_DOWN", value.name)
      end
      assert.equal(#MEMBERS.VMVirtualMachine.properties, count)
    end)

    it("and of no other object with the same iterator", function()
      local iterate = pairs(accountant)
      assert.has_error.matches(function() iterate(objVM) end, "VMAccountant expected, got VMVirtualMachine")
      assert.has_error.matches(function() iterate(accountant, "no such member") end, "not a member's name")
    end)
  end)

  describe("is read-only", function()
    for class, members in pairs(MEMBERS) do
      it("in every member of " .. class, function()
        local object = objects[class]
        local machine = failure.of(function() return object.NoSuchMemberAtAll end).machine
        for kind, list in pairs(members) do
          for _, name in ipairs(list) do
            for _, spelling in ipairs { name, name:lower() } do
              if not WRITABLE[class .. "." .. name] then
                failure.expect({ name = "DISP_E_MEMBERNOTFOUND", member = name, machine = machine,
                  message = kind == "methods" and "a method" or "read-only" }, function()
                  object[spelling] = 1
                end)
              end
            end
          end
        end
      end)

      it("in what is not a member of " .. class, function()
        local object = objects[class]
        for _, key in ipairs { "NoSuchMemberAtAll", 1, 1.5, true } do
          local err = failure.of(function() object[key] = 1 end)
          assert.equal("DISP_E_UNKNOWNNAME", err.name)
          assert.equal(vma.hresult.DISP_E_UNKNOWNNAME, err.hresult)
          assert.equal(tostring(key), err.member)
        end
      end)
    end
  end)

  describe("suggests the nearest member for", function()
    local misspelt = {
      { "VMAccountant", "NetworkByteSent", "NetworkBytesSent" },
      { "VMAccountant", "networkbytesend", "NetworkBytesSent" },
      { "VMAccountant", "NetworkBytesRecieved", "NetworkBytesReceived" },
      { "VMAccountant", "BytesReceived", "NetworkBytesReceived" },
      { "VMAccountant", "Up_Time", "UpTime" },
      { "VMAccountant", "VM", nil },
      { "VMVirtualMachine", "Acountant", "Accountant" },
      { "VMVirtualMachine", "Start", "Startup" },
      { "VMVirtualMachine", "TurnOf", "TurnOff" },
      { "VMVirtualMachine", "Adapters", "NetworkAdapters" },
      { "VMVirtualServer", "VirtualMachine", "VirtualMachines" },
      { "VMVirtualServer", "FindVirtualMachines", "FindVirtualMachine" },
      { "VMVirtualServer", "xyzzy", nil },
      { "VMVirtualServer", "", nil },
      { "VMVirtualMachineCollection", "Items", "Item" },
      { "VMVirtualMachineCollection", "Length", nil },
      { "VMNetworkAdapter", "EthernetAdress", "EthernetAddress" },
      { "VMTask", "Completed", "PercentCompleted" },
    }

    for _, case in ipairs(misspelt) do
      local class, wrong, right = table.unpack(case, 1, 3)
      it(("'%s' of %s: %s"):format(wrong, class, right or "none"), function()
        local err = failure.of(function() return objects[class][wrong] end)
        assert.equal("DISP_E_UNKNOWNNAME", err.name)
        local hint = right and "; did you mean " .. right .. "?" or class == "VMVirtualMachineCollection"
          and '; the machine of that name is collection:Item("' .. wrong .. '")' or ""
        assert.equal(class .. " has no member '" .. wrong .. "'" .. hint, err.message)
      end)
    end

    it("a name of any length", function()
      for _, length in ipairs { 62, 63, 64, 65, 100, 10000, 1000000 } do
        local err = failure.of(function() return accountant[("x"):rep(length)] end)
        assert.equal("DISP_E_UNKNOWNNAME", err.name)
        assert.is_true(#err.message < 1000)
      end
      assert.equal("DISP_E_UNKNOWNNAME", failure.of(function() return accountant["UpTime" .. ("x"):rep(60)] end).name)
    end)

    it("a key that is no name", function()
      for _, key in ipairs { 1, 0, 1.5, true, false, print, {} } do
        failure.expect({ name = "DISP_E_UNKNOWNNAME", member = tostring(key), machine = "web01" }, function()
          return accountant[key]
        end)
      end
    end)
  end)

  describe("prints", function()
    it("what each object is", function()
      local expected = {
        VMVirtualServer = "VMVirtualServer (" .. tostring(objVS):match("%((simulator:///%d+)%)") .. ")",
        VMHostInfo = "VMHostInfo (" .. tostring(objVS):match("%((simulator:///%d+)%)") .. ")",
        VMVirtualMachineCollection = "VMVirtualMachineCollection of 2",
        VMVirtualMachine = "web01",
        VMAccountant = "VMAccountant of web01",
        VMNetworkAdapterCollection = "VMNetworkAdapterCollection of 1",
        VMNetworkAdapter = "VMNetworkAdapter 52-54-00-00-00-01 of web01",
        VMVirtualNetwork = "VMVirtualNetwork br0",
        VMTask = "VMTask Startup of db02: complete",
      }
      for class, object in pairs(objects) do
        assert.equal(expected[class], tostring(object))
      end
    end)

    it("the same after Close, but for the host", function()
      local before = {}
      for class, object in pairs(objects) do
        before[class] = tostring(object)
      end
      objVS:Close()
      before.VMVirtualServer, before.VMHostInfo = "VMVirtualServer (closed)", "VMHostInfo (closed)"
      for class, object in pairs(objects) do
        assert.equal(before[class], tostring(object))
      end
    end)

    it("a machine's name in a concatenation", function()
      assert.equal("Machine: web01", "Machine: " .. objVM)
      assert.equal("web01!", objVM .. "!")
      assert.equal("web01web01", objVM .. objVM)
      assert.equal("web017", objVM .. 7)
      assert.equal("Sent by web01: 1500", "Sent by " .. objVM .. ": " .. accountant.NetworkBytesSent)
      objVS:Close()
      assert.equal("Machine: web01", "Machine: " .. objVM)
    end)

    it("no machine's name in a concatenation with what is not text", function()
      for _, other in ipairs { true, {}, print, objVS } do
        local words = "attempt to concatenate a " .. type(other) .. " value"
        assert.has_error.matches(function() return objVM .. other end, words)
        assert.has_error.matches(function() return other .. objVM end, words)
      end
      assert.has_error.matches(function() return objVM .. nil end, "concatenate a nil value")
    end)
  end)

  describe("makes one object of one machine", function()
    it("however it is asked for", function()
      assert.is_true(rawequal(objVM, objVS:FindVirtualMachine("web01")))
      assert.is_true(rawequal(objVM, objVS:FindVirtualMachine("WEB01")))
      assert.is_true(rawequal(objVM, objVS.VirtualMachines[2]))
      assert.is_true(rawequal(objVM, objVS.VirtualMachines:Item("web01")))
      assert.is_true(rawequal(objVM, accountant.VirtualMachine))
      assert.is_true(rawequal(objVM, objVM.NetworkAdapters[1].VirtualMachine))
      assert.is_true(rawequal(accountant, objVM.Accountant))
    end)

    it("which serves as a key of a table", function()
      local seen = { [objVM] = "here" }
      assert.equal("here", seen[objVS.VirtualMachines[2]])
    end)

    it("for as long as something holds it", function()
      local held = setmetatable({}, { __mode = "k" })
      held[objVS:FindVirtualMachine("db02")] = true
      objects = nil
      handles.collect()
      assert.is_nil(next(held))
      held[objVS:FindVirtualMachine("db02").Accountant] = true
      handles.collect()
      assert.is_nil(next(held))
    end)

    it("which its accountant alone keeps alive", function()
      local other = objVS:FindVirtualMachine("db02").Accountant
      local held = setmetatable({ other.VirtualMachine }, { __mode = "v" })
      handles.collect()
      assert.is_not_nil(held[1])
      assert.is_true(rawequal(held[1], objVS:FindVirtualMachine("db02")))
      assert.is_true(rawequal(other, objVS:FindVirtualMachine("db02").Accountant))
    end)

    it("when it is renamed", function()
      local machine = host:AddMachine("before")
      local vm = objVS:FindVirtualMachine("before")
      machine:Rename("after")
      assert.equal("before", tostring(vm)) -- its last known name: printing makes no call to the host
      assert.equal("after", vm.Name)
      assert.equal("after", tostring(vm))
      assert.is_true(rawequal(vm, objVS:FindVirtualMachine("after")))
      assert.is_nil(objVS:FindVirtualMachine("before"))
    end)

    it("and another one when it is defined again under its name", function()
      local machine = host:AddMachine("again")
      local old = objVS:FindVirtualMachine("again")
      machine:Remove()
      host:AddMachine("again")
      local new = objVS:FindVirtualMachine("again")
      assert.is_false(old == new)
      assert.is_false(old.ConfigID == new.ConfigID)
      failure.expect({ name = "VM_E_VM_UNKNOWN", member = "State", machine = "again" }, function() return old.State end)
      assert.equal(vma.vmVMState_TurnedOff, new.State)
    end)
  end)

  describe("calls equal", function()
    it("objects of one machine from two applications on one host", function()
      local other <close> = host:CreateObject("VirtualServer.Application")
      local objVM2 = other:FindVirtualMachine("web01")
      assert.is_false(rawequal(objVM, objVM2))
      assert.is_true(objVM == objVM2)
      assert.is_true(accountant == objVM2.Accountant)
      assert.is_true(objVM.NetworkAdapters[1] == objVM2.NetworkAdapters[1])
      assert.is_false(objVM == other:FindVirtualMachine("db02"))
      assert.is_false(objVS == other)
    end)

    it("no machines of different hosts", function()
      local elsewhere = simulator.new()
      elsewhere:AddMachine("web01", { adapters = 1, running = true })
      local other <close> = elsewhere:CreateObject("VirtualServer.Application")
      assert.equal(objVM.ConfigID, other.VirtualMachines[1].ConfigID)
      assert.is_false(objVM == other.VirtualMachines[1])
      assert.is_false(accountant == other.VirtualMachines[1].Accountant)
    end)

    it("no objects of different classes", function()
      for class, object in pairs(objects) do
        for other_class, other in pairs(objects) do
          assert.equal(class == other_class, object == other)
        end
      end
    end)

    it("an adapter in two snapshots, until its device is made again", function()
      local before = objVM.NetworkAdapters[1]
      assert.is_false(rawequal(before, objVM.NetworkAdapters[1]))
      assert.is_true(before == objVM.NetworkAdapters[1])
      assert.is_true(before.VirtualNetwork == objVM.NetworkAdapters[1].VirtualNetwork)
      objVM:TurnOff()
      objVM:Startup()
      assert.is_false(before == objVM.NetworkAdapters[1])
    end)
  end)

  describe("gives a task", function()
    it("that is complete", function()
      local task = objVM:Pause()
      assert.is_true(task.IsComplete)
      assert.is_false(task.IsCancelable)
      assert.equal(100, task.PercentCompleted)
      assert.equal(vma.vmTaskResult_Success, task.Result)
      assert.equal("Pause of web01", task.Description)
      assert.equal("integer", math.type(task.ID))
      assert.is_true(objVM:Resume().ID > task.ID)
    end)

    it("that need not be waited for", function()
      local task = objVM:Pause()
      for _, milliseconds in ipairs { -1, 0, 1, 4000000, 5.0, "10" } do
        assert.equal(0, select("#", task:WaitForCompletion(milliseconds)))
      end
      for _, milliseconds in ipairs { -2, 4000001, 0.5, "soon", 0 / 0, math.huge, {}, true } do
        failure.expect({ name = "E_POINTER", member = "WaitForCompletion", machine = "web01" },
          task.WaitForCompletion, task, milliseconds)
      end
      failure.expect({ name = "E_POINTER", member = "WaitForCompletion", machine = "web01" },
        task.WaitForCompletion, task)
    end)

    it("that cannot be cancelled", function()
      local task = objVM:Pause()
      failure.expect({ name = "E_FAIL", member = "Cancel", machine = "web01" }, task.Cancel, task)
    end)
  end)

  describe("follows the life cycle", function()
    it("from each state to the next", function()
      local S = vma
      local steps = {
        { "Pause", S.vmVMState_Paused }, { "Resume", S.vmVMState_Running }, { "Reset", S.vmVMState_Running },
        { "Save", S.vmVMState_Saved }, { "Startup", S.vmVMState_Running }, { "Save", S.vmVMState_Saved },
        { "DiscardSavedState", S.vmVMState_TurnedOff }, { "Startup", S.vmVMState_Running },
        { "Pause", S.vmVMState_Paused }, { "TurnOff", S.vmVMState_TurnedOff },
      }
      for _, step in ipairs(steps) do
        local method, state = table.unpack(step)
        assert.equal(method .. " of web01", objVM[method](objVM).Description)
        assert.equal(state, objVM.State)
      end
    end)

    -- What each method raises in a state in which it makes no sense.
    local refused = {
      { "running", "Startup", "VM_E_VM_RUNNING" },
      { "running", "Resume", "E_FAIL" },
      { "running", "DiscardSavedState", "VM_E_VM_RUNNING" },
      { "paused", "Startup", "VM_E_VM_RUNNING" },
      { "paused", "Pause", "E_FAIL" },
      { "paused", "DiscardSavedState", "VM_E_VM_RUNNING" },
      { "off", "TurnOff", "VM_E_VM_NOT_RUNNING" },
      { "off", "Reset", "VM_E_VM_NOT_RUNNING" },
      { "off", "Save", "VM_E_VM_NOT_RUNNING" },
      { "off", "Pause", "VM_E_VM_NOT_RUNNING" },
      { "off", "Resume", "VM_E_VM_NOT_RUNNING" },
      { "off", "DiscardSavedState", "VM_E_VM_NO_SAVED_STATE" },
      { "saved", "TurnOff", "VM_E_VM_NOT_RUNNING" },
      { "saved", "Reset", "VM_E_VM_NOT_RUNNING" },
      { "saved", "Save", "VM_E_VM_NOT_RUNNING" },
      { "saved", "Pause", "VM_E_VM_NOT_RUNNING" },
      { "saved", "Resume", "VM_E_VM_NOT_RUNNING" },
    }
    local into = { running = {}, paused = { "Pause" }, off = { "TurnOff" }, saved = { "Save" } }

    for _, case in ipairs(refused) do
      local state, method, code = table.unpack(case)
      it(("and refuses %s of a machine that is %s: %s"):format(method, state, code), function()
        for _, step in ipairs(into[state]) do
          objVM[step](objVM)
        end
        local before = objVM.State
        failure.expect({ name = code, member = method, machine = "web01" }, objVM[method], objVM)
        assert.equal(before, objVM.State)
      end)
    end

    for _, method in ipairs(MEMBERS.VMVirtualMachine.methods) do
      it("and refuses " .. method .. " of a machine that is no longer defined", function()
        local machine = host:AddMachine("gone", { running = method ~= "Startup" })
        local vm = objVS:FindVirtualMachine("gone")
        machine:Remove()
        failure.expect({ name = "VM_E_VM_UNKNOWN", member = method, machine = "gone" }, vm[method], vm)
      end)
    end
  end)
end)
