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

-- The width that the text must keep to; nil for any, as in a pipe. COLUMNS
-- comes first, as for man.
local function columns()
  local said = tonumber(os.getenv("COLUMNS") or "")
  return said and said > 0 and said or core.terminal_columns()
end

-- Writes the text, broken between words so that no line is longer than the
-- room. The cursor is in the column `start`; further lines begin at `indent`.
local function write_wrapped(text, start, indent, room)
  local column = start
  for word in text:gmatch("%S+") do
    if column > start and column + 1 + width(word) > room then
      io.write("\n", (" "):rep(indent))
      start, column = indent, indent
    elseif column > start then
      io.write(" ")
      column = column + 1
    end
    io.write(word)
    column = column + width(word)
  end
  io.write("\n")
end

local function column_widths(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for column, text in ipairs(row) do
      widths[column] = math.max(widths[column] or 0, width(text))
    end
  end
  return widths
end

-- A screen too narrow for columns: the last text below the others.
local function print_narrow(rows, room)
  for _, row in ipairs(rows) do
    local head = table.concat(row, "  ", 1, #row - 1):gsub(" +$", "")
    io.write("  ")
    if 2 + width(head) <= room then
      io.write(head, "\n")
    else
      write_wrapped(head, 2, 4, room)
    end
    io.write("      ")
    write_wrapped(row[#row], 6, 6, room)
  end
end

-- Prints rows of texts with their columns aligned. A column that no row has takes
-- no room. The last text is broken where the screen ends.
local function print_rows(rows)
  local LEAST <const> = 30 -- columns for the last text
  local widths = column_widths(rows)
  local room = columns()
  local indent = 2
  for column = 1, #widths - 1 do
    indent = indent + (widths[column] > 0 and widths[column] + 2 or 0)
  end
  if room and room - indent < LEAST and room - indent < widths[#widths] then
    print_narrow(rows, room)
    return
  end
  for _, row in ipairs(rows) do
    io.write("  ")
    for column = 1, #row - 1 do
      if widths[column] > 0 then
        io.write(row[column], (" "):rep(widths[column] - width(row[column]) + 2))
      end
    end
    if room then
      write_wrapped(row[#row], indent, indent, room)
    else
      io.write(row[#row], "\n")
    end
  end
end

-- Prints a text of one line or more.
local function print_text(text, indent)
  local room = columns()
  if room then
    write_wrapped(text, 0, indent or 0, room)
  else
    io.write(text, "\n")
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
  print_text(class.name .. ": " .. class.meaning)
  print_members(class.members, "property", class.written and "properties" or "fields")
  print_members(class.members, "method", "methods, called with a colon")
end

local function print_member(owner, member)
  if member.kind == "method" then
    local separator = owner:find("^vmaccountant") and "." or ":"
    print_text(owner .. separator .. call_of(member) .. " gives " .. type_of(member), 4)
  else
    local unit = member.unit and ", in " .. member.unit or ""
    local access = member.writable == nil and "" or member.writable and ", writable" or ", read-only"
    print_text(owner .. "." .. member.name .. " is " .. type_of(member) .. unit .. access, 4)
  end
  print_rows { { member.meaning } }
end

-- The constants whose names begin so, in the order of their values.
local function constants_of(prefix)
  local list = {}
  for name, value in pairs(core.constants) do
    if ascii.lower(name:sub(1, #prefix)) == ascii.lower(prefix) then
      list[#list + 1] = { name = name, value = value }
    end
  end
  table.sort(list, function(a, b) return a.value < b.value end)
  return list
end

-- The enumerations, which are documented by these names, and their constants' beginnings.
local ENUMERATIONS <const> = {
  { name = "VMVMState", prefix = "vmVMState_", meaning = "the states of a machine, as objVM.State gives them" },
  { name = "VMTaskResult", prefix = "vmTaskResult_", meaning = "how a task ended, as objTask.Result gives it" },
}

local function print_enumeration(enumeration)
  print_text(enumeration.name .. ": " .. enumeration.meaning)
  io.write("\n")
  local rows = {}
  for index, constant in ipairs(constants_of(enumeration.prefix)) do
    rows[index] = { constant.name, tostring(constant.value) }
  end
  print_rows(rows)
end

local function print_constant(name)
  for _, enumeration in ipairs(ENUMERATIONS) do
    if name:find(enumeration.prefix, 1, true) == 1 then
      print_text(("vmaccountant.%s is %d"):format(name, core.constants[name]), 4)
      print_rows { { ("of %s: %s"):format(enumeration.name, enumeration.meaning) } }
    end
  end
end

local function meaning_of_code(name)
  return records.codes[name] or "documented by Virtual Server; nothing here raises it"
end

local function print_code(name)
  print_text(("vmaccountant.hresult.%s is 0x%08X"):format(name, core.hresult[name]), 4)
  print_rows { { meaning_of_code(name) } }
end

local function print_codes()
  io.write("vmaccountant.hresult: the documented result codes\n\n")
  local list, rows = {}, {}
  for name, number in pairs(core.hresult) do
    list[#list + 1] = { name = name, number = number }
  end
  table.sort(list, function(a, b) return a.number < b.number end)
  for index, code in ipairs(list) do
    rows[index] = { code.name, ("0x%08X"):format(code.number), meaning_of_code(code.name) }
  end
  print_rows(rows)
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
  rows = {}
  for index, enumeration in ipairs(ENUMERATIONS) do
    rows[index] = { enumeration.name, enumeration.meaning }
  end
  rows[#rows + 1] = { "hresult", "the result codes by name, such as hresult.S_FALSE" }
  io.write("\nconstants of vmaccountant:\n")
  print_rows(rows)
  io.write("\n")
  print_text("help(object), help(\"VMAccountant\") and help(object, \"NetworkBytesSent\") print more; "
    .. "help finds members, constants and codes by their names alone, too, as in help(\"S_FALSE\").")
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

-- Everything that help finds by its name: a list of functions that print, and
-- the names for each.
local function everything()
  local entries = {}
  local function add(name, print_it, ...)
    entries[#entries + 1] = { name = name, print = print_it, ... }
  end
  for _, class in ipairs((all_classes())) do
    add(class.name, print_class, class)
  end
  for _, enumeration in ipairs(ENUMERATIONS) do
    add(enumeration.name, print_enumeration, enumeration)
  end
  add("hresult", print_codes)
  for _, called in ipairs(records.functions) do
    add(called.name, print_member, "vmaccountant", called)
  end
  for _, class in ipairs((all_classes())) do
    for _, member in ipairs(class.members) do
      add(member.name, print_member, class.name, member)
    end
  end
  for name in pairs(core.constants) do
    add(name, print_constant, name)
  end
  for name in pairs(core.hresult) do
    add(name, print_code, name)
  end
  return entries
end

-- The name with the most similar spelling; nil when none is similar.
local function nearest(entries, name)
  local found, shortest = nil, #name // 3 + 1
  for _, entry in ipairs(entries) do
    local distance = core.distance(name, entry.name)
    if distance < shortest or distance == shortest and found and entry.name < found then
      found, shortest = entry.name, distance
    end
  end
  return found
end

-- An object and not a text: a prompt shows it as one line, without a traceback.
local function raise_unknown(name, problem, entries)
  local found = nearest(entries, name)
  local _, err = pcall(core.raise_unknown_name, name, problem .. (found and ("; did you mean %s?"):format(found) or ""))
  err.where = nil -- it would be here
  error(err, 0)
end

-- All that has the name: a machine and an adapter have a VirtualMachine.
local function print_named(name)
  local entries = everything()
  local found = {}
  for _, entry in ipairs(entries) do
    if ascii.lower(entry.name) == ascii.lower(name) then
      found[#found + 1] = entry
    end
  end
  if #found == 0 then
    raise_unknown(name, ("there is nothing of the name '%s'"):format(name), entries)
  end
  -- A class, a function, a constant or a code comes first, even if an
  -- object may have a member of that name.
  if found[1].print ~= print_member or found[1][1] == "vmaccountant" then
    found = { found[1] }
  end
  for _, entry in ipairs(found) do
    entry.print(table.unpack(entry))
  end
end

-- The object, or the name of the class, and its table.
local function print_member_of(object, class, name)
  local member = find_named(class.members, name)
  if member then
    print_member(class.name, member)
  elseif not class.written then
    raise_unknown(name, ("%s has no field '%s'"):format(class.name, name), class.members)
  else
    local _, err = pcall(core.find_member, object, name)
    err.where = nil -- it would be here
    error(err, 0)
  end
end

--- Prints what an object has: its members with types, units and meanings, on
-- standard output, no wider than the terminal or COLUMNS. It makes no call to the
-- host, and so works for a closed object, too.
-- @function help
-- @param[opt] object an object, or a name as a string, in any letter case: of a
-- class, a function, a member, a constant or a result code; nil for a list
-- @string[opt] member a member's name in any letter case
-- @raise DISP_E_UNKNOWNNAME with the nearest name for what there is not; an
-- argument error for what is no object
local function help(object, member)
  local function expect(position, ok, problem, ...)
    if not ok then
      error(("bad argument #%d to 'help' (%s)"):format(position, problem:format(...)), 3)
    end
  end

  expect(2, member == nil or type(member) == "string", "a member's name expected, got %s", type(member))
  if object == nil or object == package.loaded.vmaccountant then
    if member == nil then
      print_overview()
      return
    end
    object, member = member, nil
  elseif object == core.hresult then
    object, member = member or "hresult", nil
  end
  if type(object) == "string" and member == nil then
    print_named(object)
    return
  end
  -- Two classes may share a name: the object's own is asked for first.
  local own, name = core.class_of(object), name_of(object)
  local class = own or name and find_named((all_classes()), name)
  if not class and type(object) == "string" then
    raise_unknown(object, ("there is no class '%s'"):format(object), (all_classes()))
  end
  expect(1, class, "an object of vmaccountant or a name expected, got %s", type(object))
  if member == nil then
    print_class(class)
  else
    print_member_of(own and object or class.name, class, member)
  end
end

return help
