--- What the specs have in C, compiled when it is first needed.

local compiled = {}

local FOLDER <const> = "build/spec/support"

local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local output = pipe:read("a")
  if not pipe:close() then
    error(command .. ": " .. output, 3)
  end
end

-- Under another name first: a half-written file is never seen.
local function compile(source, target, options)
  run(("mkdir -p %s && { test %s -nt %s || { t=$(mktemp %s.XXXXXX) && " ..
    "cc -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra %s -o $t %s -lpthread && chmod 755 $t && mv $t %s; }; }")
    :format(FOLDER, target, source, target, options, source, target))
end

--- The path of the program made from spec/support/NAME.c.
function compiled.program(name)
  local target = FOLDER .. "/" .. name
  compile(("spec/support/%s.c"):format(name), target, "")
  return target
end

--- The path of the Lua module made from spec/support/NAME.c.
function compiled.module_path(name)
  local target = ("%s/%s.so"):format(FOLDER, name)
  compile(("spec/support/%s.c"):format(name), target,
    "-shared -fPIC $(pkg-config --cflags $(scripts/lua_package))")
  return target
end

--- The path of the library made from spec/support/NAME.c, for LD_PRELOAD.
function compiled.library_path(name)
  local target = ("%s/lib%s.so"):format(FOLDER, name)
  compile(("spec/support/%s.c"):format(name), target, "-shared -fPIC")
  return target
end

--- That module.
function compiled.module(name)
  return assert(package.loadlib(compiled.module_path(name), "luaopen_" .. name))()
end

return compiled
