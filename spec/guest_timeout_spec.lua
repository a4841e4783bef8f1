-- The option `timeout` is the time that a call has: a libvirtd that stands still
-- for less fails nothing, and one that stands still for longer fails the call
-- then, whatever it was at.

local host = require "spec.support.libvirt_host"
local real_host = require "spec.support.real_host"
local guest = require "spec.support.guest"
local agent = require "spec.support.agent"

local TIMEOUT <const> = 3

real_host.describe(_ENV, "the option timeout #root", function()
  local g, a

  setup(function()
    g = guest.start { name = "patience" }
    a = agent.start()
    a:eval(([[
      function open(options)
        options.timeout = %d
        return connect(options)
      end
      function timed(call)
        local begun = process.now()
        local ok, result = pcall(call)
        return process.now() - begun, ok, ok or result.name, ok or result.message
      end
      objVS = open { counters = "hypervisor" }
      objVM = objVS:FindVirtualMachine(%q)
      calls = {
        State = function() return objVM.State end,
        NetworkBytesSent = function() return objVM.Accountant.NetworkBytesSent end,
        DiskBytesRead = function() return objVM.Accountant.DiskBytesRead end,
        Find = function() return objVS:FindVirtualMachine(%q) end,
        List = function() return objVS.VirtualMachines end,
        Pause = function() objVM:Pause() objVM:Resume() end,
        Connect = function() open {}:Close() end,
      }
      for _, call in pairs(calls) do call() end]]):format(TIMEOUT, g.name, g.name))
  end)

  teardown(function()
    if host.pid() then
      host.try_shell("kill -CONT " .. host.pid())
    end
  end)

  local CALLS <const> = { "State", "NetworkBytesSent", "DiskBytesRead", "Find", "List", "Pause", "Connect" }

  for _, name in ipairs(CALLS) do
    it("is no floor: a shorter standstill fails nothing in " .. name, function()
      for _, seconds in ipairs { 0.8, 2.2 } do
        host.shell("kill -STOP " .. host.pid())
        local id = a:post(("return timed(calls.%s)"):format(name))
        host.sleep(seconds)
        host.shell("kill -CONT " .. host.pid())
        local took, ok, _, message = a:answer(id, 20)
        assert.is_true(ok, message)
        assert.is_true(took >= seconds * 0.8, took)
      end
    end)

    it("is the bound when libvirtd stands still during " .. name, function()
      host.shell("kill -STOP " .. host.pid())
      local took, ok, code, message = a:eval(("return timed(calls.%s)"):format(name), 20)
      host.shell("kill -CONT " .. host.pid())
      assert.is_false(ok)
      assert.equal("DISP_E_EXCEPTION", code)
      assert.is_truthy(message:find("3 seconds", 1, true), message)
      assert.is_truthy(message:find("option 'timeout'", 1, true), message)
      -- 10 %, and what a busy machine adds.
      assert.is_true(took >= TIMEOUT * 0.9 and took <= TIMEOUT * 1.1 + 0.5, took)
      assert.is_true(a:eval(("return (select(2, timed(calls.%s)))"):format(name), 20), "it goes on afterwards")
    end)
  end

  it("lets Ctrl-C end a connection that nobody answers, at once", function()
    local begins = host.folder .. "/begins"
    local script = host.write_file(host.folder .. "/silent.lua", ([[
      package.path, package.cpath = %q, %q
      local vma = require "vmaccountant"
      local function open() vma.CreateObject("VirtualServer.Application", "qemu:///system", { timeout = 60 }) end
      io.open(%q, "w"):close()
      if arg[1] == "coroutine" then coroutine.wrap(open)() else open() end
      print("goes on")]]):format(package.path, package.cpath, begins))
    host.shell("kill -STOP " .. host.pid())
    for _, where in ipairs { "main", "coroutine" } do
      os.remove(begins)
      local _, output = host.try_shell(([[
        lua5.4 %s %s & script=$!
        while ! test -e %s; do sleep 0.05; done
        sleep 0.5
        kill -INT $script
        begun=$(date +%%s%%N)
        wait $script
        echo "status $? after $((($(date +%%s%%N) - begun) / 1000000)) ms"]]):format(script, where, begins))
      assert.is_truthy(output:find("interrupted!", 1, true), output)
      assert.is_nil(output:find("goes on", 1, true), output)
      local status, took = output:match("status (%d+) after (%d+) ms")
      assert.equal("1", status)
      assert.is_true(tonumber(took) < 3000, output)
    end
    host.shell("kill -CONT " .. host.pid())
  end)

  it("bounds a call that libvirtd's standstill catches in its middle", function()
    -- Calls one after the other: whichever is under way is caught at any point.
    local id = a:post [[
      local until_ = process.now() + 6
      while process.now() < until_ do
        local took, ok, code, message = timed(calls.List)
        if not ok then return took, code, message end
      end]]
    host.sleep(0.5)
    host.shell("kill -STOP " .. host.pid())
    local took, code, message = a:answer(id, 20)
    host.shell("kill -CONT " .. host.pid())
    assert.equal("DISP_E_EXCEPTION", code)
    assert.is_truthy(message:find("option 'timeout'", 1, true), message)
    assert.is_true(took >= TIMEOUT * 0.9 and took <= TIMEOUT * 1.1 + 0.5, took)
  end)
end, true)
