-- When counts restart, and what they keep: on the simulator, whose devices do
-- what is seldom seen on a real host.

local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"

describe("the count", function()
  local host, machine, nic, objVS, objVM, accountant

  before_each(handles.remember)

  before_each(function()
    host = simulator.new()
    machine, nic = host:AddMachine("web01", { adapters = 1, running = true })
    objVS = host:CreateObject("VirtualServer.Application")
    objVM = objVS.VirtualMachines[1]
    accountant = objVM.Accountant
  end)

  after_each(function()
    host, machine, nic, objVS, objVM, accountant = nil, nil, nil, nil, nil, nil
    handles.check()
  end)

  local function assert_counts(sent, received)
    assert.same({ sent, received }, { accountant.NetworkBytesSent, accountant.NetworkBytesReceived })
  end

  -- Who does what: the accountant's own methods, or an administrator with
  -- another tool.
  local actors = {
    { "asked of the accountant", function() return objVM end },
    { "done elsewhere", function() return machine end },
  }

  describe("restarts at zero", function()
    for _, actor in ipairs(actors) do
      local who, get = table.unpack(actor)

      it("at power off and on, " .. who, function()
        nic:Send(1500)
        nic:Receive(60)
        assert_counts(1500, 60)
        get():TurnOff()
        get():Startup()
        assert_counts(0, 0)
        nic:Send(7)
        assert_counts(7, 0)
      end)

      it("at save and restore, " .. who, function()
        nic:Send(1500)
        nic:Receive(60)
        assert_counts(1500, 60)
        get():Save()
        get():Startup()
        assert_counts(0, 0)
        nic:Receive(8)
        assert_counts(0, 8)
      end)

      it("at a reset, " .. who, function()
        nic:Send(1500)
        nic:Receive(60)
        assert_counts(1500, 60)
        get():Reset()
        assert_counts(0, 0)
        nic:Send(7)
        nic:Receive(9)
        assert_counts(7, 9)
        assert.equal(7, objVM.NetworkAdapters[1].BytesSent)
        assert.equal(9, objVM.NetworkAdapters[1].BytesReceived)
      end)

      it("at a reset, with the bytes that had not been read before, " .. who, function()
        nic:Send(1500)
        assert_counts(1500, 0)
        nic:Send(250)
        nic:Receive(60)
        get():Reset()
        assert_counts(0, 0)
      end)

      it("at a reset of a machine that was never read, " .. who, function()
        nic:Send(1500)
        get():Reset()
        nic:Send(5)
        assert_counts(5, 0)
      end)

      it("at every reset, " .. who, function()
        for round = 1, 20 do
          nic:Send(round)
          assert_counts(round, 0)
          get():Reset()
          assert_counts(0, 0)
        end
      end)

      it("at a reset of a paused machine, " .. who, function()
        nic:Send(1500)
        assert_counts(1500, 0)
        get():Pause()
        get():Reset()
        assert_counts(0, 0)
      end)
    end

    it("at a cold start, however often", function()
      for round = 1, 20 do
        nic:Send(round)
        assert_counts(round, 0)
        machine:TurnOff()
        machine:Startup()
      end
      assert_counts(0, 0)
    end)

    it("at a power cycle without a sample in between", function()
      nic:Send(1500)
      assert_counts(1500, 0)
      machine:TurnOff()
      machine:Startup()
      nic:Send(2000) -- more than before: the count alone shows nothing
      assert_counts(2000, 0)
    end)

    it("with another time since when", function()
      local since = accountant.Since
      host:AdvanceClock(100)
      assert.equal(since, accountant.Since)
      machine:TurnOff()
      machine:Startup()
      assert.is_true(accountant.Since >= since + 100)
      assert.is_true(accountant.UpTime <= 30)
    end)

    it("with the adapters that were unplugged forgotten", function()
      local other = machine:Plug()
      other:Send(500)
      nic:Send(1)
      assert_counts(501, 0)
      other:Unplug()
      assert_counts(501, 0)
      machine:TurnOff()
      machine:Startup()
      assert_counts(0, 0)
    end)

    it("in each application that was open", function()
      local other <close> = host:CreateObject("VirtualServer.Application")
      local theirs = other.VirtualMachines[1].Accountant
      nic:Send(1500)
      assert.equal(1500, theirs.NetworkBytesSent)
      assert_counts(1500, 0)
      objVM:Reset()
      nic:Send(3)
      assert.equal(3, theirs.NetworkBytesSent)
      assert_counts(3, 0)
    end)

    it("for that machine alone", function()
      local _, other_nic = host:AddMachine("db02", { adapters = 1, running = true })
      local other = objVS:FindVirtualMachine("db02").Accountant
      other_nic:Send(400)
      nic:Send(300)
      assert.equal(400, other.NetworkBytesSent)
      objVM:Reset()
      assert.equal(400, other.NetworkBytesSent)
      assert_counts(0, 0)
    end)
  end)

  describe("goes on", function()
    for _, actor in ipairs(actors) do
      local who, get = table.unpack(actor)

      it("over pause and resume, " .. who, function()
        nic:Send(1500)
        assert_counts(1500, 0)
        get():Pause()
        assert_counts(1500, 0)
        nic:Receive(60) -- a broadcast that the bridge floods to all its ports
        assert_counts(1500, 60)
        get():Resume()
        nic:Send(10)
        assert_counts(1510, 60)
      end)
    end

    it("over a rename", function()
      nic:Send(1500)
      assert_counts(1500, 0)
      machine:Rename("web02")
      nic:Send(1)
      assert_counts(1501, 0)
      assert.equal("web02", objVM.Name)
    end)

    it("over another application's Close", function()
      nic:Send(1500)
      do
        local other <close> = host:CreateObject("VirtualServer.Application")
        assert.equal(1500, other.VirtualMachines[1].Accountant.NetworkBytesSent)
      end
      assert_counts(1500, 0)
    end)

    it("where a new process samples a machine that has long been running", function()
      nic:Send(1500)
      for _ = 1, 3 do
        local later <close> = host:CreateObject("VirtualServer.Application")
        assert.equal(1500, later.VirtualMachines[1].Accountant.NetworkBytesSent)
      end
    end)
  end)

  describe("over the adapters", function()
    it("is their sum", function()
      local sum = 0
      for i = 1, 20 do
        local other = machine:Plug()
        other:Send(i * 1000)
        other:Receive(i)
        sum = sum + i
      end
      assert_counts(sum * 1000, sum)
      local each = 0
      for adapter in objVM.NetworkAdapters do
        each = each + adapter.BytesSent
      end
      assert.equal(sum * 1000, each)
    end)

    it("is zero where there is none", function()
      host:AddMachine("bare", { running = true })
      local bare = objVS:FindVirtualMachine("bare")
      assert.equal(0, bare.Accountant.NetworkBytesSent)
      assert.equal(0, bare.Accountant.NetworkBytesReceived)
      assert.equal(0, #bare.NetworkAdapters)
    end)

    it("takes in one that is plugged", function()
      nic:Send(100)
      assert_counts(100, 0)
      local other = machine:Plug()
      assert_counts(100, 0)
      other:Send(20)
      assert_counts(120, 0)
      assert.equal(2, #objVM.NetworkAdapters)
    end)

    it("keeps the bytes of one that is unplugged", function()
      local other = machine:Plug()
      nic:Send(100)
      other:Send(20)
      assert_counts(120, 0)
      other:Unplug()
      assert_counts(120, 0)
      nic:Send(3)
      assert_counts(123, 0)
      assert.equal(1, #objVM.NetworkAdapters)
    end)

    it("keeps the bytes of all that are plugged and unplugged in turn", function()
      local sum = 0
      for i = 1, 50 do
        local other = machine:Plug()
        other:Send(i)
        sum = sum + i
        assert_counts(sum, 0)
        other:Unplug()
        assert_counts(sum, 0)
      end
    end)

    it("adds a device with the address of one that has gone", function()
      local first = machine:Plug { mac = "52:54:00:aa:aa:aa" }
      first:Send(1000)
      assert_counts(1000, 0)
      first:Unplug()
      local second = machine:Plug { mac = "52:54:00:aa:aa:aa" }
      second:Send(1)
      assert_counts(1001, 0)
      second:Send(5000)
      assert_counts(6001, 0)
    end)

    it("counts two with the same address separately", function()
      local first = machine:Plug { mac = "52:54:00:aa:aa:aa" }
      local second = machine:Plug { mac = "52:54:00:aa:aa:aa" }
      first:Send(1000)
      second:Send(7)
      assert_counts(1007, 0)
      local adapters = objVM.NetworkAdapters
      assert.equal(1000, adapters[2].BytesSent)
      assert.equal(7, adapters[3].BytesSent)
      assert.is_false(adapters[2] == adapters[3])
    end)

    it("keeps the old bytes of a counter that falls", function()
      nic:Send(5000)
      nic:Receive(900)
      assert_counts(5000, 900)
      nic:SetBytesSent(40)
      assert_counts(5040, 900)
      nic:SetBytesReceived(1)
      assert_counts(5040, 901)
      nic:Send(2)
      assert_counts(5042, 901)
      assert.equal(5042, objVM.NetworkAdapters[1].BytesSent)
    end)

    it("keeps them through many falls", function()
      nic:Send(1000)
      assert_counts(1000, 0)
      for round = 1, 50 do
        nic:SetBytesSent(0)
        nic:Send(round)
        assert.is_true(accountant.NetworkBytesSent >= 1000 + round)
      end
    end)

    it("never falls", function()
      local random, before = 12345, 0
      local others = {}
      for _ = 1, 2000 do
        random = (random * 1103515245 + 12345) & 0x7FFFFFFF -- POSIX's example of rand()
        local choice, bytes = random >> 16 & 7, random >> 20
        if choice == 0 then
          others[#others + 1] = machine:Plug()
        elseif choice == 1 and #others > 0 then
          table.remove(others):Unplug()
        elseif choice == 2 then
          nic:SetBytesSent(bytes)
        elseif #others > 0 then
          others[#others]:Send(bytes)
        end
        local now = accountant.NetworkBytesSent
        assert.is_true(now >= before)
        before = now
      end
      assert.is_true(before > 100000)
    end)
  end)

  describe("with an adapter that has no counter", function()
    local uncounted

    before_each(function()
      nic:Send(100)
      uncounted = machine:Plug { type = "user", mac = "52:54:00:ee:ee:ee", counted = false }
    end)
    after_each(function() uncounted = nil end)

    it("cannot be known, and says which adapter and what to do", function()
      for _, member in ipairs { "NetworkBytesSent", "NetworkBytesReceived" } do
        local err = failure.expect({ name = "DISP_E_EXCEPTION", member = member, machine = "web01" }, function()
          return accountant[member]
        end)
        assert.is_truthy(err.message:find("52-54-00-EE-EE-EE", 1, true), err.message)
        assert.is_truthy(err.message:find("'user'", 1, true), err.message)
        assert.is_truthy(err.message:find("bridge or network", 1, true), err.message)
        assert.is_truthy(err.message:find("NetworkAdapters", 1, true), err.message)
      end
    end)

    it("is given adapter by adapter", function()
      local adapters = objVM.NetworkAdapters
      assert.equal(2, #adapters)
      assert.is_true(adapters[1].IsCounted)
      assert.equal(100, adapters[1].BytesSent)
      assert.is_false(adapters[2].IsCounted)
      assert.equal("user", adapters[2].Type)
      assert.equal("52-54-00-EE-EE-EE", adapters[2].EthernetAddress)
      for _, member in ipairs { "BytesSent", "BytesReceived" } do
        failure.expect({ name = "DISP_E_EXCEPTION", member = member, machine = "web01", message = "IsCounted" },
          function() return adapters[2][member] end)
      end
    end)

    it("leaves the other machines and members as they are", function()
      local _, other_nic = host:AddMachine("db02", { adapters = 1, running = true })
      other_nic:Send(7)
      assert.equal(7, objVS:FindVirtualMachine("db02").Accountant.NetworkBytesSent)
      assert.equal("integer", math.type(accountant.UpTime))
      assert.equal("integer", math.type(accountant.Since))
      local aged <close> = host:CreateObject("VirtualServer.Application", { max_age = 10 })
      assert.equal(7, aged:FindVirtualMachine("db02").Accountant.NetworkBytesSent)
      assert.is_nil(aged:FindVirtualMachine("web01").Accountant:Get("NetworkBytesSent"))
    end)

    it("stays unknown when that adapter has gone, until the next start", function()
      assert.is_nil(accountant:Get("NetworkBytesSent"))
      uncounted:Unplug()
      failure.expect({ name = "DISP_E_EXCEPTION", member = "NetworkBytesSent", machine = "web01",
        message = "has been unplugged" }, function() return accountant.NetworkBytesSent end)
      assert.equal(100, objVM.NetworkAdapters[1].BytesSent)
      machine:TurnOff()
      machine:Startup()
      assert_counts(0, 0)
    end)

    it("is known again after a reset without it", function()
      assert.is_nil(accountant:Get("NetworkBytesSent"))
      uncounted:Unplug()
      objVM:Reset()
      nic:Send(4)
      assert_counts(4, 0)
    end)
  end)

  describe("of one machine among many", function()
    it("is its own", function()
      local nics, expected = {}, {}
      for i = 1, 200 do
        local _
        _, nics[i] = host:AddMachine(("vm%03d"):format(i), { adapters = 1, running = true })
        nics[i]:Send(i * i)
        expected[("vm%03d"):format(i)] = i * i
      end
      for vm in objVS.VirtualMachines do
        assert.equal(expected[vm.Name] or 0, vm.Accountant.NetworkBytesSent)
      end
    end)
  end)

  describe("of the last session", function()
    it("is nil when none has ended", function()
      assert.is_nil(accountant:LastSession())
      nic:Send(5)
      assert_counts(5, 0)
      objVM:Pause()
      assert.is_nil(accountant:LastSession())
    end)

    local ends = {
      { "TurnOff", "TurnedOff" }, { "Save", "Saved" }, { "Reset", "Reset" }, { "Crash", "Crashed" },
      { "Remove" },
    }

    for _, case in ipairs(ends) do
      local method, reason = table.unpack(case, 1, 2)
      it("holds every byte until " .. method, function()
        local other = machine:Plug()
        local since = accountant.Since
        nic:Send(1000)
        nic:Receive(10)
        other:Send(200)
        assert_counts(1200, 10)
        host:AdvanceClock(60)
        nic:Send(34) -- nobody reads it any more
        machine[method](machine)
        local last = accountant:LastSession()
        assert.equal(1234, last.NetworkBytesSent)
        assert.equal(10, last.NetworkBytesReceived)
        assert.equal("integer", math.type(last.NetworkBytesSent))
        assert.equal("integer", math.type(last.Ended))
        assert.equal(since, last.Started)
        assert.is_true(last.Ended >= since + 60)
        if reason then
          assert.equal(reason, last.Reason)
        end
      end)
    end

    it("is that before the running one", function()
      for round = 1, 5 do
        nic:Send(round * 100)
        assert_counts(round * 100, 0)
        objVM:TurnOff()
        objVM:Startup()
        assert.equal(round * 100, accountant:LastSession().NetworkBytesSent)
      end
      assert_counts(0, 0)
    end)

    it("lacks a count that could not be known", function()
      nic:Send(5)
      machine:Plug { type = "user", counted = false }
      assert.is_nil(accountant:Get("NetworkBytesSent"))
      machine:TurnOff()
      local last = accountant:LastSession()
      assert.is_nil(last.NetworkBytesSent)
      assert.is_nil(last.NetworkBytesReceived)
      assert.equal("TurnedOff", last.Reason)
    end)

    it("has the type that the options ask for", function()
      local strings <close> = host:CreateObject("VirtualServer.Application", { decimal = "string" })
      local theirs = strings.VirtualMachines[1].Accountant
      nic:Send("9223372036854775808")
      assert.equal("9223372036854775808", accountant.NetworkBytesSent)
      assert.equal("9223372036854775808", theirs.NetworkBytesSent)
      assert.equal("0", theirs.NetworkBytesReceived)
      machine:TurnOff()
      assert.equal("9223372036854775808", accountant:LastSession().NetworkBytesSent)
      assert.equal(0, accountant:LastSession().NetworkBytesReceived)
      assert.equal("0", theirs:LastSession().NetworkBytesReceived)
    end)

    it("is a table of the caller's own", function()
      nic:Send(5)
      assert_counts(5, 0)
      machine:TurnOff()
      local last = accountant:LastSession()
      last.NetworkBytesSent = -1
      assert.equal(5, accountant:LastSession().NetworkBytesSent)
    end)
  end)

  describe("on a host that reports no events", function()
    before_each(function() host:SetEvents(false) end)

    it("restarts at a power cycle that the next read finds", function()
      nic:Send(1500)
      assert_counts(1500, 0)
      machine:TurnOff()
      machine:Startup()
      nic:Send(2000)
      assert_counts(2000, 0)
    end)

    it("restarts at a reset that this application asked for", function()
      nic:Send(1500)
      assert_counts(1500, 0)
      objVM:Reset()
      assert_counts(0, 0)
      nic:Send(2)
      assert_counts(2, 0)
    end)

    it("keeps the bytes that it saw of an adapter that is unplugged", function()
      local other = machine:Plug()
      nic:Send(100)
      other:Send(20)
      assert_counts(120, 0)
      other:Unplug()
      assert_counts(120, 0)
    end)

    it("takes in an adapter that is plugged", function()
      nic:Send(100)
      assert_counts(100, 0)
      machine:Plug():Send(20)
      assert_counts(120, 0)
    end)
  end)

  describe("with a recorder", function()
    it("is the same", function()
      assert.equal(0, select("#", objVS:RecordResets()))
      objVS:RecordResets()
      nic:Send(1500)
      assert_counts(1500, 0)
      machine:Reset()
      nic:Send(7)
      assert_counts(7, 0)
    end)

    it("restarts for an application that was opened after the reset", function()
      objVS:RecordResets()
      nic:Send(1500)
      machine:Reset()
      nic:Send(7)
      local deadline, sent = os.time() + 3
      repeat -- the recorder's thread writes when it gets to it
        local later <close> = host:CreateObject("VirtualServer.Application")
        sent = later.VirtualMachines[1].Accountant.NetworkBytesSent
      until sent == 7 or os.time() > deadline
      assert.equal(7, sent)
    end)
  end)
end)
