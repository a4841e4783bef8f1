-- No wait goes by the wall clock: all are src/base/clock.c's, on the monotonic one.

local lfs = require "lfs"

local function sources()
  local paths = {}
  for folder in lfs.dir("src") do
    if not folder:find("^%.") then
      for file in lfs.dir("src/" .. folder) do
        if file:find("%.[ch]$") then
          paths[#paths + 1] = ("src/%s/%s"):format(folder, file)
        end
      end
    end
  end
  return paths
end

describe("src/", function()
  it("waits by the monotonic clock, which src/base/clock.c alone reads", function()
    local found, files = {}, sources()
    assert.is_true(#files > 50)
    for _, path in ipairs(files) do
      local file <close> = assert(io.open(path))
      for line in file:lines() do
        for _, call in ipairs { "pthread_cond_timedwait", "pthread_cond_clockwait", "pthread_cond_init",
          "clock_gettime", "gettimeofday", "[^._%w]time" } do
          if line:find(call .. "%s*%(") and not path:find("^src/base/clock%.") and not path:find("^src/simulator/") then
            found[#found + 1] = path .. ": " .. line
          end
        end
      end
    end
    assert.same({}, found)
  end)
end)
