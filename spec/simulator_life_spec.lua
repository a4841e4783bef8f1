-- What may become of a simulated machine and of the tasks that change it.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"

local PROGID <const> = "VirtualServer.Application"

describe("a simulated machine", function()
  local host, objVS, web01, nic, objVM

  before_each(handles.remember)

  before_each(function()
    host = simulator.new()
    objVS = host:CreateObject(PROGID)
    web01, nic = host:AddMachine("web01", { adapters = 1, running = true })
    objVM = objVS.VirtualMachines[1]
    assert.equal(0, objVM.Accountant.NetworkBytesSent)
  end)

  after_each(function()
    objVS:Close()
    host, objVS, web01, nic, objVM = nil, nil, nil, nil, nil
    handles.check()
  end)

  -- The reason and bytes of the session that has ended.
  local function last()
    local session = objVM.Accountant:LastSession()
    return { session.Reason, session.NetworkBytesSent, objVM.State }
  end

  it("is shut down by its guest", function()
    nic:Send(5)
    web01:ShutDown()
    assert.same({ "ShutDown", 5, vma.vmVMState_TurnedOff }, last())
    failure.expect({ name = "VM_E_VM_NOT_RUNNING", member = "ShutDown" }, web01.ShutDown, web01)
  end)

  it("migrates away, and comes back", function()
    nic:Send(5)
    web01:MigrateAway()
    assert.same({ "MigratedAway", 5, vma.vmVMState_TurnedOff }, last())
    failure.expect({ name = "VM_E_VM_NOT_RUNNING", member = "MigrateAway" }, web01.MigrateAway, web01)
    web01:Startup()
    assert.equal(0, objVM.Accountant.NetworkBytesSent)
  end)

  it("reverts to a snapshot as it is now, or of the other kind", function()
    nic:Send(5)
    web01:Revert()
    assert.same({ "Reverted", 5, vma.vmVMState_Running }, last())
    assert.equal(0, objVM.Accountant.NetworkBytesSent)
    nic:Send(3)
    web01:Revert(false)
    assert.same({ "Reverted", 3, vma.vmVMState_TurnedOff }, last())
    web01:Revert()
    assert.equal(vma.vmVMState_TurnedOff, objVM.State)
    web01:Revert(true)
    assert.equal(0, objVM.Accountant.NetworkBytesSent)
    web01:Save()
    web01:Revert()
    assert.equal(vma.vmVMState_TurnedOff, objVM.State)
    failure.expect_argument_error("boolean expected, got number", web01.Revert, web01, 1)
    web01:Remove()
    failure.expect({ name = "VM_E_VM_UNKNOWN", member = "Revert" }, web01.Revert, web01)
  end)

  it("reports these ends to handlers", function()
    local events = {}
    objVS:Connect {
      OnVMStateChange = function(name, state)
        if state == vma.vmVMState_TurnedOff or state == vma.vmVMState_Running then
          events[#events + 1] = name .. " " .. state
        end
      end,
    }
    objVS:WaitForEvents(0)
    events = {}
    for _, method in ipairs { "ShutDown", "MigrateAway", "Revert" } do
      web01[method](web01)
      if method ~= "Revert" then
        web01:Startup()
      end
    end
    objVS:WaitForEvents(0)
    local off, on = "web01 " .. vma.vmVMState_TurnedOff, "web01 " .. vma.vmVMState_Running
    assert.same({ off, on, off, on, off, on }, events)
  end)

  describe("fails alone", function()
    local other

    before_each(function()
      host:AddMachine("web02", { adapters = 1, running = true })
      other = objVS:FindVirtualMachine("web02")
    end)
    after_each(function() other = nil end)

    -- Whether each of these works, for the object.
    local function works(object)
      local name = object == objVM and "web01" or "web02"
      return {
        find = pcall(objVS.FindVirtualMachine, objVS, name),
        name = pcall(function() return object.Name end),
        state = pcall(function() return object.State end),
        sample = pcall(function() return object.Accountant.NetworkBytesSent end),
        sample_disks = pcall(function() return object.Accountant.DiskBytesRead end),
        processor_times = pcall(function() return object.Accountant.CPUUtilization end),
        scheduling = pcall(function() return object.Accountant.RelativeWeight end),
        set_scheduling = pcall(function() object.Accountant:SetSchedulingParameters(0, 50, 100) end),
        change = pcall(object.Reset, object),
        configuration = pcall(function() return object.Notes end),
      }
    end

    -- What needs the answer of another call, too.
    local needed <const> = {
      name = { find = true },
      sample = { sample_disks = true, processor_times = true },
      scheduling = { set_scheduling = true },
    }

    it("in each kind of call, and in no other", function()
      local all = works(other)
      for call in pairs(all) do
        assert.is_true(all[call], call)
        web01:Fail(call, "no answer")
        host:AdvanceClock(4) -- the processor times that were seen before are too old
        assert.same(all, works(other), call)
        for kind, works_still in pairs(works(objVM)) do
          local needs = kind == call or needed[call] and needed[call][kind] or false
          assert.equal(not needs, works_still, call .. " " .. kind)
        end
        web01:Fail(call)
        assert.same(all, works(objVM), call)
      end
    end)

    it("with its message, also where one sweep serves all machines", function()
      local swept <close> = host:CreateObject(PROGID, { max_age = 60 })
      web01:Fail("sample", "the monitor does not answer")
      assert.equal(0, swept:FindVirtualMachine("web02").Accountant.NetworkBytesSent)
      local bytes, reason = swept:FindVirtualMachine("web01").Accountant:Get("NetworkBytesSent")
      assert.is_nil(bytes)
      assert.same({ "DISP_E_EXCEPTION", "the monitor does not answer" }, { reason.name, reason.message })
      assert.equal("the monitor does not answer",
        failure.of(function() return objVM.Accountant.NetworkBytesSent end).message)
    end)

    it("until it is removed", function()
      web01:Fail("sample", "no answer")
      web01:Remove()
      failure.expect({ name = "VM_E_VM_UNKNOWN", member = "Fail" }, web01.Fail, web01, "sample", "no answer")
    end)
  end)

  describe("has tasks that", function()
    it("are complete at once, unless they take time", function()
      assert.is_true(objVM:Save().IsComplete)
      web01:SetTaskDuration(10)
      assert.is_true(web01:Startup() == nil and objVM:Reset().IsComplete and objVM:TurnOff().IsComplete)
    end)

    it("stay open, progress with the clock, and end", function()
      web01:SetTaskDuration(10)
      local task = objVM:Save()
      for second = 0, 9 do
        assert.same({ false, true, 10 * second, vma.vmVMState_Saving },
          { task.IsComplete, task.IsCancelable, task.PercentCompleted, objVM.State })
        failure.expect({ name = "E_FAIL", member = "Result", machine = "web01" }, function() return task.Result end)
        host:AdvanceClock(1)
      end
      assert.same({ true, false, 100, vma.vmVMState_Saved },
        { task.IsComplete, task.IsCancelable, task.PercentCompleted, objVM.State })
      assert.equal(vma.vmTaskResult_Success, task.Result)
      task = objVM:Startup()
      assert.same({ false, false, vma.vmVMState_TurningOn }, { task.IsComplete, task.IsCancelable, objVM.State })
      local now = objVS.HostInfo.UTCTime
      host:AdvanceClock(60)
      assert.same({ true, vma.vmVMState_Running, now + 10, 50 },
        { task.IsComplete, objVM.State, objVM.Accountant.Since, objVM.Accountant.UpTime })
    end)

    it("count what is sent until their end", function()
      web01:SetTaskDuration(10)
      objVM:Save()
      nic:Send(7)
      host:AdvanceClock(10)
      assert.same({ "Saved", 7, vma.vmVMState_Saved }, last())
    end)

    it("fail later", function()
      for _, one in ipairs { web01, host } do
        web01:SetTaskDuration(10)
        local task = objVM:Save()
        host:AdvanceClock(9)
        one:Fail("change", "no space left on device")
        assert.is_false(task.IsComplete)
        host:AdvanceClock(1)
        assert.same({ true, vma.vmTaskResult_UnexpectedError, vma.hresult.DISP_E_EXCEPTION, "no space left on device" },
          { task.IsComplete, task.Result, task.Error, task.ErrorDescription })
        assert.equal(vma.vmVMState_Running, objVM.State)
        one:Fail("change")
      end
    end)

    it("fail where the machine has gone meanwhile", function()
      web01:SetTaskDuration(10)
      local task = objVM:Save()
      web01:Crash()
      assert.same({ true, vma.hresult.VM_E_VM_NOT_RUNNING }, { task.IsComplete, task.Error })
      assert.equal("Crashed", last()[1])
      task = objVM:Startup()
      web01:Startup()
      host:AdvanceClock(10)
      assert.equal(vma.hresult.VM_E_VM_RUNNING, task.Error)
      web01:TurnOff()
      task = objVM:Startup()
      web01:Remove()
      assert.same({ true, vma.hresult.VM_E_VM_UNKNOWN }, { task.IsComplete, task.Error })
    end)

    it("can be cancelled", function()
      web01:SetTaskDuration(math.huge)
      local task = objVM:Save()
      host:AdvanceClock(1e6)
      assert.same({ false, 0 }, { task.IsComplete, task.PercentCompleted })
      task:Cancel()
      assert.same({ true, vma.vmTaskResult_Cancelled, vma.vmVMState_Running },
        { task.IsComplete, task.Result, objVM.State })
      host:AdvanceClock(1e6)
      assert.equal(vma.vmVMState_Running, objVM.State)
    end)

    it("are waited for on the host's own clock, at once and never for ever", function()
      web01:SetTaskDuration(3000)
      local task, before = objVM:Save(), objVS.HostInfo.UTCTime
      task:WaitForCompletion(1000)
      assert.same({ false, before + 1 }, { task.IsComplete, objVS.HostInfo.UTCTime })
      task:WaitForCompletion(-1)
      assert.same({ true, before + 3000 }, { task.IsComplete, objVS.HostInfo.UTCTime })
      task:WaitForCompletion(-1)
      web01:SetTaskDuration(math.huge)
      task = objVM:Startup()
      task:WaitForCompletion(5000)
      assert.is_false(task.IsComplete)
      local err = failure.expect({ name = "E_FAIL", member = "WaitForCompletion", machine = "web01" },
        task.WaitForCompletion, task, -1)
      assert.matches("wait for ever", err.message, 1, true)
      web01:SetTaskDuration(0)
      assert.same({ true, vma.vmTaskResult_Success }, { task.IsComplete, task.Result })
    end)

    it("take real time where the clock does", function()
      local real = simulator.new { clock = "real" }
      local application <close> = real:CreateObject(PROGID)
      local machine = real:AddMachine("web01", { running = true })
      machine:SetTaskDuration(0.2)
      local task = application.VirtualMachines[1]:Save()
      assert.is_false(task.IsComplete)
      task:WaitForCompletion(-1)
      assert.is_true(task.IsComplete)
      assert.equal(vma.vmTaskResult_Success, task.Result)
    end)

    it("keep other tasks of the machine out", function()
      web01:SetTaskDuration(10)
      objVM:Save()
      for _, method in ipairs { "Save", "Pause", "Reset" } do
        local err = failure.expect({ name = "E_FAIL", member = method, machine = "web01" }, objVM[method], objVM)
        assert.matches("still being saved", err.message, 1, true)
      end
      objVM:TurnOff()
      assert.equal(vma.vmVMState_TurnedOff, objVM.State)
    end)

    it("are refused where the machine's state forbids them", function()
      web01:SetTaskDuration(10)
      failure.expect({ name = "VM_E_VM_RUNNING", member = "Startup", machine = "web01" }, objVM.Startup, objVM)
      web01:TurnOff()
      failure.expect({ name = "VM_E_VM_NOT_RUNNING", member = "Save", machine = "web01" }, objVM.Save, objVM)
    end)

    it("outlive their application object, which does not wait for them", function()
      local other = host:CreateObject(PROGID)
      web01:SetTaskDuration(10)
      local task = other.VirtualMachines[1]:Save()
      other:Close()
      failure.expect({ name = "VM_E_APP_SHUTTING_DOWN", member = "IsComplete" }, function() return task.IsComplete end)
      assert.equal(vma.vmVMState_Running, objVM.State)
      host:AdvanceClock(10)
      assert.equal(vma.vmVMState_Saved, objVM.State)
      objVM:Startup() -- is left open with the simulator
    end)

    it("take seconds", function()
      for _, seconds in ipairs { -1, 2e9, 0 / 0, -math.huge } do
        failure.expect_argument_error("seconds must be from 0 to 1e9, or math.huge", web01.SetTaskDuration, web01,
          seconds)
      end
      failure.expect_argument_error("number expected, got no value", web01.SetTaskDuration, web01)
    end)
  end)
end)
