--- Specs with real machines on a private host: what each begins with, and what
-- it must leave behind.
--
--     real_host.describe(_ENV, "a real machine #root", function(connect)
--       local g
--
--       setup(function()
--         g = guest.start { name = "web01" }
--       end)
--
--       it("...", function()
--         local objVM = connect { max_age = 1 }:FindVirtualMachine(g.name)
--
-- Before it libvirtd runs, after it no guest, no agent and no machine is left. An
-- application is closed after the test that has opened it, and one that a setup has
-- opened, at the end. A test must leave no more files and threads open than it has
-- found.

local agent = require "spec.support.agent"
local guest = require "spec.support.guest"
local handles = require "spec.support.handles"
local host = require "spec.support.libvirt_host"
local vma = require "vmaccountant"

local real_host = {}

-- Closes the applications after the first `count`.
local function close_after(applications, count)
  while #applications > count do
    table.remove(applications):Close()
  end
end

--- As host.describe.
-- @param body  given a function that opens an application of the host, with the
-- options of CreateObject
-- @param are_lasting  true where the tests share applications: what those open,
-- they may keep open
function real_host.describe(busted, name, body, are_lasting)
  host.describe(busted, name, function()
    local applications, outlive = {}, 0

    busted.setup(host.start)

    busted.before_each(function()
      outlive = #applications
      handles.remember()
    end)

    busted.after_each(function()
      close_after(applications, outlive)
      if not are_lasting then
        handles.check()
      end
    end)

    body(function(options)
      local application = vma.CreateObject("VirtualServer.Application", "qemu:///system", options)
      applications[#applications + 1] = application
      return application
    end)

    busted.teardown(function()
      close_after(applications, 0)
      agent.stop_all()
      host.start()
      guest.remove_all()
      host.destroy_all()
      host.stop()
    end)
  end)
end

return real_host
