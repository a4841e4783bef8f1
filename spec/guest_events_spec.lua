-- Events and tasks of real machines.

local vma = require "vmaccountant"
local host = require "spec.support.libvirt_host"
local real_host = require "spec.support.real_host"
local guest = require "spec.support.guest"
local failure = require "spec.support.failure"


local STATES <const> = {}
for name, value in pairs(vma) do
  if type(name) == "string" and name:match("^vmVMState_") then
    STATES[value] = name:match("_(.*)")
  end
end

real_host.describe(_ENV, "what happens to a real machine #root", function(connect)
  local g, objVS, objVM, told

  setup(function()
    g = guest.start { adapters = 1 }
  end)

  before_each(function()
    objVS = connect()
    objVM = objVS:FindVirtualMachine(g.name)
    told = {}
    objVS:Connect {
      OnVMStateChange = function(name, state)
        assert.equal(g.name, name)
        told[#told + 1] = STATES[state]
      end,
      OnReset = function() told[#told + 1] = "reset" end,
      OnAdapterRemoved = function(_, address) told[#told + 1] = address end,
    }
  end)

  -- Delivers events until the last one is `last`, and a moment longer, in which nothing more may come.
  local function assert_told(expected)
    host.wait_until("event " .. expected[#expected], 60, function()
      objVS:WaitForEvents(200)
      return #told >= #expected
    end, 0)
    objVS:WaitForEvents(500)
    assert.same(expected, told)
    told = {}
  end

  it("is told in the documented order: pause, resumption, reset", function()
    objVM:Pause()
    assert_told { "Paused" }
    objVM:Resume()
    assert_told { "Running" }
    g:reset()
    assert_told { "TurningOff", "DeleteMachine", "TurningOn", "Running", "reset" }
    objVM:Reset()
    assert_told { "TurningOff", "DeleteMachine", "TurningOn", "Running", "reset" }
  end)

  it("is told in the documented order: save, restore, turn-off, startup", function()
    local task = objVM:Save()
    task:WaitForCompletion(-1)
    assert.same({ true, 100, vma.vmTaskResult_Success, 0, "", false },
      { task.IsComplete, task.PercentCompleted, task.Result, task.Error, task.ErrorDescription, task.IsCancelable })
    assert.equal(vma.vmVMState_Saved, objVM.State)
    assert_told { "Saving", "TurningOff", "DeleteMachine", "TurnedOff" }
    objVM:Startup():WaitForCompletion(-1)
    assert_told { "TurningOn", "Restoring", "Running" }
    objVM:TurnOff()
    assert_told { "TurningOff", "DeleteMachine", "TurnedOff" }
    task = objVM:Startup()
    assert.matches("^Startup of ", task.Description)
    task:WaitForCompletion(-1)
    assert.same({ true, vma.vmTaskResult_Success }, { task.IsComplete, task.Result })
    assert_told { "TurningOn", "Running" }
  end)

  it("is told of changes that came while libvirtd was down, when it is back", function()
    host.kill("KILL")
    host.shell(("kill -KILL $(cat /run/libvirt/qemu/%s.pid)"):format(g.name))
    host.sleep(1)
    host.start()
    assert_told { "TurningOff", "DeleteMachine", "TurnedOff" }
    objVM:Startup():WaitForCompletion(-1)
    assert_told { "TurningOn", "Running" }
  end)

  it("lets the script go on while a machine is started", function()
    objVM:TurnOff()
    local task = objVM:Startup()
    local state = objVM.State
    assert.is_true(state == vma.vmVMState_TurningOn or state == vma.vmVMState_Running, state)
    local seen_incomplete = not task.IsComplete
    local ok, err = pcall(function() return task.Result end)
    if not ok then -- it went on still
      failure.check({ name = "E_FAIL", member = "Result", machine = g.name }, err)
    end
    failure.expect({ name = "E_FAIL", member = "Cancel", machine = g.name }, function() task:Cancel() end)
    task:WaitForCompletion(-1)
    assert.is_true(task.IsComplete)
    assert.equal(vma.vmTaskResult_Success, task.Result)
    assert.is_true(seen_incomplete or ok)
  end)

  it("carries a startup out although the script ends with it", function()
    objVM:TurnOff()
    objVM:Startup()
    objVS:Close()
    host.wait_until("start of the machine", 60, function()
      return host.virsh("domstate", g.name):find("running", 1, true)
    end)
    objVS = connect()
  end)

  it("refuses in the method what the machine's state forbids", function()
    failure.expect({ name = "VM_E_VM_RUNNING", member = "Startup", machine = g.name }, function()
      objVM:Startup()
    end)
    objVM:TurnOff()
    failure.expect({ name = "VM_E_VM_NOT_RUNNING", member = "Save", machine = g.name }, function() objVM:Save() end)
    objVM:Startup():WaitForCompletion(-1)
  end)

  it("tells in the task what the host could not do", function()
    host.define([[<domain type='qemu'><name>hollow</name><memory unit='MiB'>16</memory>
      <os><type arch='x86_64'>hvm</type><kernel>/nonesuch</kernel></os></domain>]])
    local task = objVS:FindVirtualMachine("hollow"):Startup()
    task:WaitForCompletion(-1)
    assert.same({ true, 100, vma.vmTaskResult_UnexpectedError, vma.hresult.DISP_E_EXCEPTION },
      { task.IsComplete, task.PercentCompleted, task.Result, task.Error })
    assert.equal("VMTask Startup of hollow: failed: " .. task.ErrorDescription, tostring(task))
    local _, times = task.ErrorDescription:gsub("nonesuch", "")
    assert.equal(1, times, task.ErrorDescription)
    host.virsh("undefine", "hollow")
  end)

  -- The helper through which QEMU writes the image begins when the file `hold` is gone.
  local function hold_saves()
    local helper, hold = "/usr/lib/libvirt/libvirt_iohelper", host.folder .. "/hold"
    host.shell(("cp %s %s.real; : >%s"):format(helper, hold, hold))
    host.write_file(hold .. ".sh", ("#!/bin/sh\nwhile [ -e %s ]; do sleep 0.05; done\nexec %s.real \"$@\"\n")
      :format(hold, hold))
    host.shell(("chmod +x %s.sh %s.real; mount --bind %s.sh %s"):format(hold, hold, hold, helper))
    return setmetatable({ go = function() os.remove(hold) end },
      { __close = function() os.remove(hold) host.shell("umount " .. helper) end })
  end

  it("can be a save that takes long, which the script does not wait for", function()
    local held <close> = hold_saves()
    local task = objVM:Save()
    assert.same({ false, true }, { task.IsComplete, task.IsCancelable })
    failure.expect({ name = "E_FAIL", member = "Result", machine = g.name }, function() return task.Result end)
    task:WaitForCompletion(300)
    assert.is_false(task.IsComplete)
    assert.is_true(task.PercentCompleted < 100)
    assert.equal(vma.vmVMState_Saving, objVM.State)
    assert.matches(" of " .. g.name .. ": in progress, ", tostring(task), 1, true)
    assert.matches("^VMTask Save of .*, %d%d? %%$", tostring(task))
    held.go()
    task:WaitForCompletion(-1)
    assert.equal("VMTask Save of " .. g.name .. ": complete", tostring(task))
    assert.same({ true, 100, vma.vmTaskResult_Success }, { task.IsComplete, task.PercentCompleted, task.Result })
    assert.equal(vma.vmVMState_Saved, objVM.State)
    objVM:Startup():WaitForCompletion(-1)
  end)

  it("can be a save that is cancelled: the machine runs on, and its counts too", function()
    g:destroy()
    g:start() -- what the script has started has no console
    g:send(1, 5)
    g:quiet()
    local bytes = objVM.Accountant.NetworkBytesSent
    objVS:WaitForEvents(0)
    told = {}
    do
      local held <close> = hold_saves()
      local task = objVM:Save()
      assert_told { "Saving" }
      task:Cancel()
      held.go()
      task:WaitForCompletion(-1)
      assert.same({ true, vma.vmTaskResult_Cancelled }, { task.IsComplete, task.Result })
      assert.equal("VMTask Save of " .. g.name .. ": cancelled", tostring(task))
      failure.expect({ name = "E_FAIL", member = "Cancel", machine = g.name }, function() task:Cancel() end)
    end
    assert_told { "Running" }
    assert.equal(vma.vmVMState_Running, objVM.State)
    assert.equal(bytes, objVM.Accountant.NetworkBytesSent)
  end)
end, true)
