-- README.md and the pages of docs/ are true: their code runs and prints what it
-- says, their tables are those of the module, and their links lead somewhere.

package.path = "./?.lua;" .. package.path

local pages = require "spec.support.pages"
local shell = require "spec.support.shell"
local simulator = require "vmaccountant.simulator"
local vma = require "vmaccountant"

-- The counts of test:///default follow the clock, and are all that may vary.
local function without_counts(text)
  return (text:gsub("%d%d%d%d%d%d%d%d%d%d%d%d+", "COUNT"))
end

-- The port of the VBScript, the one block that says nowhere what it prints.
local PORT <const> = "for objVM in objVS.VirtualMachines do\n  print(\"Machine: \""

local function is_there(path)
  local file <close> = io.open(path)
  return file ~= nil
end

-- The path without "." and "..".
local function normalize(path)
  local words = {}
  for word in path:gmatch("[^/]+") do
    if word == ".." then
      table.remove(words)
    elseif word ~= "." then
      words[#words + 1] = word
    end
  end
  return table.concat(words, "/")
end

for _, path in ipairs(pages.paths()) do
  describe(path, function()
    for index, block in ipairs(pages.blocks(path, "lua")) do
      it("has a block of Lua that prints what it says, number " .. index, function()
        local expected = ""
        for line in (block .. "\n"):gmatch("%-%-> ([^\n]*\n)") do
          expected = expected .. line
        end
        if block:find(PORT, 1, true) then
          expected = "Machine: test\nBytes sent: COUNT\n\n"
        end
        local output, errors, status = shell.run("LIBVIRT_DEFAULT_URI=test:///default lua5.4 -", block)
        assert.equal("", errors)
        assert.equal(expected, expected:find("COUNT") and without_counts(output) or output)
        assert.equal(0, status)
      end)
    end

    for index, block in ipairs(pages.blocks(path, "console")) do
      it("has a real transcript, number " .. index, function()
        local command, expected = (block .. "\n"):match("^%$ ([^\n]+)\n(.*)$")
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

    it("has no block of an unknown language", function()
      local opening = true
      for language in pages.read(path):gmatch("\n```(%l*)") do
        if opening then
          assert.is_truthy((" lua console sh vb text "):find(" " .. language .. " ", 1, true), language)
        end
        opening = not opening
      end
      assert.is_true(opening, "a block does not end")
    end)

    it("names make targets that there are", function()
      local makefile = pages.read("Makefile")
      for target in pages.read(path):gmatch("[`\n]make ([%a][%w-]*)") do
        assert.is_truthy(("\n" .. makefile):find("\n" .. target:gsub("%-", "%%-") .. "[^\n=]*:")
          or makefile:match("\nCHECKS := (.-[^\\])\n"):find(target, 1, true), target)
      end
    end)

    it("names files and folders that there are", function()
      for name in pages.read(path):gmatch("`(%l[%l_]*/[%w_/.]*)`") do
        assert.is_true(is_there(name) or is_there("src/" .. name) or name == "doc/", name)
      end
    end)

    it("has links that lead to files and headings", function()
      for target in pages.read(path):gmatch("%]%(([^)%s]+)%)") do
        if not target:find("^%a+:") then
          local file, heading = target:match("^([^#]*)#?(.*)$")
          file = file == "" and path or normalize((path:match("^(.*/)") or "") .. file)
          assert.is_true(is_there(file), target)
          if heading ~= "" then
            local anchors = {}
            for title in ("\n" .. pages.read(file)):gmatch("\n#+ ([^\n]+)") do
              anchors[title:lower():gsub("[^%w%s_-]", ""):gsub(" ", "-")] = true
            end
            assert.is_true(anchors[heading], target)
          end
        end
      end
    end)
  end)
end

describe("README.md", function()
  it("has at most 250 lines", function()
    assert.is_true(select(2, pages.read("README.md"):gsub("\n", "")) <= 250)
  end)

  it("has the commands, the port and the picture", function()
    local readme = pages.read("README.md")
    for _, text in ipairs { "\nmake demo ", "\nmake test ", "\n```vb\n", PORT, "](bench/results.svg)" } do
      assert.is_truthy(readme:find(text, 1, true), text)
    end
  end)

  it("has the benchmark's figures", function()
    local record = pages.read("bench/RESULTS.md")
    local figures = 0
    for _, row in ipairs(pages.rows("README.md", "client")) do
      for column = 2, 3 do
        if row[column]:find("%d") then
          assert.is_truthy(record:find(("| %s |"):format(row[column]), 1, true), row[column])
          figures = figures + 1
        end
      end
    end
    assert.is_true(figures >= 10)
  end)
end)

describe("docs/README.md", function()
  it("has a line for each page, and no other", function()
    local expected, listed = {}, {}
    for _, path in ipairs(pages.paths()) do
      if path ~= "README.md" and path ~= "docs/README.md" then
        expected[#expected + 1] = path
      end
    end
    for name in pages.read("docs/README.md"):gmatch("\n%- %[[^%]]+%]%(([^)]+)%): %u") do
      listed[#listed + 1] = "docs/" .. name
    end
    table.sort(listed)
    assert.same(expected, listed)
  end)
end)

describe("docs/ARCHITECTURE.md", function()
  it("has each folder of src/", function()
    local expected, listed = {}, {}
    for folder in shell.run("ls -d src/*/"):gmatch("%S+") do
      expected[#expected + 1] = "`" .. folder .. "`"
    end
    for _, row in ipairs(pages.rows("docs/ARCHITECTURE.md", "folder")) do
      listed[#listed + 1] = row[1]:match("^`src/.*")
    end
    table.sort(listed)
    assert.same(expected, listed)
  end)

  it("has each lock of src/", function()
    local expected, listed = {}, {}
    for line in shell.run("grep -rE 'pthread_mutex_t [a-z_]+( =|;)' src"):gmatch("[^\n]+") do
      expected[#expected + 1] = line:match("([%l_]+)%.[ch]:")
    end
    -- A lock is listed by its file, or by its structure, which has another name here.
    local structures = { accounting = "state" }
    for _, row in ipairs(pages.rows("docs/ARCHITECTURE.md", "lock")) do
      local name = row[1]:match("^`([%l_]+)")
      listed[#listed + 1] = structures[name] or name
    end
    table.sort(expected)
    table.sort(listed)
    assert.same(expected, listed)
  end)
end)

describe("docs/", function()
  it("lists the options of CreateObject", function()
    local documented = {}
    for _, row in ipairs(pages.rows("docs/create_object.md", "option")) do
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

    for _, row in ipairs(pages.rows("docs/objects.md", "object")) do
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

  for _, path in ipairs { "README.md", "docs/errors.md" } do
    it("gives the numbers of the error codes, in " .. path, function()
      for _, row in ipairs(pages.rows(path, "code")) do
        local number = row[2]:gmatch("0x%x+")
        for name in row[1]:gmatch("`([%u_]+)`") do
          assert.equal(vma.hresult[name], math.tointeger(tonumber(number())), name)
        end
        assert.is_nil(number())
      end
    end)
  end

  it("lists the fields of an error", function()
    local fields = {}
    for _, row in ipairs(pages.rows("docs/errors.md", "field")) do
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
