-- The benchmark runs, and finds that all clients read the same counts.

package.path = "./?.lua;" .. package.path

local host = require "spec.support.libvirt_host"
local shell = require "spec.support.shell"

local USAGE <const> = [=[
usage: bench/run MACHINES [ADAPTERS_EACH]
       bench/run [--record [FOLDER [MACHINES...]]]
]=]

host.describe(_ENV, "bench/run #root", function()
  it("prints tables of medians and ratios, and compares all figures", function()
    local output, errors, status = shell.run("BENCH_ROUNDS=1 bench/run 3 1")
    assert.equal("", errors)
    assert.equal(0, status)
    assert.matches("^\n3 machines with 1 adapters each; 1 rounds; libvirt %d", output)
    assert.matches("\nC: virConnectGetAllDomainStats +%d+%.%d+ %S+ +1\n", output)
    assert.matches("\nvmaccountant: held collection, live +%d+%.%d+ %S+ +1/%d", output)
    assert.matches("\nvmaccountant: held accountant, live +%d+%.%d+ %S+ +1/%d+\n", output)
    assert.matches("\nThe figures of all readers agreed%.\n$", output)
  end)

  it("refuses counts that are none", function()
    for _, arguments in ipairs { "0", "2 x", "1 1 1", "--record build 2 2" } do
      local _, errors, status = shell.run("bench/run " .. arguments)
      assert.equal(USAGE, errors)
      assert.equal(2, status)
    end
  end)
end)

host.describe(_ENV, "bench/run --once #root", function()
  it("measures whole processes, and compares all figures", function()
    local output, errors, status = shell.run("BENCH_ROUNDS=1 BENCH_INSTRUCTIONS=0 bench/run --once 2")
    assert.equal("", errors)
    assert.equal(0, status)
    assert.matches("^\n2 machines with 2 adapters each\n", output)
    local programs = { "connect and close", "loop over all machines", "the same with max_age", "one machine by name",
      "examples/all_counters.lua, less 250 ms" }
    for _, program in ipairs(programs) do
      assert.matches("\nvmaccountant: " .. program .. " +%d+%.%d+ [mµ]+s +%d+%.%d+ +\n", output)
    end
    assert.matches("\nThe figures of all programs agreed%. .*\n$", output)
  end)

  it("refuses counts that are none", function()
    for _, arguments in ipairs { "0", "x", "3 3" } do
      local _, errors, status = shell.run("bench/run --once " .. arguments)
      assert.equal("usage: bench/run --once [MACHINES...], each number above the one before\n", errors)
      assert.equal(2, status)
    end
  end)
end)

host.describe(_ENV, "bench/processors.lua #root", function()
  it("prints what this process and libvirtd use", function()
    local output, errors, status = shell.run("lua5.4 bench/processors.lua 2 1")
    assert.equal("", errors)
    assert.equal(0, status)
    assert.matches("^2 machines, 1 seconds, percent of one core\n", output)
    for _, what in ipairs { "without sampling", "sampled each second" } do
      assert.matches(what .. " +this process +%d+%.%d%d   libvirtd +%d+%.%d%d\n", output)
    end
  end)
end)
