-- A script that runs once, as the benchmark starts it whole: it connects, reads,
-- prints and ends.
--
--     lua5.4 bench/script.lua METRIC [MACHINE]
--
-- loop           the README's loop over all machines
-- loop_max_age   the same, where one sample of all machines serves the loop
-- by_name        one machine, found by its name
-- connect        nothing: it connects and closes
--
-- Prints `figure BYTES MACHINE` for each machine, as bench/reader.h says.

local vma = require "vmaccountant"

local metric, machine = arg[1], arg[2]
local objVS = vma.CreateObject("VirtualServer.Application", nil, { max_age = metric == "loop_max_age" and 1 or 0 })

local function print_figure(objVM)
  print(("figure %d %s"):format(objVM.Accountant.NetworkBytesSent, objVM.Name))
end

if metric == "loop" or metric == "loop_max_age" then
  for objVM in objVS.VirtualMachines do
    print_figure(objVM)
  end
elseif metric == "by_name" then
  print_figure(objVS:FindVirtualMachine(machine))
elseif metric ~= "connect" then
  error("which metric?")
end
objVS:Close()
