--- Shell commands as a user types them, whose programs find the same modules
-- as the specs do, however busted was told of them.
--
-- Needs the repository's root as the working directory.

local shell = {}

--- A word that the shell takes as it is.
function shell.quote(word)
  return "'" .. tostring(word):gsub("'", [['\'']]) .. "'"
end

local function read_and_remove(path)
  local file <close> = assert(io.open(path, "rb"))
  os.remove(path)
  return file:read("a")
end

--- Runs a script of sh and waits for its end, which must come within a minute.
-- @param script  its text
-- @param input  what it reads from standard input; nothing without it
-- @return what it wrote to standard output, what to standard error, and its
-- exit status
function shell.run(script, input)
  local stdin, stdout, stderr = os.tmpname(), os.tmpname(), os.tmpname()
  local file = assert(io.open(stdin, "wb"))
  file:write(input or "")
  file:close()
  local _, how, status = os.execute(table.concat({
    -- The variables with a version go before those without.
    "LUA_PATH_5_4=" .. shell.quote(package.path),
    "LUA_CPATH_5_4=" .. shell.quote(package.cpath),
    "timeout --foreground 60 sh -c", shell.quote(script),
    "<" .. stdin, ">" .. stdout, "2>" .. stderr,
  }, " "))
  os.remove(stdin)
  return read_and_remove(stdout), read_and_remove(stderr), how == "exit" and status or 128 + status
end

return shell
