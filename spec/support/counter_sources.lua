--- Both sources of the counters side by side: the kernel, where it is proven to
-- say the same, and libvirt.
--
--     real_host.describe(_ENV, "a real machine #root", function(connect)
--       local applications, machines
--
--       setup(function()
--         g = guest.start { name = "web01" }
--         applications = counter_sources.connect(connect, { max_age = 1 })
--         machines = counter_sources.machines(applications, g.name)
--       end)
--
--       it("...", function()
--         g:send(1, 10)
--         for counters, objVM in pairs(machines) do
--           assert.same({ 10000, 0 }, exact.figures(objVM), counters)
--         end
--       end)
--
-- What a guest does is dear: so it does it once, and all applications must tell
-- of it. What is done by a member is done by each source somewhere.

local counter_sources = {}

--- Opens an application for each value of the option `counters`.
-- @param connect  opens an application
-- @param options  the other options
-- @param kernel  the value for the kernel's, default "kernel": an error when a
-- figure comes from libvirt after all. A spec that takes devices away says "auto".
-- @return the applications by these values
function counter_sources.connect(connect, options, kernel)
  local applications = {}
  for _, counters in ipairs { kernel or "kernel", "hypervisor" } do
    local all = { counters = counters }
    for option, value in pairs(options or {}) do
      all[option] = value
    end
    applications[counters] = connect(all)
  end
  return applications
end

--- The machine of that name, of each application.
function counter_sources.machines(applications, name)
  local machines = {}
  for counters, objVS in pairs(applications) do
    machines[counters] = objVS:FindVirtualMachine(name)
  end
  return machines
end

return counter_sources
