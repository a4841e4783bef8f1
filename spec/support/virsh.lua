--- One virsh that runs on, as a shell that is typed at: to start a virsh for
-- each command costs 50 times what the command does.
--
--     local ok, output = virsh.run({ "domid", "web01" }, 60)
--
-- What cannot be typed at it (line breaks, and bytes beyond ASCII) it does not
-- take, see `takes`. It is connected to one daemon: `virsh.stop` when that ends.
--
-- Its files stay open from the first use on, so that a spec that counts
-- open files finds as many after a restart of the daemon as before.

local compiled = require "spec.support.compiled"

local virsh = {}

local process, requests, answers, errors
local path, pid
local number = 0

local function shell(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read("a")
end

local function open(suffix, mode)
  local file = assert(io.open(path .. suffix, mode))
  file:setvbuf("no")
  return file
end

-- With a fifo of its own: what an earlier one has not read is not for it.
local function make_fifo()
  shell(("rm -f %s.requests; mkfifo %s.requests"):format(path, path))
  local before = requests
  requests = open(".requests", "r+b")
  if before then
    before:close()
  end
end

--- Opens what stays open.
-- @param folder  for its files
function virsh.open(folder)
  if not requests then
    process = compiled.module "process"
    path = folder .. "/virsh"
    shell((": >%s.answers; : >%s.errors"):format(path, path))
    make_fifo()
    answers, errors = open(".answers", "rb"), open(".errors", "rb")
  end
end

local function start()
  make_fifo()
  -- Its history would go home.
  pid = math.tointeger(tonumber(shell(
    ("HOME=%s.home TERM=dumb virsh --quiet --connect qemu:///system <%s.requests >>%s.answers 2>>%s.errors & echo $!")
    :format(path, path, path, path))))
end

--- Ends the process: what it was connected to is gone.
function virsh.stop()
  if pid then
    process.kill(pid, 9)
    pid = nil
  end
end

--- Its process id, or nil while there is none.
function virsh.pid()
  return pid
end

--- Whether these words can be typed.
function virsh.takes(words)
  for _, word in ipairs(words) do
    if word:find("[^ -~]") or word:find("'", 1, true) then
      return false
    end
  end
  return requests ~= nil
end

--- Runs a command.
-- @return ok, output (standard output, then standard error); nil when there was
-- no answer in time: nothing is known then.
function virsh.run(words, seconds)
  if not pid then
    start()
  end
  number = number + 1
  local marker = ("@@%d@@"):format(number)
  local quoted = {}
  for i, word in ipairs(words) do
    quoted[i] = "'" .. word .. "'"
  end
  local from, errors_from = answers:seek("end"), errors:seek("end")
  requests:write(table.concat(quoted, " "), "\necho ", marker, "\n")
  local deadline, pause = process.now() + seconds, 0.0005
  local ending = ("virsh # echo %s\n%s"):format(marker, marker)
  while true do
    answers:seek("set", from)
    local text = answers:read("a")
    local at = text:find(ending, 1, true)
    if at then
      errors:seek("set", errors_from)
      -- That it has connected again is no failure of the command.
      local complaint = errors:read("a"):gsub("error: %u%l+onnected [^\n]*\n", "")
      return complaint == "", text:sub(1, at - 1):gsub("^[^\n]*\n", "") .. complaint
    elseif process.now() > deadline or not process.kill(pid, 0) then
      virsh.stop()
      return nil
    end
    process.sleep(pause)
    pause = math.min(pause * 1.5, 0.02)
  end
end

return virsh
