-- The errors that the VBScript layer itself raises, and Err's view of all
-- others. A part of vmaccountant.vbscript.

-- VBScript's numbers of its own runtime errors.
local fault = {
  INVALID_CALL = 5,
  OVERFLOW = 6,
  OUT_OF_RANGE = 9,
  TYPE_MISMATCH = 13,
  OBJECT_REQUIRED = 424,
  NOT_SUPPORTED = 438,
  WRONG_ARGUMENTS = 450,
  NOT_A_COLLECTION = 451,
  OTHER = 507, -- "An exception occurred": whatever Lua itself raises
}

local metatable = { __name = "VBScriptError" }

function metatable:__tostring()
  return ("%s%s (%s)"):format(self.where and self.where .. " " or "", self.description, self.number)
end

local OWN_FILES <const> = "vmaccountant/vbscript[%w_]*%.lua"

--- Where the script is: "script.lua:3:", the innermost line that is not of
-- this layer; nil where there is none.
function fault.place()
  local level = 2
  while true do
    local info = debug.getinfo(level, "Sl")
    if not info then
      return nil
    elseif info.currentline > 0 and not info.source:find(OWN_FILES .. "$") then
      return ("%s:%d:"):format(info.short_src, info.currentline)
    end
    level = level + 1
  end
end

function fault.new(number, description, source)
  return setmetatable({
    number = number,
    description = description,
    source = source or "vmaccountant.vbscript",
    where = fault.place(),
  }, metatable)
end

--- Raises an error of VBScript's. Never returns.
function fault.raise(number, description, source)
  error(fault.new(number, description, source), 0)
end

--- The error with the script's line for its place. What C raises knows no line,
-- or one of this layer; and of a method called with a dot it knows no name.
function fault.located(err, member)
  if type(err) == "table" then
    if err.hresult and (not err.where or err.where:find(OWN_FILES)) then
      err.where = fault.place()
    end
    return err
  elseif type(err) ~= "string" then
    return err
  end
  local text, own = err:gsub("^[^\n]-" .. OWN_FILES .. ":%d+: ", "")
  if own == 0 and err:find("^[^\n]-:%d+: ") then
    return err
  end
  text = text:gsub("^bad argument #(%d+) to '%?'", function(index) -- whose first one is the object
    return ("bad argument #%d to '%s'"):format(index - 1, member)
  end)
  local place = fault.place()
  return place and place .. " " .. text or text
end

--- What Err has for an error: number, description, source. The number of one
-- of the object model is its result code, signed.
function fault.describe(err)
  if getmetatable(err) == metatable then
    return err.number, err.description, err.source
  elseif type(err) == "table" and math.type(err.hresult) == "integer" then
    local number = err.hresult < 0x80000000 and err.hresult or err.hresult - 0x100000000
    return number, err.message, err.member or "vmaccountant"
  end
  return fault.OTHER, tostring(err), "Lua"
end

--- Whether an error must end the script in spite of On Error Resume Next: that
-- of Ctrl-C in the interpreter lua5.4, and the end of memory.
function fault.is_final(err)
  return type(err) == "string" and (err:find("interrupted!$") or err == "not enough memory") and true or false
end

return fault
