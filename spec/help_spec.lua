-- vma.help: what it prints, from the tables of members.

local core = require "vmaccountant.core"
local records = require "vmaccountant.records"
local simulator = require "vmaccountant.simulator"
local vma = require "vmaccountant"
local failure = require "spec.support.failure"

-- What the call writes to standard output; it returns nothing.
local function printed(...)
  local pieces = {}
  local write = io.write
  io.write = function(...) -- luacheck: ignore
    for _, piece in ipairs { ... } do
      pieces[#pieces + 1] = piece
    end
  end
  local results = table.pack(pcall(vma.help, ...))
  io.write = write -- luacheck: ignore
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

  it("of a member tells all of it, in any letter case", function()
    assert.equal("VMAccountant.NetworkBytesSent is integer|string, in bytes, read-only\n  "
      .. "sent through all network adapters since the machine was last powered up, reset or restored\n",
      printed(objVM.Accountant, "networkBYTESsent"))
    assert.equal("VMVirtualMachine.Notes is string, writable\n  "
      .. "what people have noted of the machine; an empty text for nothing\n", printed(objVM, "notes"))
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
    failure.expect_argument_error("there is no class or function 'VMAcountant'", printed, "VMAcountant")
    failure.expect_argument_error("got table", printed, {})
    failure.expect_argument_error("got number", printed, 12)
    failure.expect_argument_error("got userdata", printed, io.stdout)
    failure.expect_argument_error("member's name expected, got number", printed, objVM, 12)
    failure.expect_argument_error("VMError has no field 'nonesuch'", printed, "VMError", "nonesuch")
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
