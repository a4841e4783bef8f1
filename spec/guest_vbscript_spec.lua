-- The ports of VBScripts against a host with running, paused and stopped guests.

local guest = require "spec.support.guest"
local host = require "spec.support.libvirt_host"
local port = require "spec.support.vbscript_port"
local shell = require "spec.support.shell"
local vma = require "vmaccountant"

local URI <const> = "qemu:///system"

host.describe(_ENV, "the ports on real guests #root", function()
  local lacks_scheduler, running, objVS

  setup(function()
    host.start()
    lacks_scheduler = host.scheduler_lacks()
    if not lacks_scheduler then
      host.start_with_scheduler()
    end
    running = guest.start { name = "running", adapters = 2, disks = { 1 << 20 } }
    host.idle_machines(1, 1, "paused-")
    host.define([[
<domain type='qemu'>
  <name>stopped</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <interface type='bridge'><source bridge='vmabr0'/><model type='virtio'/><rom enabled='no'/></interface>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>]])
    objVS = vma.CreateObject("VirtualServer.Application", URI, { not_running = "zero" })
  end)

  teardown(function()
    objVS:Close()
    running:remove()
    host.destroy_all()
    if lacks_scheduler then
      host.stop()
    else
      host.stop_with_scheduler()
    end
  end)

  it("accountants has the same lines as the members that are read directly", function()
    running:send(1, 50, 900)
    running:quiet()
    local expected = { "3 virtual machines on " .. objVS.Name .. "\n\n" }
    local states = {}
    for objVM in objVS.VirtualMachines do
      states[#states + 1] = objVM.State
      expected[#expected + 1] = port.accountant_text(objVM)
    end
    assert.same({ vma.vmVMState_Paused, vma.vmVMState_Running, vma.vmVMState_TurnedOff }, states)
    local output = port.output_of(URI, "accountants")
    assert.equal(port.without_clock(table.concat(expected)), port.without_clock(output))
    if not lacks_scheduler then -- else the scheduling members fail, and have no lines
      for _, line in ipairs(port.ACCOUNTANT_LINES) do
        local _, times = output:gsub("\n\t" .. line[1], "")
        assert.equal(3, times, line[1])
      end
    end

    local of_running = output:match("Virtual machine: running\n(.-)\n\n")
    assert.equal(running:tx_bytes(), math.tointeger(tonumber(of_running:match("Network bytes sent: (%d+)"))))
    assert.is_true(tonumber(of_running:match("Up time: (%d+) seconds")) <= objVS:FindVirtualMachine("running")
      .Accountant.UpTime)
    local of_stopped = output:match("Virtual machine: stopped\n(.-)\n\n")
    assert.equal("0", of_stopped:match("Network bytes sent: (%d+)\n"))
    assert.equal("0", of_stopped:match("Up time: (%d+) seconds"))
  end)

  it("find_by_name and adapters tell what the host has", function()
    local objVM = objVS:FindVirtualMachine("running")
    assert.equal(("Name: running\nConfiguration ID: %s\nIt is running\n"):format(objVM.ConfigID),
      port.output_of(URI, "find_by_name", "RUNNING"))
    local lines = {}
    for each in objVS.VirtualMachines do
      lines[#lines + 1] = ("%s: %d adapters\n"):format(each.Name, each.NetworkAdapters.Count)
      for i = 1, each.NetworkAdapters.Count do
        lines[#lines + 1] = ("\t%d\t%s\tvmabr0\n"):format(i, each.NetworkAdapters[i].EthernetAddress)
      end
    end
    assert.equal(table.concat(lines), port.output_of(URI, "adapters"))
  end)

  it("reset restarts the counts of the guest that runs, and of no other", function()
    running:send(1, 50, 900)
    running:quiet()
    local sent = running:tx_bytes()
    local output = port.output_of(URI, "reset")
    local before, after = output:match("running has sent (%d+) bytes\nrunning has sent (%d+) bytes since its reset\n")
    assert.equal(sent, math.tointeger(tonumber(before)))
    assert.is_true(tonumber(after) < sent)
    assert.matches("^paused%-1 is not running\n.*\nstopped is not running\n$", output)
    running:wait_boot()
  end)

  it("save, start and turn_off take the guest through its life", function()
    assert.equal("running is saved, its state is 2\n", port.output_of(URI, "save", "running"))
    assert.equal("running has started, its state is 5\n", port.output_of(URI, "start", "running"))
    running:wait_boot()
    local output, errors, status = port.run(URI, "start", "running")
    assert.same({ "", 1 }, { errors, status })
    assert.matches("^running: error %-1610349312: .*running", output)
    assert.equal("stopped has started, its state is 5\n", port.output_of(URI, "start", "stopped"))
    assert.equal("stopped is off, its state is 1\n", port.output_of(URI, "turn_off", "stopped"))
    assert.equal(vma.vmVMState_TurnedOff, objVS:FindVirtualMachine("stopped").State)
  end)

  it("notes keeps a note on the machine", function()
    assert.matches("stopped\tthe spare one\n", port.output_of(URI, "notes", "stopped", "the spare one"), 1, true)
    assert.equal("the spare one", objVS:FindVirtualMachine("stopped").Notes)
  end)

  it("cpu_history draws what each running guest has used", function()
    local output = port.output_of(URI, "cpu_history")
    assert.matches("^running: %d+ %% now\n", output)
    assert.equal(60, select(2, output:gsub("\t%d+\t#*\n", "")))
  end)

  it("state_events tells what becomes of the guest while it waits", function()
    -- The machine is started once the port has said that it waits, and SIGINT
    -- ends the port once it has told of it.
    local output = shell.run([[
      output=$(mktemp)
      LIBVIRT_DEFAULT_URI=qemu:///system stdbuf -oL lua5.4 examples/vbscript/state_events.lua 50 >$output 2>&1 & pid=$!
      wait_for() {
        tries=0
        until grep -qs "$1" $output || [ $tries -eq 400 ]; do sleep 0.1; tries=$((tries + 1)); done
      }
      wait_for Waiting
      virsh --quiet --connect qemu:///system start stopped >&2
      wait_for "stopped is running"
      kill -INT $pid; wait $pid
      cat $output; rm $output]])
    host.try_virsh("destroy", "stopped")
    assert.matches("^Waiting for events, for 50 seconds\n.*stopped is running\n", output)
  end)
end)
