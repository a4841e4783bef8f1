-- The tables of docs/compatibility.md: each member of the module's tables is in
-- them and nothing else, and the numbers are those of Virtual Server.

package.path = "./?.lua;" .. package.path

local core = require "vmaccountant.core"
local pages = require "spec.support.pages"
local vma = require "vmaccountant"

local PAGE <const> = "docs/compatibility.md"

local function member_rows()
  return pages.rows(PAGE, "member", "Member by member")
end

-- The names in backquotes, each of which may be there once.
local function names(list)
  local found = {}
  for _, cells in ipairs(list) do
    for name in cells[1]:gmatch("`([^`]+)`") do
      assert.is_nil(found[name], name .. " is there twice")
      found[name] = cells
    end
  end
  return found
end

describe("docs/compatibility.md compares", function()
  it("each member, and nothing else", function()
    local compared = names(member_rows())
    for _, class in ipairs(core.classes()) do
      -- What Virtual Server has no counterpart of as a whole is left to its own section.
      if class.name:find("^VM") then
        for _, member in ipairs(class.members) do
          local name = class.name .. "." .. member.name
          assert.is_truthy(compared[name], name .. " is missing")
          compared[name] = nil
        end
      end
    end
    assert.is_nil(next(compared), next(compared))
  end)

  it("in four cells, and the last is never empty", function()
    for _, cells in ipairs(member_rows()) do
      assert.equal(4, #cells, cells[1])
      assert.not_equal("", cells[2], cells[1])
      assert.not_equal("", cells[4], cells[1])
    end
  end)

  it("as writable what is, and as read-only what was writable", function()
    local compared = names(member_rows())
    for _, class in ipairs(core.classes()) do
      for _, member in ipairs(class.members) do
        local cells = compared[class.name .. "." .. member.name]
        local was_writable = cells and cells[2]:find("writable", 1, true) ~= nil
        if cells and was_writable ~= member.writable then
          assert.is_true(was_writable and cells[4]:find("read-only", 1, true) ~= nil, cells[1])
        end
      end
    end
  end)

  it("what is left out, with the advice that the error gives", function()
    local compared = names(pages.rows(PAGE, "left out", "Left out"))
    for _, left_out in ipairs(core.left_out()) do
      local name = left_out.class .. "." .. left_out.name
      assert.is_truthy(compared[name], name .. " is missing")
      assert.equal(left_out.way, (compared[name][2]:gsub("&lt;", "<")))
      compared[name] = nil
    end
    assert.is_nil(next(compared), next(compared))
  end)
end)

describe("the enumerations", function()
  it("have the documented numbers", function()
    local documented = {
      vmVMState_ = { [0] = "Invalid", "TurnedOff", "Saved", "TurningOn", "Restoring", "Running", "Paused", "Saving",
        "TurningOff", "MergingDrives", "DeleteMachine" },
      vmTaskResult_ = { [0] = "Success", "Cancelled", "UnexpectedError", "OutOfMemoryError", "DiskRelatedError",
        "IncompatibleSavedStateError", "TimeOutError", "IllegalValueError", "ThreadCrashError" },
    }
    for prefix, constants in pairs(documented) do
      for number, name in pairs(constants) do
        assert.equal(number, vma[prefix .. name], prefix .. name)
      end
      for name in pairs(core.constants) do
        if name:find("^" .. prefix) then
          assert.is_true(constants[core.constants[name]] == name:sub(#prefix + 1), name)
        end
      end
    end
  end)
end)
