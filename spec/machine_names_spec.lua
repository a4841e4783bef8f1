-- Machines by the names that people give them.

local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"

local NAMES <const> = {
  "web01",
  "two words",
  " leading and trailing ",
  "two\nlines",
  "tab\tand\rreturn",
  "100%",
  "%s%n%d%q",
  "'single'",
  '"double"',
  "back\\slash",
  "<tag attribute='&amp;'>",
  "a/b/../c",
  "$HOME `id` $(id); rm -rf /",
  "-v",
  "1",
  "0x10",
  "nil",
  "true",
  "Müller's Büro",
  "сервер",
  "サーバー",
  "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 😀",
  "e\u{301}", -- an e and a combining acute accent: not the same bytes as é
  "\u{200b}", -- a space of no width
  ("x"):rep(250),
  ("ü"):rep(125),
  ("long "):rep(2000),
}

-- What differs only in letter case, and what does not.
local SAME <const> = {
  { "web01", "WEB01" },
  { "Müller", "MÜLLER" },
  { "ÄÖÜ", "äöü" },
  { "Ελλάδα", "ΕΛΛΆΔΑ" },
  { "СЕРВЕР", "сервер" },
  { "Ÿ", "ÿ" },
}
local DIFFERENT <const> = {
  { "web01", "web02" },
  { "web01", "web01 " },
  { "Müller", "Mueller" },
  { "Müller", "Muller" },
  { "e\u{301}", "é" },
  { "\xc3\xbc", "\xfc" }, -- ü in UTF-8 and in Latin-1
  { "web01", "web01\xE0\x80\x80-old" }, -- NUL in three bytes
  { "web01", "\xE0\x81\xB7eb01" }, -- w in three bytes
  { "web01", "web01\xF0\x80\x80\x80" },
  { "web01", "web01\0" },
  { "[", "{" }, -- these differ in the bit that makes a letter lower case
  { "@", "`" },
}

describe("a machine's name", function()
  local host

  before_each(handles.remember)

  before_each(function() host = simulator.new() end)

  after_each(function()
    host = nil
    handles.check()
  end)

  local function open()
    return host:CreateObject("VirtualServer.Application")
  end

  for _, name in ipairs(NAMES) do
    it(("%q is handled"):format(name:sub(1, 40)):gsub("[%c\128-\255]", "?"), function()
      local machine, nic = host:AddMachine(name, { adapters = 1, running = true })
      nic:Send(5)
      local objVS = open()
      local objVM = objVS:FindVirtualMachine(name)
      assert.equal(name, machine.Name)
      assert.equal(name, objVM.Name)
      assert.equal(name, tostring(objVM))
      assert.equal("Machine: " .. name, "Machine: " .. objVM)
      assert.equal("VMAccountant of " .. name, tostring(objVM.Accountant))
      assert.is_true(rawequal(objVM, objVS.VirtualMachines:Item(name)))
      assert.equal(5, objVM.Accountant.NetworkBytesSent)

      machine:TurnOff()
      local err = failure.expect({ name = "S_FALSE", member = "NetworkBytesSent", machine = name }, function()
        return objVM.Accountant.NetworkBytesSent
      end)
      assert.is_nil(tostring(err):find("%c"))
      objVM:Startup()
      assert.equal("TurnOff of " .. name, objVM:TurnOff().Description)
    end)
  end

  it("is one of many", function()
    for i, name in ipairs(NAMES) do
      local _, nic = host:AddMachine(name, { adapters = 1, running = true })
      nic:Send(i)
    end
    local objVS = open()
    assert.equal(#NAMES, #objVS.VirtualMachines)
    for i, name in ipairs(NAMES) do
      assert.equal(i, objVS:FindVirtualMachine(name).Accountant.NetworkBytesSent)
      assert.equal(i, objVS.VirtualMachines:Item(name).Accountant.NetworkBytesSent)
    end
  end)

  for _, pair in ipairs(SAME) do
    it(("%s is found as %s"):format(pair[1], pair[2]):gsub("[\254\255]", "?"), function()
      host:AddMachine(pair[1])
      local objVS = open()
      assert.equal(pair[1], objVS:FindVirtualMachine(pair[2]).Name)
      assert.equal(pair[1], objVS.VirtualMachines:Item(pair[2]).Name)
    end)

    it(("%s and %s are distinguished by the exact name"):format(pair[1], pair[2]):gsub("[\254\255]", "?"), function()
      host:AddMachine(pair[1])
      host:AddMachine(pair[2])
      local objVS = open()
      for _, name in ipairs(pair) do
        assert.equal(name, objVS:FindVirtualMachine(name).Name)
        assert.equal(name, objVS.VirtualMachines:Item(name).Name)
      end
    end)
  end

  for index, pair in ipairs(DIFFERENT) do
    it("is not found by another one, case " .. index, function()
      host:AddMachine(pair[1])
      local objVS = open()
      assert.is_nil(objVS:FindVirtualMachine(pair[2]))
      failure.expect({ name = "DISP_E_BADINDEX", member = "Item" }, objVS.VirtualMachines.Item, objVS.VirtualMachines,
        pair[2])
    end)
  end

  it("orders the collection without regard to letter case", function()
    for _, name in ipairs { "b", "A", "Ä", "a", "B", "ä", "aa", "Z" } do
      host:AddMachine(name)
    end
    local names = {}
    for vm in open().VirtualMachines do
      names[#names + 1] = vm.Name
    end
    assert.equal("A a aa B b Z Ä ä", table.concat(names, " "))
  end)

  it("is ordered the same whatever the order of the machines", function()
    local names = {}
    for i, name in ipairs(NAMES) do
      names[i] = name
    end
    for shift = 1, 5 do
      local other = simulator.new()
      for i = 1, #names do
        other:AddMachine(names[(i * 7 + shift) % #names + 1])
      end
      local listed = {}
      for vm in other:CreateObject("VirtualServer.Application").VirtualMachines do
        listed[#listed + 1] = vm.Name
      end
      if shift == 1 then
        names.listed = listed
      end
      assert.same(names.listed, listed)
    end
  end)

  it("may be given to another machine", function()
    local first = host:AddMachine("first")
    local second = host:AddMachine("second")
    local objVS = open()
    local objVM1, objVM2 = objVS:FindVirtualMachine("first"), objVS:FindVirtualMachine("second")
    first:Rename("third")
    second:Rename("first")
    assert.equal("third", objVM1.Name)
    assert.equal("first", objVM2.Name)
    assert.is_true(rawequal(objVM2, objVS:FindVirtualMachine("first")))
  end)
end)
