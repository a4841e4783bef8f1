--- What a VBScript finds around it, for its port to Lua: `CreateObject`,
-- `WScript`, `Err`, On Error Resume Next, `vbTab` and the constants.
--
--     local _ENV = require("vmaccountant.vbscript").environment()
--
--     OnErrorResumeNext()
--     objVS = CreateObject("VirtualServer.Application")
--     for objVM in objVS.VirtualMachines do
--       WScript.Echo("Machine: " .. objVM.Name)
--       WScript.Echo("Bytes sent: " .. objVM.Accountant.NetworkBytesSent)
--     end
--
-- In such an environment names are found in any letter case and methods may be
-- called with a dot, as VBScript has it; `docs/porting.md` has the whole
-- table of forms. The environment keeps the script's variables: no global of
-- Lua is set. A script that wants a few of the names as locals takes them from
-- the module: `local WScript <const> = vbscript.WScript`.
--
-- @module vmaccountant.vbscript

local vma = require "vmaccountant" -- before vmaccountant.core, which it prepares

local ascii = require "vmaccountant.ascii"
local caseless = require "vmaccountant.vbscript_caseless"
local core = require "vmaccountant.core"
local fault = require "vmaccountant.vbscript_fault"
local host = require "vmaccountant.vbscript_host"
local object = require "vmaccountant.vbscript_object"
local resume = require "vmaccountant.vbscript_resume"
local value = require "vmaccountant.vbscript_value"

local vbscript = {}

-- What every script has the same.
local function shared_names()
  local names = {
    True = true,
    False = false,
    vbTab = "\t",
    vbCr = "\r",
    vbLf = "\n",
    vbCrLf = "\r\n",
    vbNewLine = "\n", -- that of the platform, by its documentation
    vbNullString = "",
  }
  for name, number in pairs(core.constants) do
    names[name] = number
  end
  return names
end

-- The functions that fail as the script's objects do.
local conversions <const> = {
  CStr = value.text,
  CLng = value.CLng,
  CDbl = value.CDbl,
  FormatNumber = value.FormatNumber,
  UCase = function(x) return ascii.upper(value.text(x)) end,
  LCase = function(x) return ascii.lower(value.text(x)) end,
  Len = function(x)
    local text = value.text(x)
    return utf8.len(text) or #text
  end,
  IsEmpty = value.is_empty,
  Now = function() return os.date("%Y-%m-%d %H:%M:%S") end,
}

-- What a generic for takes to go through a collection, an array or WScript.Arguments.
local function each(collection)
  if collection == nil then
    fault.raise(fault.OBJECT_REQUIRED, "Object required: Each was given nothing to go through")
  end
  local metatable = getmetatable(collection)
  local is_array = metatable == nil or metatable.__array
  local items = type(collection) == "table" and (is_array and collection or metatable.__items)
  if items then
    local position = 0
    return function()
      position = position + 1
      return items[position]
    end
  elseif not metatable or not metatable.__call then
    fault.raise(fault.NOT_A_COLLECTION, ("Object not a collection: Each was given %s"):format(tostring(collection)))
  end
  return collection
end

-- The options of CreateObject: where the script has not said otherwise, the
-- counts of a stopped machine are 0, as Virtual Server's scripts saw them.
local function application_options(options)
  if options ~= nil and type(options) ~= "table" then
    return options -- for CreateObject to refuse
  end
  local given = { not_running = "zero" }
  for name, choice in pairs(options or {}) do
    given[name] = choice
  end
  return given
end

-- All names of a script. `lookup` finds a variable of the script.
local function names_of(options, lookup)
  local script = resume.new()
  local wrap, unwrap = object.wrapper(script)
  local create <const> = options.CreateObject or vma.CreateObject

  local function create_object(progid, server, given)
    return wrap(script:call("CreateObject", create, progid, server, application_options(given)))
  end

  local names = shared_names()
  names.Empty = value.Empty(script)
  names.Null = value.Null(script)
  names.Err = script.Err
  names.CreateObject = create_object
  names.Each = script:protected("Each", each)
  names.OnErrorResumeNext = function(...) return script:resume_next(...) end
  names.OnErrorGoto0 = function() script:go_to_0() end
  names.WScript = host.WScript(script, {
    words = options.arguments or rawget(_G, "arg") or {},
    write = options.write or function(text) io.stdout:write(text) end,
    create = create_object,
    lookup = lookup,
    unwrap = unwrap,
  })
  for name, f in pairs(conversions) do
    names[name] = script:protected(name, f)
  end
  return names
end

local OPTIONS <const> = { CreateObject = "function", arguments = "table", write = "function" }

