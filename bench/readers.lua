-- The benchmark's readers: what is measured, and how it is run and compared.

local host = require "spec.support.libvirt_host"
local instruments = assert(package.loadlib("build/bench/instruments.so", "luaopen_instruments"))()

local readers = {}

-- The file that kernel_exchange takes.
readers.TAPS = host.folder .. "/bench.taps"

local URI <const> = "qemu:///system"
local LUA_PATHS <const> = ("LUA_CPATH_5_4=%s"):format(host.quote("build/bench/?.so;" .. package.cpath))
local LUA <const> = "lua5.4 bench/accountants.lua"
local C <const> = "build/bench/bulk_statistics"
local KERNEL <const> = "build/bench/kernel_exchange"
local PYTHON <const> = "/usr/bin/python3 bench/libvirt_python.py"
local PERL <const> = "perl bench/sys_virt.pl"

-- What each needs, as a shell command that fails where it is missing.
local NEEDS <const> = {
  [PYTHON] = "/usr/bin/python3 -c 'import libvirt'",
  [PERL] = "perl -MSys::Virt -e 1",
  ["/usr/bin/python3 bench/exporter.py"] = "command -v prometheus-libvirt-exporter && /usr/bin/python3 -c ''",
}

-- Tables of rows: name, command, metric, and what is unlike the table's calls
-- and batch (see bench/reader.h); max_age is in milliseconds, or "a sweep": more
-- than one through libvirt takes.  A table's first row is what the others are
-- compared with.  virsh cannot time itself and is started for each call.
readers.SWEEPS = {
  title = "sweep: the bytes sent by each of all machines",
  calls = 5,
  { "C: virConnectGetAllDomainStats", C, "sweep" },
  { "vmaccountant: held collection, live", LUA, "sweep", calls = 20, key = "live" },
  { "vmaccountant: held collection, max_age", LUA, "sweep_max_age", calls = 20, max_age = 2, key = "max_age" },
  { "vmaccountant: listed again, live", LUA, "sweep_listed", calls = 20, key = "listed" },
  { "vmaccountant: through libvirt only, max_age", LUA, "sweep_hypervisor", max_age = "a sweep", key = "hypervisor" },
  { "C: one bare RTM_GETSTATS dump", KERNEL, "dump", calls = 20, taps = true, key = "dump" },
  { "libvirt-python: getAllDomainStats", PYTHON, "sweep" },
  { "libvirt-python: interfaceStats per adapter", PYTHON, "sweep_each", calls = 3 },
  { "Perl Sys::Virt: get_all_domain_stats", PERL, "sweep" },
  { "Perl Sys::Virt: interface_stats per adapter", PERL, "sweep_each", calls = 3 },
  { "virsh domstats --interface", calls = 3 },
  { "prometheus-libvirt-exporter: one scrape", "/usr/bin/python3 bench/exporter.py", "sweep", calls = 3 },
}

-- What a program sees that sweeps now and then: the processor's caches hold
-- other things by then.
readers.RESTED = {
  title = "sweep after 50 ms of sleep",
  calls = 10,
  pause = 50,
  { "C: virConnectGetAllDomainStats", C, "sweep" },
  { "vmaccountant: held collection, live", LUA, "sweep" },
  { "vmaccountant: held collection, max_age", LUA, "sweep_max_age", max_age = 2 },
  { "vmaccountant: listed again, live", LUA, "sweep_listed" },
}

local function reads(adapters)
  return {
    title = ("read: the bytes sent by one machine with %s"):format(adapters),
    calls = 20,
    { "C: virDomainInterfaceStats per adapter", C, "read" },
    { "vmaccountant: held accountant, live", LUA, "read", batch = 1000, key = "live" },
    { "vmaccountant: held accountant, max_age", LUA, "read_max_age", batch = 1000, key = "max_age" },
    { "vmaccountant: through libvirt only, live", LUA, "read_hypervisor", key = "hypervisor" },
    { "C: bare RTM_GETSTATS per adapter", KERNEL, "read", batch = 1000, taps = true, key = "bare" },
    { "C: virDomainListGetStats", C, "read_bulk" },
    { "libvirt-python: interfaceStats per adapter", PYTHON, "read" },
    { "Perl Sys::Virt: interface_stats per adapter", PERL, "read" },
    { "virsh domstats --interface MACHINE", calls = 5 },
  }
end

readers.READS_ONE = reads "1 adapter"
readers.READS_EACH = reads "all its adapters"

-- One run ---------------------------------------------------------------------

