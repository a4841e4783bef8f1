-- The runner of the spec files loses no failure: a file that crashes, exits or
-- fails counts, and the sum is right.

package.path = "./?.lua;" .. package.path

local shell = require "spec.support.shell"

local PASSING <const> = [[it("passes", function() end) it("passes, too", function() end)]]

local function run(files)
  local pipe <close> = assert(io.popen("mktemp -d"))
  local folder = pipe:read("l")
  local names = {}
  for name, text in pairs(files) do
    names[#names + 1] = ("%s/%s_spec.lua"):format(folder, name)
    local file <close> = assert(io.open(names[#names], "w"))
    file:write(text, "\n")
  end
  local output, _, status = shell.run(("export VMACCOUNTANT_NO_PRIVATE_HOST=1; SPEC_FILES=%s " ..
    "spec/support/run_specs %s/logs 2 1 busted -o plainTerminal"):format(
      shell.quote(table.concat(names, " ")), folder))
  os.execute(("rm -r '%s'"):format(folder))
  return output, status
end

describe("spec/support/run_specs #native", function()
  it("adds up what its files say", function()
    local output, status = run { one = PASSING, two = "-- run alone: to see that it is counted, too\n" .. PASSING }
    assert.matches("\n4 successes / 0 failures / 0 errors / 0 pending\n$", output)
    assert.matches("\nThe slowest files, in seconds:\n +%d+%.%d one_spec\n", (output:gsub("two_spec", "one_spec")))
    assert.equal(0, status)
  end)

  it("prints what a failed file printed", function()
    local output, status = run { good = PASSING, bad = [[it("is wrong", function() assert.equal(1, 2) end)]] }
    assert.matches("FAILED %S+bad_spec.lua", output)
    assert.matches("is wrong", output)
    assert.matches("\n2 successes / 1 failures / 0 errors / 0 pending\n$", output)
    assert.equal(1, status)
  end)

  it("counts a file whose run ends without a summary", function()
    for _, ending in ipairs { "os.exit(0)", "os.execute('kill -SEGV $PPID')" } do
      local output, status = run { good = PASSING, ending = ("it('ends', function() %s end)"):format(ending) }
      assert.matches("FAILED %S+ending_spec.lua: busted did not finish", output)
      assert.matches("\n2 successes / 0 failures / 1 errors / 0 pending\n$", output)
      assert.equal(1, status)
    end
  end)

  it("counts a crash while the process ends", function()
    local output, status = run { late = PASSING ..
      [[ _G.kept = setmetatable({}, { __gc = function() os.execute("kill -ABRT $PPID") end })]] }
    assert.matches("FAILED %S+late_spec.lua: ", output)
    assert.equal(1, status, output)
  end)

  it("fails when nothing has passed", function()
    local output, status = run { empty = "" }
    assert.matches("FAILED: no spec has passed", output)
    assert.equal(1, status)
  end)
end)
