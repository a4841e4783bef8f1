-- Writes the rockspec of the release, for `make rockspec`: the scm one with the
-- version of src/binding/version.h and the tag of that release.
--
--     lua5.4 scripts/release_rockspec.lua [--check]
--
-- With --check it writes nothing, and fails where the tree's rockspecs are not
-- the scm one and what would be written.

local VERSION_FILE <const> = "src/binding/version.h"
local SCM <const> = "vmaccountant-scm-1.rockspec"

local function read_file(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

-- The text with one thing replaced, which must be there once.
local function replace(text, old, new)
  local first, last = text:find(old, 1, true)
  assert(first and not text:find(old, last + 1, true), SCM .. " does not have once: " .. old)
  return text:sub(1, first - 1) .. new .. text:sub(last + 1)
end

local function rockspecs_in_tree()
  local paths = {}
  local pipe <close> = assert(io.popen("ls *.rockspec"))
  for path in pipe:lines() do
    paths[#paths + 1] = path
  end
  return table.concat(paths, " ")
end

local version = assert(read_file(VERSION_FILE):match('#define VMACCOUNTANT_VERSION "(%d+%.%d+%.%d+)"\n'),
  VERSION_FILE .. " has no version of three numbers")
local path = ("vmaccountant-%s-1.rockspec"):format(version)
local text = read_file(SCM)
text = replace(text, 'version = "scm-1"', ('version = "%s-1"'):format(version))
text = replace(text, '  url = "git+file://.",\n', ('  url = "git+file://.",\n  tag = "v%s",\n'):format(version))
text = "-- Written by `make rockspec` from " .. SCM .. ": do not edit.\n" .. text

if arg[1] ~= "--check" then
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
  return
end

local present, expected = rockspecs_in_tree(), path .. " " .. SCM
if present ~= expected then
  io.stderr:write(("the tree has the rockspecs %s, and should have %s: run `make rockspec`\n")
    :format(present, expected))
elseif read_file(path) ~= text then
  io.stderr:write(("%s is not what `make rockspec` writes: run it\n"):format(path))
else
  return
end
os.exit(false)
