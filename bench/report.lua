-- The benchmark's report: its tables, the record RESULTS.md and its plot.

local host = require "spec.support.libvirt_host"

local report = {}

local QUIET <const> = 0.5 -- the load average above which a record is no good one

-- In the unit that suits the number.
local function duration(nanoseconds)
  if nanoseconds < 1e4 then
    return ("%.2f µs"):format(nanoseconds / 1e3)
  elseif nanoseconds < 1e6 then
    return ("%.1f µs"):format(nanoseconds / 1e3)
  end
  return ("%.2f ms"):format(nanoseconds / 1e6)
end

-- How much longer or shorter than the yardstick, in three digits.
local function ratio(time, yardstick)
  local times = time / yardstick
  if times == 1 then
    return "1"
  elseif times > 0.95 then
    return ("%.2f times"):format(times)
  elseif times > 0.1 then
    return ("1/%.2f"):format(1 / times)
  end
  return ("1/%.0f"):format(1 / times)
end

local function grouped(number)
  local digits = ("%.0f"):format(number):reverse():gsub("(%d%d%d)%f[%d]", "%1 ")
  return digits:reverse()
end

-- The median of the row of that key, or another field of it.
local function of(rows, key, field)
  for _, row in ipairs(rows) do
    if row.key == key then
      return row[field or "median"]
    end
  end
  error("no row " .. key)
end

-- Which of the sizes the aims speak of.
function report.reference(sizes)
  return #sizes // 2 + 1
end

-- On the terminal -------------------------------------------------------------

-- The format counts bytes, and µ has two.
local function pad_left(text, width)
  return (" "):rep(width - utf8.len(text)) .. text
end

local function print_table(rows)
  print(("\n%-48s %s %s"):format(rows.title, pad_left("median", 12), pad_left("to the first", 13)))
  for _, row in ipairs(rows) do
    if row.median then
      print(("%-48s %s %s"):format(row.name, pad_left(duration(row.median), 12),
        pad_left(ratio(row.median, rows[1].median), 13)))
    else
      print(("%-48s %s"):format(row.name, pad_left("not installed", 12)))
    end
  end
end

-- The rows of whole_process.measure.
function report.print_once(rows)
  print(("%-54s %12s %7s %15s"):format("a script that runs once", "median", "ratio", "instructions"))
  for _, row in ipairs(rows) do
    print(("%-54s %s %7s %15s"):format(row.name, pad_left(row.median and duration(row.median) or "not installed", 12),
      row.ratio and ("%.2f"):format(row.ratio) or "", row.instructions and grouped(row.instructions) or ""))
  end
end

function report.print(sizes, size)
  print(("\n%d machines with %d adapters each; %d rounds; libvirt %s"):format(size.machines, sizes.adapters,
    sizes.rounds, host.virsh("version"):match("Using library: libvirt (%S+)")))
  for _, name in ipairs { "sweeps", "rested", "reads_one", "reads_each" } do
    if size[name] then
      print_table(size[name])
    end
  end
  if size.once then
    print()
    report.print_once(size.once)
  end
end

-- RESULTS.md ------------------------------------------------------------------

