-- The last session of a real machine, however it ended: its bytes are what the
-- kernel said of the devices when they went, as a witness of its own heard it.

local host = require "spec.support.libvirt_host"
local real_host = require "spec.support.real_host"
local guest = require "spec.support.guest"
local agent = require "spec.support.agent"
local device_watch = require "spec.support.device_watch"
local exact = require "spec.support.exact"

local last_session = exact.last_session

real_host.describe(_ENV, "the last session of a real machine #root", function(connect)
  local watch, reader, objVS, g, objVM
  local connected_at

  setup(function()
    watch = device_watch.start()
    reader = agent.start()
    reader:eval [[objVS = connect()]]
    -- Here and not in the first test: its console is open from now on.
    g = guest.start { name = "mortal", adapters = { {}, { bridge = "vmabr1" } } }
  end)

  teardown(function()
    watch:stop()
  end)

  before_each(function()
    objVS = connect()
    connected_at = host.now()
  end)

  -- A running guest of two adapters; the one of the test before where it can be.
  local function need_guest(name)
    if not g then
      g = guest.start { name = name or "mortal", adapters = { {}, { bridge = "vmabr1" } } }
    elseif not g:domain_id() then
      g:start()
    end
    objVM = objVS:FindVirtualMachine(g.name)
  end

  local function ifindexes()
    local list = {}
    for i, tap in ipairs(g:taps()) do
      list[i] = device_watch.ifindex(tap.device)
    end
    return list
  end

  -- The sum of what the devices had in the end, in the guest's view.
  local function final_bytes(devices)
    local sent, received = 0, 0
    for _, ifindex in ipairs(devices) do
      local rx, tx = watch:final(ifindex)
      sent, received = sent + rx, received + tx
    end
    return sent, received
  end

  -- Ends the machine while it sends by both adapters and another process reads
  -- it all the time; demands that this one and the other know to the byte what
  -- the devices had in the end.
  local function assert_exact_end(reason, finish)
    local devices = ifindexes()
    g:receive(1, 20)
    g:send(1, 100)
    g:flood(2)
    g.flooding = false -- nothing is left to be stopped
    -- Reads until the machine has gone, and tells when it is at it. A figure that
    -- cannot be read in the meantime is an error; one that is told must not fall.
    local reading = host.folder .. "/reading"
    os.remove(reading)
    local id = reader:post(([[
      accountant = objVS:FindVirtualMachine(%q).Accountant
      local last, reads, fell = 0, 0, {}
      local deadline = process.now() + 15
      while process.now() < deadline do
        local bytes, err = accountant:Get "NetworkBytesSent"
        reads = reads + 1
        if reads == 101 then
          io.open(%q, "wb"):close()
        end
        if bytes then
          if bytes < last then
            fell[#fell + 1] = bytes .. " after " .. last
          end
          last = bytes
        elseif err.name == "S_FALSE" or err.name == "VM_E_VM_UNKNOWN" then
          return reads, last, fell
        end
      end
      error "the machine did not end"]]):format(g.name, reading))
    -- Of a machine that nobody has read it knows the devices a moment after it connects
    -- (docs/limits.md).
    host.wait_until("traffic", 60, function()
      return host.now() > connected_at + 0.5 and host.device_counters(g:taps()[2].device) > 50000 and
        host.read_file(reading)
    end)
    finish()
    local immediate = last_session(objVM)
    local sent, received = final_bytes(devices)
    assert.is_true(sent > 150000)
    assert.same({ sent, received, reason }, immediate)
    local reads, last, fell = reader:answer(id)
    assert.same({}, fell)
    assert.is_true(reads > 100, reads .. " reads")
    assert.is_true(last <= sent)
    assert.same({ sent, received, reason }, { reader:eval [[
      local session = accountant:LastSession()
      return session.NetworkBytesSent, session.NetworkBytesReceived, session.Reason]] })
    return sent, received
  end

  it("is exact when it is destroyed in mid-traffic, and stays its own when it is renamed", function()
    need_guest()
    local before = os.time()
    local sent, received = assert_exact_end("TurnedOff", function()
      host.virsh("destroy", g.name)
    end)
    local session = objVM.Accountant:LastSession()
    assert.is_true(session.Ended >= before and session.Ended <= os.time())
    assert.equal("TurnedOff", session.Reason)

    host.virsh("domrename", g.name, "known by another name")
    assert.equal("known by another name", objVM.Name)
    assert.equal(objVM, objVS:FindVirtualMachine("known by another name"))
    assert.same({ sent, received, "TurnedOff" }, last_session(objVM))
    host.virsh("domrename", "known by another name", g.name)
  end)

  it("is exact when it is turned off by this process", function()
    need_guest()
    assert_exact_end("TurnedOff", function()
      objVM:TurnOff()
    end)
  end)

  it("is exact when QEMU is killed in mid-traffic", function()
    need_guest()
    assert_exact_end("Crashed", function()
      host.shell(("kill -KILL %d"):format(host.qemu_pid(g.name)))
      host.wait_until("end of the machine", 60, function()
        return not g:domain_id()
      end)
    end)
  end)

  it("is exact when the guest turns itself off", function()
    need_guest()
    assert_exact_end("ShutDown", function()
      g:post("poweroff -f")
      host.wait_until("end of the machine", 60, function()
        return not g:domain_id()
      end)
    end)
  end)

  it("is exact when it is saved, and another begins when it is restored", function()
    need_guest()
    assert_exact_end("Saved", function()
      g:save()
    end)
    g:restore()
    g.flooding = true -- the guest goes on where it was
    g:quiet()
    assert.same(exact.device_bytes(g.name), exact.figures(objVM))
  end)

  it("is of the session before while the next one runs", function()
    need_guest()
    g:send(1, 10)
    g:quiet()
    local bytes = exact.figures(objVM)
    g:destroy()
    g:start()
    g:send(1, 5)
    exact.demand(objVM, g)
    assert.same({ bytes[1], bytes[2], "TurnedOff" }, last_session(objVM))
  end)

  it("is exact when QEMU is killed while libvirtd is down", function()
    need_guest()
    g:send(1, 10)
    g:quiet()
    exact.demand(objVM, g) -- the last look
    local devices = ifindexes()
    g:flood(2)
    g.flooding = false
    host.kill("KILL")
    host.sleep(0.3)
    host.shell(("kill -KILL %d"):format(host.qemu_pid(g.name)))
    local sent, received = final_bytes(devices)
    host.start()
    local last = last_session(objVM)
    assert.same({ sent, received }, { last[1], last[2] })
    assert.equal("S_FALSE", select(2, objVM.Accountant:Get("NetworkBytesSent")).name)
  end)

  -- libvirt numbers the runs of machines, and begins again when it is restarted
  -- while none runs.
  it("is another one than that of the next run, though libvirt gives both one ID", function()
    if g:domain_id() then
      g:destroy()
    end
    host.restart() -- now the first run has the first ID, and so has the next
    need_guest()
    local id = g:domain_id()
    g:send(1, 10)
    exact.demand(objVM, g)
    local devices = ifindexes()
    host.kill("KILL")
    host.shell(("kill -KILL %d"):format(host.qemu_pid(g.name)))
    local sent, received = final_bytes(devices)
    host.start() -- it still numbers on from the run that it finds dead
    host.restart()
    g:start()
    assert.equal(id, g:domain_id())
    g:send(1, 3)
    exact.demand(objVM, g)
    local last = last_session(objVM)
    assert.same({ sent, received }, { last[1], last[2] })
  end)

  it("stays known of a machine that is undefined, and ends, while it runs", function()
    need_guest()
    g:send(1, 10)
    host.virsh("undefine", g.name)
    exact.demand(objVM, g)
    assert.equal(g.name, objVM.Name)
    local sent, received = assert_exact_end("TurnedOff", function()
      host.virsh("destroy", g.name)
    end)
    assert.equal("VM_E_VM_UNKNOWN", select(2, objVM.Accountant:Get("NetworkBytesSent")).name)
    assert.same({ sent, received, "TurnedOff" }, last_session(objVM))
    g:remove()
    g = nil
  end)

  it("is exact of a machine that was never defined", function()
    g = guest.start { name = "transient", persistent = false, adapters = { {}, { bridge = "vmabr1" } } }
    objVM = objVS:FindVirtualMachine(g.name)
    assert_exact_end("TurnedOff", function()
      host.virsh("destroy", g.name)
    end)
    assert.equal("VM_E_VM_UNKNOWN", select(2, objVM.Accountant:Get("NetworkBytesSent")).name)
    g:remove()
    g = nil
  end)

  it("ends with the machine though the devices stay, as an administrator's own do", function()
    host.shell("ip tuntap add own0 mode tap && ip link set own0 master vmabr0 up")
    g = guest.start { name = "unmanaged", adapters = { { type = "ethernet", target = "own0", managed = "no" } } }
    objVM = objVS:FindVirtualMachine(g.name)
    assert.same({ 0, 0 }, exact.figures(objVM))
    g:send(1, 10)
    g:quiet()
    assert.same({ 10000, 0 }, exact.figures(objVM))
    g:send(1, 7)
    g:quiet()
    g:destroy()
    assert.same({ 17000, 0, "TurnedOff" }, last_session(objVM))
    assert.equal(17000, (host.device_counters("own0")))
    g:start()
    g:send(1, 3)
    exact.demand(objVM, g)
    assert.same({ 3000, 0 }, exact.figures(objVM))
    g:reset()
    g:send(1, 4)
    exact.demand(objVM, g)
    g:remove()
    g = nil
    host.shell("ip link delete own0")
  end)
end)
