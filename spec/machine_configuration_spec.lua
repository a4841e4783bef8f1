-- What can be changed of a machine's definition, and the file of its saved
-- state: on the simulator and on libvirt's test driver.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"

local PROGID <const> = "VirtualServer.Application"

-- libvirt's test host, whose one machine is off; all its connections in this
-- process share it.
local function test_driver()
  local objVS = vma.CreateObject(PROGID, "test:///default")
  local objVM = objVS.VirtualMachines[1]
  if objVM.State == vma.vmVMState_Saved then
    objVM:DiscardSavedState()
  elseif objVM.State ~= vma.vmVMState_TurnedOff then
    objVM:TurnOff()
  end
  objVM.Name = "web01"
  return objVS
end

-- As other specs want to find it.
local function restore_test_driver()
  local objVS <close> = test_driver()
  local objVM = objVS.VirtualMachines[1]
  objVM.Name, objVM.Notes, objVM.Memory = "test", "", 8192
  objVM:Startup()
end

local function simulated()
  local host = simulator.new()
  host:AddMachine("web01")
  host:AddMachine("Mail")
  return host:CreateObject(PROGID)
end

local hosts <const> = {
  simulator = { connect = simulated, count = 2 },
  ["test driver"] = { connect = test_driver, restore = restore_test_driver, count = 1 },
}

