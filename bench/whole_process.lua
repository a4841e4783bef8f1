-- A script that runs once: whole processes, from their start to their end.

local host = require "spec.support.libvirt_host"
local readers = require "bench.readers"

local whole_process = {}

local C <const> = "build/bench/bulk_statistics"
local SCRIPT <const> = "lua5.4 bench/script.lua"
local VIRSH <const> = "virsh --quiet --readonly --connect qemu:///system domstats --interface"
local PYTHON <const> = "/usr/bin/python3 bench/libvirt_python.py"
local PERL <const> = "perl bench/sys_virt.pl"

local CONNECT <const> = "C: connect"
local SWEEP <const> = "C: virConnectGetAllDomainStats"
local GROUPS <const> = "C: the same for interfaces, disks and processors"
local VIRSH_ONE <const> = "virsh domstats --interface MACHINE"

local COUNTS_INSTRUCTIONS <const> = os.getenv "BENCH_INSTRUCTIONS" ~= "0"

-- The interval that a machine's processors are watched for.
local WATCHED <const> = 250e6

-- Name and command; `to`: the row that it is compared with; `reads`: "all", "one"
-- or nothing; `waits`: nanoseconds that it must wait, and that the ratio leaves
-- out; `key`: of an aim.
local function programs(one)
  return {
    { CONNECT, C .. " connect" },
    { "vmaccountant: connect and close", SCRIPT .. " connect", to = CONNECT, key = "connect" },
    { SWEEP, C .. " sweep 0 1 0", reads = "all" },
    { "vmaccountant: loop over all machines", SCRIPT .. " loop", to = SWEEP, reads = "all", key = "loop" },
    { "vmaccountant: the same with max_age", SCRIPT .. " loop_max_age", to = SWEEP, reads = "all" },
    { "virsh domstats --interface", VIRSH, to = SWEEP, reads = "all", key = "virsh" },
    { "libvirt-python: getAllDomainStats", PYTHON .. " sweep 0 1 0", to = SWEEP, reads = "all" },
    { "Perl Sys::Virt: get_all_domain_stats", PERL .. " sweep 0 1 0", to = SWEEP, reads = "all" },
    { VIRSH_ONE, VIRSH .. " " .. host.quote(one), reads = "one" },
    { "vmaccountant: one machine by name", SCRIPT .. " by_name " .. host.quote(one), to = VIRSH_ONE, reads = "one",
      key = "one" },
    { GROUPS, C .. " sweep_groups 0 1 0", reads = "all" },
    { "vmaccountant: examples/all_counters.lua, less 250 ms", "lua5.4 examples/all_counters.lua qemu:///system",
      to = GROUPS, reads = "all", waits = WATCHED, key = "all_counters" },
  }
end

local function is_missing(command)
  return readers.is_missing { "", command:match "^/usr/bin/python3 %S+" or command:match "^perl %S+" or command }
end

-- The bytes sent by machine in what a program prints: the readers' lines, virsh's
-- or those of the example.
local function figures_of(output)
  local figures, name = {}, nil
  for line in output:gmatch "[^\n]+" do
    local bytes, machine = line:match "^figure (%d+) (.*)$"
    name = line:match "^VMAccountant of (.*)$" or name
    bytes = bytes or line:match "^  NetworkBytesSent +(%d+)$"
    if bytes then
      figures[machine or name] = math.tointeger(tonumber(bytes))
    end
  end
  return next(figures) and figures or readers.domstats_figures(output)
end

--- Runs all programs in turn, in interleaved rounds, and compares all figures.
-- @param known  the machines: see machines.add
-- @return a list of {name =, key =, median = (nanoseconds; nil: not installed),
-- ratio = (to the program of the same kind), instructions = (of a whole process of
-- C or Lua; nil without Valgrind)}
function whole_process.measure(known, rounds)
  local one = known.names[(#known.names + 1) // 2]
  local of = programs(one)
  local wanted = { all = known.sent, one = { [one] = known.sent[one] } }
  local times, results, medians = {}, {}, {}
  for round = 1, rounds do
    for i = 1, #of do
      local k = (i + round - 2) % #of + 1
      local row = of[k]
      if not is_missing(row[2]) then
        local time, output = readers.whole(row[2])
        if row.reads then
          readers.compare(row[1], figures_of(output), wanted[row.reads])
        end
        times[k] = times[k] or {}
        table.insert(times[k], time - (row.waits or 0))
      end
    end
  end
  for k, row in ipairs(of) do
    local median = times[k] and readers.median(times[k])
    medians[row[1]] = median
    results[k] = {
      name = row[1],
      key = row.key,
      median = median,
      ratio = median and row.to and median / medians[row.to],
      instructions = COUNTS_INSTRUCTIONS and (row[2]:find(C, 1, true) or row[2]:find "^lua") and
        readers.instructions_of(row[2]),
    }
  end
  return results
end

return whole_process
