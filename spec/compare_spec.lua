-- vma.compare: counts in their order, whether they fit a Lua integer or not.

local vma = require "vmaccountant"
local simulator = require "vmaccountant.simulator"
local failure = require "spec.support.failure"

describe("compare", function()
  -- In their order; each is more than all before it.
  local counts <const> = {
    0, 1, 9, 10, 1000, 2 ^ 32 | 0, math.maxinteger, "9223372036854775808", "18446744073709551616",
    "79228162514264337593543950335",
  }

  it("orders counts of any size", function()
    for i, a in ipairs(counts) do
      for j, b in ipairs(counts) do
        local expected = i < j and -1 or i > j and 1 or 0
        assert.equal(expected, vma.compare(a, b))
        assert.equal(expected, vma.compare(tostring(a), b))
        assert.equal(expected, vma.compare(a, tostring(b)))
        assert.equal(expected, vma.compare("00" .. tostring(a), b))
      end
    end
  end)

  it("takes what the members give, where Lua's own comparison raises", function()
    local host = simulator.new()
    local _, nic = host:AddMachine("web01", { adapters = 1, running = true })
    local objVS <close> = host:CreateObject("VirtualServer.Application")
    local accountant = objVS.VirtualMachines[1].Accountant
    assert.equal(-1, vma.compare(accountant.NetworkBytesSent, 1))
    nic:Send("9223372036854775808")
    assert.is_false(pcall(function() return accountant.NetworkBytesSent > 1 end))
    assert.equal(1, vma.compare(accountant.NetworkBytesSent, 1))
    assert.equal(1, vma.compare(accountant.NetworkBytesSent, accountant.NetworkBytesReceived))
    assert.equal("integer", math.type(vma.compare(1, 1)))
  end)

  it("takes nothing else", function()
    local wrong = { -1, math.mininteger, 1.5, 2 ^ 63, 0 / 0, "", "-1", "1.0", "1e3", " 1", "0x10", "1\0", "x",
      "79228162514264337593543950336", true, {}, print }
    for _, value in ipairs(wrong) do
      failure.expect_argument_error("bad argument #1", vma.compare, value, 1)
      failure.expect_argument_error("bad argument #2", vma.compare, 1, value)
    end
    failure.expect_argument_error("bad argument #2", vma.compare, 1)
    failure.expect_argument_error("bad argument #1", vma.compare)
    failure.expect_argument_error("from 0 to 2^96-1", vma.compare, 1, -1)
  end)
end)