for name, kind in pairs(hosts) do
  describe("a machine's definition on the " .. name, function()
    local objVS, objVM

    before_each(function()
      handles.remember()
      objVS = kind.connect()
      objVM = objVS:FindVirtualMachine("web01")
    end)

    after_each(function()
      if kind.restore then
        kind.restore()
      end
      objVS:Close()
      objVS, objVM = nil, nil
      handles.check()
    end)

    local function assign(member, value)
      objVM[member] = value
    end

    -- The assignment raises that, and leaves the member as it was.
    local function refused(code, message, member, value)
      local before = objVM[member]
      failure.expect({ name = code, member = member, machine = objVM.Name, message = message }, assign, member, value)
      assert.equal(before, objVM[member])
    end

    describe("Name", function()
      it("changes, and the machine is the same", function()
        local id = objVM.ConfigID
        for _, text in ipairs { "db02", "Überweisung 日本", " with blanks ", "-x", "WEB01", "web01", "a.b", "..." } do
          objVM.Name = text
          assert.equal(text, objVM.Name)
          assert.equal(text, tostring(objVM))
          assert.equal(id, objVM.ConfigID)
          assert.is_true(rawequal(objVM, objVS:FindVirtualMachine(text)))
        end
        objVM.name = 42
        assert.equal("42", objVM.Name)
        assert.equal(kind.count, #objVS.VirtualMachines)
      end)

      it("may stay what it is", function()
        objVM.Name = "web01"
        assert.equal("web01", objVM.Name)
      end)

      it("is a text that a definition and a file's name can hold", function()
        refused("VM_E_CONFIG_NO_NAME", "needs a name", "Name", "")
        refused("VM_E_CONFIG_NAME_TOO_LONG", "248 bytes", "Name", ("n"):rep(248))
        for _, text in ipairs { "a/b", "a\nb", "a\0b", "a\1", "a\127", "a\xff", "a\xc3", "\xed\xa0\x80", ".", ".." } do
          refused("VM_E_CONFIG_NAME_INVALID_CHAR", nil, "Name", text)
        end
        refused("E_POINTER", "missing", "Name", nil)
        for _, value in ipairs { {}, true, print } do
          refused("E_INVALIDARG", "must be a string", "Name", value)
        end
        objVM.Name = ("n"):rep(247)
        assert.equal(247, #objVM.Name)
      end)

      it("does not change while the machine is running, paused or saved", function()
        objVM:Startup()
        refused("VM_E_VM_RUNNING", "turn it off", "Name", "db02")
        objVM:Pause()
        refused("VM_E_VM_RUNNING", "turn it off", "Name", "db02")
        objVM:Resume()
        objVM:Save()
        refused("VM_E_VM_RUNNING", "saved state", "Name", "db02")
        objVM:DiscardSavedState()
        objVM.Name = "db02"
        assert.equal("db02", objVM.Name)
      end)
    end)

    describe("Notes", function()
      it("are empty at first, keep what is assigned, and can be cleared", function()
        assert.equal("", objVM.Notes)
        for _, text in ipairs { "first\nsecond\tline", "  blanks ", "<a> & 'b' \"c\" ]]>", "日本", ("ä"):rep(40000) } do
          objVM.Notes = text
          assert.equal(text, objVM.Notes)
        end
        objVM.notes = 17
        assert.equal("17", objVM.Notes)
        objVM.Notes = ""
        assert.equal("", objVM.Notes)
      end)

      it("have one kind of line end", function()
        objVM.Notes = "a\r\nb\rc\nd\r\r\n"
        assert.equal("a\nb\nc\nd\n\n", objVM.Notes)
      end)

      it("change in every state", function()
        objVM:Startup()
        objVM.Notes = "running"
        assert.equal("running", objVM.Notes)
        objVM:Save()
        objVM.Notes = "saved"
        assert.equal("saved", objVM.Notes)
      end)

      it("are at most 40000 characters of text", function()
        objVM.Notes = "kept"
        refused("E_INVALIDARG", "40001 characters", "Notes", ("ä"):rep(40001))
        refused("E_INVALIDARG", "byte 2", "Notes", "a\0b")
        refused("E_INVALIDARG", "byte 3", "Notes", "ab\27[0m")
        refused("E_INVALIDARG", "byte 1", "Notes", "\xc0\x80")
        refused("E_INVALIDARG", "byte 4", "Notes", "abc\xef\xbf\xbf")
        refused("E_POINTER", [["" for no notes]], "Notes", nil)
        refused("E_INVALIDARG", "must be a string", "Notes", {})
      end)
    end)

    describe("Memory", function()
      it("changes while the machine is turned off, and takes numbers in text", function()
        for value, megabytes in pairs { [4] = 4, [100.0] = 100, ["3712"] = 3712, [1 << 20] = 1 << 20 } do
          objVM.Memory = value
          assert.equal(megabytes, objVM.Memory)
          assert.equal("integer", math.type(objVM.Memory))
        end
      end)

      it("does not change while the machine is running or saved", function()
        objVM:Startup()
        refused("VM_E_VM_RUNNING", "turn it off", "Memory", 128)
        objVM:Save()
        refused("VM_E_VM_RUNNING", "saved state", "Memory", 128)
      end)

      it("is a whole number from 4", function()
        for _, value in ipairs { 3, 0, -1, 1 << 31, math.maxinteger, math.mininteger } do
          refused("E_INVALIDARG", "from 4 to 2147483647 MB", "Memory", value)
        end
        for _, value in ipairs { 64.5, "much", "", {}, true, 0 / 0 } do
          refused("E_INVALIDARG", "whole number of MB", "Memory", value)
        end
        refused("E_POINTER", "missing", "Memory", nil)
      end)
    end)

    it("closed, cannot be changed", function()
      objVS:Close()
      for member, value in pairs { Name = "x", Notes = "x", Memory = 64 } do
        failure.expect({ name = "VM_E_APP_SHUTTING_DOWN", member = member }, assign, member, value)
      end
    end)
  end)
end

describe("a simulated machine", function()
  local function assign(objVM, member, value)
    objVM[member] = value
  end

  it("is not called as another one in any letter case", function()
    local objVM = simulated():FindVirtualMachine("web01")
    for _, text in ipairs { "Mail", "mail", "MAIL" } do
      failure.expect({ name = "VM_E_CONFIG_DUPLICATE_NAME", member = "Name", machine = "web01", message = "'Mail'" },
        assign, objVM, "Name", text)
    end
    assert.equal("web01", objVM.Name)
  end)

  it("that is gone is unknown", function()
    local host = simulator.new()
    local machine = host:AddMachine("gone")
    local objVM = host:CreateObject(PROGID):FindVirtualMachine("gone")
    machine:Remove()
    for member, value in pairs { Name = "x", Notes = "x", Memory = 64 } do
      local expected = { name = "VM_E_VM_UNKNOWN", member = member, machine = "gone" }
      failure.expect(expected, assign, objVM, member, value)
      failure.expect(expected, function() return objVM[member] end)
    end
  end)

  it("keeps what its host fails to change", function()
    local host = simulator.new()
    host:AddMachine("web01")
    local objVM = host:CreateObject(PROGID):FindVirtualMachine("web01")
    host:Fail("change", "no more")
    for member, value in pairs { Name = "x", Notes = "x", Memory = 64 } do
      failure.expect({ name = "DISP_E_EXCEPTION", member = member, machine = "web01", message = "no more" },
        assign, objVM, member, value)
    end
    assert.same({ "web01", "", 512 }, { objVM.Name, objVM.Notes, objVM.Memory })
    host:Fail("configuration", "no answer")
    for _, member in ipairs { "Notes", "Memory", "SavedStateFilePath" } do
      failure.expect({ name = "DISP_E_EXCEPTION", member = member, machine = "web01", message = "no answer" },
        function() return objVM[member] end)
    end
  end)
end)

describe("SavedStateFilePath", function()
  it("of a simulated machine is there while it is saved", function()
    local objVM = simulated():FindVirtualMachine("web01")
    local function path() return objVM.SavedStateFilePath end
    local none = { name = "VM_E_VM_NO_SAVED_STATE", member = "SavedStateFilePath", machine = "web01" }
    failure.expect(none, path)
    objVM:Startup()
    failure.expect(none, path)
    objVM:Save()
    assert.equal("/var/lib/simulator/save/web01.save", path())
    objVM:DiscardSavedState()
    failure.expect(none, path)
  end)

  it("of the test driver cannot be known", function()
    local objVS <close> = test_driver()
    local objVM = objVS:FindVirtualMachine("web01")
    local expected = { name = "VM_E_VM_NO_SAVED_STATE", member = "SavedStateFilePath", machine = "web01" }
    failure.expect(expected, function() return objVM.SavedStateFilePath end)
    objVM:Startup()
    objVM:Save()
    expected.name, expected.message = "DISP_E_EXCEPTION", "libvirt does not report"
    failure.expect(expected, function() return objVM.SavedStateFilePath end)
    restore_test_driver()
  end)
end)
