-- The values of VBScript: Empty, Null and what is skipped, the text of a value,
-- conversions. A part of vmaccountant.vbscript, which documents what scripts
-- see of it.

local fault = require "vmaccountant.vbscript_fault"

local value = {}

--- What `&` makes of two values.
function value.join(a, b)
  return value.is_skipped(a, b) and value.Skipped or value.text(a) .. value.text(b)
end

-- Empty and Null ------------------------------------------------------------

local function no_text()
  return ""
end

-- Both join as nothing, and are no objects.
local function new(name, script, compute)
  local function raise_not_an_object(_, key)
    fault.raise(fault.OBJECT_REQUIRED, ("Object required: %s has no '%s'"):format(name, tostring(key)))
  end
  local metatable = {
    __name = name,
    __default = no_text,
    __tostring = no_text,
    __concat = script:protected("concatenation", value.join),
    __index = script:protected("member", raise_not_an_object),
    __newindex = script:protected("member", raise_not_an_object),
  }
  for event, operate in pairs {
    __add = function(a, b) return a + b end,
    __sub = function(a, b) return a - b end,
    __mul = function(a, b) return a * b end,
    __div = function(a, b) return a / b end,
    __idiv = function(a, b) return a // b end,
    __mod = function(a, b) return a % b end,
    __unm = function(a) return -a end,
  } do
    metatable[event] = compute(operate)
  end
  return setmetatable({}, metatable)
end

--- A script's Null: what is computed with it is Null.
function value.Null(script)
  local null
  null = new("Null", script, function()
    return function() return null end
  end)
  return null
end

--- A script's Empty: it counts as 0.
function value.Empty(script)
  local function number(operand)
    return value.is_empty(operand) and 0 or operand
  end
  return new("Empty", script, function(operate)
    return function(a, b)
      return operate(number(a), number(b))
    end
  end)
end

--- Whether it has never been given a value: nil, or Empty.
function value.is_empty(x)
  if type(x) ~= "table" then
    return x == nil
  end
  local metatable = getmetatable(x)
  return metatable ~= nil and metatable.__name == "Empty"
end

-- Skipped -------------------------------------------------------------------

-- Takes the place of a value that could not be read while On Error Resume Next is
-- in force. The result of joining it, computing with it, calling it or passing it
-- on is Skipped, too, and a statement that gets it does nothing: so that statement
-- is skipped, and the next one is not. Its comparisons are false, and a loop
-- over it has no rounds.
local function skip()
  return value.Skipped
end

local function is_false()
  return false
end

value.Skipped = setmetatable({}, {
  __name = "Skipped",
  __tostring = no_text,
  __index = skip,
  __newindex = function() end,
  __concat = skip, __add = skip, __sub = skip, __mul = skip, __div = skip, __idiv = skip, __mod = skip,
  __pow = skip, __unm = skip, __len = function() return 0 end,
  __lt = is_false, __le = is_false,
  __close = function() end,
  -- A generic for calls with nil first.
  __call = function(self, ...)
    if select("#", ...) > 0 and (...) == nil then
      return nil
    end
    return self
  end,
})

--- Whether any of the values is Skipped.
function value.is_skipped(...)
  for i = 1, select("#", ...) do
    if rawequal((select(i, ...)), value.Skipped) then
      return true
    end
  end
  return false
end

-- Text --------------------------------------------------------------------------

-- The number by that format of C's, with a point in every locale: the locale's
-- own mark may have several bytes.
local function with_point(format, number)
  return (format:format(number):gsub("^(-?%d+)[^%de]+(%d)", "%1.%2"))
end

