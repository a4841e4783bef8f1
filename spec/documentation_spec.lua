-- scripts/check_documentation.lua: it accepts the tree, and finds each way in
-- which the code and its documentation can differ.

local shell = require "spec.support.shell"

local SCRIPT <const> = "lua5.4 scripts/check_documentation.lua"

local function read_file(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

local function write_file(content)
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(content))
  return path
end

-- What the script says of the tree's C files, one of them changed.
local function check(changed, pattern, replacement)
  local words, temporary = { SCRIPT, "lua/vmaccountant/types.lua" }, nil
  for path in shell.run("ls src/binding/*.c"):gmatch("%S+") do
    if path == changed then
      local text, count = read_file(path):gsub(pattern, replacement, 1)
      assert(count == 1, "nothing to change")
      temporary = write_file(text)
      path = temporary
    end
    words[#words + 1] = path
  end
  local output, errors = shell.run(table.concat(words, " "))
  if temporary then
    os.remove(temporary)
  end
  return output .. errors
end

describe("the documentation", function()
  it("agrees with the code", function()
    assert.equal("", check())
  end)

  it("has definitions for editors that are up to date", function()
    assert.equal(read_file("lua/vmaccountant/types.lua"), (shell.run("lua5.4 scripts/generate_types.lua")))
  end)

  local MACHINE <const> = "src/binding/machine.c"
  for what, case in pairs {
    ["a member without a comment"] = { "/%*%*%*\nThe machine's UUID.-%*/", "",
      "VMVirtualMachine.ConfigID has no LDoc comment" },
    ["a comment of no member"] = { "@tfield string ConfigID", "%0Card",
      "VMVirtualMachine.ConfigIDCard is documented, and does not exist" },
    ["another type"] = { "@tfield string ConfigID", "@tfield integer ConfigID",
      "VMVirtualMachine.ConfigID is a string, and @tfield of its comment says integer" },
    ["a read-only member called writable"] = { "The machine's UUID,", "%0 writable,",
      "VMVirtualMachine.ConfigID is read-only, and its comment has the word writable" },
    ["a writable member not called so"] = { "the host once%. Writable at any time", "the host once. Settable",
      "VMVirtualMachine.Notes is writable, and its comment lacks the word writable" },
    ["a property called a method"] = { "@tfield string ConfigID", "@function ConfigID",
      "VMVirtualMachine.ConfigID is a property" },
    ["a parameter that there is not"] = { "@function Startup", "%0\n@string how",
      "VMVirtualMachine.Startup takes (), and its comment says (how)" },
  } do
    it("may not have " .. what, function()
      assert.matches(case[3], check(MACHINE, case[1], case[2]), 1, true)
    end)
  end

  for what, case in pairs {
    ["a spec without a line"] = { "%- `session_spec%.lua`[^\n]*\n", "", "has no line for session_spec.lua" },
    ["a test in C without a line"] = { "%- `core/decimal_test%.c`[^\n]*\n", "", "has no line for core/decimal_test.c" },
    ["a line without a spec"] = { "%- `session_spec%.lua`", "- `nonesuch_spec.lua`: nothing\n%0",
      "has a line for nonesuch_spec.lua, which does not exist" },
    ["a line that says nothing"] = { "(`session_spec%.lua`)[^\n]*", "%1", "says nothing of session_spec.lua" },
    ["a spec twice"] = { "%- `session_spec%.lua`[^\n]*\n", "%0%0", "has session_spec.lua twice" },
  } do
    it("may not have " .. what .. " in its index", function()
      local text, count = read_file("spec/README.md"):gsub(case[1], case[2], 1)
      assert.equal(1, count)
      local index = write_file(text)
      local _, errors, status = shell.run(("SPEC_INDEX=%s %s lua/vmaccountant/types.lua src/binding/*.c"):format(index,
        SCRIPT))
      os.remove(index)
      assert.equal(("%s %s\n"):format(index, case[3]), errors)
      assert.equal(1, status)
    end)
  end

  for what, case in pairs {
    ["another version"] = { "\n## [%d.]+", "\n## 0.0.1", "has 0.0.1 as its newest release, and the module is " },
    ["no release"] = { "\n## (%d)", "\n## v%1", "has nothing as its newest release, and the module is " },
    ["no date"] = { "(\n## [%d.]+)[^\n]*", "%1", "has no date for " },
  } do
    it("may not have " .. what .. " in its changelog", function()
      local changelog = write_file((read_file("CHANGELOG.md"):gsub(case[1], case[2])))
      local _, errors, status = shell.run(("CHANGELOG=%s %s lua/vmaccountant/types.lua src/binding/*.c"):format(
        changelog, SCRIPT))
      os.remove(changelog)
      assert.matches(changelog .. " " .. case[3], errors, 1, true)
      assert.equal(1, status)
    end)
  end

  it("may not define what is no longer generated, or use what is not defined", function()
    local types = read_file("lua/vmaccountant/types.lua")
    local old = write_file((types:gsub("%-%-%-@field ConfigID[^\n]*\n", "")))
    local _, errors = shell.run(SCRIPT .. " " .. old .. " src/binding/*.c")
    os.remove(old)
    assert.matches("is not what `make types` makes", errors, 1, true)
  end)
end)
