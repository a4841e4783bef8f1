-- Err and On Error Resume Next of one script. A part of vmaccountant.vbscript,
-- which documents what scripts see of it.

local caseless = require "vmaccountant.vbscript_caseless"
local fault = require "vmaccountant.vbscript_fault"
local value = require "vmaccountant.vbscript_value"

local resume = {}
local methods = {}
local metatable = { __index = methods }

--- Reports an error to the script: it is set in Err, and then raised, or Skipped
-- takes the place of the value.
function methods:fail(err, member)
  if fault.is_final(err) then
    error(err, 0)
  end
  err = fault.located(err, member)
  self.number, self.description, self.source = fault.describe(err)
  if not self.resumes then
    error(err, 0)
  end
  return value.Skipped
end

local function pass_or_fail(self, member, ok, ...)
  if ok then
    return ...
  end
  return self:fail((...), member)
end

--- Calls the function and returns what it returns, or fails. It is not called
-- with an argument that is Skipped: then so is the result. `member` is the
-- function's name for an error.
function methods:call(member, f, ...)
  if value.is_skipped(...) then
    return value.Skipped
  end
  return pass_or_fail(self, member, pcall(f, ...))
end

--- A function that does the same with this one.
function methods:protected(member, f)
  return function(...)
    return self:call(member, f, ...)
  end
end

function methods:clear()
  self.number, self.description, self.source = 0, "", ""
end

--- On Error Resume Next.
function methods:resume_next(...)
  local statements = table.pack(...)
  for i = 1, statements.n do
    if type(statements[i]) ~= "function" then
      fault.raise(fault.TYPE_MISMATCH, ("OnErrorResumeNext takes functions, such as function() … end, and argument %d "
        .. "is a %s; without arguments it is the statement On Error Resume Next"):format(i, type(statements[i])))
    end
  end
  self:clear()
  if statements.n == 0 then
    self.resumes = true
    return
  end
  local before = self.resumes
  self.resumes = true
  for _, statement in ipairs(statements) do
    local ok, err = pcall(statement)
    if not ok then
      local seen, final = pcall(self.fail, self, err)
      if not seen then
        self.resumes = before
        error(final, 0)
      end
    end
  end
  self.resumes = before
end

--- On Error GoTo 0.
function methods:go_to_0()
  self.resumes = false
  self:clear()
end

-- Err.Raise.
local function raise(number, source, description)
  if math.type(value.without_point(number)) ~= "integer" or number == 0 then
    fault.raise(fault.INVALID_CALL, "Invalid procedure call or argument: Err.Raise wants a whole number that is not 0")
  end
  fault.raise(value.without_point(number), description or "Unknown runtime error", source)
end

--- A script's state: `Err` is what the script sees of it.
function resume.new()
  local self = setmetatable({ resumes = false }, metatable)
  self:clear()
  self.Err = caseless.object(self, "Err", {
    methods = {
      Clear = function() self:clear() end,
      Raise = raise,
    },
    properties = {
      Number = function() return self.number end,
      Description = function() return self.description end,
      Source = function() return self.source end,
    },
    setters = {
      Number = function(number) self.number = number end,
      Description = function(text) self.description = text end,
      Source = function(text) self.source = text end,
    },
    default = function() return self.number end,
  })
  return self
end

return resume
