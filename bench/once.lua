-- The benchmark of a script that runs once: whole processes, from their start to
-- their end, on a private host (see bench/run).
--
--     bench/run --once [MACHINES...]
--
-- BENCH_ROUNDS (default 7) says how often.

package.path = "./?.lua;" .. package.path

local host = require "spec.support.libvirt_host"
local machines_of = require "bench.machines"
local report = require "bench.report"
local whole_process = require "bench.whole_process"

local ADAPTERS <const> = 2

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

host.start()
local known <const> = { names = {}, devices = {}, sent = {} }
for i, count in ipairs(sizes) do
  machines_of.add(known, count - #known.names, ADAPTERS, ("idle%d-"):format(i))
  print(("\n%d machines with %d adapters each"):format(count, ADAPTERS))
  report.print_once(whole_process.measure(known, rounds))
end
print "\nThe figures of all programs agreed. A ratio is to the C program, or to virsh, of the same kind."
host.destroy_all()
