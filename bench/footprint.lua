-- What holding and reading machines takes of memory.
--
--     lua5.4 bench/footprint.lua MACHINE READS
--
-- Prints lines of a name and a number:
--   machines  how many the host has
--   heap      the bytes of this process's heap that an application takes with
--             its machines listed, held and read, once all garbage is gone:
--             everything that malloc gave, Lua's own objects among it
--   garbage   the bytes of Lua garbage that READS live reads of MACHINE made
--   growth    by how many bytes the heap grew over them
--   resident  by how many bytes the process's resident memory grew over them,
--             which is a page now and then on any machine

local vma = require "vmaccountant"
local instruments = require "instruments"

local machine, reads = arg[1], math.tointeger(arg[2])

local function heap()
  collectgarbage()
  collectgarbage()
  return instruments.heap()
end

local function resident()
  local file <close> = assert(io.open("/proc/self/smaps_rollup"))
  return tonumber(file:read("a"):match("\nRss:%s+(%d+) kB")) * 1024
end

-- What the libraries make once is not of the machines.
do
  local first <close> = vma.CreateObject("VirtualServer.Application")
  assert(#first.VirtualMachines > 0)
end

-- A table that has grown before it is measured: it is this script's own.
local held = {}
for i = 1, 4096 do
  held[i] = false
end
-- Before the connection, whose thread reads the machines by itself: the
-- connection's own memory is included.
local before = heap()
local objVS <close> = vma.CreateObject("VirtualServer.Application")
local machines = objVS.VirtualMachines
for _ = 1, 3 do -- the first round makes them known, the second proves
  for i = 1, #machines do
    held[i] = machines[i].Accountant
    assert(held[i].NetworkBytesSent >= 0)
  end
end
print("machines", #machines)
print("heap", heap() - before)

local accountant = objVS:FindVirtualMachine(machine).Accountant
local function read(times)
  local sum = 0
  for _ = 1, times do
    sum = sum + accountant.NetworkBytesSent
  end
  return sum
end

read(10000)
-- A process that stays looks at all machines once, a moment after it has connected:
-- that is no part of the reads.
os.execute "sleep 1"
heap()
collectgarbage "stop"
local resident_before, heap_before, count_before = resident(), instruments.heap(), collectgarbage "count"
read(reads)
local count_after, heap_after, resident_after = collectgarbage "count", instruments.heap(), resident()
print("garbage", math.floor((count_after - count_before) * 1024))
print("growth", heap_after - heap_before)
print("resident", math.floor(resident_after - resident_before))
