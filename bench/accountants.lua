-- The benchmark's reader through vmaccountant.
--
--     lua5.4 bench/accountants.lua METRIC CALLS BATCH PAUSE_MS [MACHINE or MAX_AGE_MS]
--
-- sweep              all machines of a held collection, each read live
-- sweep_listed       the same, with the machines listed again each time
-- sweep_max_age      all machines of a held collection under MAX_AGE_MS: one sample
--                    at the host serves a sweep, and never the next one
-- sweep_hypervisor   the same through libvirt only
-- read               one machine's held accountant, live
-- read_max_age       the same from a sample that is young enough
-- read_hypervisor    live, through libvirt only
--
-- Prints as bench/reader.h says; fails, too, when a figure is not read from
-- where the metric says.

local vma = require "vmaccountant"
local instruments = require "instruments"

local metric, calls, batch = arg[1], math.tointeger(arg[2]), math.tointeger(arg[3])
local pause = tonumber(arg[4]) / 1000
local is_sweep = metric:find("^sweep") ~= nil
local machine = not is_sweep and arg[5] or nil
local max_age = metric == "read_max_age" and 3600 or is_sweep and tonumber(arg[5] or 0) / 1000 or 0
local source = metric:find "hypervisor" and "libvirt" or "kernel"

local objVS <close> = vma.CreateObject("VirtualServer.Application", nil, {
  max_age = max_age,
  counters = source == "libvirt" and "hypervisor" or "auto",
})
local machines = is_sweep and objVS.VirtualMachines
local accountant = machine and objVS:FindVirtualMachine(machine).Accountant

-- Reads, and returns a list: of sums, so that each figure of a batch counts.
local figures = {}

local function sweep(collection)
  local i = 0
  for objVM in collection do
    i = i + 1
    figures[i] = (figures[i] or 0) + objVM.Accountant.NetworkBytesSent
  end
end

local function read()
  local sum = 0
  for _ = 1, batch do
    sum = sum + accountant.NetworkBytesSent
  end
  figures[1] = sum
end

local function call()
  if machine then
    read()
  elseif metric == "sweep_listed" then
    for _ = 1, batch do
      sweep(objVS.VirtualMachines)
    end
  else
    for _ = 1, batch do
      sweep(machines)
    end
  end
end

-- A sample must be too old for the next sweep.  Not asleep: a processor that
-- had a rest is a slower one, and the other readers have none.
local function outlive_sample()
  local start = instruments.now()
  while is_sweep and instruments.now() - start <= max_age * 1e9 do end
end

local function check_sources()
  for _, entry in ipairs(objVS.Accounting) do
    if entry.source ~= source and (not machine or entry.machine == machine) then
      error(("%s, %s: read from %s: %s"):format(entry.machine, entry.device, entry.source, entry.reason))
    end
  end
end

local function add_up_call()
  for i = 1, #figures do
    figures[i] = 0
  end
  local start = instruments.now()
  call()
  return (instruments.now() - start) / batch
end

add_up_call() -- proves that the kernel's figures are libvirt's
outlive_sample()
add_up_call()
local first = table.move(figures, 1, #figures, 1, {})
for _ = 1, calls do
  outlive_sample()
  if pause > 0 then
    instruments.sleep(pause)
  end
  print(("time %.1f"):format(add_up_call()))
  for i = 1, math.max(#figures, #first) do
    assert(figures[i] == first[i], "two calls gave different figures")
  end
end
check_sources()
for i, sum in ipairs(first) do
  print(("figure %d %s"):format(sum // batch, machine or tostring(machines[i])))
end
