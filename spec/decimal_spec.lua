-- The type of a count: an integer up to 2^63-1, a decimal string above, never
-- a float.

local simulator = require "vmaccountant.simulator"
local handles = require "spec.support.handles"

local LARGEST <const> = "79228162514264337593543950335" -- 2^96-1

-- The digits -> the value that a count of so many bytes has.
local BOUNDARIES <const> = {
  { "0", 0 },
  { "1", 1 },
  { "2147483648", 1 << 31 },
  { "4294967295", (1 << 32) - 1 },
  { "4294967296", 1 << 32 },
  { "4294967297", (1 << 32) + 1 },
  { "9007199254740991", (1 << 53) - 1 },
  { "9007199254740993", (1 << 53) + 1 },
  { "9223372036854775806", math.maxinteger - 1 },
  { "9223372036854775807", math.maxinteger },
  { "9223372036854775808", "9223372036854775808" },
  { "9223372036854775809", "9223372036854775809" },
  { "18446744073709551615", "18446744073709551615" },
  { "18446744073709551616", "18446744073709551616" },
  { "79228162514264337593543950334", "79228162514264337593543950334" },
  { LARGEST, LARGEST },
}

describe("a count", function()
  local host, nic, machine

  before_each(handles.remember)

  before_each(function()
    host = simulator.new()
    machine, nic = host:AddMachine("web01", { adapters = 1, running = true })
  end)

  after_each(function()
    host, nic, machine = nil, nil, nil
    handles.check()
  end)

  -- name, options of the application
  for _, case in ipairs { { "by default" }, { "as an integer", { decimal = "integer" } },
    { "of a sample that is kept", { max_age = 1000 } } } do
    local how, options = table.unpack(case, 1, 2)
    for _, boundary in ipairs(BOUNDARIES) do
      local digits, expected = table.unpack(boundary)
      it(("of %s bytes %s has the type %s"):format(digits, how, math.type(expected) or type(expected)), function()
        nic:Send(digits)
        nic:Receive(digits)
        local objVM = host:CreateObject("VirtualServer.Application", options).VirtualMachines[1]
        local adapter = objVM.NetworkAdapters[1]
        for _, value in ipairs { objVM.Accountant.NetworkBytesSent, objVM.Accountant.NetworkBytesReceived,
          adapter.BytesSent, adapter.BytesReceived, (objVM.Accountant:Get("NetworkBytesSent")) } do
          assert.equal(type(expected), type(value))
          assert.equal(math.type(expected), math.type(value))
          assert.equal(expected, value)
          assert.equal(digits, ("%s"):format(value))
        end
      end)
    end
  end

  it("as a string is a string always", function()
    for _, boundary in ipairs(BOUNDARIES) do
      local digits = boundary[1]
      nic:SetBytesSent(digits)
      nic:SetBytesReceived(digits)
      local objVM = host:CreateObject("VirtualServer.Application", { decimal = "string" }).VirtualMachines[1]
      assert.equal(digits, objVM.Accountant.NetworkBytesSent)
      assert.equal(digits, objVM.Accountant.NetworkBytesReceived)
      assert.equal(digits, objVM.NetworkAdapters[1].BytesSent)
      assert.equal(digits, objVM.NetworkAdapters[1].BytesReceived)
    end
  end)

  it("as a string leaves the other numbers integers", function()
    local objVS <close> = host:CreateObject("VirtualServer.Application", { decimal = "string" })
    local objVM = objVS.VirtualMachines[1]
    for _, value in ipairs { objVS.UpTime, objVM.State, objVM.Accountant.UpTime, objVM.Accountant.Since,
      objVS.VirtualMachines.Count } do
      assert.equal("integer", math.type(value))
    end
  end)

  it("is exact where it is summed over the boundary", function()
    local other = machine:Plug()
    nic:Send(math.maxinteger)
    local accountant = host:CreateObject("VirtualServer.Application").VirtualMachines[1].Accountant
    assert.equal(math.maxinteger, accountant.NetworkBytesSent)
    other:Send(1)
    assert.equal("9223372036854775808", accountant.NetworkBytesSent)
    other:Send(math.maxinteger)
    assert.equal("18446744073709551615", accountant.NetworkBytesSent)
    other:Send("1")
    assert.equal("18446744073709551616", accountant.NetworkBytesSent)
    nic:SetBytesSent(0) -- a device made again: its old bytes stay
    assert.equal("18446744073709551616", accountant.NetworkBytesSent)
    nic:Send(4)
    assert.equal("18446744073709551620", accountant.NetworkBytesSent)
  end)

  it("loses no byte above 2^53, where a float would", function()
    local accountant = host:CreateObject("VirtualServer.Application").VirtualMachines[1].Accountant
    nic:Send(1 << 53)
    for extra = 1, 100 do
      nic:Send(1)
      assert.equal((1 << 53) + extra, accountant.NetworkBytesSent)
    end
  end)

  it("is never a float, whatever number was sent", function()
    nic:Send(3.0)
    nic:Receive(2.0 ^ 53)
    local accountant = host:CreateObject("VirtualServer.Application").VirtualMachines[1].Accountant
    assert.equal("3", tostring(accountant.NetworkBytesSent))
    assert.equal("9007199254740992", tostring(accountant.NetworkBytesReceived))
  end)
end)
