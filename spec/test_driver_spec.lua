-- libvirt's own test driver: a second kind of host, without bulk statistics,
-- events of devices or QEMU.

local vma = require "vmaccountant"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"
local host = require "spec.support.libvirt_host"

local PROGID <const> = "VirtualServer.Application"

-- Restores what test:///default is like: all its connections in this process
-- share one set of machines, for as long as one of them is open.
local function reset_default(objVS)
  local objVM = objVS:FindVirtualMachine("test")
  if objVM.State == vma.vmVMState_TurnedOff or objVM.State == vma.vmVMState_Saved then
    objVM:Startup()
  elseif objVM.State == vma.vmVMState_Paused then
    objVM:Resume()
  end
end

describe("on test:///default", function()
  local objVS, objVM, accountant

  before_each(handles.remember)

  before_each(function()
    objVS = vma.CreateObject(PROGID, "test:///default")
    objVM = objVS:FindVirtualMachine("test")
    accountant = objVM.Accountant
  end)

  after_each(function()
    reset_default(objVS)
    objVS, objVM, accountant = nil, nil, nil
    handles.check()
  end)

  it("there is one machine, test", function()
    assert.equal("VMVirtualServer (test:///default)", tostring(objVS))
    assert.equal("libvirt TEST", objVS.Name)
    assert.matches("^%d+%.%d+%.%d+$", objVS.Version)
    assert.is_true(objVS.UpTime >= 0 and objVS.UpTime < 600)
    assert.equal(1, #objVS.VirtualMachines)
    assert.equal("test", objVS.VirtualMachines[1].Name)
    assert.is_true(rawequal(objVM, objVS:FindVirtualMachine("TEST")))
    assert.is_nil(objVS:FindVirtualMachine("nobody"))
    assert.equal("6695eb01-f6a4-8304-79aa-97f2502e193f", objVM.ConfigID)
    assert.equal(vma.vmVMState_Running, objVM.State)
  end)

  it("its counts are positive integers that grow", function()
    for _, member in ipairs { "NetworkBytesSent", "NetworkBytesReceived" } do
      local before = accountant[member]
      assert.equal("integer", math.type(before))
      assert.is_true(before > 0)
      os.execute("sleep 0.01")
      assert.is_true(accountant[member] > before)
    end
  end)

  it("its adapter is counted", function()
    local adapters = objVM.NetworkAdapters
    assert.equal(1, #adapters)
    local adapter = adapters[1]
    assert.matches("^%x%x%-%x%x%-%x%x%-%x%x%-%x%x%-%x%x$", adapter.EthernetAddress)
    assert.equal("network", adapter.Type)
    assert.equal("default", adapter.VirtualNetwork.Name)
    assert.is_true(adapter.IsCounted)
    local adapter_bytes = adapter.BytesSent
    local machine_bytes = accountant.NetworkBytesSent
    assert.is_true(adapter_bytes > 0 and machine_bytes >= adapter_bytes)
  end)

  it("decimal strings are given on demand", function()
    local strings <close> = vma.CreateObject(PROGID, "test:///default", { decimal = "string" })
    assert.matches("^[1-9]%d+$", strings.VirtualMachines[1].Accountant.NetworkBytesSent)
  end)

  it("a sample of an age answers", function()
    local aged <close> = vma.CreateObject(PROGID, "test:///default", { max_age = 1000 })
    local theirs = aged.VirtualMachines[1].Accountant
    local sent = theirs.NetworkBytesSent
    os.execute("sleep 0.01")
    assert.equal(sent, theirs.NetworkBytesSent)
    assert.is_true(accountant.NetworkBytesSent > sent)
  end)

  it("the machine is turned off and on", function()
    assert.is_true(accountant.NetworkBytesSent > 0)
    assert.equal("TurnOff of test", objVM:TurnOff().Description)
    assert.equal(vma.vmVMState_TurnedOff, objVM.State)
    for _, member in ipairs { "NetworkBytesSent", "NetworkBytesReceived", "UpTime", "Since" } do
      failure.expect({ name = "S_FALSE", member = member, machine = "test" }, function() return accountant[member] end)
    end
    assert.is_false(objVM.NetworkAdapters[1].IsCounted)
    objVM:Startup()
    assert.equal(vma.vmVMState_Running, objVM.State)
    assert.is_true(accountant.NetworkBytesSent > 0)
    assert.is_true(math.abs(accountant.Since - os.time()) <= 30)
    assert.is_true(accountant.UpTime <= 30)
  end)

  it("the machine is paused and goes on", function()
    objVM:Pause()
    assert.equal(vma.vmVMState_Paused, objVM.State)
    assert.is_true(accountant.NetworkBytesSent > 0)
    objVM:Resume()
    assert.equal(vma.vmVMState_Running, objVM.State)
  end)

  it("the machine is saved and restored", function()
    objVM:Save()
    assert.equal(vma.vmVMState_Saved, objVM.State)
    failure.expect({ name = "S_FALSE", member = "NetworkBytesSent", machine = "test" }, function()
      return accountant.NetworkBytesSent
    end)
    objVM:Startup()
    assert.equal(vma.vmVMState_Running, objVM.State)
    objVM:Save()
    objVM:DiscardSavedState()
    assert.equal(vma.vmVMState_TurnedOff, objVM.State)
  end)

  it("what makes no sense is refused", function()
    local refusals = {
      { "Startup", "VM_E_VM_RUNNING" }, { "Resume", "E_FAIL" }, { "DiscardSavedState", "VM_E_VM_RUNNING" },
    }
    for _, case in ipairs(refusals) do
      failure.expect({ name = case[2], member = case[1], machine = "test" }, objVM[case[1]], objVM)
    end
    objVM:Pause()
    failure.expect({ name = "E_FAIL", member = "Pause", machine = "test" }, objVM.Pause, objVM)
    objVM:TurnOff()
    for _, method in ipairs { "TurnOff", "Save", "Pause", "Resume" } do
      failure.expect({ name = "VM_E_VM_NOT_RUNNING", member = method, machine = "test" }, objVM[method], objVM)
    end
    failure.expect({ name = "VM_E_VM_NO_SAVED_STATE", member = "DiscardSavedState", machine = "test" },
      objVM.DiscardSavedState, objVM)
  end)

  it("what is refused gives libvirt's words", function()
    objVM:TurnOff()
    local err = failure.of(objVM.TurnOff, objVM)
    assert.equal(55, err.cause.code) -- VIR_ERR_OPERATION_INVALID
    assert.equal("integer", math.type(err.cause.domain))
    assert.is_truthy(err.message:find(err.cause.message, 1, true), err.message)
  end)

  it("a reset restarts the count", function()
    local before = accountant.NetworkBytesSent
    objVM:Reset()
    assert.is_true(accountant.NetworkBytesSent < before)
    assert.is_true(accountant.NetworkBytesReceived < before)
    assert.is_true(accountant.UpTime <= 30)
    assert.is_true(math.abs(accountant.Since - os.time()) <= 30)
    assert.equal("Reset", accountant:LastSession().Reason)
    assert.is_true(accountant:LastSession().NetworkBytesSent >= before)
  end)

  it("when the machine started is not known, and says so", function()
    for _, member in ipairs { "Since", "UpTime" } do
      failure.expect({ name = "DISP_E_EXCEPTION", member = member, machine = "test", message = "cannot be known" },
        function() return accountant[member] end)
    end
  end)

  it("other connections see what was done", function()
    local other <close> = vma.CreateObject(PROGID, "test:///default")
    local theirs = other:FindVirtualMachine("test")
    assert.is_true(objVM == theirs)
    objVM:TurnOff()
    assert.equal(vma.vmVMState_TurnedOff, theirs.State)
    failure.expect({ name = "S_FALSE", member = "NetworkBytesSent", machine = "test" }, function()
      return theirs.Accountant.NetworkBytesSent
    end)
  end)

  it("the last session is kept", function()
    assert.is_nil(accountant:LastSession())
    local sent = accountant.NetworkBytesSent
    objVM:TurnOff()
    local last = accountant:LastSession()
    assert.equal("TurnedOff", last.Reason)
    assert.is_true(last.NetworkBytesSent >= sent)
    assert.is_true(math.abs(last.Ended - os.time()) <= 30)
  end)

  it("nothing is open after Close", function()
    local descriptors, threads = handles.descriptors(), handles.threads()
    for _ = 1, 20 do
      vma.CreateObject(PROGID, "test:///default"):Close()
    end
    local more_descriptors, more_threads = handles.wait_for(descriptors, threads)
    assert.is_true(more_descriptors <= 0 and more_threads <= 0)
  end)
end)

-- A host from a file. Each connection to it has machines of its own, so an
-- object has one for all it does.

local function uuid(number)
  return ("00000000-0000-4000-8000-%012x"):format(number)
end

local function escape(text)
  return (text:gsub("[&<>'\"]", function(c) return ("&#%d;"):format(c:byte()) end))
end

-- @param fields  name, number (of its UUID), devices, state: what stands before its name
local function domain_xml(fields)
  return ([[<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>%s<name>%s</name>
    <uuid>%s</uuid><memory unit='MiB'>8</memory><os><type>hvm</type></os><devices>%s</devices></domain>]])
    :format(fields.state or "", escape(fields.name), uuid(fields.number), fields.devices or "")
end

local function interface_xml(kind, mac, inner)
  return ("<interface type='%s'><mac address='%s'/>%s</interface>"):format(kind, mac, inner or "")
end

local function with_host(domains, test)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  assert(file:write("<node>", table.concat(domains, "\n"), "</node>"))
  file:close()
  -- The file stays: what opened it again would find the machines as they were.
  local _ <close> = setmetatable({}, { __close = function() os.remove(path) end })
  local objVS <close> = vma.CreateObject(PROGID, "test://" .. path)
  test(objVS, path)
end

local STOPPED <const> = "<test:runstate>5</test:runstate>"
local PAUSED <const> = "<test:runstate>3</test:runstate>"
local CRASHED <const> = "<test:runstate>6</test:runstate>"
local ASLEEP <const> = "<test:runstate>7</test:runstate>"

describe("on a test host from a file", function()
  before_each(handles.remember)
  after_each(handles.check)

  it("machines are in all states", function()
    with_host({
      domain_xml { name = "running", number = 1 },
      domain_xml { name = "stopped", number = 2, state = STOPPED },
      domain_xml { name = "paused", number = 3, state = PAUSED },
      domain_xml { name = "saved", number = 4, state = STOPPED .. "<test:hasmanagedsave/>" },
      domain_xml { name = "transient", number = 5, state = "<test:transient/>" },
      domain_xml { name = "crashed and kept", number = 6, state = CRASHED },
      domain_xml { name = "asleep", number = 7, state = ASLEEP },
    }, function(objVS)
      local states = {}
      for vm in objVS.VirtualMachines do
        states[vm.Name] = vm.State
      end
      assert.same({
        running = vma.vmVMState_Running,
        stopped = vma.vmVMState_TurnedOff,
        paused = vma.vmVMState_Paused,
        saved = vma.vmVMState_Saved,
        transient = vma.vmVMState_Running,
        ["crashed and kept"] = vma.vmVMState_Paused,
        asleep = vma.vmVMState_Paused,
      }, states)
    end)
  end)

  it("a machine without adapters has sent nothing", function()
    with_host({ domain_xml { name = "bare", number = 1 } }, function(objVS)
      local objVM = objVS:FindVirtualMachine("bare")
      assert.equal(0, objVM.Accountant.NetworkBytesSent)
      assert.equal(0, objVM.Accountant.NetworkBytesReceived)
      assert.equal(0, #objVM.NetworkAdapters)
    end)
  end)

  it("adapters are of all kinds", function()
    with_host({
      domain_xml { name = "all", number = 1, devices =
        interface_xml("network", "52:54:00:00:00:01", "<source network='default'/><target dev='testnet7'/>") ..
        interface_xml("bridge", "52:54:00:00:00:02", "<source bridge='br7'/>") ..
        interface_xml("direct", "52:54:00:00:00:03", "<source dev='eth0' mode='bridge'/>") ..
        interface_xml("user", "52:54:00:00:00:04") ..
        interface_xml("ethernet", "52:54:00:00:00:05") },
    }, function(objVS)
      local found = {}
      for adapter in objVS.VirtualMachines[1].NetworkAdapters do
        local network = adapter.VirtualNetwork
        found[#found + 1] = ("%s %s %s"):format(adapter.EthernetAddress:sub(-1), adapter.Type, network and network.Name)
      end
      assert.same({ "1 network default", "2 bridge br7", "3 direct eth0", "4 user nil", "5 ethernet nil" }, found)
    end)
  end)

  it("the sum is that of the adapters", function()
    with_host({
      domain_xml { name = "two", number = 1, devices =
        interface_xml("bridge", "52:54:00:00:00:01", "<source bridge='br0'/>") ..
        interface_xml("bridge", "52:54:00:00:00:02", "<source bridge='br0'/>") },
    }, function(objVS)
      local objVM = objVS.VirtualMachines[1]
      -- The driver's counts grow with the clock: the sum is read between two readings of each.
      local function each()
        local sum = 0
        for adapter in objVM.NetworkAdapters do
          sum = sum + adapter.BytesSent
        end
        return sum
      end
      local before = each()
      local sum = objVM.Accountant.NetworkBytesSent
      assert.is_true(before <= sum and sum <= each())
    end)
  end)

  it("two adapters with one address stay apart, or are an error", function()
    with_host({
      domain_xml { name = "twins", number = 1, devices =
        interface_xml("bridge", "52:54:00:00:00:01", "<source bridge='br0'/><target dev='testnet1'/>") ..
        interface_xml("bridge", "52:54:00:00:00:01", "<source bridge='br0'/><target dev='testnet2'/>") },
    }, function(objVS)
      local objVM = objVS.VirtualMachines[1]
      assert.equal(2, #objVM.NetworkAdapters)
      local one = objVM.NetworkAdapters[1].BytesSent
      assert.is_true(objVM.Accountant.NetworkBytesSent >= 2 * one)
    end)
  end)

  it("names are odd", function()
    local names = { "two words", "100% \"quoted\" 'name'", "a&b<c>d", "Müller", "サーバー", "-v", ("x"):rep(250), "1" }
    local domains = {}
    for i, name in ipairs(names) do
      domains[i] = domain_xml { name = name, number = i }
    end
    with_host(domains, function(objVS)
      assert.equal(#names, #objVS.VirtualMachines)
      for i, name in ipairs(names) do
        local objVM = objVS:FindVirtualMachine(name)
        assert.equal(name, objVM.Name)
        assert.equal(uuid(i), objVM.ConfigID)
        assert.equal(0, objVM.Accountant.NetworkBytesSent)
      end
      assert.equal("Müller", objVS:FindVirtualMachine("MÜLLER").Name)
    end)
  end)

  -- Every connection has machines of its own, so all that the object does goes
  -- over one. A machine without a UUID in the file gets another one each time.
  for what, xml in pairs {
    ["with a UUID"] = domain_xml { name = "web01", number = 1,
      devices = interface_xml("bridge", "52:54:00:00:00:01", "<source bridge='br0'/>") },
    ["without a UUID"] = (domain_xml { name = "web01", number = 1,
      devices = interface_xml("bridge", "52:54:00:00:00:01", "<source bridge='br0'/>") }):gsub("<uuid>.-</uuid>", ""),
  } do
    it("what is changed is what is read, of a machine " .. what, function()
      with_host({ xml }, function(objVS)
        local objVM = objVS:FindVirtualMachine("web01")
        local accountant = objVM.Accountant
        assert.is_true(accountant.NetworkBytesSent > 0)
        assert.is_true(objVM:TurnOff().IsComplete)
        assert.equal(vma.vmVMState_TurnedOff, objVM.State)
        failure.expect({ name = "S_FALSE", member = "NetworkBytesSent", machine = "web01" }, function()
          return accountant.NetworkBytesSent
        end)
        objVM.Notes = "by the door"
        assert.equal("by the door", objVM.Notes)
        objVM.Memory = 16
        assert.equal(16, objVM.Memory)
        objVM:Startup()
        assert.equal(vma.vmVMState_Running, objVM.State)
        assert.is_true(accountant.NetworkBytesSent > 0)
        objVM:Pause()
        assert.equal(vma.vmVMState_Paused, objVM.State)
        objVM:Resume()
        objVM:Save()
        assert.equal(vma.vmVMState_Saved, objVM.State)
        -- On other hosts, these come over further connections.
        accountant:Get("CPUUtilization")
        accountant:Get("DiskBytesRead")
        assert.equal(objVM.ConfigID, objVS:FindVirtualMachine("web01").ConfigID)
      end)
    end)
  end

  it("of another object machines are others", function()
    with_host({ domain_xml { name = "web01", number = 1 } }, function(objVS, path)
      local other <close> = vma.CreateObject(PROGID, "test://" .. path)
      objVS:FindVirtualMachine("web01"):TurnOff()
      assert.equal(vma.vmVMState_Running, other:FindVirtualMachine("web01").State)
    end)
  end)

  it("names that differ in letter case only need the exact one", function()
    with_host({ domain_xml { name = "web", number = 1 }, domain_xml { name = "WEB", number = 2 } }, function(objVS)
      assert.equal(uuid(1), objVS:FindVirtualMachine("web").ConfigID)
      assert.equal(uuid(2), objVS:FindVirtualMachine("WEB").ConfigID)
      failure.expect({ name = "DISP_E_EXCEPTION", member = "FindVirtualMachine",
        message = "differ in letter case only" }, objVS.FindVirtualMachine, objVS, "Web")
    end)
  end)

  for _, options in ipairs { {}, { max_age = 600 } } do
    local how = options.max_age and "from one sample" or "one by one"
    it("a thousand machines are listed, found and read " .. how .. " #slow", function()
      local domains = {}
      for i = 1, 1000 do
        domains[i] = domain_xml { name = ("vm%04d"):format(i), number = i, devices =
          interface_xml("bridge", ("52:54:00:00:%02x:%02x"):format(i >> 8, i & 0xff), "<source bridge='br0'/>") }
      end
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      assert(file:write("<node>", table.concat(domains, "\n"), "</node>"))
      file:close()
      local objVS <close> = vma.CreateObject(PROGID, "test://" .. path, options)
      os.remove(path)

      local begun = os.clock()
      assert.equal(1000, #objVS.VirtualMachines)
      for i = 1, 1000 do
        local objVM = objVS:FindVirtualMachine(("vm%04d"):format(i))
        assert.equal(uuid(i), objVM.ConfigID)
      end
      local read = 0
      for accountant in objVS.VirtualMachines:Accountants() do
        assert.is_true(accountant.NetworkBytesSent > 0)
        read = read + 1
      end
      assert.equal(1000, read)
      assert.equal("vm0777", objVS:FindVirtualMachine("VM0777").Name)
      assert.is_true(os.clock() - begun < 10)
    end)
  end
end)

-- Over a transport the machines are in the daemon, and just as much of one
-- connection.
host.describe(_ENV, "on a test host from a file, in a daemon #root", function()
  setup(host.start)
  teardown(host.stop)

  it("what is changed is what is read", function()
    local path = host.write_file("/run/machines.xml", "<node>" .. domain_xml { name = "web01", number = 1,
      devices = interface_xml("bridge", "52:54:00:00:00:01", "<source bridge='br0'/>") } .. "</node>")
    local objVS <close> = vma.CreateObject(PROGID, "test+unix://" .. path)
    local objVM = objVS:FindVirtualMachine("web01")
    assert.equal("libvirt TEST", objVS.Name)
    assert.is_true(objVM.Accountant.NetworkBytesSent > 0)
    objVM:Pause()
    assert.equal(vma.vmVMState_Paused, objVM.State)
    objVM:TurnOff()
    assert.equal(vma.vmVMState_TurnedOff, objVM.State)
    failure.expect({ name = "S_FALSE", member = "DiskBytesRead", machine = "web01" }, function()
      return objVM.Accountant.DiskBytesRead
    end)
    failure.expect({ name = "DISP_E_EXCEPTION", member = "UpTime" }, function() return objVS.UpTime end)
  end)
end)
