--- Specs that run once for each source of the counters: the kernel, where it is
-- proven to say the same, and libvirt.
--
--     real_host.describe(_ENV, "a real machine #root", function(connect)
--       ... guests for both ...
--       counter_sources.each(_ENV, connect, function(connect, counters)
--         local objVS = connect { max_age = 1 }
--
-- "kernel" instead of "auto" makes it an error when a figure comes from libvirt
-- after all; a spec that takes devices away says "auto".

local counter_sources = {}

--- Describes `body` once for each value of the option `counters`.
-- @param busted  a table with the caller's `describe`: `_ENV`
-- @param connect  opens an application
-- @param body  given a function that connects with the option, and its value
-- @param kernel  the value for the kernel's, default "kernel"
function counter_sources.each(busted, connect, body, kernel)
  for _, counters in ipairs { kernel or "kernel", "hypervisor" } do
    local function connect_with(options)
      local all = { counters = counters }
      for option, value in pairs(options or {}) do
        all[option] = value
      end
      return connect(all)
    end

    busted.describe(("with counters = '%s'"):format(counters), function()
      body(connect_with, counters)
    end)
  end
end

return counter_sources
