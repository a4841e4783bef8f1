-- The bytes that each virtual machine has sent: two lines and a blank one per
-- machine.  The shortest useful program, and the shape in which a VBScript for
-- Virtual Server is ported; README.md has the two side by side.
--
--     lua5.4 examples/network_bytes_sent.lua [URI]
--
-- URI: a libvirt URI such as qemu:///system, or a host's name.  Without one it
-- is libvirt's own default: LIBVIRT_DEFAULT_URI, else, for everyone but root,
-- qemu:///session, which has only the user's own machines.
--
-- A machine whose bytes cannot be known (it is stopped, say) gets a line with
-- the reason, and the next machine follows.  A host that cannot be reached is
-- an error that is not caught here: lua5.4 writes it to standard error and
-- exits with status 1.

if arg[1] == "-h" or arg[1] == "--help" then
  print("usage: lua5.4 network_bytes_sent.lua [URI]")
  return
end

local vma = require "vmaccountant"

local objVS = vma.CreateObject("VirtualServer.Application", arg[1])
local colVMs = objVS.VirtualMachines

if #colVMs == 0 then -- names the host, and other hosts to try
  io.stderr:write(tostring(colVMs), "\n")
end

for objVM in colVMs do
  local bytes, reason = objVM.Accountant:Get("NetworkBytesSent")
  print("Machine: " .. objVM)
  print("Bytes sent: " .. (bytes or reason.message))
  print()
end
