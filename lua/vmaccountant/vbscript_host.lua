-- WScript: what the Windows Script Host gives a script. A part of
-- vmaccountant.vbscript, which documents what scripts see of it.

local caseless = require "vmaccountant.vbscript_caseless"
local core = require "vmaccountant.core"
local fault = require "vmaccountant.vbscript_fault"
local value = require "vmaccountant.vbscript_value"

local host = {}

-- Arguments -----------------------------------------------------------------

-- The words after the script's name, counted from 0.
local function arguments(script, words)
  local count = #words
  local object

  local function item(index)
    local position = value.CLng(index)
    if position < 0 or position >= count then
      fault.raise(fault.OUT_OF_RANGE, ("Subscript out of range: there is no argument %d; the script was given %s")
        :format(position, count == 0 and "none" or ("%d, which count from 0"):format(count)))
    end
    return words[position + 1]
  end

  -- `WScript.Arguments(0)`. A generic for would call with the argument before,
  -- from which the position is not known.
  local function call(...)
    if select("#", ...) == 0 then
      return object
    elseif (...) == nil then
      fault.raise(fault.OBJECT_REQUIRED, "Object required: go through the arguments with Each, as in for word in "
        .. "Each(WScript.Arguments)")
    end
    return item(...)
  end

  local function get_count()
    return count
  end

  object = caseless.object(script, "WScript.Arguments", {
    methods = { Item = item },
    properties = { Count = get_count, Length = get_count },
    call = call,
    items = words,
  })
  return object
end

-- Output ----------------------------------------------------------------------

local function texts_of(...)
  local values = table.pack(...)
  for i = 1, values.n do
    values[i] = value.text(values[i])
  end
  return values
end

local function stream(script, name, write)
  return caseless.object(script, name, {
    methods = {
      Write = function(...) write(table.concat(texts_of(...))) end,
      WriteLine = function(...) write(table.concat(texts_of(...)) .. "\n") end,
      WriteBlankLines = function(lines) write(("\n"):rep(value.CLng(lines))) end,
    },
  })
end

-- Events ------------------------------------------------------------------------

-- The events that occur here, and the others that Virtual Server documents.
local EVENTS <const> = { "OnVMStateChange", "OnReset", "OnAdapterRemoved" }
local OTHER_EVENTS <const> = { "OnServiceEvent", "OnEventLogged", "OnHeartbeatStopped" }

-- Handlers are found when their event comes, so that a script may define
-- them below, as VBScript allows it.
local function handlers_of(prefix, lookup)
  local handlers = {}
  local function add(event)
    handlers[event] = function(...)
      local handler = lookup(prefix .. event)
      if handler ~= nil then
        handler(...)
      end
    end
  end
  for _, event in ipairs(EVENTS) do
    add(event)
  end
  for _, event in ipairs(OTHER_EVENTS) do
    if lookup(prefix .. event) ~= nil then -- the object itself says what becomes of it
      add(event)
    end
  end
  return handlers
end

-- Sleeping ------------------------------------------------------------------------

local LONGEST_MILLISECONDS <const> = 2147483647 -- a VBScript Long
local SLICE_MILLISECONDS <const> = 100 -- the wait for one of several connected objects

local function is_closed(err)
  return type(err) == "table" and err.name == "VM_E_APP_SHUTTING_DOWN"
end

-- Waits that long for events of one of the connected objects, or of none. It may
-- return early: the caller measures the time.
local function wait(connected, milliseconds)
  local count = #connected
  if count == 0 then
    core.sleep(milliseconds / 1000)
    return
  end
  for i = count, 1, -1 do
    local ok, err = pcall(connected[i].WaitForEvents, connected[i],
      count == 1 and milliseconds or math.min(milliseconds, SLICE_MILLISECONDS))
    if not ok and is_closed(err) then
      table.remove(connected, i)
    elseif not ok then
      error(err, 0)
    end
  end
end

local function sleep(connected, milliseconds)
  local left = value.CLng(milliseconds)
  if left < 0 or left > LONGEST_MILLISECONDS then
    fault.raise(fault.INVALID_CALL, ("Invalid procedure call or argument: WScript.Sleep wants from 0 to %d "
      .. "milliseconds, not %d"):format(LONGEST_MILLISECONDS, left))
  end
  io.stdout:flush()
  local ends = core.monotonic_time() + left / 1000
  repeat
    wait(connected, left)
    left = math.ceil((ends - core.monotonic_time()) * 1000)
  until left <= 0
end

-- WScript ---------------------------------------------------------------------------

-- The absolute path, as far as the environment names the folder.
local function full_path(path)
  local folder = os.getenv("PWD")
  if path:sub(1, 1) == "/" or not folder then
    return path
  end
  return folder .. "/" .. path:gsub("^%./", "")
end

local function quit(code)
  local status = code == nil and 0 or value.CLng(code)
  io.stdout:flush()
  os.exit(status, true)
end

--- The object WScript of a script.
-- @param script  its state, of vbscript_resume
-- @param options  `words`, with the script's path at 0; `write(text)`;
-- `create(progid)`; `lookup(name)`, a variable of the script; `unwrap(object)`
function host.WScript(script, options)
  local path = tostring(options.words[0] or "")
  local connected = {}

  local function connect(object, prefix)
    if type(prefix) ~= "string" then
      fault.raise(fault.TYPE_MISMATCH, ("WScript.ConnectObject wants the prefix of the handlers' names as its second "
        .. "argument, as in \"VS_\", not a %s"):format(type(prefix)))
    end
    local target = options.unwrap(object)
    if target == nil then
      fault.raise(fault.OBJECT_REQUIRED, "Object required: WScript.ConnectObject was given nothing to connect")
    end
    target:Connect(handlers_of(prefix, options.lookup))
    connected[#connected + 1] = target
  end

  local function create(progid, prefix)
    local object = options.create(progid)
    if prefix ~= nil then
      connect(object, prefix)
    end
    return object
  end

  local write = options.write
  local properties = {
    StdOut = stream(script, "WScript.StdOut", write),
    StdErr = stream(script, "WScript.StdErr", function(text) io.stderr:write(text) end),
    Arguments = arguments(script, options.words),
    ScriptName = path:match("[^/]*$"),
    ScriptFullName = full_path(path),
  }
  for name, constant in pairs(properties) do
    properties[name] = function() return constant end
  end
  return caseless.object(script, "WScript", {
    methods = {
      Echo = function(...) write(table.concat(texts_of(...), " ") .. "\n") end,
      Sleep = function(milliseconds) sleep(connected, milliseconds) end,
      Quit = quit,
      ConnectObject = connect,
      CreateObject = create,
    },
    properties = properties,
  })
end

return host
