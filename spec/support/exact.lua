--- Figures of real machines, compared with those that count for themselves.

local assert = require "luassert"
local host = require "spec.support.libvirt_host"
local child = require "spec.support.child"

local exact = {}

--- What the machine has sent and received.
function exact.figures(objVM)
  local accountant = objVM.Accountant
  return { accountant.NetworkBytesSent, accountant.NetworkBytesReceived }
end

--- The same from a process that starts now.
function exact.figures_of_newcomer(name)
  local output = child.output_of(([[
    local objVS <close> = require("vmaccountant").CreateObject("VirtualServer.Application", "qemu:///system")
    local accountant = objVS:FindVirtualMachine(%q).Accountant
    io.write(accountant.NetworkBytesSent, " ", accountant.NetworkBytesReceived, " ", accountant.Since)]]):format(name))
  local sent, received, since = output:match("^(%d+) (%d+) (%d+)$")
  return { math.tointeger(tonumber(sent)), math.tointeger(tonumber(received)) }, math.tointeger(tonumber(since))
end

--- Demands that the figures are those of the guest's own kernel. Quiets it.
function exact.demand(objVM, g)
  g:quiet()
  assert.same({ g:tx_bytes(), g:rx_bytes() }, exact.figures(objVM))
end

--- What the host's devices of the machine have counted, in the guest's view.
function exact.device_bytes(name)
  local sent, received = 0, 0
  for _, tap in ipairs(host.taps(name)) do
    if tap.device then
      local rx, tx = host.device_counters(tap.device)
      sent, received = sent + rx, received + tx
    end
  end
  return { sent, received }
end

--- What the last session of the machine had, when it is about this reason.
function exact.last_session(objVM)
  local last = objVM.Accountant:LastSession()
  return last and { last.NetworkBytesSent, last.NetworkBytesReceived, last.Reason }
end

return exact
