-- The objects of a host as a VBScript sees them: each wraps the object itself.
-- A part of vmaccountant.vbscript, which documents what scripts see of it.
--
-- Wrapped, a method may be called with a dot, an object has its default member,
-- a Double is a number without ".0" where it is whole, and an error goes by
-- On Error Resume Next.

local fault = require "vmaccountant.vbscript_fault"
local value = require "vmaccountant.vbscript_value"

local object = {}

-- The member whose text is the object's text. (Item, the default member of the
-- collections, is what calling one does.)
local DEFAULT_MEMBERS <const> = { VMVirtualMachine = "Name" }

-- What scripts call their variables, for hints.
local VARIABLES <const> = {
  VMVirtualServer = "objVS",
  VMVirtualMachineCollection = "colVMs",
  VMVirtualMachine = "objVM",
  VMAccountant = "objAccountant",
  VMTask = "objTask",
}

-- Keys that no member has.
local TARGET <const>, METHOD <const>, OWNER <const> = {}, {}, {}

local function class_of(target)
  return getmetatable(target).__name
end

--- The functions of a script that wrap its objects.
-- @param script  its state, of vbscript_resume
-- @return wrap(value), unwrap(value)
function object.wrapper(script)
  local wrapped = setmetatable({}, { __mode = "k" }) -- by what it wraps
  local object_metatable, method_metatable, array_metatable = {}, {}, { __array = true }
  local wrap

  local function unwrap(x)
    return type(x) == "table" and rawget(x, TARGET) or x
  end

  local function unwrap_all(...)
    local values = table.pack(...)
    for i = 1, values.n do
      values[i] = unwrap(values[i])
    end
    return table.unpack(values, 1, values.n)
  end

  local function wrap_all(...)
    local values = table.pack(...)
    for i = 1, values.n do
      values[i] = wrap(values[i])
    end
    return table.unpack(values, 1, values.n)
  end

  -- A metamethod of the object itself, called as from no line of Lua: an error
  -- then has no place yet.
  local function call(target, event, member, ...)
    return wrap_all(script:call(member, getmetatable(target)[event], target, unwrap_all(...)))
  end

  function wrap(x)
    if type(x) == "userdata" then
      wrapped[x] = wrapped[x] or setmetatable({ [TARGET] = x }, object_metatable)
      return wrapped[x]
    elseif type(x) == "function" then -- an iterator
      return function(...)
        return wrap_all(script:call("iterator", x, unwrap_all(...)))
      end
    elseif type(x) == "table" and not getmetatable(x) and #x > 0 then
      return setmetatable(x, array_metatable)
    end
    return value.without_point(x)
  end

  -- Arrays ------------------------------------------------------------------

  -- VBScript's own forms of reading one: from 0, in parentheses.
  function array_metatable:__index(key)
    if math.type(key) and key < 1 then
      return script:call("array", fault.raise, fault.OUT_OF_RANGE, ("Subscript out of range: there is no %s; the items "
        .. "of an array count from 1 here, to %d"):format(value.text(key), #self))
    end
    return nil -- as at the end of ipairs
  end

  function array_metatable:__call()
    return script:call("array", fault.raise, fault.TYPE_MISMATCH, ("an array is read with brackets: its items are "
      .. "array[1] to array[%d]"):format(#self))
  end

  -- Objects -----------------------------------------------------------------

  function object_metatable:__index(key)
    local target = rawget(self, TARGET)
    local member = script:call(tostring(key), getmetatable(target).__index, target, key)
    if type(member) == "function" then
      return setmetatable({ [METHOD] = member, [OWNER] = self, [TARGET] = false, name = key }, method_metatable)
    end
    return wrap(member)
  end

  function object_metatable:__newindex(key, new)
    local target = rawget(self, TARGET)
    script:call(tostring(key), getmetatable(target).__newindex, target, key, unwrap(new))
  end

  local function raise_not_called(target)
    fault.raise(fault.WRONG_ARGUMENTS, ("%s has no Item and cannot be called; it stands without parentheses"):format(
      tostring(target)))
  end

  -- Item, and a round of a generic for, which calls with nil first. Without
  -- anything in them the parentheses mean nothing, as in VBScript.
  function object_metatable:__call(...)
    if select("#", ...) == 0 then
      return self
    end
    local target = rawget(self, TARGET)
    local item
    if getmetatable(target).__call then
      item = call(target, "__call", "Item", ...)
    else
      item = script:call("Item", raise_not_called, target)
    end
    if value.is_skipped(item) and (...) == nil then
      return nil -- the loop ends
    end
    return item
  end

  function object_metatable:__len()
    return #rawget(self, TARGET)
  end

  function object_metatable:__tostring()
    return tostring(rawget(self, TARGET))
  end

  function object_metatable:__default()
    local target = rawget(self, TARGET)
    local member = DEFAULT_MEMBERS[class_of(target)]
    if not member then
      fault.raise(fault.NOT_SUPPORTED, ("%s has no default member; name the member that is meant"):format(
        tostring(target)))
    end
    return target[member]
  end

  object_metatable.__concat = script:protected("concatenation", value.join)

  function object_metatable.__eq(a, b)
    return unwrap(a) == unwrap(b)
  end

  function object_metatable:__pairs()
    local next_property, target, first = pairs(rawget(self, TARGET))
    return function(_, key)
      return wrap_all(next_property(target, key))
    end, self, first
  end

  function object_metatable:__close()
    local close = getmetatable(rawget(self, TARGET)).__close
    if close then
      close(rawget(self, TARGET))
    end
  end

  -- Methods -----------------------------------------------------------------

  function method_metatable:__call(...)
    local owner = rawget(self, OWNER)
    local target = rawget(owner, TARGET)
    local method, name = rawget(self, METHOD), rawget(self, "name")
    if select("#", ...) > 0 and rawequal((...), owner) then
      return wrap_all(script:call(name, method, target, unwrap_all(select(2, ...))))
    end
    return wrap_all(script:call(name, method, target, unwrap_all(...)))
  end

  local function raise_method(method)
    local target = rawget(rawget(method, OWNER), TARGET)
    local class, name = class_of(target), rawget(method, "name")
    fault.raise(fault.WRONG_ARGUMENTS, ("%s is a method of %s and has no value; call it, as in %s:%s()"):format(name,
      class, VARIABLES[class] or "object", name))
  end

  method_metatable.__default = raise_method
  method_metatable.__concat = script:protected("concatenation", value.join)

  function method_metatable:__index()
    return script:call("method", raise_method, self)
  end

  function method_metatable:__tostring()
    return ("%s of %s"):format(rawget(self, "name"), tostring(rawget(self, OWNER)))
  end

  return wrap, unwrap
end

return object
