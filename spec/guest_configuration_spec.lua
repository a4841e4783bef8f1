-- Names, notes, memory and saved states of real QEMU machines: as libvirt and
-- the files on the host have them afterwards.

local host = require "spec.support.libvirt_host"
local real_host = require "spec.support.real_host"
local failure = require "spec.support.failure"

local MACHINE <const> = [[
<domain type='qemu'>
  <name>%s</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <interface type='bridge'><source bridge='vmabr0'/><model type='virtio'/><rom enabled='no'/></interface>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>]]

real_host.describe(_ENV, "a real machine's definition #root", function(connect)
  local objVS, objVM

  before_each(function()
    host.define(MACHINE:format("web01"))
    host.define(MACHINE:format("Mail"))
    objVS = connect()
    objVM = objVS:FindVirtualMachine("web01")
  end)

  after_each(function()
    host.destroy_all()
  end)

  local function assign(member, value)
    objVM[member] = value
  end

  local function xml(...)
    return host.virsh("dumpxml", objVM.Name, ...)
  end

  local function description(...)
    return xml(...):match("<description>(.-)</description>")
  end

  it("gets another name, which libvirt keeps", function()
    local id = objVM.ConfigID
    for _, name in ipairs { "db02", "DB02", "Überweisung 日本 <&>", "-x", "..." } do
      objVM.Name = name
      assert.equal(name, objVM.Name)
      assert.equal(id, host.virsh("domuuid", "--", name):match("%S+"))
    end
    host.restart()
    assert.equal(id, objVS:FindVirtualMachine("...").ConfigID)
    assert.is_nil(objVS:FindVirtualMachine("web01"))
    assert.equal(2, #objVS.VirtualMachines)
    objVM:Startup():WaitForCompletion(-1)
    assert.equal(0, objVM.Accountant.NetworkBytesSent)
  end)

  it("keeps its name where it may not change", function()
    failure.expect({ name = "VM_E_CONFIG_DUPLICATE_NAME", member = "Name", machine = "web01", message = "'Mail'" },
      assign, "Name", "MAIL")
    for _, name in ipairs { ".", "..", "a/b", "a\nb" } do
      failure.expect({ name = "VM_E_CONFIG_NAME_INVALID_CHAR", member = "Name", machine = "web01" },
        assign, "Name", name)
    end
    failure.expect({ name = "VM_E_CONFIG_NAME_TOO_LONG", member = "Name", machine = "web01" },
      assign, "Name", ("n"):rep(248))
    objVM:Startup():WaitForCompletion(-1)
    failure.expect({ name = "VM_E_VM_RUNNING", member = "Name", machine = "web01" }, assign, "Name", "db02")
    objVM:Save():WaitForCompletion(-1)
    failure.expect({ name = "VM_E_VM_RUNNING", member = "Name", machine = "web01", message = "saved state" },
      assign, "Name", "db02")
    assert.equal("Mail\nweb01\n", host.virsh("list", "--all", "--name"):gsub("\n+$", "\n"))
  end)

  it("has a name as long as libvirt's files allow", function()
    local name = ("n"):rep(247)
    objVM.Name = name
    host.restart()
    assert.equal(name, objVM.Name)
    assert.equal(objVM, objVS:FindVirtualMachine(name))
  end)

  it("has notes, for its run and its next starts", function()
    assert.equal("", objVM.Notes)
    objVM.Notes = "defined"
    assert.equal("defined", description("--inactive"))
    objVM:Startup():WaitForCompletion(-1)
    objVM.Notes = "run <&> 日本"
    assert.equal("run &lt;&amp;&gt; 日本", description())
    assert.equal("run &lt;&amp;&gt; 日本", description("--inactive"))
    objVM:TurnOff()
    assert.equal("run <&> 日本", objVM.Notes)
    objVM.Notes = ""
    assert.equal("", objVM.Notes)
    assert.is_nil(description("--inactive"))
  end)

  it("has notes that outlive libvirtd to the byte", function()
    for _, notes in ipairs { "first\r\nsecond\rthird\n", " blanks \t", "\n", "]]>", ("ä"):rep(40000) } do
      objVM.Notes = notes
      local kept = objVM.Notes
      host.restart()
      assert.equal(kept, objVM.Notes)
    end
  end)

  it("has notes while it is there for one run only", function()
    host.virsh("start", "web01", "--paused")
    host.virsh("undefine", "web01")
    objVM.Notes = "passing"
    assert.equal("passing", description())
    assert.equal("passing", objVM.Notes)
  end)

  it("has the memory that it was given", function()
    assert.equal(16, objVM.Memory)
    for _, megabytes in ipairs { 32, 24, 4, 4096 } do
      objVM.Memory = megabytes
      assert.equal(megabytes, objVM.Memory)
      local kibibytes = tostring(megabytes * 1024)
      assert.equal(kibibytes, xml():match("<memory unit='KiB'>(%d+)"))
      assert.equal(kibibytes, xml():match("<currentMemory unit='KiB'>(%d+)"))
    end
    objVM.Memory = 32
    objVM:Startup():WaitForCompletion(-1)
    assert.equal(32, objVM.Memory)
    local pid = host.read_file("/run/libvirt/qemu/web01.pid"):match("%d+")
    local option = host.read_file("/proc/" .. pid .. "/cmdline"):match("%z%-m%z([^%z]+)")
    assert.is_true(option == "32" or option == "size=32768k", option)
    failure.expect({ name = "VM_E_VM_RUNNING", member = "Memory", machine = "web01" }, assign, "Memory", 64)
    objVM:Save():WaitForCompletion(-1)
    failure.expect({ name = "VM_E_VM_RUNNING", member = "Memory", machine = "web01", message = "saved state" },
      assign, "Memory", 64)
    assert.equal(32, objVM.Memory)
  end)

  it("tells the file of its saved state while there is one", function()
    local function path() return objVM.SavedStateFilePath end
    local none = { name = "VM_E_VM_NO_SAVED_STATE", member = "SavedStateFilePath", machine = "web01" }
    failure.expect(none, path)
    objVM:Startup():WaitForCompletion(-1)
    failure.expect(none, path)
    objVM:Save():WaitForCompletion(-1)
    assert.equal("LibvirtQemudSave", host.read_file(path()):sub(1, 16))
    objVM:Startup():WaitForCompletion(-1)
    failure.expect(none, path)
  end)

  it("gone, is unknown", function()
    host.virsh("undefine", "web01")
    for member, value in pairs { Name = "x", Notes = "x", Memory = 64 } do
      local expected = { name = "VM_E_VM_UNKNOWN", member = member, machine = "web01" }
      failure.expect(expected, assign, member, value)
      failure.expect(expected, function() return objVM[member] end)
    end
  end)

  it("is changed by nobody who gets no read-write connection", function()
    local folder = host.folder .. "/readers" -- the tree may be in one that this user cannot enter
    host.shell(([[
      mkdir -p %s/vmaccountant
      cp %s %s/vmaccountant/core.so
      cp %s %s/vmaccountant.lua
      chmod -R a+rX %s]]):format(folder, host.quote(assert(package.searchpath("vmaccountant.core", package.cpath))),
      folder, host.quote(assert(package.searchpath("vmaccountant", package.path))), folder, folder))
    local script = host.write_file(folder .. "/script.lua", ([[
      package.path, package.cpath = "%s/?.lua", "%s/?.so"
      local vma = require "vmaccountant"
      local objVM = vma.CreateObject("VirtualServer.Application", "qemu:///system"):FindVirtualMachine("web01")
      for member, value in pairs { Name = "x", Notes = "x", Memory = 64 } do
        local ok, err = pcall(function() objVM[member] = value end)
        assert(not ok and err.name == "E_ACCESSDENIED" and err.member == member and err.machine == "web01", err)
        assert(err.message:find("read-write connection", 1, true), err)
      end
      print(objVM.Name, objVM.Notes, objVM.Memory)
    ]]):format(folder, folder))
    host.shell("chmod a+r " .. script)
    assert.equal("web01\t\t16\n", host.shell(("cd / && setpriv --reuid=65534 --regid=65534 --clear-groups "
      .. "timeout 60 lua5.4 %s"):format(script)))
  end)
end)
