-- Writes compile_commands.json: how each C file is compiled, in the form that
-- clangd and other Clang tools read.
--
--     lua5.4 scripts/compile_commands.lua FLAGS FILE.c...

local function quote(text)
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

local pipe <close> = assert(io.popen("pwd"))
local directory = pipe:read("l")
local entries = {}
for i = 2, #arg do
  entries[#entries + 1] = ('{"directory": %s, "file": %s, "command": %s}'):format(
    quote(directory), quote(arg[i]), quote(("cc %s -c %s"):format(arg[1], arg[i])))
end
print("[\n" .. table.concat(entries, ",\n") .. "\n]")