-- At most 15 significant digits; without an exponent as long as 15 digits
-- before the point, or 15 behind it, suffice.
local function text_of_float(x)
  if x ~= x then
    return "-1.#IND"
  elseif x == math.huge or x == -math.huge then
    return x > 0 and "1.#INF" or "-1.#INF"
  elseif x == 0 then
    return "0"
  end
  local sign, digits, exponent = with_point("%.14e", x):match("^(-?)(.*)e(.*)$")
  digits, exponent = digits:gsub("%.", ""):gsub("0+$", ""), math.tointeger(tonumber(exponent))
  local decimals = #digits - 1 - exponent
  if exponent >= 15 or decimals > 15 then
    local mantissa = digits:sub(1, 1) .. (#digits > 1 and "." .. digits:sub(2) or "")
    return ("%s%sE%s%02d"):format(sign, mantissa, exponent < 0 and "-" or "+", math.abs(exponent))
  end
  return sign .. with_point(decimals > 0 and "%." .. decimals .. "f" or "%.0f", math.abs(x))
end

--- The text that VBScript prints for a value.
-- @raise 438 for an object without a default member; 13 for an array; an error
-- with a hint for a method that was not called
function value.text(x)
  local kind = math.type(x) or type(x)
  if kind == "string" then
    return x
  elseif kind == "integer" then
    return ("%d"):format(x)
  elseif kind == "float" then
    return text_of_float(x)
  elseif kind == "boolean" then
    return x and "True" or "False"
  elseif kind == "nil" then
    return ""
  elseif kind == "function" then
    fault.raise(fault.WRONG_ARGUMENTS, "a function stands where a value is expected; a method is called with "
      .. "parentheses, as in objVM:Startup()")
  end
  local metatable = getmetatable(x)
  local default = metatable and metatable.__default
  if default then
    return value.text(default(x))
  elseif kind == "table" and (not metatable or metatable.__array) then
    fault.raise(fault.TYPE_MISMATCH, "an array has no text; join its items, as in table.concat(array, \" \")")
  end
  return fault.raise(fault.NOT_SUPPORTED, ("%s has no default member; name the member that is meant"):format(
    tostring(x)))
end

-- Conversions -----------------------------------------------------------------------

-- A number, or nil. Only decimal text counts, not what Lua's tonumber takes
-- beside it.
local function number_of(x)
  if type(x) == "boolean" then
    return x and -1 or 0
  elseif value.is_empty(x) then
    return 0
  elseif type(x) == "string" then
    return x:find("^%s*[+-]?[%d.]+[eE]?[+-]?%d*%s*$") and tonumber(x) or nil
  end
  return math.type(x) and x
end

local function check_number(name, x)
  return number_of(x) or fault.raise(fault.TYPE_MISMATCH, ("Type mismatch: '%s': %s is not a number"):format(name,
    type(x) == "string" and ("'%.99s'"):format(x) or value.text(x)))
end

-- A number that joins without ".0" where it is whole.
function value.without_point(x)
  return math.type(x) == "float" and math.tointeger(x) or x
end

function value.CLng(x)
  local number = check_number("CLng", x)
  if math.type(number) == "integer" then
    return number
  end
  local whole = math.floor(number)
  local rest = number - whole
  if rest > 0.5 or rest == 0.5 and whole % 2 == 1 then -- halves go to the even side
    whole = whole + 1
  end
  return math.tointeger(whole) or fault.raise(fault.OVERFLOW, ("Overflow: 'CLng': %s"):format(value.text(number)))
end

function value.CDbl(x)
  return value.without_point(check_number("CDbl", x) + 0.0)
end

function value.FormatNumber(x, digits)
  local number = check_number("FormatNumber", x)
  digits = digits == nil and 2 or value.CLng(digits)
  if digits < 0 or digits > 15 then
    fault.raise(fault.INVALID_CALL, ("FormatNumber: the digits behind the point must be from 0 to 15, not %d"):format(
      digits))
  end
  -- An integer keeps its digits, all of them, where a float would round.
  local text = math.type(number) == "integer" and ("%d"):format(number) .. (digits > 0 and "." .. ("0"):rep(digits)
    or "") or with_point("%." .. digits .. "f", number)
  local sign, whole, rest = text:match("^(-?)(%d+)(.*)$")
  if not whole then
    fault.raise(fault.OVERFLOW, ("Overflow: 'FormatNumber': %s"):format(value.text(number)))
  end
  local grouped = whole:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "")
  return sign .. grouped .. rest
end

return value