local function run_reader(command)
  local times, figures = {}, {}
  for line in host.shell("timeout 120 " .. command):gmatch("[^\n]+") do
    local time = line:match("^time ([%d.]+)$")
    local bytes, name = line:match("^figure (%d+) (.*)$")
    if time then
      times[#times + 1] = tonumber(time)
    elseif bytes then
      figures[name] = math.tointeger(tonumber(bytes))
    else
      error(command .. ": " .. line)
    end
  end
  return times, figures
end

local function domstats(machine)
  local command = ("timeout 120 virsh --quiet --readonly --connect %s domstats --interface %s")
    :format(URI, machine or "")
  local start = instruments.now()
  local pipe = assert(io.popen(command))
  local output = pipe:read("a")
  pipe:close()
  return output, instruments.now() - start
end

-- The figures by machine in what virsh domstats prints.
function readers.domstats_figures(output)
  local figures, name = {}, nil
  for line in output:gmatch("[^\n]+") do
    name = line:match("^Domain: '(.*)'$") or name
    local bytes = line:match("^%s*net%.%d+%.tx%.bytes=(%d+)$")
    figures[name] = (figures[name] or 0) + math.tointeger(tonumber(bytes or 0))
  end
  return figures
end

local function run_virsh(calls, machine)
  local times, figures = {}, {}
  for i = 1, calls do
    local output
    output, times[i] = domstats(machine)
    figures = readers.domstats_figures(output)
  end
  return times, figures
end

-- Runs a command to its end; returns nanoseconds, and what it printed.
function readers.whole(command)
  local start = instruments.now()
  local pipe = assert(io.popen(("timeout 120 env %s %s"):format(LUA_PATHS, command)))
  local output = pipe:read("a")
  if not pipe:close() then
    error(command .. " has failed")
  end
  return instruments.now() - start, output
end

-- The devices of each machine, by name.
function readers.devices()
  local devices, name = {}, nil
  for line in domstats():gmatch("[^\n]+") do
    name = line:match("^Domain: '(.*)'$") or name
    devices[name] = devices[name] or {}
    table.insert(devices[name], line:match("^%s*net%.%d+%.name=(.*)$"))
  end
  return devices
end

function readers.is_missing(row)
  return NEEDS[row[2]] ~= nil and not os.execute("{ " .. NEEDS[row[2]] .. "; } >/dev/null")
end

-- The command of a row of that table, for so many calls of batches.
function readers.command(row, machine, calls, batch, pause, max_age)
  local what = row.taps and readers.TAPS or machine or max_age or ""
  return ("%s %s %d %d %d %s"):format(row[2], row[3], calls, batch, pause, what)
end

-- Runs a row once.
-- @param sweep  milliseconds: the max_age of a row that has "a sweep"
-- @return the times of its calls in nanoseconds, and the figures by machine
function readers.run(of, row, machine, sweep)
  local calls = row.calls or of.calls
  local max_age = row.max_age == "a sweep" and sweep or row.max_age
  if not row[2] then
    return run_virsh(calls, machine)
  end
  return run_reader("env " .. LUA_PATHS .. " " ..
    readers.command(row, machine, calls, row.batch or 1, of.pause or 0, max_age))
end

-- Raises unless the figures by machine are the expected ones.
function readers.compare(label, figures, expected)
  for name, bytes in pairs(expected) do
    if figures[name] ~= bytes then
      error(("%s: %s has sent %s bytes, not %s"):format(label, name, bytes, figures[name]))
    end
  end
  for name in pairs(figures) do
    if not expected[name] then
      error(("%s: no machine %s is expected"):format(label, name))
    end
  end
end

-- The middle of the values, which it sorts.
function readers.median(values)
  table.sort(values)
  local middle = #values // 2
  return #values % 2 == 1 and values[middle + 1] or (values[middle] + values[middle + 1]) / 2
end

-- Other than time -------------------------------------------------------------

-- The instructions of a whole process; nil without Valgrind.  Not those of the
-- kernel, nor libvirtd's.
function readers.instructions_of(command)
  if not os.execute("command -v valgrind >/dev/null 2>&1") then
    return nil
  end
  local output = host.shell(("env %s timeout 300 valgrind --tool=callgrind --callgrind-out-file=/dev/null %s")
    :format(LUA_PATHS, command))
  return tonumber(output:match("Collected : (%d+)"))
end

-- The instructions of one read by a row of a table, in its own process: those
-- of a run with one more call of a batch, less those of a run without, so that
-- what happens once is none of it.  Of each run the lesser of two counts: the
-- thread that hears libvirt's events has sometimes more to do and sometimes less.
function readers.instructions(row, machine, batch)
  local function count(calls)
    local command = readers.command(row, machine, calls, batch, 0)
    local once = readers.instructions_of(command)
    return once and math.min(once, readers.instructions_of(command))
  end
  local more = count(2)
  return more and (more - count(1)) / batch
end

-- Without the allocator's caches, which differ from run to run, and with one
-- arena, since mallinfo2 reports only the first one.
local TUNABLES <const> = "GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1"

-- What bench/footprint.lua reports, and as `libvirt` the heap of a C program that
-- holds the same machines.
function readers.footprint(machine, count)
  local reported = {}
  local output = host.shell(("env %s %s timeout 300 lua5.4 bench/footprint.lua %s %d")
    :format(TUNABLES, LUA_PATHS, host.quote(machine), count))
  for name, number in output:gmatch("(%a+)%s+(%-?%d+)") do
    reported[name] = math.tointeger(tonumber(number))
  end
  reported.libvirt = math.tointeger(tonumber(host.shell("env " .. TUNABLES .. " " .. C .. " hold"):match("heap (%d+)")))
  return reported
end

return readers
