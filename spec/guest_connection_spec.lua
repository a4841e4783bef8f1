-- libvirtd goes, comes back and freezes under live applications, with a real
-- guest: nothing crashes or hangs, and no figure is wrong.

local host = require "spec.support.libvirt_host"
local real_host = require "spec.support.real_host"
local guest = require "spec.support.guest"
local agent = require "spec.support.agent"
local exact = require "spec.support.exact"

real_host.describe(_ENV, "libvirtd under a live application #root", function(connect)
  local g, a

  setup(function()
    g = guest.start { name = "connection" }
    g:send(1, 5)
    g:quiet()
    a = agent.start()
    -- What the kernel can tell goes on without libvirt: here libvirt is asked.
    a:eval(([[
      objVS = connect { timeout = 4, counters = "hypervisor" }
      objVM = objVS:FindVirtualMachine(%q)
      accountant = objVM.Accountant
      stop_file, reset_file = %q, %q
      direct = connect { timeout = 4 }
      accountant2 = direct:FindVirtualMachine(%q).Accountant
      function timed(call)
        local begun = process.now()
        local ok, result = pcall(call)
        if ok then
          return process.now() - begun, true, result
        end
        return process.now() - begun, false, result.name, result.message
      end
      function read() return accountant.NetworkBytesSent end
      for _ = 1, 5 do read() accountant2:Get "NetworkBytesSent" end]]):format(g.name, a.folder .. "/stop",
      a.folder .. "/reset", g.name))
  end)

  teardown(function()
    if host.pid() then
      host.try_shell("kill -CONT " .. host.pid())
    end
  end)

  it("raises while it is down, and keeps sessions and the bytes of what was unplugged", function()
    local mac = g:plug { bridge = "vmabr1" }
    g:send(2, 7)
    g:quiet()
    local before = a:eval "return read()"
    g:unplug(mac)
    host.kill("KILL")
    local _, ok, name, message = a:eval "return timed(read)"
    assert.is_false(ok)
    assert.equal("DISP_E_EXCEPTION", name)
    assert.is_truthy(message:find("libvirtd", 1, true), message)
    host.start()
    assert.equal(before, a:eval "return read()")
    g:send(1, 2)
    g:quiet()
    assert.equal(before + 2000, a:eval "return read()")
    assert.equal(before + 2000, a:eval "return accountant2.NetworkBytesSent")
  end)

  it("is heard again after it has come back, though nobody asks for anything", function()
    host.kill("KILL")
    host.start()
    g:send(1, 3)
    g:quiet()
    g:reset()
    g:send(1, 4)
    g:quiet()
    assert.equal(4000, a:eval "return read()")
    assert.equal(4000, a:eval "return accountant2.NetworkBytesSent")
    assert.equal("Reset", a:eval "return accountant:LastSession().Reason")
  end)

  it("is killed 20 times under reads and resets, and no figure is wrong", function()
    local id = a:post [[
      local reads, errors, longest, last, session, fell, names = 0, 0, 0, 0, nil, {}, {}
      local deadline = process.now() + 100
      local resets = 0
      while not io.open(stop_file) and process.now() < deadline do
        local seconds, ok, result = timed(read)
        longest = math.max(longest, seconds)
        reads = reads + 1
        if not ok then
          errors = errors + 1
          names[result] = (names[result] or 0) + 1
        else
          if result < last then fell[#fell + 1] = result .. " after " .. last end
          last = result
        end
        if reads % 200 == 0 then
          local took, reset_ok, err = timed(function() objVM:Reset() end)
          longest = math.max(longest, took)
          last = 0 -- also where the answer died with libvirtd: the machine may have been reset
          if reset_ok then
            resets = resets + 1
            io.open(reset_file, "w"):close()
          else
            names[err] = (names[err] or 0) + 1
          end
        end
        process.sleep(0.002)
      end
      return reads, errors, resets, longest, fell, names]]
    local reset_file = a.folder .. "/reset"
    for round = 1, 20 do
      host.kill("KILL")
      host.sleep(0.05)
      host.start()
      host.sleep(0.1)
      if round % 10 == 0 then -- on a busy machine no reset is made in so short a time
        os.remove(reset_file)
        host.wait_until("reset", 60, function()
          return host.read_file(reset_file)
        end)
      end
    end
    host.write_file(a.folder .. "/stop", "")
    local reads, errors, resets, longest, fell, names = a:answer(id, 60)
    assert.same({}, fell)
    assert.is_true(reads > 100 and resets > 0, ("%d reads, %d resets"):format(reads, resets))
    assert.is_true(errors > 0)
    assert.is_true(longest < 6, longest .. " s")
    for name in pairs(names) do
      assert.equal("DISP_E_EXCEPTION", name)
    end
    -- A last reset that is heard: then it is exact again.
    g:wait_boot()
    g:reset()
    g:send(1, 6)
    g:quiet()
    assert.equal(g:tx_bytes(), a:eval "return read()")
    assert.equal(g:tx_bytes(), a:eval "return accountant2.NetworkBytesSent")
  end)

  describe("when it is frozen", function()
    before_each(function()
      a:eval "return read()"
      host.kill("STOP")
    end)

    after_each(function()
      host.kill("CONT")
    end)

    it("gives an error within the time-out, and figures again when it goes on", function()
      local before = g:tx_bytes()
      local seconds, ok, name = a:eval "return timed(read)"
      assert.is_false(ok)
      assert.equal("DISP_E_EXCEPTION", name)
      assert.is_true(seconds < 6, seconds .. " s")
      host.kill("CONT")
      host.wait_until("figure", 60, function()
        local _, again, bytes = a:eval "return timed(read)"
        return again and bytes == before
      end)
      host.kill("STOP")
    end)

    it("bounds the creation of an object", function()
      local seconds, ok, name, message = a:eval "return timed(function() connect { timeout = 2 } end)"
      assert.is_false(ok)
      assert.equal("DISP_E_EXCEPTION", name)
      assert.is_true(seconds < 3.5, seconds .. " s")
      assert.is_truthy(message:find("timeout", 1, true), message)
    end)

    it("does not keep a process from ending", function()
      for _, ending in ipairs { "os.exit(3)", "os.exit(3, true)", "objVS:Close() os.exit(3)" } do
        host.kill("CONT")
        local one <close> = agent.start()
        one:eval(([[
          objVS = connect { timeout = 30 }
          other = connect { timeout = 30 }
          accountant = objVS:FindVirtualMachine(%q).Accountant
          accountant:Get "NetworkBytesSent"]]):format(g.name))
        host.kill("STOP")
        local begun = host.now()
        one:post(ending)
        host.wait_until("end of the process after " .. ending, 60, function()
          return not host.read_file(("/proc/%d/stat"):format(one.pid))
        end, 0.02)
        assert.is_true(host.now() - begun < 3, ending)
      end
    end)
  end)

  it("is not needed for the figures that the kernel gives", function()
    g:send(1, 1)
    g:quiet()
    local before = a:eval "return accountant2.NetworkBytesSent"
    for _ = 1, 5 do
      a:eval "return accountant2.NetworkBytesSent"
    end
    host.kill("KILL")
    g:run "true"
    assert.equal(before, a:eval "return accountant2.NetworkBytesSent")
    host.start()
    assert.equal(before, a:eval "return accountant2.NetworkBytesSent")
    local objVS <close> = connect()
    assert.is_true(exact.figures(objVS:FindVirtualMachine(g.name))[1] >= before)
  end)
end, true)
