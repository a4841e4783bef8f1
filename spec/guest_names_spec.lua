-- Names of machines: all that libvirt takes, which is everything but a slash
-- and a newline, up to what its files' names leave room for.

local host = require "spec.support.libvirt_host"
local real_host = require "spec.support.real_host"
local failure = require "spec.support.failure"
local vma = require "vmaccountant"

-- libvirt writes NAME.xml.new first, in file systems that take 255 bytes.
local LONGEST <const> = 247

local NAMES <const> = {
  "two  spaces within",
  " one before and one after ",
  "Überweisungs-Server 日本語 🖧",
  "\u{e9}t\u{e9}",
  "100% %s %n %d",
  [[it's "quoted" `here` \ and $HOME there]],
  "<tag attribute='a'> & &amp;",
  "-dash",
  "42",
  "a,b=c;d|e:f@g#h",
  ("long "):rep(50):sub(1, LONGEST - 1) .. "!",
}

local function escape(text)
  return (text:gsub("[&<>'\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["'"] = "&apos;",
    ['"'] = "&quot;" }))
end

local function small_machine(name)
  return ([[
<domain type='qemu'>
  <name>%s</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <interface type='bridge'><source bridge='vmabr0'/><model type='virtio'/><rom enabled='no'/></interface>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>]]):format(escape(name))
end

real_host.describe(_ENV, "a real machine's name #root", function(connect)
  local objVS

  before_each(function()
    objVS = connect()
  end)

  for _, name in ipairs(NAMES) do
    describe(("of %d bytes, '%.40s'"):format(#name, name), function()
      setup(function()
        host.define(small_machine(name))
      end)

      teardown(host.destroy_all)

      it("comes back as it is, and finds the machine", function()
        local objVM = objVS:FindVirtualMachine(name)
        assert.equal(name, objVM.Name)
        assert.equal(name, tostring(objVM))
        assert.equal("Machine: " .. name, "Machine: " .. objVM)
        assert.equal("VMAccountant of " .. name, tostring(objVM.Accountant))
        assert.equal(objVM, objVS.VirtualMachines:Item(name))
        assert.equal(objVM, objVS.VirtualMachines[1])
        assert.is_nil(objVS:FindVirtualMachine(name .. "x"))
        assert.is_nil(objVS:FindVirtualMachine(name:sub(1, -2)))
      end)

      it("is in the errors of the machine as it is", function()
        local objVM = objVS:FindVirtualMachine(name)
        local err = failure.expect({ name = "S_FALSE", member = "NetworkBytesSent", machine = name }, function()
          return objVM.Accountant.NetworkBytesSent
        end)
        assert.matches(name .. ": NetworkBytesSent: ", tostring(err), 1, true)
      end)

      it("is no obstacle to running, reading and ending", function()
        local objVM = objVS:FindVirtualMachine(name)
        local task = objVM:Startup()
        assert.equal("Startup of " .. name, task.Description)
        task:WaitForCompletion(-1)
        assert.same({ 0, 0 }, { objVM.Accountant.NetworkBytesSent, objVM.Accountant.NetworkBytesReceived })
        assert.is_true(objVM.Accountant.UpTime <= 30)
        assert.is_true(objVM.NetworkAdapters[1].IsCounted)
        objVM:TurnOff()
        assert.equal(vma.vmVMState_TurnedOff, objVM.State)
      end)
    end)
  end

  it("cannot be longer than libvirt takes, and one that is finds nothing", function()
    local name = ("n"):rep(LONGEST + 1)
    assert.has_error.matches(function() host.define(small_machine(name)) end, "File name too long")
    assert.is_nil(objVS:FindVirtualMachine(name))
    assert.is_nil(objVS:FindVirtualMachine(("n"):rep(1 << 16)))
    assert.is_nil(objVS:FindVirtualMachine(""))
    failure.expect({ name = "DISP_E_BADINDEX", member = "Item" }, function()
      return objVS.VirtualMachines:Item(name)
    end)
  end)

  describe("that equals another but for letter case", function()
    setup(function()
      for _, name in ipairs { "Web01", "web01", "Mail" } do
        host.define(small_machine(name))
      end
    end)

    teardown(host.destroy_all)

    it("finds the machine that has the very name", function()
      local upper, lower = objVS:FindVirtualMachine("Web01"), objVS:FindVirtualMachine("web01")
      assert.equal("Web01", upper.Name)
      assert.equal("web01", lower.Name)
      assert.not_equal(upper, lower)
      assert.equal(upper, objVS.VirtualMachines:Item("Web01"))
      assert.equal(lower, objVS.VirtualMachines:Item("web01"))
    end)

    it("is demanded exactly where it could be either", function()
      local err = failure.expect({ name = "DISP_E_EXCEPTION", member = "FindVirtualMachine" }, function()
        return objVS:FindVirtualMachine("WEB01")
      end)
      assert.matches("'Web01'", err.message, 1, true)
      assert.matches("'web01'", err.message, 1, true)
      failure.expect({ name = "DISP_E_BADINDEX", member = "Item", message = "exact name" }, function()
        return objVS.VirtualMachines:Item("WEB01")
      end)
    end)

    it("is found in any case where there is no other", function()
      assert.equal("Mail", objVS:FindVirtualMachine("MAIL").Name)
      assert.equal("Mail", objVS.VirtualMachines:Item("mail").Name)
    end)

    it("gives each its own figures", function()
      local upper = objVS:FindVirtualMachine("Web01")
      upper:Startup():WaitForCompletion(-1)
      assert.equal(0, upper.Accountant.NetworkBytesSent)
      failure.expect({ name = "S_FALSE", member = "NetworkBytesSent", machine = "web01" }, function()
        return objVS:FindVirtualMachine("web01").Accountant.NetworkBytesSent
      end)
    end)
  end)
end)