local function check_options(options)
  for name, given in pairs(options) do
    if not OPTIONS[name] then
      error(("unknown option '%s'; the known ones are 'arguments', 'CreateObject' and 'write'"):format(name), 3)
    elseif type(given) ~= OPTIONS[name] then
      error(("option '%s' must be a %s, not a %s"):format(name, OPTIONS[name], type(given)), 3)
    end
  end
end

--- An environment of a script of its own, to be its `_ENV`.
--
-- What the script assigns to a name that is not local stays in the environment,
-- and is found in any letter case; so are the names of this layer. Lua's own
-- globals are found by their own spelling. A name that has no value is nil.
--
-- Objects that its `CreateObject` makes are those of `vmaccountant.CreateObject`
-- with `not_running = "zero"`, and beyond that: a method may be called with a
-- dot, a machine is its name where text is wanted, a whole Double joins without
-- `.0`, and what fails goes by `OnErrorResumeNext`.
--
-- - `OnErrorResumeNext()` is the statement. From there on a member that fails
--   sets `Err`, and the statement that it stands in does nothing: an `Echo` of
--   text with it prints no line, an assignment leaves the variable, a method
--   that is given it is not called. What Lua itself raises, as for an index of
--   nil, still ends the script.
-- - `OnErrorResumeNext(f, …)` calls each function, with the same in force; what
--   Lua raises ends that function only, and sets `Err`.
-- - `OnErrorGoto0()` ends it, and clears `Err`.
--
-- Ctrl-C ends the script in any case.
--
-- The other names:
--
-- - `Each(collection)`, for a generic for: a collection, an array or
--   `WScript.Arguments`.
-- - `WScript`: `Echo`, `Sleep` (which uses no processor time, and delivers the
--   events of connected objects), `Arguments` (from 0), `Quit`, `ConnectObject`,
--   `CreateObject`, `ScriptName`, `ScriptFullName`, `StdOut`, `StdErr`.
--   `ConnectObject(objVS, "VS_")` has the functions `VS_OnVMStateChange`,
--   `VS_OnReset` and `VS_OnAdapterRemoved` of the script called.
-- - `Err`: `Number`, signed; `Description`, `Source`, `Clear`, `Raise`. What Lua
--   itself raised has the number 507.
-- - `CStr`, `CLng`, `CDbl`, `FormatNumber`, `UCase`, `LCase`, `Len`, `IsEmpty`,
--   `Now`.
-- - `Empty`, `Null`, `True`, `False`; `Nothing` is nil. `vbTab`, `vbCr`, `vbLf`,
--   `vbCrLf`, `vbNewLine`, `vbNullString`, and the constants of `vmaccountant`.
-- @tparam[opt] table options for test suites: `CreateObject`, a function to
-- take the place of `vmaccountant.CreateObject`; `arguments`, a table like Lua's
-- `arg`; `write`, a function that is given what the script prints
-- @treturn table
-- @usage local _ENV = require("vmaccountant.vbscript").environment()
function vbscript.environment(options)
  check_options(options or {})
  local variables, spellings = {}, {} -- by lower-case name; the very names that were assigned to

  local names = caseless.fold(names_of(options or {}, function(name)
    return variables[ascii.lower(name)]
  end))

  local metatable = { __name = "VBScript environment" }
  function metatable.__index(_, name)
    local folded = ascii.lower(tostring(name))
    local variable, global = variables[folded], _G[name]
    if variable ~= nil and (global == nil or spellings[name]) then
      return variable
    elseif names[folded] ~= nil then
      return names[folded]
    end
    return global
  end
  function metatable.__newindex(_, name, new)
    local folded = ascii.lower(tostring(name))
    if value.is_skipped(new) then
      if variables[folded] ~= nil then
        return
      end
      new = names.empty -- as a variable that has never been assigned to
    end
    if names[folded] ~= nil then
      error(("'%s' is a name of VBScript's and cannot be assigned to"):format(tostring(name)), 2)
    end
    variables[folded] = new
    spellings[name] = true
  end
  return setmetatable({}, metatable)
end

--- Lets nil and booleans be joined to text with `..`, as nothing and as `True`
-- or `False`, which is otherwise an error in Lua. This is for the whole Lua
-- state, beyond the script that calls it, and so no part of `environment`.
function vbscript.join_anything()
  for _, sample in ipairs { { nil }, { false } } do
    local metatable = debug.getmetatable(sample[1]) or {}
    metatable.__concat = value.join
    debug.setmetatable(sample[1], metatable)
  end
end

-- The names of one script that all who take them from the module share; its
-- variables are Lua's globals.
local own_names

return setmetatable(vbscript, {
  __index = function(_, name)
    own_names = own_names or caseless.fold(names_of({}, function(variable)
      return rawget(_G, variable)
    end))
    return own_names[ascii.lower(tostring(name))]
  end,
})
