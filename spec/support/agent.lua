--- Other processes that use the module, and do what they are told.
--
--     local a <close> = agent.start()
--     a:eval [[objVS = connect()]]
--     local id = a:post [[return objVS:FindVirtualMachine("web01").Accountant.NetworkBytesSent]]
--     local bytes = a:answer(id)
--
-- A chunk's globals last as long as its process. It finds `vma`, `process`
-- (spec/support/process.c) and `connect(options)` there. What it returns comes
-- back when it is made of booleans, numbers, texts and tables of these; an error
-- comes back as one.

local host = require "spec.support.libvirt_host"
local compiled = require "spec.support.compiled"

local ANSWER_SECONDS <const> = 20

local agent = {}
local methods = {}
local metatable = { __name = "agent", __index = methods }
local count = 0
local running = {}

local MAIN <const> = [[
package.path, package.cpath = %q, %q
vma = require "vmaccountant"
process = assert(package.loadlib(%q, "luaopen_process"))()
local folder = %q

function connect(options)
  return vma.CreateObject("VirtualServer.Application", "qemu:///system", options)
end

local function text_of(value)
  if type(value) == "table" then
    local parts = {}
    for key, one in pairs(value) do
      parts[#parts + 1] = ("[%%s] = %%s"):format(text_of(key), text_of(one))
    end
    return "{" .. table.concat(parts, ", ") .. "}"
  end
  return ("%%q"):format(value)
end

local function describe(err)
  if type(err) ~= "table" then
    return { message = tostring(err), is_plain = true }
  end
  return { name = err.name, hresult = err.hresult, message = err.message, member = err.member,
    machine = err.machine }
end

for id in io.lines(folder .. "/requests") do
  local chunk = assert(loadfile(folder .. "/" .. id .. ".lua"))
  local results = table.pack(xpcall(chunk, describe))
  local parts = {}
  for i = 1, results.n do
    parts[i] = text_of(results[i])
  end
  local file = assert(io.open(folder .. "/answer.part", "wb"))
  file:write("return " .. table.concat(parts, ", "))
  file:close()
  assert(os.rename(folder .. "/answer.part", folder .. "/" .. id .. ".answer"))
end
]]

--- Starts a process. It ends when it is closed.
-- @param environment  optional table of variables to set
function agent.start(environment)
  count = count + 1
  local folder = ("%s/agent-%d"):format(host.folder, count)
  host.shell(("rm -rf %s; mkdir -p %s; mkfifo %s/requests"):format(folder, folder, folder))
  host.write_file(folder .. "/main.lua",
    MAIN:format(package.path, package.cpath, compiled.module_path("process"), folder))
  local self = setmetatable({ folder = folder, next = 0 }, metatable)
  -- The process opens the fifo for reading once somebody writes to it.
  local variables = {}
  for name, value in pairs(environment or {}) do
    variables[#variables + 1] = ("%s=%s "):format(name, host.quote(value))
  end
  self.pid = math.tointeger(tonumber(host.shell(
    ("%slua5.4 -W %s/main.lua >%s/output 2>&1 & echo $!"):format(table.concat(variables), folder, folder))))
  self.requests = assert(io.open(folder .. "/requests", "r+b"))
  self.requests:setvbuf("no")
  running[self] = true
  return self
end

--- What the process has written to its standard output and error, warnings
-- among it.
function methods:output()
  return host.read_file(self.folder .. "/output")
end

--- Has the process run a chunk, and does not wait.
-- @return the identifier of the request
function methods:post(chunk)
  self.next = self.next + 1
  host.write_file(("%s/%d.lua"):format(self.folder, self.next), chunk)
  self.requests:write(self.next .. "\n")
  return self.next
end

--- Whether the answer to the request is there.
function methods:has_answered(id)
  return host.read_file(("%s/%d.answer"):format(self.folder, id)) ~= nil
end

--- Waits for the answer: true and what the chunk returned, or false and the
-- fields of the error that it raised.
function methods:try_answer(id, seconds)
  local text = host.wait_until(("answer of a process to request %d"):format(id), seconds or ANSWER_SECONDS,
    function()
      return host.read_file(("%s/%d.answer"):format(self.folder, id))
    end, 0.01, function()
      return self:output()
    end)
  return assert(load(text))()
end

local function check(ok, ...)
  if not ok then
    error("a process raised: " .. tostring((...).message), 3)
  end
  return ...
end

--- Waits for the answer, and returns what the chunk returned.
function methods:answer(id, seconds)
  return check(self:try_answer(id, seconds))
end

--- Runs a chunk and returns what it returned.
function methods:eval(chunk, seconds)
  return check(self:try_answer(self:post(chunk), seconds))
end

--- As try_answer, of a chunk.
function methods:try(chunk, seconds)
  return self:try_answer(self:post(chunk), seconds)
end

--- Sends the process a signal by its name.
function methods:signal(name)
  host.shell(("kill -%s %d"):format(name, self.pid))
end

--- Ends the process, at once.
function methods:stop()
  if self.requests then
    host.try_shell(("kill -KILL %d"):format(self.pid))
    self.requests:close()
    self.requests = nil
    running[self] = nil
  end
end

--- Ends all processes.
function agent.stop_all()
  for self in pairs(running) do
    self:stop()
  end
end

metatable.__close = methods.stop

return agent
