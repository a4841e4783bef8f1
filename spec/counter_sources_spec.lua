-- objVS.Accounting as it is printed: how each adapter's counters are read.

local simulator = require "vmaccountant.simulator"

describe("Accounting prints", function()
  local host, objVS

  before_each(function()
    host = simulator.new()
    objVS = host:CreateObject("VirtualServer.Application")
  end)

  it("a heading, and a line for each adapter below it", function()
    host:AddMachine("b\u{FC}cher", { adapters = 1, running = true })
    host:AddMachine("a-long-name-of-a-machine", { adapters = 2, running = true })
    local lines, starts = {}, {}
    for line in tostring(objVS.Accounting):gmatch("([^\n]*)\n") do
      lines[#lines + 1] = line
    end
    assert.equal(4, #lines)
    assert.matches("^machine +adapter +device %(index%)  read from  why$", lines[1])
    for _, heading in ipairs { "adapter", "device", "read", "why" } do
      starts[#starts + 1] = lines[1]:find(heading, 1, true)
    end
    local sources = objVS.Accounting
    for i = 1, 3 do
      local one, line = sources[i], lines[i + 1]
      local function cell(start)
        return line:sub(utf8.offset(line, start))
      end
      assert.equal(1, line:find(one.machine, 1, true))
      assert.equal(1, cell(starts[1]):find(one.adapter, 1, true))
      assert.equal(1, cell(starts[2]):find(("%s (%d)"):format(one.device, one.ifindex), 1, true))
      assert.equal(1, cell(starts[3]):find(one.source, 1, true))
      assert.equal(one.reason, cell(starts[4]))
    end
  end)

  it("why there is nothing to print", function()
    assert.equal("no counters are kept: no machine runs, or the host is asked for each adapter when it is read\n",
      tostring(objVS.Accounting))
  end)

  it("what people have made of it, too", function()
    local metatable = getmetatable(objVS.Accounting)
    local function text(source)
      return tostring(setmetatable({ source }, metatable)):match("\n(.*)\n$")
    end
    assert.equal("m        -        vnet0 (17)      12         -",
      text { machine = "m", device = "vnet0", ifindex = 17, source = 12 })
    assert.equal("-        -        -               -          -", text {})
    assert.is_false(pcall(text, 1))
  end)
end)
