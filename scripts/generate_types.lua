-- Writes lua/vmaccountant/types.lua on standard output: LuaCATS definitions, by
-- which editors complete and check, from the tables that the objects are made
-- of. For `make types`.

local core = require "vmaccountant.core"
local records = require "vmaccountant.records"
local vma = require "vmaccountant"

local function emit(format, ...)
  io.write(select("#", ...) > 0 and format:format(...) or format, "\n")
end

local function description_of(member)
  local parts = {}
  if member.unit then
    parts[#parts + 1] = "in " .. member.unit
  end
  if member.kind == "property" then
    parts[#parts + 1] = member.writable and "writable" or "read-only"
  end
  parts[#parts + 1] = member.meaning
  return table.concat(parts, "; ")
end

local function emit_function(name, member, receiver)
  local parameters = {}
  parameters[1] = receiver and "self: " .. receiver or nil
  parameters[#parameters + 1] = member.parameters
  local result = member.type and ": " .. member.type or ""
  emit("---@field %s fun(%s)%s # %s", name, table.concat(parameters, ", "), result, description_of(member))
end

-- What else can be done with an object than its members.
local OPERATORS <const> = {
  VMVirtualMachineCollection = {
    "---@field [integer] VMVirtualMachine # the one at that place, from 1",
    "---@operator len: integer",
    "---@operator call(integer|string|nil): VMVirtualMachine",
  },
  VMNetworkAdapterCollection = {
    "---@field [integer] VMNetworkAdapter # the one at that place, from 1",
    "---@operator len: integer",
    "---@operator call(integer|nil): VMNetworkAdapter",
  },
  VMVirtualMachine = { "---@operator concat(string|number): string" },
}

emit([[
---@meta _

-- Made by `make types` from the tables of members: do not edit.]])

for _, class in ipairs(table.move(records.tables, 1, #records.tables, #core.classes() + 1, core.classes())) do
  emit("\n---%s", class.meaning)
  emit("---@class %s", class.name)
  for _, member in ipairs(class.members) do
    if member.kind == "method" then
      emit_function(member.name, member, class.name)
    else
      emit("---@field %s%s %s # %s", member.name, member.optional and "?" or "", member.type, description_of(member))
    end
  end
  for _, line in ipairs(OPERATORS[class.name] or {}) do
    emit(line)
  end
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

emit("\n---the documented result codes by name")
emit("---@class VMHresults")
for _, name in ipairs(sorted_keys(core.hresult)) do
  emit("---@field %s integer # 0x%08X", name, core.hresult[name])
end

emit("\n---the module vmaccountant")
emit("---@class vmaccountant")
emit("---@field _VERSION string # %s", "the module's name and version")
for _, member in ipairs(records.functions) do
  assert(vma[member.name], member.name)
  emit_function(member.name, member)
end
emit("---@field hresult VMHresults # the documented result codes by name")
for _, name in ipairs(sorted_keys(core.constants)) do
  emit("---@field %s integer # %d", name, core.constants[name])
end

emit("\n---the module vmaccountant.simulator")
emit("---@class vmaccountant.simulator")
for _, member in ipairs(records.simulator_functions) do
  emit_function(member.name, member)
end
