-- The benchmark of a script that runs once: whole processes, from their start to
-- their end, on a private host (see bench/run).
--
--     bench/run --once [MACHINES...]
--
-- All programs in turn, in interleaved rounds; every figure is compared between
-- all of them.  BENCH_ROUNDS (default 7) says how often.

package.path = "./?.lua;" .. package.path

local host = require "spec.support.libvirt_host"
local machines_of = require "bench.machines"
local readers = require "bench.readers"

local ADAPTERS <const> = 2
local C <const> = "build/bench/bulk_statistics"
local SCRIPT <const> = "lua5.4 bench/script.lua"
local VIRSH <const> = "virsh --quiet --readonly --connect qemu:///system domstats --interface"
local PYTHON <const> = "/usr/bin/python3 bench/libvirt_python.py"
local PERL <const> = "perl bench/sys_virt.pl"

local rounds <const> = math.tointeger(os.getenv "BENCH_ROUNDS" or 7)
local sizes <const> = {}
for i = 1, #arg do
  sizes[i] = math.tointeger(tonumber(arg[i]))
  if not sizes[i] or sizes[i] <= (sizes[i - 1] or 0) then
    io.stderr:write("usage: bench/run --once [MACHINES...], each number above the one before\n")
    os.exit(2)
  end
end
if #sizes == 0 then
  table.move({ 10, 50, 150, 400 }, 1, 4, 1, sizes)
end

-- Name, command, the row that it is compared with, what it reads: "all", "one"
-- or nothing; of virsh the output is another.
local function programs(one)
  return {
    { "C: connect", C .. " connect" },
    { "vmaccountant: connect and close", SCRIPT .. " connect", "C: connect" },
    { "C: virConnectGetAllDomainStats", C .. " sweep 0 1 0", nil, "all" },
    { "vmaccountant: loop over all machines", SCRIPT .. " loop", "C: virConnectGetAllDomainStats", "all" },
    { "vmaccountant: the same with max_age", SCRIPT .. " loop_max_age", "C: virConnectGetAllDomainStats", "all" },
    { "virsh domstats --interface", VIRSH, "C: virConnectGetAllDomainStats", "all" },
    { "libvirt-python: getAllDomainStats", PYTHON .. " sweep 0 1 0", "C: virConnectGetAllDomainStats", "all" },
    { "Perl Sys::Virt: get_all_domain_stats", PERL .. " sweep 0 1 0", "C: virConnectGetAllDomainStats", "all" },
    { "virsh domstats --interface MACHINE", VIRSH .. " " .. host.quote(one), nil, "one" },
    { "vmaccountant: one machine by name", SCRIPT .. " by_name " .. host.quote(one),
      "virsh domstats --interface MACHINE", "one" },
  }
end

local function is_missing(command)
  return readers.is_missing { "", command:match "^/usr/bin/python3 %S+" or command:match "^perl %S+" or command }
end

local function figures_of(output)
  local figures = {}
  for line in output:gmatch "[^\n]+" do
    local bytes, name = line:match "^figure (%d+) (.*)$"
    if bytes then
      figures[name] = math.tointeger(tonumber(bytes))
    end
  end
  return next(figures) and figures or readers.domstats_figures(output)
end

local function measure(known)
  local one = known.names[(#known.names + 1) // 2]
  local of = programs(one)
  local wanted = { all = known.sent, one = { [one] = known.sent[one] } }
  for round = 1, rounds do
    for i = 1, #of do
      local row = of[(i + round - 2) % #of + 1]
      if not is_missing(row[2]) then
        local time, output = readers.whole(row[2])
        if row[4] then
          readers.compare(row[1], figures_of(output), wanted[row[4]])
        end
        row.times = row.times or {}
        table.insert(row.times, time)
      end
    end
  end
  local medians = {}
  print(("\n%d machines with %d adapters each\n%-44s %10s %10s"):format(#known.names, ADAPTERS, "", "median", "ratio"))
  for _, row in ipairs(of) do
    medians[row[1]] = row.times and readers.median(row.times)
    local to = row[3] and medians[row[3]]
    print(row.times and ("%-44s %7.1f ms %s"):format(row[1], medians[row[1]] / 1e6,
      to and ("%10.2f"):format(medians[row[1]] / to) or "") or ("%-44s not installed"):format(row[1]))
  end
end

host.start()
local known <const> = { names = {}, devices = {}, sent = {} }
for i, count in ipairs(sizes) do
  machines_of.add(known, count - #known.names, ADAPTERS, ("idle%d-"):format(i))
  measure(known)
end
print "\nThe figures of all programs agreed. A ratio is to the C program, or to virsh, of the same kind."
host.destroy_all()
