-- Objects whose members are found in any letter case, and whose methods may be
-- called with a dot, as VBScript calls them, or a colon. A part of
-- vmaccountant.vbscript.

local fault = require "vmaccountant.vbscript_fault"
local value = require "vmaccountant.vbscript_value"

local caseless = {}

--- A table by lower-case names from one by names.
function caseless.fold(members)
  local folded = {}
  for name, member in pairs(members or {}) do
    folded[name:lower()] = member
  end
  return folded
end

--- An object.
-- @param name  what it is called, for errors and tostring
-- @param methods  functions by name, which are not given the object
-- @param properties  getters by name
-- @param setters  by name, or nil
-- @param default  optional getter of the default member
-- @param call  optional: what a call of the object does
function caseless.object(name, methods, properties, setters, default, call)
  local object = {}
  local called = {}
  for key, method in pairs(methods) do
    called[key] = function(...)
      if select("#", ...) > 0 and rawequal((...), object) then
        return method(select(2, ...))
      end
      return method(...)
    end
  end
  local by_key = { methods = caseless.fold(called), properties = caseless.fold(properties),
    setters = caseless.fold(setters) }

  local function unknown(key)
    local known = {}
    for _, members in ipairs { methods, properties } do
      for member in pairs(members) do
        known[#known + 1] = member
      end
    end
    table.sort(known)
    fault.raise(fault.NOT_SUPPORTED, ("%s has no member '%s'; its members are %s"):format(name, tostring(key),
      table.concat(known, ", ")))
  end

  local metatable = {
    __name = name,
    __default = default,
    __concat = value.join,
    __call = call and function(_, ...) return call(...) end,
  }
  function metatable.__tostring()
    return name
  end
  function metatable.__index(_, key)
    local folded = tostring(key):lower()
    local property = by_key.properties[folded]
    if property then
      return property()
    end
    return by_key.methods[folded] or unknown(key)
  end
  function metatable.__newindex(_, key, new)
    local folded = tostring(key):lower()
    local set = by_key.setters[folded]
    if set then
      return set(new)
    elseif by_key.methods[folded] or by_key.properties[folded] then
      fault.raise(fault.NOT_SUPPORTED, ("%s of %s cannot be assigned to"):format(tostring(key), name))
    end
    return unknown(key)
  end
  return setmetatable(object, metatable)
end

return caseless
