-- When a real machine's counts began, whoever started it.
-- run alone: a machine's start is compared with its process's, to two seconds

local host = require "spec.support.libvirt_host"
local idle_machine = require "spec.support.idle_machine"
local counter_sources = require "spec.support.counter_sources"
local real_host = require "spec.support.real_host"

-- A machine that does nothing, has a real tap and starts in no time.
local function small_machine(name)
  return idle_machine.xml(name, (idle_machine.BRIDGE:gsub("vmabr0", "vmabr1")))
end

real_host.describe(_ENV, "a real machine's UpTime and Since #root", function(connect)
  local TOLERANCE <const> = 2 -- seconds
  local GAP <const> = 3.5 -- seconds between what must be told apart
  local NAMES <const> = { "started before", "asked kernel", "asked hypervisor", "restarted", "restored",
    "restarted unread" }
  local held, applications

  -- Processes that look on while machines start, end and start again, with
  -- one gap of time in the midst of it all.
  setup(function()
    for _, name in ipairs(NAMES) do
      host.define(small_machine(name))
    end
    host.virsh("start", "started before", "--paused")
    held = counter_sources.connect(connect)
    host.virsh("start", "restarted", "--paused")
    local starters = {
      ["asked kernel"] = held.kernel,
      ["asked hypervisor"] = held.hypervisor,
      ["restored"] = held.hypervisor,
      ["restarted unread"] = held.kernel,
    }
    for name, objVS in pairs(starters) do
      objVS:FindVirtualMachine(name):Startup():WaitForCompletion(-1)
    end
    for _, name in ipairs { "asked kernel", "asked hypervisor", "restarted", "restored" } do
      for _, objVS in pairs(held) do
        assert.equal("integer", math.type(objVS:FindVirtualMachine(name).Accountant.Since))
      end
    end
    held.kernel:FindVirtualMachine("restored"):Save():WaitForCompletion(-1)
    host.virsh("destroy", "restarted unread")

    host.sleep(GAP)
    host.virsh("destroy", "restarted")
    host.virsh("start", "restarted", "--paused")
    held.kernel:FindVirtualMachine("restored"):Startup():WaitForCompletion(-1)
    host.virsh("start", "restarted unread", "--paused")
  end)

  before_each(function()
    applications = counter_sources.connect(connect)
  end)

  -- For how long the machine's QEMU process has been running, in seconds, as
  -- the kernel tells: field 22 of its stat is its start, in ticks since boot.
  local function qemu_age(name)
    local stat = host.read_file(("/proc/%d/stat"):format(host.qemu_pid(name)))
    local fields = {}
    for field in stat:match("%) (.*)"):gmatch("%S+") do
      fields[#fields + 1] = field
    end
    return host.now() - fields[20] / tonumber(host.shell("getconf CLK_TCK"))
  end

  local function assert_near(expected, actual)
    assert.equal("integer", math.type(actual))
    assert.is_true(math.abs(expected - actual) <= TOLERANCE,
      ("%d instead of about %.1f"):format(actual, expected))
  end

  -- To those that looked on, and to those that come to it.
  local function assert_right(name)
    for _, looking in ipairs { held, applications, counter_sources.connect(connect, { max_age = 3600 }) } do
      for _, objVS in pairs(looking) do
        local accountant = objVS:FindVirtualMachine(name).Accountant
        assert_near(os.time() - qemu_age(name), accountant.Since)
        assert_near(qemu_age(name), accountant.UpTime)
      end
    end
  end

  it("are those of QEMU's start, which no process here has seen", function()
    assert.is_true(qemu_age("started before") > TOLERANCE + 1)
    assert_right("started before")
  end)

  it("are those of the start that was asked for", function()
    for _, name in ipairs { "asked kernel", "asked hypervisor" } do
      assert.is_true(qemu_age(name) > TOLERANCE + 1)
      assert_right(name)
    end
  end)

  it("start over when the machine is turned off and on", function()
    assert_right("restarted")
    held.kernel:FindVirtualMachine("restarted"):TurnOff()
    held.hypervisor:FindVirtualMachine("restarted"):Startup():WaitForCompletion(-1)
    assert_right("restarted")
  end)

  it("start over when it is restored", function()
    assert_right("restored")
  end)

  -- The start that a process asked for is not that of a later run, even when
  -- nothing was read in between.
  it("are not those of a run that has ended unread", function()
    assert_right("restarted unread")
  end)
end)
