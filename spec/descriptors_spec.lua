-- With few file descriptors left a connection is refused by an error that says
-- so; the process goes on. GLib, in which libvirt keeps a loop for each
-- connection, would end it.

local agent = require "spec.support.agent"
local host = require "spec.support.libvirt_host"
local shell = require "spec.support.shell"

local SCRIPT <const> = [[
local vma = require "vmaccountant"
local ok, err = pcall(vma.CreateObject, "VirtualServer.Application", arg[1], { timeout = 5 })
if ok then
  local machine, unread = err:FindVirtualMachine("test"), nil
  if machine then unread = select(2, machine.Accountant:Get("NetworkBytesSent")) end
  print("connected", unread and unread.message or "")
else
  print(err.name, err.message)
end
]]

-- The outcome under each limit: the first word and the rest of what is printed.
local function outcomes(uri)
  local found = {}
  for limit = 4, 40 do
    local output, errors, status = shell.run(("prlimit --nofile=%d lua5.4 - %s"):format(limit, uri), SCRIPT)
    -- Too few for the interpreter to load the module at all: no concern of ours.
    if not errors:find("error loading module", 1, true) and not errors:find("module 'vmaccountant", 1, true) then
      found[limit] = { status = status, errors = errors, words = { output:match("^(%S+)\t(.*)\n$") } }
    end
  end
  return found
end

describe("with few descriptors #native", function()
  for _, uri in ipairs { "test:///default", "qemu+unix:///system?socket=/no/such/socket" } do
    it("CreateObject raises and nothing ends the process, on " .. uri, function()
      local refused, connected = 0, 0
      for limit, outcome in pairs(outcomes(uri)) do
        local what = ("limit %d: %s"):format(limit, outcome.errors)
        assert.equal("", outcome.errors, what)
        assert.equal(0, outcome.status, what)
        if outcome.words[1] == "VM_E_OUT_OF_RESOURCE" then
          refused = refused + 1
          assert.is_truthy(outcome.words[2]:find("EMFILE", 1, true), outcome.words[2])
          assert.is_truthy(outcome.words[2]:find("ulimit -n", 1, true), outcome.words[2])
        elseif outcome.words[1] == "connected" then
          connected = connected + 1
          assert.equal("", outcome.words[2])
        else
          assert.equal("DISP_E_EXCEPTION", outcome.words[1], what)
          assert.is_truthy(outcome.words[2]:find("/no/such/socket", 1, true), outcome.words[2])
        end
      end
      assert.is_true(refused > 0)
      assert.is_true(uri ~= "test:///default" or connected > 0)
    end)
  end
end)

host.describe(_ENV, "with no descriptor left #root", function()
  setup(host.start)
  teardown(function()
    host.destroy_all()
    host.stop()
  end)

  it("a start that cannot be looked up is no machine without a process", function()
    host.idle_machines(1, 1, "scarce")
    local a <close> = agent.start()
    a:eval [[
      objVS = connect()
      objAccountant = objVS:FindVirtualMachine("scarce1").Accountant]]
    host.shell(("prlimit --nofile=64:64 --pid %d"):format(a:eval "return process.id()"))
    local message, after = table.unpack(a:eval [[
      local files = {}
      for _ = 1, 100 do files[#files + 1] = io.open("/dev/null") end
      local ok, result = pcall(function() return objAccountant.Since end)
      for _, file in ipairs(files) do file:close() end
      return { ok and "known" or result.message, objAccountant.Since }]])
    assert.is_truthy(message:find("EMFILE", 1, true), message)
    assert.equal("integer", math.type(after))
  end)
end)
