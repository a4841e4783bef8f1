-- A real machine's CPUUtilization is the processor time that its QEMU process uses,
-- as the kernel tells it: all of a processor in a busy loop, next to nothing idle.
-- run alone: it compares shares of the machine's processors

local host = require "spec.support.libvirt_host"
local real_host = require "spec.support.real_host"
local guest = require "spec.support.guest"
local failure = require "spec.support.failure"

real_host.describe(_ENV, "a real machine's processors #root", function(connect)
  local g, objVS, accountant

  setup(function()
    g = guest.start { name = "processors", adapters = 0 }
    objVS = connect()
    accountant = objVS:FindVirtualMachine(g.name).Accountant
  end)

  local function fields_of(path)
    local fields = {}
    for field in host.read_file(path):match("%) (.*)"):gmatch("%S+") do
      fields[#fields + 1] = field
    end
    return fields
  end

  -- Seconds of processor time that QEMU has used, by the kernel.
  local function used()
    local fields = fields_of(("/proc/%d/stat"):format(host.qemu_pid(g.name)))
    return (tonumber(fields[12]) + tonumber(fields[13])) / 100
  end

  -- Percents of the last so many seconds of the history, and the kernel's over about
  -- the same time. On a machine that is frozen, or short of processors, the one is
  -- as low as the other.
  local function measure(seconds)
    local before, at = used(), host.now()
    host.sleep(seconds)
    local percent = 100 * (used() - before) / (host.now() - at)
    local history, sum = accountant.CPUUtilizationHistory, 0
    for i = 61 - seconds, 60 do
      sum = sum + history[i]
    end
    return sum / seconds, math.min(percent, 100), history
  end

  local function assert_history(history)
    assert.equal(60, #history)
    for i = 1, 60 do
      assert.equal("integer", math.type(history[i]))
      assert.is_true(history[i] >= 0 and history[i] <= 100)
    end
  end

  it("begin with a history of zeros, and a utilization at once", function()
    local history = accountant.CPUUtilizationHistory
    assert_history(history)
    for i = 1, 59 do
      assert.equal(0, history[i])
    end
    local percent = accountant.CPUUtilization
    assert.equal("integer", math.type(percent))
    assert.is_true(percent >= 0 and percent <= 100)
  end)

  -- The two looks do not begin and end together: on a changing load they differ,
  -- and another look is taken.
  local function are_near(a, b)
    return math.abs(a - b) <= 15
  end

  it("are next to idle in an idle guest", function()
    host.wait_until("idle guest", 60, function()
      local ours, kernels, history = measure(4)
      assert_history(history)
      return are_near(kernels, ours) and kernels <= 10 and ours <= 10 and accountant.CPUUtilization <= 10
    end)
  end)

  it("are busy in a busy loop", function()
    g:run("(while :; do :; done) >/dev/null 2>&1 & echo $! >/tmp/busy")
    local begun, ours, kernels, history = host.now(), nil, nil, nil
    host.wait_until("busy guest", 120, function()
      ours, kernels, history = measure(4)
      assert_history(history)
      if kernels < 95 and host.now() - begun < 60 then
        return false -- QEMU has not had a processor
      end
      return are_near(kernels, ours) and ours >= (kernels >= 95 and 90 or 40)
    end, 0.05, function()
      return ("%s %% by the kernel, %s %% here"):format(kernels, ours)
    end)
    -- The history goes on from idle to busy.
    history = accountant.CPUUtilizationHistory
    assert.is_true(history[60] >= 20 and history[60] <= 100)
    g:run("kill $(cat /tmp/busy)")
  end)

  it("use nothing while the machine is paused", function()
    local objVM = accountant.VirtualMachine
    objVM:Pause()
    host.wait_until("rest of the paused machine", 30, function()
      local ours = measure(2)
      return ours <= 2 and accountant.CPUUtilization <= 2
    end)
    objVM:Resume()
  end)

  it("are those of the first quarter of a second in a new process", function()
    local other <close> = connect()
    local at = host.now()
    assert.equal("integer", math.type(other:FindVirtualMachine(g.name).Accountant.CPUUtilization))
    assert.is_true(host.now() - at < 20)
  end)

  it("begin anew with the machine, and not with a reset", function()
    local function sum(history)
      local total = 0
      for i = 1, 60 do
        total = total + history[i]
      end
      return total
    end
    assert.is_true(sum(accountant.CPUUtilizationHistory) > 0)
    g:reset()
    assert.is_true(sum(accountant.CPUUtilizationHistory) > 0)
    g:destroy()
    for _, member in ipairs { "CPUUtilization", "CPUUtilizationHistory" } do
      assert.equal("S_FALSE", failure.of(function() return accountant[member] end).name)
    end
    g:start()
    local history = accountant.CPUUtilizationHistory
    assert_history(history)
    assert.equal(0, history[1])
    assert.equal("integer", math.type(accountant.CPUUtilization))
  end)

  it("go on when libvirtd has been restarted", function()
    assert.is_truthy(accountant.CPUUtilization)
    host.kill("KILL")
    host.start()
    host.wait_until("the machine's processors after the restart", 60, function()
      return accountant:Get("CPUUtilization")
    end, 0.5)
  end)

  -- In a process of its own, which such a daemon could end.
  it("outlives a daemon that hangs while others ask it, too", function()
    local ok, output = host.try_shell(([[timeout 60 lua5.4 -e '
      local vma = require "vmaccountant"
      local objVS = vma.CreateObject("VirtualServer.Application", "qemu:///system", { timeout = 3 })
      local objVM = objVS.VirtualMachines[1]
      print(objVM.Accountant.CPUUtilization)
      os.execute("kill -STOP %d")
      for _ = 1, 7 do
        pcall(function() return objVM.State end)
      end
      os.execute("kill -CONT %d; sleep 2")
      print(objVM.State)']]):format(host.pid(), host.pid()))
    host.try_shell(("kill -CONT %d"):format(host.pid()))
    assert.is_true(ok, output)
  end)
end, true)
