-- The collections: snapshots that are counted from 1.

local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"

local function names_of(iterate, state, control)
  local names = {}
  for vm in iterate, state, control do
    names[#names + 1] = vm.Name
  end
  return names
end

describe("a collection", function()
  local host, objVS, machines

  before_each(handles.remember)

  before_each(function()
    host = simulator.new()
    for _, name in ipairs { "charlie", "alpha", "Bravo" } do
      host:AddMachine(name, { adapters = 2, running = true })
    end
    objVS = host:CreateObject("VirtualServer.Application")
    machines = objVS.VirtualMachines
  end)

  after_each(function()
    host, objVS, machines = nil, nil, nil
    handles.check()
  end)

  describe("has its items", function()
    it("in the order of their names, without regard to letter case", function()
      assert.same({ "alpha", "Bravo", "charlie" }, names_of(machines))
    end)

    it("by Count and #", function()
      assert.equal(3, machines.Count)
      assert.equal(3, #machines)
      assert.equal("integer", math.type(machines.Count))
      assert.equal("integer", math.type(#machines))
      assert.equal(2, #machines[1].NetworkAdapters)
    end)

    it("by c[i], c(i) and c:Item(i)", function()
      for i = 1, 3 do
        local vm = machines:Item(i)
        assert.is_true(rawequal(vm, machines[i]))
        assert.is_true(rawequal(vm, machines(i)))
        assert.is_true(rawequal(vm, machines:Item(i + 0.0)))
        assert.is_true(rawequal(vm, machines[i + 0.0]))
      end
    end)

    it("by name in any letter case", function()
      for _, name in ipairs { "Bravo", "bravo", "BRAVO" } do
        assert.equal("Bravo", machines:Item(name).Name)
        assert.equal("Bravo", machines(name).Name)
      end
    end)

    it("of its adapters in the order of the definition", function()
      local adapters = machines[1].NetworkAdapters
      local addresses = {}
      for adapter in adapters do
        addresses[#addresses + 1] = adapter.EthernetAddress
      end
      assert.same({ adapters[1].EthernetAddress, adapters[2].EthernetAddress }, addresses)
      assert.is_true(addresses[1] < addresses[2])
    end)
  end)

  describe("is gone through", function()
    it("by a generic for", function()
      local count = 0
      for vm in machines do
        count = count + 1
        assert.is_true(rawequal(vm, machines[count]))
      end
      assert.equal(3, count)
    end)

    it("by ipairs", function()
      local positions = {}
      for i, vm in ipairs(machines) do
        positions[i] = vm.Name
      end
      assert.same({ "alpha", "Bravo", "charlie" }, positions)
    end)

    it("by a numeric for", function()
      local names = {}
      for i = 1, machines.Count do
        names[i] = machines:Item(i).Name
      end
      assert.same({ "alpha", "Bravo", "charlie" }, names)
    end)

    it("by accountants", function()
      local names = {}
      for accountant in machines:Accountants() do
        names[#names + 1] = accountant.VirtualMachine.Name
        assert.is_true(rawequal(accountant, accountant.VirtualMachine.Accountant))
      end
      assert.same({ "alpha", "Bravo", "charlie" }, names)
    end)

    it("in loops within loops", function()
      local pairs_seen = {}
      for a in machines do
        for b in machines do
          pairs_seen[#pairs_seen + 1] = a.Name:sub(1, 1) .. b.Name:sub(1, 1)
        end
      end
      assert.equal("aa aB ac Ba BB Bc ca cB cc", table.concat(pairs_seen, " "))
    end)

    it("again after a loop that was left", function()
      for vm in machines do
        if vm.Name == "Bravo" then
          break
        end
      end
      assert.has_error(function()
        for vm in machines do
          error(vm.Name)
        end
      end)
      assert.same({ "alpha", "Bravo", "charlie" }, names_of(machines))
    end)

    it("by two iterators of accountants at once", function()
      local a, b = machines:Accountants(), machines:Accountants()
      assert.equal("alpha", a().VirtualMachine.Name)
      assert.equal("Bravo", a().VirtualMachine.Name)
      assert.equal("alpha", b().VirtualMachine.Name)
      assert.equal("charlie", a().VirtualMachine.Name)
      assert.is_nil(a())
      assert.is_nil(a())
      assert.equal("Bravo", b().VirtualMachine.Name)
    end)

    it("in a coroutine", function()
      local names = {}
      for vm in coroutine.wrap(function()
        for vm in machines do
          coroutine.yield(vm)
        end
      end) do
        names[#names + 1] = vm.Name
      end
      assert.same({ "alpha", "Bravo", "charlie" }, names)
    end)

    it("when it is empty", function()
      local empty = simulator.new():CreateObject("VirtualServer.Application").VirtualMachines
      assert.equal(0, #empty)
      assert.equal(0, empty.Count)
      assert.is_nil(empty[1])
      assert.same({}, names_of(empty))
      assert.is_nil(empty:Accountants()())
      failure.expect({ name = "DISP_E_BADINDEX", member = "Item", message = "the collection is empty" },
        empty.Item, empty, 1)
    end)

    it("from an item of its own only", function()
      local foreign = simulator.new()
      foreign:AddMachine("alpha")
      local vm = foreign:CreateObject("VirtualServer.Application").VirtualMachines[1]
      for _, control in ipairs { vm, 1, "alpha", true } do
        failure.expect_argument_error("not an item of the collection", machines, nil, control)
      end
    end)
  end)

  describe("is a snapshot", function()
    it("that machines neither join nor leave", function()
      host:AddMachine("delta")
      assert.equal(3, #machines)
      assert.equal(4, #objVS.VirtualMachines)
      assert.same({ "alpha", "Bravo", "charlie" }, names_of(machines))
    end)

    it("whose machines may be gone", function()
      local machine = host:AddMachine("delta")
      local before = objVS.VirtualMachines
      machine:Remove()
      assert.equal(4, #before)
      assert.equal("delta", tostring(before[4]))
      failure.expect({ name = "VM_E_VM_UNKNOWN", member = "Name", machine = "delta" }, function()
        return before[4].Name
      end)
      assert.equal(3, #objVS.VirtualMachines)
    end)

    it("of adapters that may be gone", function()
      local machine, nic = host:AddMachine("delta", { adapters = 1, running = true })
      local adapters = objVS:FindVirtualMachine("delta").NetworkAdapters
      nic:Send(7)
      assert.equal(7, adapters[1].BytesSent)
      nic:Unplug()
      assert.equal(1, #adapters)
      failure.expect({ name = "VM_E_ADAPTER_NOT_FOUND", member = "BytesSent", machine = "delta" }, function()
        return adapters[1].BytesSent
      end)
      machine:TurnOff()
      failure.expect({ name = "S_FALSE", member = "BytesSent", machine = "delta" }, function()
        return adapters[1].BytesSent
      end)
      machine:Remove()
      failure.expect({ name = "VM_E_VM_UNKNOWN", member = "BytesSent", machine = "delta" }, function()
        return adapters[1].BytesSent
      end)
    end)
  end)

  describe("refuses", function()
    local outside = {
      { 0, "0" }, { 4, "4" }, { -1, "-1" }, { 1.5, "1.5" }, { math.huge, "inf" }, { -math.huge, "-inf" },
      { math.maxinteger, "9223372036854775807" }, { math.mininteger, "-9223372036854775808" },
      { 2 ^ 53, "9.007" }, { 1e300, "1e+300" },
    }

    for _, case in ipairs(outside) do
      local index, text = table.unpack(case)
      it("Item(" .. tostring(index) .. ") and says what is valid", function()
        for _, call in ipairs { machines.Item, function(c, i) return c(i) end } do
          local err = failure.expect({ name = "DISP_E_BADINDEX", member = "Item",
            message = "items count from 1 to 3" }, call, machines, index)
          assert.is_truthy(err.message:find("there is no item " .. text, 1, true), err.message)
        end
      end)
    end

    it("Item(NaN)", function()
      failure.expect({ name = "DISP_E_BADINDEX", member = "Item", message = "items count from 1 to 3" },
        machines.Item, machines, 0 / 0)
    end)

    it("c[i] below 1 and between the integers, and ends like any sequence above", function()
      for _, index in ipairs { 0, -1, 1.5, -math.huge, math.huge, 0 / 0, math.mininteger } do
        failure.expect({ name = "DISP_E_BADINDEX", member = "Item" }, function() return machines[index] end)
      end
      assert.is_nil(machines[4])
      assert.is_nil(machines[math.maxinteger])
    end)

    it("a missing index", function()
      failure.expect({ name = "E_POINTER", member = "Item" }, machines.Item, machines)
      failure.expect({ name = "E_POINTER", member = "Item" }, machines.Item, machines, nil)
    end)

    it("a name that nobody has", function()
      for _, name in ipairs { "nobody", "", "1", "alph", "alpha ", "alpha\0", "%s", ("x"):rep(100000) } do
        failure.expect({ name = "DISP_E_BADINDEX", member = "Item", message = "there is no machine" },
          machines.Item, machines, name)
      end
    end)

    it("an index of another type", function()
      for _, index in ipairs { true, {}, print, machines, coroutine.create(print) } do
        failure.expect_argument_error("integer or name expected", machines.Item, machines, index)
      end
      local adapters = machines[1].NetworkAdapters
      for _, index in ipairs { "1", "net0", true, {} } do
        assert.has_error.matches(function() adapters:Item(index) end, "bad argument #1 to 'Item'")
      end
    end)
  end)
end)
