--- Help at the prompt, from the same tables as the objects themselves.
--
-- @module vmaccountant.help

local ascii = require "vmaccountant.ascii"
local core = require "vmaccountant.core"
local records = require "vmaccountant.records"

-- All that has members, in the order in which it is listed.
local function all_classes()
  local classes = core.classes()
  local count = #classes
  return table.move(records.tables, 1, #records.tables, count + 1, classes), count
end

local function find_named(list, name)
  for _, entry in ipairs(list) do
    if ascii.lower(entry.name) == ascii.lower(name) then
      return entry
    end
  end
end

-- How far the text reaches on the screen.
local function width(text)
  return utf8.len(text) or #text
end

-- Prints rows of texts with their columns aligned. What no row has takes no
-- room.
local function print_rows(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for column, text in ipairs(row) do
      widths[column] = math.max(widths[column] or 0, width(text))
    end
  end
  for _, row in ipairs(rows) do
    local line = {}
    for column, text in ipairs(row) do
      if widths[column] > 0 then
        line[#line + 1] = text .. (" "):rep(widths[column] - width(text))
      end
    end
    io.write("  ", (table.concat(line, "  "):gsub(" +$", "")), "\n")
  end
end

local function call_of(method)
  return ("%s(%s)"):format(method.name, method.parameters or "")
end

local function type_of(member)
  return (member.type or "nothing") .. (member.optional and "?" or "")
end

local function unit_of(member)
  return (member.unit or "") .. (member.writable and (member.unit and ", " or "") .. "writable" or "")
end

local function print_members(members, kind, heading)
  local rows = {}
  for _, member in ipairs(members) do
    if (member.kind or "property") == kind then
      local name = kind == "method" and call_of(member) or member.name
      rows[#rows + 1] = { name, type_of(member), unit_of(member), member.meaning }
    end
  end
  if #rows > 0 then
    io.write("\n", heading, ":\n")
    print_rows(rows)
  end
end

local function print_class(class)
  io.write(class.name, ": ", class.meaning, "\n")
  print_members(class.members, "property", class.written and "properties" or "fields")
  print_members(class.members, "method", "methods, called with a colon")
end

local function print_member(owner, member)
  if member.kind == "method" then
    io.write(owner, owner:find("^vmaccountant") and "." or ":", call_of(member), " gives ", type_of(member), "\n  ")
  else
    local unit = member.unit and ", in " .. member.unit or ""
    local access = member.writable == nil and "" or member.writable and ", writable" or ", read-only"
    io.write(owner, ".", member.name, " is ", type_of(member), unit, access, "\n  ")
  end
  io.write(member.meaning, "\n")
end

local function print_overview()
  local classes, count = all_classes()
  local rows = { {}, {} }
  for index, class in ipairs(classes) do
    local list = rows[index <= count and 1 or 2]
    list[#list + 1] = { class.name, class.meaning }
  end
  print_members(records.functions, "method", "functions of vmaccountant")
  print_members(records.simulator_functions, "method", "functions of vmaccountant.simulator")
  io.write("\nobjects:\n")
  print_rows(rows[1])
  io.write("\ntables:\n")
  print_rows(rows[2])
  io.write("\nhelp(object), help(\"VMAccountant\") and help(object, \"NetworkBytesSent\") tell more;\n",
    "constants such as vmVMState_Running, and hresult, the table of error codes, are in vmaccountant.\n")
end

local function name_of(object)
  local metatable = getmetatable(object)
  local kind = type(object)
  if kind == "string" then
    return object
  elseif (kind == "userdata" or kind == "table") and type(metatable) == "table" then
    return type(metatable.__name) == "string" and metatable.__name or nil
  end
end

-- The class, or nil and what is wrong.
local function find_class(object)
  local name = name_of(object)
  local class = name and find_named((all_classes()), name)
  if class then
    return class
  elseif type(object) ~= "string" then
    return nil, ("an object of vmaccountant or the name of a class expected, got %s"):format(type(object))
  end
  local names = {}
  for index, known in ipairs((all_classes())) do
    names[index] = known.name
  end
  return nil, ("there is no class or function '%s'; there are %s"):format(object, table.concat(names, ", "))
end

-- The member, or nil and what is wrong: an error object with the nearest name
-- for a class of the model.
local function find_member(class, name)
  local member = find_named(class.members, name)
  if member or not class.written then
    return member, ("%s has no field '%s'"):format(class.name, name)
  end
  local _, err = pcall(core.find_member, class.name, name)
  err.where = nil -- it would be here
  return nil, err
end

--- Prints what an object has: its members with types, units and meanings, on
-- standard output. Asks no host, and so tells of a closed object, too.
-- @function help
-- @param[opt] object an object, or the name of a class or function as a string;
-- nil for a list of all
-- @string[opt] member a member's name in any letter case
-- @raise DISP_E_UNKNOWNNAME with the nearest name for what is no member; an
-- argument error for what is no object
local function help(object, member)
  local function expect(position, value, problem)
    if not value then
      error(type(problem) == "table" and problem
        or ("bad argument #%d to 'help' (%s)"):format(position, problem), 3)
    end
    return value
  end

  expect(2, member == nil or type(member) == "string", "a member's name expected, got " .. type(member))
  if object == nil or object == package.loaded.vmaccountant then
    if member == nil then
      print_overview()
      return
    end
    object, member = member, nil
  end
  local called = type(object) == "string" and member == nil and find_named(records.functions, object)
  if called then
    print_member("vmaccountant", called)
    return
  end
  local class = expect(1, find_class(object))
  if member == nil then
    print_class(class)
  else
    print_member(class.name, expect(2, find_member(class, member)))
  end
end

return help