local function markdown_table(lines, heads, rows)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "| " .. table.concat(heads, " | ") .. " |"
  lines[#lines + 1] = "|---" .. ("|---:"):rep(#heads - 1) .. "|"
  for _, row in ipairs(rows) do
    lines[#lines + 1] = "| " .. table.concat(row, " | ") .. " |"
  end
  lines[#lines + 1] = ""
end

local function add(lines, ...)
  for _, line in ipairs { ... } do
    lines[#lines + 1] = line
  end
end

local function first_line(command)
  local ok, output = host.try_shell(command)
  return ok and output:match("[^\n]+") or "unknown"
end

local function add_machine(lines, sizes, started)
  local cpus = host.read_file("/proc/cpuinfo")
  local _, cores = cpus:gsub("processor%s*:", "")
  local system = (host.read_file("/etc/os-release") or ""):match('PRETTY_NAME="([^"]*)"') or "unknown"
  local virtual = cpus:find("%f[%w]hypervisor%f[%W]") and ", itself virtual" or ""
  markdown_table(lines, { "machine", "" }, {
    { "date", started.date },
    { "processor", ("%s, %d cores%s"):format(cpus:match("model name%s*: ([^\n]*)") or "unknown", cores, virtual) },
    { "memory", ("%.1f GiB"):format(host.read_file("/proc/meminfo"):match("MemTotal:%s*(%d+)") / 2 ^ 20) },
    { "system", ("%s, Linux %s"):format(system, first_line("uname -r")) },
    { "libvirt", host.virsh("version"):match("Using library: libvirt (%S+)") },
    { "QEMU", first_line("qemu-system-x86_64 --version"):match("version (%S+)") },
    { "Lua", first_line("lua5.4 -v"):match("Lua (%S+)") },
    { "libvirt's clients in Python, Perl, Go", table.concat({
      first_line("/usr/bin/python3 -c 'import libvirt; print(libvirt.getVersion())'"),
      first_line([[perl -MSys::Virt -e 'print "$Sys::Virt::VERSION\n"']]),
      first_line("dpkg-query --show --showformat='${Version}\n' prometheus-libvirt-exporter"),
    }, ", ") },
    { "load average before the run", started.load },
    { "rounds", tostring(sizes.rounds) },
  })
end

-- The medians of the rows at each size.
-- @param key  of a size: its rows
-- @param to  the head of their ratios
-- @param ratio_of  a function of a row and all rows of its size
local function add_by_size(lines, sizes, key, head, to, ratio_of)
  local heads, rows = { head }, {}
  for i, size in ipairs(sizes) do
    heads[2 * i] = ("%d × %d adapters"):format(size.machines, sizes.adapters)
    heads[2 * i + 1] = to
    for k, row in ipairs(size[key]) do
      rows[k] = rows[k] or { row.name }
      rows[k][2 * i] = row.median and duration(row.median) or "not installed"
      rows[k][2 * i + 1] = row.median and ratio_of(row, size[key]) or ""
    end
  end
  markdown_table(lines, heads, rows)
end

local function add_times(lines, of_rows)
  local rows = {}
  for i, row in ipairs(of_rows) do
    rows[i] = {
      row.name, row.median and duration(row.median) or "not installed",
      row.median and ratio(row.median, of_rows[1].median) or "",
    }
  end
  markdown_table(lines, { of_rows.title, "median", "to C" }, rows)
end

local function per_adapter(size, key)
  return of(size.sweeps, key) / size.adapters
end

local function add_once(lines, sizes)
  add_by_size(lines, sizes, "once", "whole process", "ratio", function(row)
    return row.ratio and ("%.2f"):format(row.ratio) or ""
  end)
  local heads, rows = { "instructions of a whole process" }, {}
  for i, size in ipairs(sizes) do
    heads[i + 1] = ("%d × %d adapters"):format(size.machines, sizes.adapters)
    local line = 0
    for _, row in ipairs(size.once) do
      if row.instructions then
        line = line + 1
        rows[line] = rows[line] or { row.name }
        rows[line][i + 1] = grouped(row.instructions)
      end
    end
  end
  if #rows > 0 then
    add(lines, "Instructions by Callgrind, which noise does not touch, without those of the kernel and of libvirtd.")
    markdown_table(lines, heads, rows)
  end
end

local function add_growth(lines, sizes)
  local heads, rows = { "time per adapter" }, {}
  for i, size in ipairs(sizes) do
    heads[i + 1] = size.adapters .. " adapters"
    for k, row in ipairs(size.sweeps) do
      rows[k] = rows[k] or { row.name }
      rows[k][i + 1] = row.median and duration(row.median / size.adapters) or ""
    end
  end
  heads[#heads + 1] = "last to first"
  for k, row in ipairs(sizes[1].sweeps) do
    local last = sizes[#sizes].sweeps[k].median
    rows[k][#heads] = last and ("%.2f"):format(last / sizes[#sizes].adapters / (row.median / sizes[1].adapters)) or ""
  end
  markdown_table(lines, heads, rows)
end

-- The aims, and whether they are met.
-- Bytes of each machine beyond what libvirt itself takes of it, by what more
-- machines take: the connection's own memory is the same.
local function memory_of_machine(sizes, reference)
  local fewer, more = sizes[1].footprint, reference.footprint
  return ((more.heap - fewer.heap) - (more.libvirt - fewer.libvirt)) / (more.machines - fewer.machines)
end

local function aims(sizes, reference)
  local sweeps, one, footprint = reference.sweeps, reference.reads_one, reference.footprint
  local rows = {}
  local function aim(what, wanted, measured, is_met)
    rows[#rows + 1] = { what, wanted, measured, is_met and "yes" or "**no**" }
  end
  local function faster(what, wanted, times)
    aim(what, ("at least %d times faster"):format(wanted), ("%.1f times"):format(times), times >= wanted)
  end
  local function growth(key)
    return per_adapter(sizes[#sizes], key) / per_adapter(sizes[1], key)
  end
  faster("one live read of a held accountant, 1 adapter, to `virDomainInterfaceStats`", 40,
    one[1].median / of(one, "live"))
  local above = of(one, "live") - of(one, "bare")
  aim("the same, above the bare RTM_GETSTATS exchange", "at most 3 µs", duration(above), above <= 3000)
  faster("live sweep of a held collection, to `virConnectGetAllDomainStats`", 80,
    sweeps[1].median / of(sweeps, "live"))
  faster("the same with `max_age`", 300, sweeps[1].median / of(sweeps, "max_age"))
  faster("listed again and swept live", 25, sweeps[1].median / of(sweeps, "listed"))
  local once = sizes[report.reference(sizes) - 1] or reference
  local at = (" (a script that runs once; %d machines)"):format(once.machines)
  local function at_most(what, wanted, times)
    aim(what .. at, ("at most %g times"):format(wanted), ("%.2f times"):format(times), times <= wanted)
  end
  local loop = of(once.once, "loop")
  at_most("the loop over all machines, to `virsh domstats --interface`", 0.7, loop / of(once.once, "virsh"))
  at_most("the same, to the C program's bulk call", 1.0, of(once.once, "loop", "ratio"))
  local first, last = sizes[1], sizes[#sizes]
  local growth_once = of(last.once, "loop") / last.adapters / (of(first.once, "loop") / first.adapters)
  aim(("its time per adapter at %d adapters to that at %d"):format(last.adapters, first.adapters), "at most 1.3",
    ("%.2f"):format(growth_once), growth_once <= 1.3)
  at_most("one machine by name, to `virsh domstats --interface NAME`", 1.1, of(once.once, "one", "ratio"))
  at_most("connect and close, to the C program", 1.2, of(once.once, "connect", "ratio"))
  at_most("examples/all_counters.lua less 250 ms, to the C program's bulk call", 1.2,
    of(once.once, "all_counters", "ratio"))
  local growths = { growth "live", growth "max_age" }
  aim(("time per adapter at %d adapters to that at %d: live; `max_age`"):format(sizes[#sizes].adapters,
    sizes[1].adapters), "at most 1.3", ("%.2f; %.2f"):format(growths[1], growths[2]),
    math.max(growths[1], growths[2]) <= 1.3)
  local hypervisor = of(sweeps, "hypervisor") / sweeps[1].median
  aim("through libvirt only, with `max_age`, to the C program's bulk call", "at most 1.1 times",
    ("%.3f times"):format(hypervisor), hypervisor <= 1.1)
  aim("every figure compared between the sources", "all agree", "all agreed, or there were no record", true)
  local held = memory_of_machine(sizes, reference)
  aim("memory of a machine held, beyond libvirt's own", "at most 1536 bytes", ("%.0f bytes"):format(held),
    held <= 1536)
  aim("growth of the heap over 10^6 live reads", "none", grouped(footprint.growth) .. " bytes",
    footprint.growth <= 0)
  aim("Lua garbage of 10^6 live reads", "0 bytes", grouped(footprint.garbage) .. " bytes", footprint.garbage == 0)
  return rows
end

local function add_memory(lines, sizes, reference)
  local rows, footprint = {}, reference.footprint
  for _, one in ipairs { sizes[1].footprint, footprint } do
    rows[#rows + 1] = { ("heap of an application with %d machines, held and read"):format(one.machines),
      grouped(one.heap) .. " bytes" }
    rows[#rows + 1] = { "heap of the same machines in a C program, held as virDomainPtr",
      grouped(one.libvirt) .. " bytes" }
  end
  markdown_table(lines, { "memory", "" }, table.move({
    { "each machine more, less what it takes in C", ("%.0f bytes"):format(memory_of_machine(sizes, reference)) },
    { "growth of the heap over 10^6 live reads", grouped(footprint.growth) .. " bytes" },
    { "growth of resident memory over them", grouped(footprint.resident) .. " bytes" },
    { "Lua garbage of 10^6 live reads", grouped(footprint.garbage) .. " bytes" },
  }, 1, 4, #rows + 1, rows))
end

local function add_instructions(lines, instructions)
  local rows = {}
  for i, entry in ipairs(instructions) do
    rows[i] = { entry.name, grouped(entry.count) }
  end
  markdown_table(lines, { "instructions of one read", "" }, rows)
end

local function write_results(path, sizes, started)
  local reference = sizes[report.reference(sizes)]
  local lines = {}
  add(lines, "# What reading the bytes sent costs", "",
    "Written by `make bench` (root, 8 GiB, a quarter of an hour): one run on a private host with idle QEMU machines",
    "whose taps are real. All clients in turn, in rounds that start with another one each; medians over all calls.",
    "Every count of every call is compared between all clients, libvirt's and the kernel's, and must agree, or the",
    "run fails. \"To C\" compares with a C program that makes the one best call to libvirt.")
  add_machine(lines, sizes, started)
  -- A client of libvirt waits for the daemon's turn, too.
  if tonumber(started.load) > QUIET then
    add(lines, "**The machine was not quiet.** Load slows the clients of libvirt, which wait for another process, more",
      "than reads from the kernel: the times are too long and the ratios too good. Run it where nothing else runs.", "")
  end
  add(lines, "## Aims", "",
    ("With %d machines with %d adapters each, where nothing else is said."):format(reference.machines, sizes.adapters))
  markdown_table(lines, { "aim", "wanted", "measured", "met" }, aims(sizes, reference))
  add(lines, "## A sweep over all machines", "", "![Cost of a sweep by number of adapters](results.svg)", "",
    "Back to back, without a pause. *Held*: the collection is kept. *Live*: each count is read from the kernel when",
    "it is read. *max_age*: one dump of all devices serves the whole sweep, and never the next one.")
  add_by_size(lines, sizes, "sweeps", "client", "to C", function(row, rows)
    return ratio(row.median, rows[1].median)
  end)
  add_growth(lines, sizes)
  add(lines, ("With %d machines, each sweep after 50 ms of sleep, as of a program that reads now and then:")
    :format(reference.machines))
  add_times(lines, reference.rested)
  add(lines, "## One machine", "",
    ("On a host with %d machines with %d adapters and one with 1."):format(reference.machines, sizes.adapters))
  add_times(lines, reference.reads_one)
  add_times(lines, reference.reads_each)
  if #reference.instructions > 0 then
    add(lines, "Instructions in the reading process, by Callgrind: of a run with one more batch, less one without.",
      "Those of the kernel and of libvirtd are not in it.")
    add_instructions(lines, reference.instructions)
  end
  add(lines, "## A script that runs once", "",
    "Whole processes, from their start to their end, in interleaved rounds. A ratio is to the C program, or to",
    "virsh, of the same kind. `bench/run --once [MACHINES...]` measures these alone.")
  add_once(lines, sizes)
  add(lines, "## Memory", "",
    "Heap is what malloc has given and not got back (mallinfo2), Lua's objects among it, after a full collection.")
  add_memory(lines, sizes, reference)
  lines[#lines] = nil
  host.write_file(path, table.concat(lines, "\n") .. "\n")
end

-- The plot --------------------------------------------------------------------

-- As they follow each other in the key: from the dearest to the cheapest.
local function plotted(sizes)
  local curves = {}
  for k, row in ipairs(sizes[1].sweeps) do
    if row.median then
      curves[#curves + 1] = { name = row.name, row = k, last = sizes[#sizes].sweeps[k].median }
    end
  end
  table.sort(curves, function(a, b) return a.last > b.last end)
  return curves
end

-- Ours strong and bold, the others' thin and muted, none like another.
local OURS <const> = { "#d7191c", "#fd8d3c", "#7b1fa2", "#1565c0" }
local OTHERS <const> = { "#555555", "#8d6e63", "#2e7d32", "#00838f", "#9e9d24", "#ad1457", "#78909c", "#000000" }

local function new_style()
  local ours, others = 0, 0
  return function(curve)
    if curve.name:find "^vmaccountant" then
      ours = ours + 1
      return ("pointtype 7 pointsize 0.7 linewidth 3 linecolor rgb %q"):format(OURS[ours])
    end
    others = others + 1
    return ("pointtype %d pointsize 0.7 linewidth 1.2 dashtype 2 linecolor rgb %q"):format(others, OTHERS[others])
  end
end

local function write_plot(path, sizes)
  local ticks, data, plots, style = {}, {}, {}, new_style()
  for i, size in ipairs(sizes) do
    ticks[i] = tostring(size.adapters)
  end
  for i, curve in ipairs(plotted(sizes)) do
    data[#data + 1] = ("$curve%d << END"):format(i)
    for _, size in ipairs(sizes) do
      data[#data + 1] = ("%d %.4f"):format(size.adapters, size.sweeps[curve.row].median / 1e6)
    end
    data[#data + 1] = "END"
    plots[i] = ("$curve%d with linespoints %s title %q"):format(i, style(curve), curve.name)
  end
  local script = ([[
set terminal svg size 1100,600 font "sans-serif,13" background "white"
set output %q
set title "A sweep over all machines: the bytes sent by each (median; lower is better)"
set logscale xy
set xlabel "network adapters on the host"
set ylabel "milliseconds"
set xtics (%s)
set xrange [%d*0.9:%d*1.1]
set format y "%%g"
set grid ytics mytics xtics linecolor rgb "#d0d0d0", linecolor rgb "#eeeeee"
set key outside right center reverse Left spacing 1.4 noenhanced
%s
plot %s
]]):format(path, table.concat(ticks, ", "), sizes[1].adapters, sizes[#sizes].adapters, table.concat(data, "\n"),
    table.concat(plots, ", \\\n  "))
  host.shell("gnuplot " .. host.quote(host.write_file(host.folder .. "/results.gnuplot", script)))
end

function report.write(folder, sizes, started)
  write_results(folder .. "/RESULTS.md", sizes, started)
  if os.execute("command -v gnuplot >/dev/null 2>&1") then
    write_plot(folder .. "/results.svg", sizes)
  end
  print(("The record is in %s/RESULTS.md"):format(folder))
end

return report
