--- Scripts in a process of their own, with this process's modules.

local lfs = require "lfs"

local child = {}

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

local function quote(word)
  return "'" .. word:gsub("'", [['\'']]) .. "'"
end

--- Starts the script.
-- @param environment  optional table of variables to set; false unsets one
-- @return a function that waits for its end and returns what `child.run` does
function child.start(script, environment)
  local interpreter = assert(lfs.symlinkattributes("/proc/self/exe", "target"))
  local path = os.tmpname()
  write(path, ("package.path, package.cpath = %q, %q\n%s"):format(package.path, package.cpath, script))

  -- LeakSanitizer stumbles over threads that end just as the process does.
  local words = { "env", "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" }
  for name, value in pairs(environment or {}) do
    if not value then
      table.insert(words, 2, "-u " .. name)
    else
      words[#words + 1] = ("%s=%s"):format(name, quote(value))
    end
  end
  local command = ("timeout 300 %s %s %s >%s.out 2>%s.err </dev/null"):format(table.concat(words, " "),
    quote(interpreter), path, path, path)
  local process = assert(io.popen(command))
  return function()
    local _, how, number = process:close()
    local output, errors = read(path .. ".out"), read(path .. ".err")
    for _, suffix in ipairs { "", ".out", ".err" } do
      os.remove(path .. suffix)
    end
    return how == "exit" and number or ("%s %d"):format(how, number), output, errors
  end
end

--- Runs the script and returns its exit status (or the name and number of the
-- signal that ended it), its standard output and its standard error.
-- @param environment  as of child.start
function child.run(script, environment)
  return child.start(script, environment)()
end

--- Runs the script, demands a clean end with an empty standard error, and
-- returns its standard output.
function child.output_of(script, environment)
  local status, output, errors = child.run(script, environment)
  if status ~= 0 or errors ~= "" then
    error(("the script ended with %s\n%s%s"):format(tostring(status), output, errors), 2)
  end
  return output
end

return child
