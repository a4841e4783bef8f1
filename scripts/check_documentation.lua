-- Whether the code and its documentation agree, for `make check-docs`:
-- each member of the tables has an LDoc comment, and each comment a member of
-- that type, access and parameters; lua/vmaccountant/types.lua is what would be
-- generated, and each type in it is defined; spec/README.md has a line for each
-- file of spec/ but those of spec/support/; the newest release in CHANGELOG.md
-- is the module's version.
--
--     lua5.4 scripts/check_documentation.lua GENERATED SOURCE.c...
--
-- SPEC_INDEX and CHANGELOG in the environment name other files than
-- spec/README.md and CHANGELOG.md.

local core = require "vmaccountant.core"

local TYPES <const> = "lua/vmaccountant/types.lua"

-- Comments that speak of two classes at once.
local SHARED <const> = { Collections = { "VMVirtualMachineCollection", "VMNetworkAdapterCollection" } }

local problems = {}

local function complain(format, ...)
  problems[#problems + 1] = format:format(...)
end

local function read_file(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

-- The names of what a method takes: "name: string, options?: table" and the
-- LDoc tags that say the same.
local function names_in_table(parameters)
  local names = {}
  for name in ((parameters or "") .. ","):gmatch("([%w_]+)%??: [^,]*,") do
    names[#names + 1] = name
  end
  return table.concat(names, ", ")
end

local function names_in_comment(comment)
  local names = {}
  for tag, rest in comment:gmatch("\n@(%a+)%f[%A]%S* +([^\n]*)") do
    if tag == "tparam" then
      names[#names + 1] = rest:match("^%S+ +([%w_]+)")
    elseif tag == "string" or tag == "int" or tag == "number" or tag == "param" then
      names[#names + 1] = rest:match("^([%w_]+)")
    end
  end
  return table.concat(names, ", ")
end

-- All that is documented: class -> name -> what the comment says.
local function read_comments(paths)
  local comments = {}
  for _, path in ipairs(paths) do
    for comment in read_file(path):gmatch("/%*%*%*(.-)%*/") do
      local within = comment:match("\n@within (%w+)")
      local property_type, property = comment:match("\n@tfield (%S+) ([%w_]+)")
      local name = property or comment:match("\n@function ([%w_]+)")
      for _, class in ipairs(within and (SHARED[within] or { within }) or {}) do
        comments[class] = comments[class] or {}
        if not name then
          complain("%s: a comment within %s is of no member", path, class)
        elseif comments[class][name] then
          complain("%s: %s.%s is documented twice", path, class, name)
        else
          comments[class][name] = {
            is_property = property ~= nil,
            -- LDoc's ways to say "or nil" and "array of".
            type = property_type and property_type:gsub("^%?(.*)", "%1?"):gsub("^{(.*),%.%.%.}$", "%1[]"),
            is_writable = comment:find("%f[%a][Ww]ritable%f[%A]") ~= nil,
            parameters = names_in_comment(comment),
          }
        end
      end
    end
  end
  return comments
end

local function check_member(class, member, comment)
  local name = class.name .. "." .. member.name
  if comment == nil then
    complain("%s has no LDoc comment within %s", name, class.name)
  elseif comment.is_property ~= (member.kind == "property") then
    complain("%s is a %s, and its comment says otherwise", name, member.kind)
  elseif comment.is_property and comment.type ~= member.type then
    complain("%s is a %s, and @tfield of its comment says %s", name, member.type, comment.type)
  elseif comment.is_property and comment.is_writable ~= member.writable then
    complain("%s is %s, and its comment %s the word writable", name, member.writable and "writable" or "read-only",
      comment.is_writable and "has" or "lacks")
  elseif not comment.is_property and comment.parameters ~= names_in_table(member.parameters) then
    complain("%s takes (%s), and its comment says (%s)", name, names_in_table(member.parameters), comment.parameters)
  end
end

-- Whether any of the classes that the comment may be of has the member.
local function is_left_over(comments, classes, name)
  for _, class in ipairs(classes) do
    if not comments[class][name] then
      return false -- it was found, and taken out
    end
  end
  return true
end

local function check_comments(comments)
  comments.Simulator.new = nil -- the function of the module
  for _, class in ipairs(core.classes()) do
    local documented = comments[class.name] or {}
    comments[class.name] = documented
    for _, member in ipairs(class.members) do
      if not member.meaning or member.kind == "property" and not member.type then
        complain("%s has no type or no meaning in its table", class.name .. "." .. member.name)
      end
      check_member(class, member, documented[member.name])
      documented[member.name] = nil
    end
  end
  local siblings = {}
  for _, classes in pairs(SHARED) do
    for _, class in ipairs(classes) do
      siblings[class] = classes
    end
  end
  for class, documented in pairs(comments) do
    for name in pairs(documented) do
      if is_left_over(comments, siblings[class] or { class }, name) then
        complain("%s.%s is documented, and does not exist", class, name)
      end
    end
  end
end

-- What a type of LuaCATS names.
local function each_type(text)
  return text:gsub('"[^"]*"', ""):gsub("[%w_]+%??:", " "):gmatch("%f[%w][%a][%w_.]*")
end

local BUILT_IN <const> = { string = true, integer = true, number = true, boolean = true, table = true, any = true,
  ["nil"] = true, fun = true }

local function check_types(generated)
  local text = read_file(TYPES)
  if text ~= read_file(generated) then
    complain("%s is not what `make types` makes: run it", TYPES)
  end
  assert(load(text, "@" .. TYPES))
  local defined = {}
  for name in text:gmatch("\n%-%-%-@class ([%w_.]+)\n") do
    if defined[name] then
      complain("%s defines %s twice", TYPES, name)
    end
    defined[name] = true
  end
  for line in text:gmatch("[^\n]+") do
    local definition = line:match("^%-%-%-@field [%w_]+%?? (.-) # .+$")
      or line:match("^%-%-%-@field %[(integer%] .-) # .+$") or line:match("^%-%-%-@operator %l+(.*)$")
    if definition then
      for name in each_type(definition) do
        if not defined[name] and not BUILT_IN[name] then
          complain("%s uses %s, which it does not define: %s", TYPES, name, line)
        end
      end
    elseif not line:find("^%-%-%-@class [%w_.]+$") and line ~= "---@meta _" and not line:find("^%-%-%-?%s?%a") then
      complain("%s has a line of no known form: %s", TYPES, line)
    end
  end
end

local SPEC_INDEX <const> = os.getenv("SPEC_INDEX") or "spec/README.md"

local function check_spec_index()
  local listed = {}
  for line in read_file(SPEC_INDEX):gmatch("[^\n]+") do
    local name = line:match("^%- `([^`]*)`")
    if name and not line:find("^%- `[^`]*`: %S") then
      complain("%s says nothing of %s", SPEC_INDEX, name)
    elseif name and listed[name] then
      complain("%s has %s twice", SPEC_INDEX, name)
    end
    listed[name or ""] = true
  end
  listed[""] = nil
  local pipe <close> = assert(io.popen("cd spec && ls *.lua */*.c */*.lua"))
  for name in pipe:lines() do
    if not name:find("^support/") then
      if not listed[name] then
        complain("%s has no line for %s", SPEC_INDEX, name)
      end
      listed[name] = nil
    end
  end
  for name in pairs(listed) do
    complain("%s has a line for %s, which does not exist", SPEC_INDEX, name)
  end
end

-- The newest release comes first, after what is unreleased.
local function check_changelog()
  local path = os.getenv("CHANGELOG") or "CHANGELOG.md"
  local version, date = read_file(path):match("\n## (%d%S*)([^\n]*)\n")
  if "vmaccountant " .. (version or "") ~= core._VERSION then
    complain("%s has %s as its newest release, and the module is %s", path, version or "nothing", core._VERSION)
  elseif not date:find("^ %- %d%d%d%d%-%d%d%-%d%d$") then
    complain("%s has no date for %s", path, version)
  end
end

check_types(arg[1])
check_changelog()
check_spec_index()
check_comments(read_comments(table.move(arg, 2, #arg, 1, {})))
table.sort(problems)
for _, problem in ipairs(problems) do
  io.stderr:write(problem, "\n")
end
os.exit(#problems == 0)
