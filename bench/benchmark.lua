-- The benchmark, inside the private host: see bench/run.

package.path = "./?.lua;" .. package.path

local host = require "spec.support.libvirt_host"
local machines_of = require "bench.machines"
local readers = require "bench.readers"
local report = require "bench.report"
local whole_process = require "bench.whole_process"

local READS <const> = 1000000

local function fail_usage()
  io.stderr:write("usage: bench/run MACHINES [ADAPTERS_EACH]\n       bench/run [--record [FOLDER [MACHINES...]]]\n")
  os.exit(2)
end

local function check_count(text)
  local count = math.tointeger(tonumber(text))
  return count and count > 0 and count or fail_usage()
end

local function read_arguments()
  local options = { rounds = check_count(os.getenv("BENCH_ROUNDS") or "7"), adapters = 2 }
  options.sizes = { 50, 150, 200, 400 }
  if arg[1] and arg[1] ~= "--record" then
    options.sizes = { check_count(arg[1]) }
    options.adapters = check_count(arg[2] or "2")
    return not arg[3] and options or fail_usage()
  end
  options.folder = arg[2] or "bench"
  if arg[3] then
    options.sizes = {}
  end
  for i = 3, #arg do
    options.sizes[i - 2] = check_count(arg[i])
    if i > 3 and options.sizes[i - 2] <= options.sizes[i - 3] then
      fail_usage()
    end
  end
  return options
end

local options <const> = read_arguments()

-- Measuring -------------------------------------------------------------------

-- Measures all tables in interleaved rounds, another row first each time, and
-- returns for each a list of {name =, key =, median = (nil: not installed)}.
-- of: a list of {table =, machine = (of reads)}
local function measure(of, expected, sweep)
  local results = {}
  for t, entry in ipairs(of) do
    results[t] = { title = entry.table.title }
    for i, row in ipairs(entry.table) do
      results[t][i] = { name = row[1], key = row.key, times = not readers.is_missing(row) and {} or nil }
    end
  end
  for round = 1, options.rounds do
    for t, entry in ipairs(of) do
      local wanted = entry.machine and { [entry.machine] = expected[entry.machine] } or expected
      machines_of.write_taps(entry.machine and { entry.machine } or entry.names, entry.devices)
      for i = 1, #entry.table do
        local k = (i + round - 2) % #entry.table + 1
        local result = results[t][k]
        if result.times then
          local times, figures = readers.run(entry.table, entry.table[k], entry.machine, sweep)
          readers.compare(result.name, figures, wanted)
          table.move(times, 1, #times, #result.times + 1, result.times)
        end
      end
    end
  end
  for _, result in ipairs(results) do
    for _, row in ipairs(result) do
      row.median = row.times and readers.median(row.times)
    end
  end
  return results
end

-- Milliseconds, more than a sweep through libvirt takes.
local function longer_than_sweep()
  local times = readers.run({ calls = 5 }, readers.SWEEPS[1])
  return math.ceil(1.5 * readers.median(times) / 1e6) + 1
end

local function measure_instructions(one, each, machine_count)
  local found = {}
  local function add(name, row, machine, batch, per)
    if not readers.is_missing(row) then
      local count = readers.instructions(row, machine, batch)
      found[#found + 1] = count and { name = name, count = count / (per or 1) }
    end
  end
  local reads = readers.READS_ONE
  machines_of.write_taps({ one.name }, { [one.name] = one.devices })
  add("vmaccountant: live, 1 adapter", reads[2], one.name, 20000)
  add("vmaccountant: live, all adapters of a machine with several", reads[2], each, 20000)
  add("vmaccountant: from a sample under max_age", reads[3], one.name, 20000)
  add("vmaccountant: live, each machine of a sweep", readers.SWEEPS[2], nil, 20, machine_count)
  add("C: virDomainInterfaceStats, 1 adapter (libvirt's client side)", reads[1], one.name, 1000)
  add("C: bare RTM_GETSTATS, 1 adapter", reads[5], one.name, 10000)
  return found
end

-- One size: sweeps, and for the one that the aims speak of all the rest.
local function measure_size(machines, with_rest)
  local size = { machines = #machines.names, adapters = #machines.names * options.adapters }
  local names = table.move(machines.names, 1, #machines.names, 1, {})
  local function entry(of, machine)
    return { table = of, machine = machine, names = names, devices = machines.devices }
  end
  local sweeps = { entry(readers.SWEEPS) }
  if with_rest then
    sweeps[2] = entry(readers.RESTED)
  end
  local results = measure(sweeps, machines.sent, longer_than_sweep())
  size.sweeps, size.rested = results[1], results[2]
  local each = names[(#names + 1) // 2]
  if options.folder then
    size.footprint = readers.footprint(each, with_rest and READS or 10000)
    size.once = whole_process.measure(machines, options.rounds)
  end
  if not with_rest then
    return size
  end

  local single = machines_of.add(machines, 1, 1, "single-")[1]
  results = measure({ entry(readers.READS_ONE, single), entry(readers.READS_EACH, each) }, machines.sent)
  size.reads_one, size.reads_each = results[1], results[2]
  size.reads_each.title = size.reads_each.title:gsub("all its adapters", options.adapters .. " adapters")
  if options.folder then
    local one = { name = single, devices = machines.devices[single] }
    size.instructions = measure_instructions(one, each, #names + 1)
  end
  host.virsh("destroy", single)
  machines.sent[single] = nil
  table.remove(machines.names)
  return size
end

host.start()
local started <const> = { load = host.read_file("/proc/loadavg"):match("^%S+"), date = os.date("!%Y-%m-%d") }
local machines <const> = { names = {}, devices = {}, sent = {} }
local sizes = { adapters = options.adapters, rounds = options.rounds }
for i, count in ipairs(options.sizes) do
  machines_of.add(machines, count - #machines.names, options.adapters, ("idle%d-"):format(i))
  sizes[i] = measure_size(machines, i == report.reference(options.sizes))
  report.print(sizes, sizes[i])
end
print "\nThe figures of all readers agreed."
if options.folder then
  report.write(options.folder, sizes, started)
end

host.destroy_all()
