--- A host in memory, for test suites: machines, traffic and failures at will.
-- Its application object is the same as a real host's.
--
-- @module vmaccountant.simulator

local core = require "vmaccountant.core"

local simulator = {
  new = core.new_simulator,
}

return simulator --[[@as vmaccountant.simulator]]
