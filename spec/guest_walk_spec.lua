-- A walk over all machines, while they come, go and change, and while libvirtd hangs:
-- each machine has its own right figure or its own error, and the others keep theirs.

local host = require "spec.support.libvirt_host"
local idle_machine = require "spec.support.idle_machine"
local real_host = require "spec.support.real_host"

local WAYS <const> = {
  ["read live"] = {},
  ["read with max_age"] = { max_age = 60 },
  ["read through libvirt"] = { counters = "hypervisor" },
}

local function start(name)
  idle_machine.start(name, idle_machine.BRIDGE)
end

-- A machine's figure, or the name of its error and the error.
local function read(objVM)
  local sent, err = objVM.Accountant:Get "NetworkBytesSent"
  return sent or err.name, err
end

local TIMEOUT <const> = 2

real_host.describe(_ENV, "a walk over all machines #root", function(connect)
  -- What each of the machines that nothing happens to has sent.
  local steady = {}

  setup(function()
    for rounds, name in ipairs { "a-steady", "m-steady", "z-steady" } do
      start(name)
      steady[name] = idle_machine.announce(name, rounds)
    end
  end)

  local function change()
    host.virsh("destroy", "b-goes")
    host.virsh("undefine", "b-goes")
    host.virsh("destroy", "c-off")
    host.virsh("destroy", "d-again")
    host.virsh("start", "d-again", "--paused")
    idle_machine.announce("d-again", 2)
    host.virsh("destroy", "e-renamed")
    host.virsh("domrename", "e-renamed", "e-named")
    host.virsh("start", "e-named", "--paused")
    idle_machine.announce("e-named", 3)
    host.attach("f-plugged", idle_machine.BRIDGE:gsub("<source", "<alias name='ua-second'/><source"))
    idle_machine.announce("f-plugged", 4, "ua-second")
    start "n-new"
  end

  for way, options in pairs(WAYS) do
    it("finds each as it is, when they change after they were listed, " .. way, function()
      local changing = { "b-goes", "c-off", "d-again", "e-renamed", "f-plugged" }
      for _, name in ipairs(changing) do
        start(name)
        idle_machine.announce(name, 7)
      end
      finally(function()
        for _, name in ipairs { "e-named", "n-new", table.unpack(changing) } do
          idle_machine.remove(name)
        end
      end)
      local machines, names = {}, {}
      for i, objVM in ipairs(connect(options).VirtualMachines) do
        machines[i], names[i] = objVM, objVM.Name
      end
      assert.equal(8, #machines)
      -- In the middle of the walk; with an age, before the one sample that serves it.
      local found = {}
      for i, name in ipairs(names) do
        if i == (options.max_age and 1 or 2) then
          change()
        end
        found[name] = read(machines[i])
      end
      assert.same({
        ["a-steady"] = steady["a-steady"],
        ["b-goes"] = "VM_E_VM_UNKNOWN",
        ["c-off"] = "S_FALSE",
        ["d-again"] = 2 * idle_machine.ANNOUNCEMENT,
        ["e-renamed"] = 3 * idle_machine.ANNOUNCEMENT,
        ["f-plugged"] = (7 + 4) * idle_machine.ANNOUNCEMENT,
        ["m-steady"] = steady["m-steady"],
        ["z-steady"] = steady["z-steady"],
      }, found)
      assert.equal("e-named", machines[5].Name)
    end)

    it("has the figures of the others while some come and go under it, " .. way, function()
      start "b-restless"
      start "y-restless"
      local done = host.folder .. "/restless-done"
      os.remove(done)
      host.shell(([[(for round in 1 2 3; do
        for name in b-restless y-restless; do
          virsh -q -c qemu:///system destroy $name
          virsh -q -c qemu:///system start $name --paused
        done; done; : >%s) >/dev/null 2>&1 &]]):format(done))
      local walks = 0
      repeat
        local objVS = connect(options)
        for objVM in objVS.VirtualMachines do
          local name, sent, err = objVM.Name, read(objVM)
          if steady[name] then
            assert.equal(steady[name], sent, tostring(err))
          else -- the device may have gone while the machine has not
            assert.is_truthy(sent == 0 or sent == "S_FALSE" or sent == "DISP_E_EXCEPTION", tostring(err))
          end
        end
        objVS:Close()
        walks = walks + 1
      until host.read_file(done)
      assert.is_true(walks > 3, walks)
      idle_machine.remove "b-restless"
      idle_machine.remove "y-restless"
    end)

    it("waits once for a libvirtd that hangs in its middle, and not at each machine, " .. way, function()
      local names = host.idle_machines(6, 1, "h-idle-")
      local all = { timeout = TIMEOUT, counters = options.counters, max_age = options.max_age and 0.001 }
      local objVS = connect(all)
      local machines = {}
      for i, objVM in ipairs(objVS.VirtualMachines) do
        machines[i] = objVM
      end
      assert.equal(3 + #names, #machines)
      read(machines[1])
      local known = all.max_age ~= nil -- by the one sample, and read from the kernel from then on

      host.shell("kill -STOP " .. host.pid())
      local begun = host.now()
      local first
      for i = 2, #machines do
        local sent, err = read(machines[i])
        if known then
          assert.equal("integer", math.type(sent), tostring(err))
        else
          assert.equal("DISP_E_EXCEPTION", sent)
          first = first or err
        end
      end
      local took = host.now() - begun
      host.shell("kill -CONT " .. host.pid())
      if not known then
        assert.is_truthy(first.message:find("option 'timeout'", 1, true), first.message)
        assert.is_true(took >= TIMEOUT * 0.9 and took <= TIMEOUT + 1.5, took)
      end
      for i, objVM in ipairs(machines) do
        host.wait_until("figure of machine " .. i, 20, function()
          return math.type(read(objVM)) == "integer"
        end)
      end
      assert.equal(steady["z-steady"], read(machines[#machines]))
      for _, name in ipairs(names) do
        host.virsh("destroy", name)
      end
    end)
  end
end)
