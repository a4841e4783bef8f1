-- README.md tells the truth: its code runs and prints what it says, and its
-- tables are those of the module.

package.path = "./?.lua;" .. package.path

local shell = require "spec.support.shell"
local simulator = require "vmaccountant.simulator"
local vma = require "vmaccountant"

local function read_file(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

local readme = read_file("README.md")

-- The fenced blocks of a language, in their order.
local function blocks(language)
  local found = {}
  for block in readme:gmatch("\n```" .. language .. "\n(.-\n)```\n") do
    found[#found + 1] = block
  end
  assert(#found > 0, "no block of " .. language)
  return found
end

-- The text from a heading to the next one.
local function section(heading)
  return assert(readme:match("\n## " .. heading .. "\n(.-)\n## "), heading)
end

-- The cells of the rows of the section's table that has `first` as the head of
-- its first column.
local function rows(heading, first)
  local found = {}
  local body = assert((section(heading) .. "\n\n"):match("\n| " .. first .. " |[^\n]*\n|[-|]+\n(.-\n)\n"), first)
  for line in body:gmatch("[^\n]+") do
    local cells = {}
    for cell in line:gmatch("| ([^|]*) ") do
      cells[#cells + 1] = cell
    end
    found[#found + 1] = cells
  end
  return found
end

-- The counts of test:///default follow the clock, and are all that may vary.
local function without_counts(text)
  return (text:gsub("%d%d%d%d%d%d%d%d%d%d%d%d+", "COUNT"))
end

describe("README.md", function()
  for index, block in ipairs(blocks("lua")) do
    it("has a block of Lua that prints what it says, number " .. index, function()
      local expected = ""
      for line in block:gmatch("%-%-> ([^\n]*\n)") do
        expected = expected .. line
      end
      if expected == "" then -- the port of the VBScript
        expected = "Machine: test\nBytes sent: COUNT\n\n"
      end
      local output, errors = shell.run("LIBVIRT_DEFAULT_URI=test:///default lua5.4 -", block)
      assert.equal("", errors)
      assert.equal(expected, expected:find("COUNT") and without_counts(output) or output)
    end)
  end

  for index, block in ipairs(blocks("console")) do
    it("has a real transcript, number " .. index, function()
      local command, expected = block:match("^%$ ([^\n]+)\n(.*)$")
      local input = {}
      for line in expected:gmatch("%f[^\n\0]> ([^\n]+\n)") do
        input[#input + 1] = line
      end
      local output
      if #input == 0 then
        output = shell.run(command)
      else
        -- The REPL echoes what it reads (in lines of so many columns); its version comes first, a prompt last.
        output = shell.run("TERM=dumb COLUMNS=1000 " .. command .. " -i 2>&1", table.concat(input))
        output = output:gsub("^Lua 5%.4[^\n]*\n", ""):gsub("> *\n?$", "")
      end
      assert.equal(without_counts(expected), without_counts(output))
    end)
  end

  it("names make targets that there are", function()
    local makefile = read_file("Makefile")
    for target in readme:gmatch("[`\n]make ([%a][%w-]*)") do
      assert.is_truthy(("\n" .. makefile):find("\n" .. target:gsub("%-", "%%-") .. "[^\n=]*:"), target)
    end
  end)

  it("names files and folders that there are", function()
    local layout = section("How it is laid out"):match("```\n(.-)```")
    local names = {}
    for name in layout:gmatch("%f[^%s\0][%a_/]+/%f[%s]") do
      names[#names + 1] = name
    end
    assert.is_true(#names >= 7)
    for name in readme:gmatch("[`(]([%a_]+/[%w_/.]+)[`)]") do
      names[#names + 1] = name
    end
    for _, name in ipairs(names) do
      assert.is_truthy(io.open(name), name)
    end
  end)

  it("lists the options of CreateObject", function()
    local documented = {}
    for _, row in ipairs(rows("CreateObject", "option")) do
      documented[#documented + 1] = row[1]:match("^`(.*)`$")
    end
    local _, message = pcall(vma.CreateObject, "VirtualServer.Application", "test:///default", { nonesuch = 1 })
    local known = {}
    for name in message:match("known ones are (.*)"):gmatch("'([%a_]+)'") do
      known[#known + 1] = name
    end
    table.sort(documented)
    table.sort(known)
    assert.same(known, documented)
  end)

  describe("lists the members of", function()
    local host = simulator.new()
    host:AddMachine("web01", { adapters = 1, running = true })
    local objVS = host:CreateObject("VirtualServer.Application")
    local objVM = objVS.VirtualMachines[1]
    local objects = {
      VMVirtualServer = objVS,
      VMHostInfo = objVS.HostInfo,
      VMVirtualMachineCollection = objVS.VirtualMachines,
      VMVirtualMachine = objVM,
      VMAccountant = objVM.Accountant,
      VMNetworkAdapterCollection = objVM.NetworkAdapters,
      VMNetworkAdapter = objVM.NetworkAdapters[1],
      VMVirtualNetwork = objVM.NetworkAdapters[1].VirtualNetwork,
      VMTask = objVM:Pause(),
    }

    for _, row in ipairs(rows("Objects", "object")) do
      it(row[1], function()
        local object = objects[row[1]]
        objects[row[1]] = nil
        local documented = {}
        for name, call in row[2]:gmatch("`(%u%w+)(%(?)") do
          documented[name] = true
          local ok, value = pcall(function() return object[name] end)
          assert.is_true(ok or value.name == "VM_E_VM_NO_SAVED_STATE", tostring(value))
          assert.equal(call == "(", type(value) == "function", name)
        end
        for name in pairs(object) do
          assert.is_true(documented[name], name .. " is not documented")
        end
      end)
    end

    it("no more and no fewer objects", function()
      assert.is_nil(next(objects))
    end)
  end)

  it("gives the numbers of the error codes", function()
    for _, row in ipairs(rows("Errors", "code")) do
      local number = row[2]:gmatch("0x%x+")
      for name in row[1]:gmatch("`([%u_]+)`") do
        assert.equal(vma.hresult[name], math.tointeger(tonumber(number())), name)
      end
      assert.is_nil(number())
    end
  end)

  it("lists the fields of an error", function()
    local fields = {}
    for _, row in ipairs(rows("Errors", "field")) do
      for name in row[1]:gmatch("`(%a+)`") do
        fields[name] = true
      end
    end
    local found = {}
    local objVS <close> = vma.CreateObject("VirtualServer.Application", "test:///default")
    local _, refused = pcall(vma.CreateObject, "VirtualServer.Application", "nonesuch:///")
    local objVM = objVS.VirtualMachines[1]
    local _, unknown = pcall(function() print(objVM.Nonesuch) end)
    for _, err in ipairs { refused, unknown } do
      for name in pairs(err) do
        found[name] = true
      end
    end
    assert.same(found, fields)
    assert.is_truthy(refused.cause.code and refused.cause.domain and refused.cause.message)
  end)
end)
