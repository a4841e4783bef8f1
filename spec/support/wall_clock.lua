--- Wall clocks that can be set, each for the processes that are started with it.
--
--     local clock = wall_clock.new()
--     child.output_of(script, clock.environment)
--     clock:set(-3600)  -- an hour back from the true time

local lfs = require "lfs"
local compiled = require "spec.support.compiled"

local wall_clock = {}
local methods = {}

--- Sets the clock to the true time and so many seconds.
function methods:set(seconds)
  local file <close> = assert(io.open(self.path, "wb"))
  assert(file:write(seconds, "\n"))
end

function wall_clock.new()
  local path = os.tmpname()
  local self = setmetatable({ path = path, environment = {
    LD_PRELOAD = lfs.currentdir() .. "/" .. compiled.library_path("wall_clock"), WALL_CLOCK = path } },
    { __index = methods, __close = function() os.remove(path) end })
  self:set(0)
  return self
end

return wall_clock
