-- vma.help: what it prints, from the tables of members.

local core = require "vmaccountant.core"
local records = require "vmaccountant.records"
local simulator = require "vmaccountant.simulator"
local vma = require "vmaccountant"
local failure = require "spec.support.failure"
local shell = require "spec.support.shell"

-- What the call writes to standard output; it returns nothing.
-- Neither COLUMNS nor the terminal that the specs run in has a say.
local function printed(...)
  local pieces = {}
  local write, getenv, terminal_columns = io.write, os.getenv, core.terminal_columns
  os.getenv = function() end -- luacheck: ignore
  core.terminal_columns = function() end
  io.write = function(...) -- luacheck: ignore
    for _, piece in ipairs { ... } do
      pieces[#pieces + 1] = piece
    end
  end
  local results = table.pack(pcall(vma.help, ...))
  io.write = write -- luacheck: ignore
  os.getenv, core.terminal_columns = getenv, terminal_columns -- luacheck: ignore
  if not results[1] then
    error(results[2], 0)
  end
  assert.equal(1, results.n)
  return table.concat(pieces)
end

-- Each column of the lines that follow the heading begins at one place.
local function columns(text, heading)
  local body = assert((text .. "\n\n"):match("\n" .. heading .. ":\n(.-\n)\n"), heading)
  local rows = {}
  for line in body:gmatch("[^\n]+") do
    rows[#rows + 1] = line
  end
  return rows
end

describe("help", function()
  local objVS, objVM

  before_each(function()
    local host = simulator.new()
    host:AddMachine("web01", { adapters = 1, running = true })
    objVS = host:CreateObject("VirtualServer.Application")
    objVM = objVS:FindVirtualMachine("web01")
  end)

  it("without arguments lists the functions, the classes and the tables", function()
    local text = printed()
    for _, class in ipairs(core.classes()) do
      assert.matches("\n  " .. class.name .. " +" .. class.meaning:gsub("%p", "%%%0") .. "\n", text)
    end
    for _, record in ipairs(records.tables) do
      assert.matches("\n  " .. record.name .. " +" .. record.meaning:gsub("%p", "%%%0") .. "\n", text)
    end
    for name, value in pairs(vma) do
      if type(value) == "function" then
        assert.matches("\n  " .. name .. "(", text, 1, true)
      end
    end
    assert.equal(text, printed(vma))
    assert.equal(text, printed(nil))
  end)

  it("of each class has each member with its type, unit and meaning", function()
    for _, class in ipairs(core.classes()) do
      local text = printed(class.name)
      assert.equal(class.name .. ": " .. class.meaning .. "\n", text:match("^[^\n]*\n"))
      local count = select(2, text:gsub("\n  ", ""))
      assert.equal(#class.members, count)
      for _, member in ipairs(class.members) do
        local line = assert(text:match("\n  (" .. member.name .. "%f[^%w][^\n]*)\n"), member.name)
        assert.matches(member.type or "nothing", line, 1, true)
        assert.matches(member.unit or "", line, 1, true)
        assert.equal(member.writable, line:find("writable", 1, true) ~= nil)
        assert.equal(member.meaning, line:sub(-#member.meaning))
        assert.matches(member.parameters or "", line, 1, true)
      end
    end
  end)

  it("is aligned in columns", function()
    local types = {}
    for _, row in ipairs(columns(printed(objVM), "properties")) do
      types[#types + 1] = row:find("[%a]", (row:find("  ", 3, true)))
    end
    assert.is_true(#types > 5)
    for _, position in ipairs(types) do
      assert.equal(types[1], position)
    end
    assert.is_nil(printed(objVM):find(" \n"))
  end)

  it("of an object is that of its class, also when it is closed", function()
    local objects = {
      VMVirtualServer = objVS, VMHostInfo = objVS.HostInfo, VMVirtualMachineCollection = objVS.VirtualMachines,
      VMVirtualMachine = objVM, VMAccountant = objVM.Accountant, VMNetworkAdapterCollection = objVM.NetworkAdapters,
      VMNetworkAdapter = objVM.NetworkAdapters[1], VMVirtualNetwork = objVM.NetworkAdapters[1].VirtualNetwork,
      VMTask = objVM:Pause(), Simulator = simulator.new(),
    }
    local _, err = pcall(function() return objVM.Nonesuch end)
    objects.VMError = err
    for name, object in pairs(objects) do
      assert.equal(printed(name), printed(object))
      assert.equal(printed(name), printed(name:upper()))
    end
    objVS:Close()
    for name, object in pairs(objects) do
      assert.equal(printed(name), printed(object))
    end
  end)

  it("of Virtual PC's accountant has the members of that one only", function()
    local host = simulator.new()
    host:AddMachine("web01")
    local objAccountant = host:CreateObject("VirtualPC.Application"):FindVirtualMachine("web01").Accountant
    local text, larger = printed(objAccountant), printed(objVM.Accountant)
    for _, name in ipairs { "NetworkBytesSent", "CPUUtilizationHistory", "Since", "LastSession" } do
      assert.matches("\n  " .. name .. "%f[^%w]", text)
      assert.equal(printed(objVM.Accountant, name), printed(objAccountant, name))
    end
    for _, name in ipairs { "RelativeWeight", "SetSchedulingParameters" } do
      assert.matches("\n  " .. name .. "%f[^%w]", larger)
      assert.not_matches(name, text)
      failure.expect({ name = "DISP_E_UNKNOWNNAME", member = name, message = "Virtual PC's accountant had none" },
        printed, objAccountant, name)
    end
    assert.equal(printed("VMAccountant"), larger)
  end)

  it("of a member prints all of it, in any letter case", function()
    assert.equal("VMAccountant.NetworkBytesSent is integer|string, in bytes, read-only\n  "
      .. "sent through all network adapters since the machine was last powered up, reset or restored\n",
      printed(objVM.Accountant, "networkBYTESsent"))
    assert.equal("VMVirtualMachine.Notes is string, writable\n  "
      .. "free text about the machine; empty for none\n", printed(objVM, "notes"))
    assert.equal("VMVirtualServer:FindVirtualMachine(name: string) gives VMVirtualMachine?\n  "
      .. "the machine of that name in any letter case, or nil\n", printed("vmvirtualserver", "FindVirtualMachine"))
    assert.equal("VMError.cause is VMErrorCause?\n  what libvirt itself said\n", printed("VMError", "cause"))
    assert.matches("^vmaccountant.CreateObject%(progid: string, ", printed("createobject"))
    assert.equal(printed("CreateObject"), printed(vma, "CreateObject"))
  end)

  it("of an unknown member names the nearest one, and what is left out", function()
    failure.expect({ name = "DISP_E_UNKNOWNNAME", member = "NetworkByteSent",
      message = "did you mean NetworkBytesSent?" }, printed, objVM.Accountant, "NetworkByteSent")
    failure.expect({ name = "DISP_E_UNKNOWNNAME", member = "GuestOS", message = "virsh guestinfo" },
      printed, "VMVirtualMachine", "guestos")
  end)

  it("of anything else says what it takes", function()
    failure.expect_argument_error("got table", printed, {})
    failure.expect_argument_error("got number", printed, 12)
    failure.expect_argument_error("got userdata", printed, io.stdout)
    failure.expect_argument_error("member's name expected, got number", printed, objVM, 12)
  end)

  it("of a name alone is that of all that has it, in any letter case", function()
    assert.equal(printed("VMAccountant", "Since"), printed("since"))
    assert.equal(printed("VMAccountant", "NetworkBytesSent") .. printed("VMSession", "NetworkBytesSent"),
      printed("networkbytessent"))
    assert.equal(printed("VMVirtualServer", "FindVirtualMachine"), printed("FindVirtualMachine"))
    assert.matches("^vmaccountant.vmVMState_Running is 5\n  of VMVMState: ", printed("vmvmstate_running"))
    assert.matches("^vmaccountant.vmTaskResult_Success is 0\n  of VMTaskResult: ", printed("vmTaskResult_Success"))
    assert.equal("vmaccountant.hresult.S_FALSE is 0x00000001\n  the machine is not running\n", printed("S_False"))
    assert.matches("^vmaccountant.hresult.VM_E_NO_LICENSE is 0xA0040750\n", printed(vma.hresult, "VM_E_NO_LICENSE"))
    for name, value in pairs(core.constants) do
      local enumeration = name:find("^vmVM") and "vmvmstate" or "VMTaskResult"
      assert.matches(("\n  %s +%d\n"):format(name, value), printed(enumeration))
    end
    for name, number in pairs(vma.hresult) do
      assert.matches(("\n  %s +0x%08X  %%S"):format(name, number), printed("hresult"))
    end
    assert.equal(printed("hresult"), printed(vma.hresult))
  end)

  it("of a name that there is not is an error without a traceback, which names the nearest", function()
    for wrong, right in pairs { VMAcountant = "VMAccountant", NetworkByteSent = "NetworkBytesSent",
      vmVMState_Runing = "vmVMState_Running", S_FALS = "S_FALSE", CreatObject = "CreateObject" } do
      local err = failure.expect({ name = "DISP_E_UNKNOWNNAME", member = wrong,
        message = "; did you mean " .. right .. "?" }, printed, wrong)
      assert.is_nil(err.where)
    end
    local err = failure.expect({ name = "DISP_E_UNKNOWNNAME", member = "xyzzy" }, printed, "xyzzy")
    assert.equal("there is nothing of the name 'xyzzy'", err.message)
    failure.expect({ name = "DISP_E_UNKNOWNNAME", member = "mesage",
      message = "VMError has no field 'mesage'; did you mean message?" }, printed, "VMError", "mesage")
    local _, errors, status = shell.run([[lua5.4 -e 'require("vmaccountant").help("Nonesuch")']])
    assert.equal(1, status)
    assert.equal("lua5.4: Nonesuch: there is nothing of the name 'Nonesuch' (DISP_E_UNKNOWNNAME 0x80020006)\n", errors)
  end)

  describe("on a narrow screen", function()
    local function at_width(room, call)
      return (shell.run(("COLUMNS=%d lua5.4 -e 'require(\"vmaccountant\").%s'"):format(room, call)))
    end

    it("has no line that is longer, and loses no word", function()
      for _, call in ipairs { 'help()', 'help("VMAccountant")', 'help("VMOptions")', 'help("hresult")',
        'help("VMNetworkAdapterCollection")', 'help("NetworkBytesSent")', 'help("VMVMState")' } do
        local wide = at_width(1000, call):gsub("%s+", " ")
        for _, room in ipairs { 60, 80, 100, 132 } do
          local text = at_width(room, call)
          for line in text:gmatch("[^\n]+") do
            assert.is_true(utf8.len(line) <= room, line)
          end
          assert.equal(wide, (text:gsub("%s+", " ")))
        end
      end
    end)

    it("keeps the columns where there is room for them", function()
      assert.matches("\n  VMNetworkAdapterCollection  the network adapters of a machine: a snapshot,\n"
        .. "                              counted from 1\n", at_width(80, "help()"), 1, true)
    end)

    it("is as wide as the terminal where COLUMNS is not set", function()
      local output = shell.run([==[env -u COLUMNS script -qec '
        stty cols 64; lua5.4 -e "require([[vmaccountant]]).help([[VMAccountant]])"' /dev/null]==])
      local longest = 0
      for line in output:gmatch("[^\r\n]+") do
        longest = math.max(longest, utf8.len(line))
      end
      assert.is_true(longest <= 64 and longest > 50, output)
    end)
  end)
end)

describe("the described tables", function()
  local function fields_of(name)
    for _, record in ipairs(records.tables) do
      if record.name == name then
        local fields = {}
        for _, member in ipairs(record.members) do
          fields[member.name] = member
        end
        return fields
      end
    end
  end

  -- The value has the fields that it must, and no others, of their types.
  local function check(name, value)
    local fields = fields_of(name)
    for field, content in pairs(value) do
      assert.is_truthy(fields[field], name .. "." .. tostring(field))
      local kind = math.type(content) or type(content)
      assert.is_true(("|" .. fields[field].type .. "|"):find("|" .. kind .. "|", 1, true) ~= nil
        or kind == "table", name .. "." .. field .. " is a " .. kind)
    end
    for field, member in pairs(fields) do
      assert.is_true(member.optional or value[field] ~= nil, name .. "." .. field .. " is missing")
    end
  end

  it("are those that members give", function()
    local host = simulator.new()
    local machine, nic = host:AddMachine("web01", { adapters = 1, running = true })
    local objVS = host:CreateObject("VirtualServer.Application")
    local objVM = objVS.VirtualMachines[1]
    nic:Send(10)
    assert.equal(1, #objVS.Accounting)
    check("VMCounterSource", objVS.Accounting[1])
    machine:TurnOff()
    check("VMSession", objVM.Accountant:LastSession())
    check("VMError", select(2, pcall(function() return objVM.Accountant.NetworkBytesSent end)))
    local _, refused = pcall(vma.CreateObject, "VirtualServer.Application", "nonesuch:///")
    check("VMError", refused)
    check("VMErrorCause", refused.cause)
  end)

  it("have the options of CreateObject", function()
    local known = {}
    local _, message = pcall(vma.CreateObject, "VirtualServer.Application", "test:///default", { nonesuch = 1 })
    for name in message:match("known ones are (.*)"):gmatch("'([%a_]+)'") do
      known[name] = true
    end
    local fields = fields_of("VMOptions")
    for name in pairs(fields) do
      assert.is_true(known[name], name)
      known[name] = nil
    end
    assert.is_nil(next(known))
  end)
end)
