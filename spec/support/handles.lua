--- What a process holds open: a test must leave none of it behind.
--
--     before_each(handles.remember)
--     after_each(handles.check)

local lfs = require "lfs"
local vma = require "vmaccountant"

local handles = {}

local PATIENCE <const> = 2 -- seconds for threads that have been told to end, and for what they hold

-- libvirt opens some things once per process, at the first connection.
vma.CreateObject("VirtualServer.Application", "test:///default"):Close()

local function count_entries(folder)
  local count = 0
  for _ in lfs.dir(folder) do
    count = count + 1
  end
  return count
end

--- How many files and the like are open.
function handles.descriptors()
  return count_entries("/proc/self/fd")
end

--- How many threads the process has.
function handles.threads()
  return count_entries("/proc/self/task")
end

--- How many kilobytes of the process's memory are in use.
function handles.memory()
  local file <close> = assert(io.open("/proc/self/status"))
  return math.tointeger(tonumber(file:read("a"):match("VmRSS:%s*(%d+)")))
end

--- Collects everything, also what an object held that was collected first.
function handles.collect()
  for _ = 1, 3 do
    collectgarbage()
  end
end

--- Waits until no more than so many descriptors and threads are left.
-- @return how many more there still are of each when it has waited for long
function handles.wait_for(descriptors, threads)
  local deadline = os.time() + PATIENCE
  local more_descriptors, more_threads
  repeat
    more_descriptors, more_threads = handles.descriptors() - descriptors, handles.threads() - threads
    local settled = more_descriptors <= 0 and more_threads <= 0
    if not settled then
      os.execute("sleep 0.01")
    end
  until settled or os.time() > deadline
  return math.max(more_descriptors, 0), math.max(more_threads, 0)
end

local descriptors, threads

function handles.remember()
  handles.collect()
  descriptors, threads = handles.descriptors(), handles.threads()
end

function handles.check()
  handles.collect()
  local more_descriptors, more_threads = handles.wait_for(descriptors, threads)
  if more_descriptors > 0 or more_threads > 0 then
    error(("the test has left %d descriptors and %d threads open"):format(more_descriptors, more_threads), 0)
  end
end

return handles
