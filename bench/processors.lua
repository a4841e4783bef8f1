-- What sampling the processors of many machines once a second costs.
--
--     make && eval "$(make -s env)"
--     spec/support/private_host lua5.4 bench/processors.lua [MACHINES [SECONDS]]
--
-- Starts so many idle machines (200) on a private host and samples them for so
-- long (30). Prints, in percent of one core, what this process used and,
-- separately, what libvirtd did: with the sampling, and in as long a time before it.
-- Needs root and, for 200 machines, 4 GiB.

package.path = "./?.lua;" .. package.path

local vma = require "vmaccountant"
local host = require "spec.support.libvirt_host"

local machines = math.tointeger(tonumber(arg[1] or 200)) or error("MACHINES is no whole number")
local seconds = math.tointeger(tonumber(arg[2] or 30)) or error("SECONDS is no whole number")

-- Seconds of processor time that a process has used: in nanoseconds of its threads,
-- since hundredths are too coarse for so little.
local function used(pid)
  local sum = 0
  for task in host.shell(("ls /proc/%d/task"):format(pid)):gmatch("%d+") do
    local statistics = host.read_file(("/proc/%d/task/%s/schedstat"):format(pid, task))
    sum = sum + (statistics and tonumber(statistics:match("^%d+")) or 0)
  end
  return sum / 1e9
end

local own = math.tointeger(tonumber(host.read_file("/proc/self/stat"):match("^%d+")))

-- Percents of one core that this process and libvirtd use in so many seconds.
local function measure()
  local libvirtd = host.pid()
  local ours, daemons, at = used(own), used(libvirtd), host.now()
  host.sleep(seconds)
  local passed = host.now() - at
  return 100 * (used(own) - ours) / passed, 100 * (used(libvirtd) - daemons) / passed
end

host.start()
host.idle_machines(machines, 1)
do
  local objVS <close> = vma.CreateObject("VirtualServer.Application", "qemu:///system")
  local accountant = objVS.VirtualMachines[1].Accountant
  host.sleep(5) -- for the daemon to come to rest
  local ours, daemons = measure()
  print(("%d machines, %d seconds, percent of one core"):format(machines, seconds))
  print(("%-24s this process %6.2f   libvirtd %6.2f"):format("without sampling", ours, daemons))
  assert(#accountant.CPUUtilizationHistory == 60)
  assert(accountant.CPUUtilization <= 100)
  ours, daemons = measure()
  print(("%-24s this process %6.2f   libvirtd %6.2f"):format("sampled each second", ours, daemons))
end
host.destroy_all()
host.stop()
