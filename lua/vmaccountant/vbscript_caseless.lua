-- Objects whose members are found in any letter case, and whose methods may be
-- called with a dot, as VBScript calls them, or a colon. A part of
-- vmaccountant.vbscript.

local ascii = require "vmaccountant.ascii"
local fault = require "vmaccountant.vbscript_fault"
local value = require "vmaccountant.vbscript_value"

local caseless = {}

--- A table by lower-case names from one by names.
function caseless.fold(members)
  local folded = {}
  for name, member in pairs(members or {}) do
    folded[ascii.lower(name)] = member
  end
  return folded
end

local function raise_unknown(name, definition, key)
  local known = {}
  for _, members in ipairs { definition.methods or {}, definition.properties or {} } do
    for member in pairs(members) do
      known[#known + 1] = member
    end
  end
  table.sort(known)
  fault.raise(fault.NOT_SUPPORTED, ("%s has no member '%s'; its members are %s"):format(name, tostring(key),
    table.concat(known, ", ")))
end

--- An object of a script.
-- @param script  its state, of vbscript_resume: what fails goes by it
-- @param name  what the object is called, for errors and tostring
-- @param definition  tables by name: `methods`, which are not given the object;
-- `properties`, the getters; `setters`. Functions: `default`, which gets the
-- default member; `call`, for a call of the object. `items`: what Each goes
-- through. All are optional
function caseless.object(script, name, definition)
  local object = {}
  local methods, properties = {}, caseless.fold(definition.properties)
  local setters = caseless.fold(definition.setters)
  for key, method in pairs(definition.methods or {}) do
    local protected = script:protected(key, method)
    methods[ascii.lower(key)] = function(...)
      if select("#", ...) > 0 and rawequal((...), object) then
        return protected(select(2, ...))
      end
      return protected(...)
    end
  end

  local function set(key, new)
    local folded = ascii.lower(tostring(key))
    if setters[folded] then
      setters[folded](new)
    elseif methods[folded] or properties[folded] then
      fault.raise(fault.NOT_SUPPORTED, ("%s of %s cannot be assigned to"):format(tostring(key), name))
    else
      raise_unknown(name, definition, key)
    end
  end

  local call = definition.call and script:protected("Item", definition.call)
  return setmetatable(object, {
    __name = name,
    __default = definition.default,
    __items = definition.items,
    __concat = script:protected("concatenation", value.join),
    __call = call and function(_, ...) return call(...) end,
    __tostring = function() return name end,
    __newindex = function(_, key, new) script:call(tostring(key), set, key, new) end,
    __index = function(_, key)
      local folded = ascii.lower(tostring(key))
      if properties[folded] then
        return properties[folded]()
      end
      return methods[folded] or script:call(tostring(key), raise_unknown, name, definition, key)
    end,
  })
end

return caseless
