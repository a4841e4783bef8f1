--- Specs that run once for each source of the counters: the kernel, where it is
-- proven to say the same, and libvirt.
--
--     counter_sources.describe(_ENV, "a real machine #root", function(connect, counters)
--       local objVS = connect { max_age = 1 }
--
-- "kernel" instead of "auto" makes it an error when a figure comes from libvirt
-- after all; a spec that takes devices away says "auto".

local host = require "spec.support.libvirt_host"
local vma = require "vmaccountant"

local counter_sources = {}

--- As host.describe, once for each value of the option `counters`.
-- @param body  given a function that connects with the option, and its value
-- @param kernel  the value for the kernel's, default "kernel"
function counter_sources.describe(busted, name, body, kernel)
  for _, counters in ipairs { kernel or "kernel", "hypervisor" } do
    local function connect(options)
      local all = { counters = counters }
      for option, value in pairs(options or {}) do
        all[option] = value
      end
      return vma.CreateObject("VirtualServer.Application", "qemu:///system", all)
    end

    host.describe(busted, ("%s, counters = '%s'"):format(name, counters), function()
      body(connect, counters)
    end)
  end
end

return counter_sources
