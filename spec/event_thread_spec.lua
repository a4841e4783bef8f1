-- The background thread: it comes with the first application and goes with the
-- last, and keeps neither signals nor the end of the process from a script.

local child = require "spec.support.child"
local compiled = require "spec.support.compiled"
local handles = require "spec.support.handles"
local vma = require "vmaccountant"

local PROGID <const> = "VirtualServer.Application"

describe("the background thread", function()
  local process = compiled.module "process"

  -- A script in a process of its own, with `process`, `vma` and `connect`.
  local function run(script)
    return child.run(([[
      local process = assert(package.loadlib(%q, "luaopen_process"))()
      local vma = require "vmaccountant"
      local function connect() return vma.CreateObject("VirtualServer.Application", "test:///default") end
      %s]]):format(compiled.module_path "process", script))
  end

  it("is there while an application is", function()
    handles.remember()
    local before = handles.threads()
    local one, two = vma.CreateObject(PROGID, "test:///default"), vma.CreateObject(PROGID, "test:///default")
    assert.is_true(handles.threads() > before)
    one:Close()
    assert.equal("test", two:FindVirtualMachine("test").Name)
    two:Close()
    handles.check()
  end)

  it("leaves SIGINT to the script", function()
    local status, output = run [[
      local objVS = connect()
      local ok, err = pcall(function()
        process.kill(process.id(), 2)
        while true do objVS:FindVirtualMachine("test") end
      end)
      print(ok, err)]]
    -- lua5.4 itself raises "interrupted!", which a script may catch.
    assert.equal(0, status)
    assert.is_truthy(output:find("interrupted!", 1, true), output)
  end)

  for _, ending in ipairs { "os.exit(7)", "os.exit(7, true)", "objVS:Close() os.exit(7, true)",
    "objVS = nil collectgarbage() os.exit(7, true)", "error 'thrown'" } do
    it("lets the process end at once: " .. ending, function()
      local quickest = math.huge -- a busy machine delays some
      for _ = 1, 20 do
        local begun = process.now()
        local status, _, errors = run([[objVS = connect() other = connect()
          pcall(objVS.RecordResets, objVS)
          ]] .. ending)
        assert.equal(ending:find("error", 1, true) and 1 or 7, status, errors)
        quickest = math.min(quickest, process.now() - begun)
      end
      assert.is_true(quickest < 2, quickest)
    end)
  end

  it("refuses the child of a fork, and the parent goes on", function()
    local status, output, errors = run [[
      io.stdout:setvbuf("no")
      local objVS = connect()
      local objVM = objVS:FindVirtualMachine("test")
      local pid = process.fork()
      if pid == 0 then
        local function name_of(call, ...)
          local ok, err = pcall(call, ...)
          io.write(ok and "nothing" or err.name, " ")
        end
        name_of(function() return objVM.Accountant.NetworkBytesSent end)
        name_of(function() return objVS.VirtualMachines end)
        name_of(connect)
        objVS:Close()
        objVS, objVM = nil, nil
        collectgarbage()
        os.exit(5, true)
      end
      print(process.wait(pid, 10))
      print(objVM.Name)
      objVS:Close()
      objVS = connect()
      print(objVS:FindVirtualMachine("test").Name)]]
    assert.equal(0, status, errors)
    assert.equal("DISP_E_EXCEPTION DISP_E_EXCEPTION DISP_E_EXCEPTION exit\t5\ntest\ntest\n", output)
  end)

  it("lets a fork use it that was made before", function()
    local status, output, errors = run [[
      local pid = process.fork()
      local objVS = connect()
      io.write(objVS:FindVirtualMachine("test").Name, "\n")
      objVS:Close()
      if pid ~= 0 then print(process.wait(pid, 10)) end]]
    assert.equal(0, status, errors)
    assert.equal("test\ntest\nexit\t0\n", output)
  end)

  it("serves several Lua states at once", function()
    local results = process.run_states(6, [[
      local vma = require "vmaccountant"
      for _ = 1, 15 do
        local objVS = vma.CreateObject("VirtualServer.Application", "test:///default")
        for objVM in objVS.VirtualMachines do
          assert(math.type(objVM.Accountant.NetworkBytesSent) == "integer")
        end
        if ... % 2 == 0 then objVS:Close() end
        objVS = nil
        collectgarbage()
      end
      return "done " .. ...]], package.path, package.cpath)
    assert.same({ "done 1", "done 2", "done 3", "done 4", "done 5", "done 6" }, results)
  end)

  it("bears collections at any moment", function()
    local status, output, errors = run [[
      collectgarbage("generational")
      collectgarbage("incremental", 0, 1000, 0)
      for i = 1, 30 do
        local objVS = connect()
        local objVM = objVS:FindVirtualMachine("test")
        objVM:TurnOff()
        objVM:Startup()
        local accountant = objVM.Accountant
        objVS, objVM = nil, nil
        collectgarbage()
        assert(accountant.NetworkBytesSent)
        assert(accountant:LastSession() == nil or accountant:LastSession().Reason)
      end
      print "done"]]
    assert.equal(0, status, errors)
    assert.equal("done\n", output)
  end)

  it("leaves nothing behind of thousands of applications #slow", function()
    -- With one arena, since the allocator makes one for each thread that has
    -- been, and their sizes move by more than the smallest block for each.
    local output = child.output_of([[
      local handles = require "spec.support.handles"
      local vma = require "vmaccountant"
      local function open_and_close(count)
        for _ = 1, count do
          vma.CreateObject("VirtualServer.Application", "test:///default"):Close()
        end
        handles.collect()
      end
      open_and_close(1000)
      handles.remember()
      local memory = handles.memory()
      open_and_close(3000)
      handles.check()
      print(handles.memory() - memory)]], { MALLOC_ARENA_MAX = "1" })
    local grown = math.tointeger(tonumber(output))
    assert.is_true(grown < 3000 * 32 // 1024, grown .. " KiB more")
  end)
end)
