-- The documented result codes and the constants, by name and number.

local vma = require "vmaccountant"
local failure = require "spec.support.failure"

-- VM_E_ + name -> the low 16 bits; the high ones are 0xA004.
local VIRTUAL_SERVER <const> = {
  TIMED_OUT = 0x202,
  OUT_OF_RESOURCE = 0x203,
  TOO_MANY_VMS = 0x204,
  VM_NOT_RUNNING = 0x206,
  VM_UNKNOWN = 0x207,
  OUT_OF_RESERVE = 0x208,
  APP_SHUTTING_DOWN = 0x209,
  SCRIPT_ALREADY_EXISTS = 0x20A,
  PREF_NOT_FOUND = 0x300,
  PREF_ILLEGAL_VALUE = 0x301,
  PREF_VM_ACTIVE = 0x302,
  PREF_CONFIG_UPDATED_VM_ACTIVE = 0x303,
  PREF_UNLOADABLE_ACTIVATION = 0x306,
  PREF_SAVED_STATE_BAD_VERSION = 0x307,
  PREF_SAVED_STATE_ACCESS_DENIED = 0x308,
  CONFIG_NO_NAME = 0x400,
  CONFIG_NAME_TOO_LONG = 0x401,
  CONFIG_NAME_INVALID_CHAR = 0x402,
  CONFIG_DUPLICATE_NAME = 0x403,
  VM_RUNNING = 0x500,
  VM_NO_SAVED_STATE = 0x501,
  DRIVE_INVALID = 0x502,
  DRIVE_BUS_LOC_IN_USE = 0x503,
  ADDITIONS_NOT_AVAIL = 0x504,
  ADDITIONS_FEATURE_NOT_AVAIL = 0x505,
  FOLDER_NOT_SHARED = 0x506,
  VM_PAUSED = 0x507,
  MEDIA_UNMOUNT_FAIL = 0x508,
  ADAPTER_NOT_FOUND = 0x700,
  VIRTUAL_NETWORK_NAME_ALREADY_EXISTS = 0x701,
  INVALID_VIRTUAL_NETWORK_ID = 0x702,
  CANT_SET_ETHERNET_ADDRESS = 0x703,
  CANT_SET_DYNAMIC_MAC_ADDRESS = 0x70A,
  DRIVE_IN_USE = 0x727,
  MEDIA_WRONG_TYPE = 0x728,
  SET_EXCLUSIVE_MODE_FAIL = 0x825,
  NO_DISPLAY = 0x850,
  SECURITY_DUPLICATE_USER = 0x900,
}

-- Of these the reference's tables give the numbers in ranges: first, last, how many.
local RANGES <const> = {
  { 0x650, 0x652, 3, "floppy images" },
  { 0x677, 0x685, 11, "disk images" },
  { 0x704, 0x709, 6, "DHCP addresses" },
  { 0x750, 0x758, 9, "licences" },
  { 0x800, 0x802, 3, "the mouse" },
}

local GENERIC <const> = {
  S_OK = 0,
  S_FALSE = 1,
  E_POINTER = 0x80004003,
  E_FAIL = 0x80004005,
  E_ACCESSDENIED = 0x80070005,
  E_INVALIDARG = 0x80070057,
  DISP_E_MEMBERNOTFOUND = 0x80020003,
  DISP_E_UNKNOWNNAME = 0x80020006,
  DISP_E_EXCEPTION = 0x80020009,
  DISP_E_OVERFLOW = 0x8002000A,
  DISP_E_BADINDEX = 0x8002000B,
}

local function virtual_server_codes()
  local codes = {}
  for name, number in pairs(vma.hresult) do
    if name:find("^VM_E_") then
      codes[name] = number
    end
  end
  return codes
end

describe("the result codes", function()
  it("of Virtual Server are the 70 that its reference lists", function()
    local count = 0
    for _ in pairs(virtual_server_codes()) do
      count = count + 1
    end
    assert.equal(70, count)
  end)

  it("of Virtual Server have the documented numbers", function()
    for name, low in pairs(VIRTUAL_SERVER) do
      assert.equal(0xA0040000 + low, vma.hresult["VM_E_" .. name], name)
    end
  end)

  for _, range in ipairs(RANGES) do
    local first, last, expected, subject = table.unpack(range)
    it("of Virtual Server about " .. subject .. " are complete", function()
      local count = 0
      for _, number in pairs(virtual_server_codes()) do
        if number >= 0xA0040000 + first and number <= 0xA0040000 + last then
          count = count + 1
        end
      end
      assert.equal(expected, count)
    end)
  end

  it("of COM have the numbers of winerror.h", function()
    for name, number in pairs(GENERIC) do
      assert.equal(number, vma.hresult[name], name)
    end
  end)

  it("are unique integers of 32 bits, and no others", function()
    local names = {}
    for name, number in pairs(vma.hresult) do
      assert.equal("integer", math.type(number), name)
      assert.is_true(number >= 0 and number <= 0xFFFFFFFF, name)
      assert.is_nil(names[number], name)
      assert.is_true(GENERIC[name] ~= nil or name:find("^VM_E_") ~= nil, name)
      names[number] = name
    end
  end)

  it("of the errors that the specs expect are these", function()
    for name, number in pairs(failure.numbers) do
      assert.equal(number, vma.hresult[name], name)
    end
  end)
end)

describe("the constants", function()
  it("of VMVMState have the documented numbers", function()
    local names = { [0] = "Invalid", "TurnedOff", "Saved", "TurningOn", "Restoring", "Running", "Paused", "Saving",
      "TurningOff", "MergingDrives", "DeleteMachine" }
    for number = 0, 10 do
      assert.equal(number, vma["vmVMState_" .. names[number]], names[number])
    end
  end)

  it("of VMTaskResult have the documented numbers", function()
    local names = { [0] = "Success", "Cancelled", "UnexpectedError", "OutOfMemoryError", "DiskRelatedError",
      "IncompatibleSavedStateError", "TimeOutError", "IllegalValueError", "ThreadCrashError" }
    for number = 0, 8 do
      assert.equal(number, vma["vmTaskResult_" .. names[number]], names[number])
    end
  end)
end)

describe("the module", function()
  it("does not touch the global table", function()
    local before = {}
    for name in pairs(_G) do
      before[name] = true
    end
    for name in pairs(package.loaded) do
      if name:find("^vmaccountant") then
        package.loaded[name] = nil
      end
    end
    assert.is_table(require "vmaccountant")
    assert.is_table(require "vmaccountant.simulator")
    assert.equal(_G, package.loaded._G)
    for name in pairs(_G) do
      assert.is_true(before[name], name)
    end
  end)

  it("can be loaded a second time beside the first", function()
    package.loaded["vmaccountant"], package.loaded["vmaccountant.core"] = nil, nil
    local again = require "vmaccountant"
    assert.is_false(rawequal(vma, again))
    local objVS <close> = again.CreateObject("VirtualServer.Application", "test:///default")
    local objVS2 <close> = vma.CreateObject("VirtualServer.Application", "test:///default")
    assert.equal(#objVS.VirtualMachines, #objVS2.VirtualMachines)
  end)
end)
