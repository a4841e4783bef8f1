-- What a VBScript finds around it: names, objects, text, errors, WScript. Its
-- scripts run on the simulator and on test:///default.

package.path = "./?.lua;" .. package.path

local child = require "spec.support.child"
local core = require "vmaccountant.core"
local simulator = require "vmaccountant.simulator"
local vbscript = require "vmaccountant.vbscript"
local vma = require "vmaccountant"

describe("vmaccountant.vbscript", function()
  local host, output, env

  before_each(function()
    host = simulator.new()
    output = {}
    local _, nic = host:AddMachine("web01", { adapters = 2, running = true })
    nic:Send(1500)
    nic:Receive("9223372036854775808") -- 2^63
    host:AddMachine("db02", { adapters = 1, running = true }):Pause()
    host:AddMachine("mail", { adapters = 1 })
    env = vbscript.environment {
      CreateObject = function(progid, server, options)
        assert(server == nil or server == "sim")
        return host:CreateObject(progid, options)
      end,
      arguments = { [0] = "folder/port.lua", "web01", "2" },
      write = function(text) output[#output + 1] = text end,
    }
  end)

  -- Runs the text of a script and returns what it printed.
  local function run(text)
    output = {}
    assert(load(text, "=port.lua", "t", env))()
    return table.concat(output)
  end

  -- The error object or text that a script ends with, as text.
  local function failure_of(text)
    local ok, err = pcall(assert(load(text, "=port.lua", "t", env)))
    assert.is_false(ok)
    return tostring(err), err
  end

  describe("an environment", function()
    it("finds names in any letter case, and Lua's by their own", function()
      assert.equal("a\tb\n", run [[wscript.ECHO("a" .. VBTAB .. "b")]])
      assert.equal("9\n", run [[strName = 4; WScript.Echo(STRNAME + math.tointeger(5))]])
      assert.equal("table\n", run [[Type = "mine"; WScript.Echo(type({}))]])
      assert.equal("mine\n", run [[WScript.Echo(Type)]])
      assert.equal("mine\n", run [[type = "mine"; WScript.Echo(type)]])
    end)

    it("keeps what is assigned, and sets no global of Lua", function()
      local before = {}
      for name in pairs(_G) do
        before[name] = true
      end
      assert.equal("3\n", run [[
        Counted = 1
        function Add(n) counted = counted + n end
        add(2)
        WScript.Echo(COUNTED)]])
      for name in pairs(_G) do
        assert.is_true(before[name], name)
      end
      local other = vbscript.environment()
      assert.is_nil(other.Counted)
    end)

    it("knows a name without a value as nil, and so Nothing", function()
      assert.equal("True True\n", run [[WScript.Echo(nonesuch == nil, Nothing == nil)]])
      assert.equal("False\n", run [[found = false; WScript.Echo(found)]])
      assert.equal("\n", run [[found = Nothing; WScript.Echo(found)]])
    end)

    it("protects its own names", function()
      assert.equal("port.lua:1: 'wscript' is a name of VBScript's and cannot be assigned to",
        failure_of "wscript = 1")
    end)

    it("has the constants", function()
      assert.equal("5 1 0 8\n", run [[WScript.Echo(vmVMState_Running, VMVMSTATE_TURNEDOFF, vmTaskResult_Success,
        vmTaskResult_ThreadCrashError)]])
      for name, number in pairs(core.constants) do
        assert.equal(number, env[name])
      end
      assert.same({ "\r\n", "\n", "\r", "\n", "\t", "" },
        { env.vbCrLf, env.vbLf, env.vbCr, env.vbNewLine, env.vbTab, env.vbNullString })
      assert.same({ true, false }, { env.True, env.FALSE })
    end)

    it("refuses options that it does not know, or of a wrong type", function()
      assert.has_error.matches(function() vbscript.environment { host = 1 } end,
        "unknown option 'host'; the known ones are 'arguments', 'CreateObject' and 'write'", 1, true)
      assert.has_error.matches(function() vbscript.environment { write = 1 } end,
        "option 'write' must be a function, not a number", 1, true)
    end)
  end)

  describe("the module", function()
    it("has the same names, for locals", function()
      assert.equal(vbscript.WScript, vbscript.wscript)
      assert.equal("\t", vbscript.vbTab)
      assert.equal("2", vbscript.CStr(2.0))
      assert.is_nil(vbscript.nonesuch)
      local objVS <close> = vbscript.CreateObject("VirtualServer.Application", "test:///default")
      assert.equal("test", objVS.VirtualMachines(1).Name)
    end)
  end)

  describe("an object", function()
    local OBJECTS <const> = [[
      objVS = CreateObject("VirtualServer.Application", "sim")
      colVMs = objVS.VirtualMachines
      objVM = objVS.FindVirtualMachine("WEB01")
      objAccountant = objVM.Accountant
    ]]

    before_each(function()
      run(OBJECTS)
    end)

    it("has its methods with a dot and with a colon", function()
      assert.equal("web01 web01 db02 db02\n", run [[WScript.Echo(objVS.FindVirtualMachine("web01"),
        objVS:FindVirtualMachine("web01"), colVMs.Item(1), colVMs:Item(1))]])
      assert.equal("Pause of web01\n", run [[WScript.Echo(objVM.pause().Description)]])
      assert.equal("6\n", run [[WScript.Echo(objVM.State)]])
    end)

    it("takes empty parentheses after a property for nothing", function()
      assert.equal("web01 1500\n", run [[WScript.Echo(objVM().Name, objVM.Accountant().NetworkBytesSent)]])
    end)

    it("is the same however it was reached", function()
      assert.equal("True True False True\n", run [[WScript.Echo(objVM == colVMs.Item("web01"),
        objVM == objAccountant.VirtualMachine, objVM == colVMs(1), objVM.Accountant == objAccountant)]])
      env.count = 0
      run [[seen = {}; seen[objVM] = 1; count = seen[colVMs.Item("web01")] ]]
      assert.equal(1, env.count)
    end)

    it("works in every kind of loop", function()
      local NAMES <const> = "db02\nmail\nweb01\n"
      assert.equal(NAMES, run [[for vm in colVMs do WScript.Echo(vm) end]])
      assert.equal(NAMES, run [[for vm in Each(colVMs) do WScript.Echo(vm) end]])
      assert.equal(NAMES, run [[for i = 1, colVMs.Count do WScript.Echo(colVMs(i)) end]])
      assert.equal(NAMES, run [[for i = 1, #colVMs do WScript.Echo(colVMs[i].Name) end]])
      assert.equal(NAMES, run [[for accountant in colVMs:Accountants() do WScript.Echo(accountant.VirtualMachine) end]])
      assert.equal(NAMES:rep(3), run [[for a in Each(colVMs) do for b in Each(colVMs) do WScript.Echo(b) end end]])
    end)

    it("lists its properties, and prints as itself", function()
      local names, machine = {}, nil
      for name, x in pairs(env.objAccountant) do
        names[name] = x
        machine = name == "VirtualMachine" and x or machine
      end
      assert.equal(1500, names.NetworkBytesSent)
      assert.equal(env.objVM, machine)
      assert.equal("VMAccountant of web01", tostring(env.objAccountant))
      assert.equal("Startup of web01", tostring(env.objVM.Startup))
    end)

    it("counts a stopped machine as zero unless the script says otherwise", function()
      assert.equal("0\n", run [[WScript.Echo(objVS.FindVirtualMachine("mail").Accountant.NetworkBytesSent)]])
      assert.matches("S_FALSE", (failure_of [[
        local server = CreateObject("VirtualServer.Application", "sim", { not_running = "error" })
        return server.FindVirtualMachine("mail").Accountant.NetworkBytesSent]]))
    end)

    it("passes options on, and keeps a table of the script's as it is", function()
      run [[options = { decimal = "string" }; server = CreateObject("VirtualServer.Application", "sim", options)]]
      assert.equal("string", type(env.server.FindVirtualMachine("web01").Accountant.NetworkBytesSent))
      assert.same({ decimal = "string" }, env.options)
      assert.matches("unknown option 'nonesuch'", (failure_of [[
        CreateObject("VirtualServer.Application", "sim", { nonesuch = 1 })]]), 1, true)
    end)

    it("may be a to-be-closed variable", function()
      run [[do local server <close> = objVS; local vm <close> = objVM end]]
      assert.matches("VM_E_APP_SHUTTING_DOWN", (failure_of [[return objVS.Name]]))
    end)

    it("is collected when nothing holds it", function()
      local seen = setmetatable({ env.objVS, env.objVM }, { __mode = "v" })
      run [[objVS, colVMs, objVM, objAccountant = nil, nil, nil, nil]]
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(seen))
    end)

    describe("raises a hint for", function()
      local HINTS <const> = {
        ["a method that is not called"] = {
          [[WScript.Echo(objVM.Startup)]],
          "Startup is a method of VMVirtualMachine and has no value; call it, as in objVM:Startup() (450)",
        },
        ["a method joined to text"] = {
          [[WScript.Echo("Started: " .. objVM.Startup)]],
          "Startup is a method of VMVirtualMachine and has no value; call it, as in objVM:Startup() (450)",
        },
        ["a member of a method's result without the call"] = {
          [[WScript.Echo(objVM.Startup.IsComplete)]],
          "Startup is a method of VMVirtualMachine and has no value; call it, as in objVM:Startup() (450)",
        },
        ["a function of Lua as a value"] = {
          [[WScript.Echo(print)]],
          "a function stands where a value is expected; a method is called with parentheses, as in objVM:Startup() "
            .. "(450)",
        },
        ["an object without a default member"] = {
          [[WScript.Echo("Sent: " .. objVM.Accountant)]],
          "VMAccountant of web01 has no default member; name the member that is meant (438)",
        },
        ["an index of 0"] = {
          [[x = colVMs(0)]],
          "Item: there is no item 0: items count from 1 to 3 (DISP_E_BADINDEX 0x8002000B)",
        },
        ["a wrong argument"] = {
          [[x = colVMs.Item({})]],
          "bad argument #1 to 'Item' (integer or name expected, got table)",
        },
        ["an unknown member"] = {
          [[return objVM.Acountant]],
          "web01: Acountant: VMVirtualMachine has no member 'Acountant'; did you mean Accountant? "
            .. "(DISP_E_UNKNOWNNAME 0x80020006)",
        },
        ["a loop over what is no collection"] = {
          [[for x in Each(7) do end]],
          "Object not a collection: Each was given 7 (451)",
        },
        ["a loop over Nothing"] = {
          [[for x in Each(Nothing) do end]],
          "Object required: Each was given nothing to go through (424)",
        },
        ["a bare collection as text"] = {
          [[WScript.Echo(colVMs)]],
          "VMVirtualMachineCollection of 3 has no default member; name the member that is meant (438)",
        },
        ["an array as text"] = {
          [[WScript.Echo({ 1, 2 })]],
          'an array has no text; join its items, as in table.concat(array, " ") (13)',
        },
        ["an index of 0 of an array"] = {
          [[WScript.Echo(objVM.Accountant.CPUUtilizationHistory[0])]],
          "Subscript out of range: there is no 0; the items of an array count from 1 here, to 60 (9)",
        },
        ["parentheses behind an array"] = {
          [[WScript.Echo(objVM.Accountant.CPUUtilizationHistory(1))]],
          "an array is read with brackets: its items are array[1] to array[60] (13)",
        },
        ["an array of the model as text"] = {
          [[WScript.Echo(objVM.Accountant.CPUUtilizationHistory)]],
          'an array has no text; join its items, as in table.concat(array, " ") (13)',
        },
      }
      it("an array otherwise reads as any", function()
        assert.equal("60\n60\n60\n0\n", run [[
          arr = objVM.Accountant.CPUUtilizationHistory
          n, m = 0, 0
          for x in Each(arr) do n = n + 1 end
          for _, x in ipairs(arr) do m = m + 1 end
          WScript.Echo(n) WScript.Echo(m) WScript.Echo(#arr) WScript.Echo(arr[60])]])
        assert.equal("on\n9\n", run [[
          OnErrorResumeNext()
          WScript.Echo("at 0: " .. objVM.Accountant.CPUUtilizationHistory[0])
          WScript.Echo("on")
          WScript.Echo(Err.Number)
          OnErrorGoto0()]])
      end)
      -- What the object itself says, with the script's line.
      it("an object with arguments that has no Item, and an assignment to an object member", function()
        assert.matches("^port.lua:1: .*VMAccountant.* without parentheses",
          (failure_of [[WScript.Echo(objVM.Accountant("NetworkBytesSent"))]]))
        assert.matches("^port.lua:1: web01: Accountant: .* is read%-only",
          (failure_of [[objVM.Accountant = objAccountant]]))
      end)

      for what, case in pairs(HINTS) do
        it(what, function()
          local text = failure_of(case[1])
          assert.equal("port.lua:1: " .. case[2], text)
        end)
      end
    end)
  end)

  describe("text", function()
    local TEXTS <const> = {
      { 0, "0" }, { -7, "-7" }, { math.maxinteger, "9223372036854775807" },
      { 0.0, "0" }, { -0.0, "0" }, { 100.0, "100" }, { 12.5, "12.5" }, { -0.1, "-0.1" },
      { 100 / 3, "33.3333333333333" }, { 2 / 3, "0.666666666666667" },
      { 123456789012345.0, "123456789012345" }, { 999999999999999.0, "999999999999999" },
      { 1e15, "1E+15" }, { 1.5e300, "1.5E+300" }, { 2.0 ^ 63, "9.22337203685478E+18" },
      { 0.00001, "0.00001" }, { 1e-15, "0.000000000000001" }, { 1e-16, "1E-16" }, { -1.25e-20, "-1.25E-20" },
      { 1e-5 / 3, "3.33333333333333E-06" }, { 0.99999999999999999, "1" },
      { math.huge, "1.#INF" }, { -math.huge, "-1.#INF" },
      { true, "True" }, { false, "False" }, { "0x10", "0x10" }, { "", "" },
    }
    for _, case in ipairs(TEXTS) do
      it(("of %s is that of VBScript"):format(case[1]), function()
        assert.equal(case[2], vbscript.CStr(case[1]))
      end)
    end

    it("of Empty, Null and nil is nothing", function()
      assert.same({ "", "", "" }, { vbscript.CStr(vbscript.Empty), vbscript.CStr(vbscript.Null), vbscript.CStr(nil) })
      assert.equal("<>\n", run [[WScript.Echo("<" .. Empty .. ">")]])
      assert.equal("<>\n", run [[WScript.Echo("<" .. Null .. ">")]])
      assert.equal("True1\n", run [[WScript.Echo(CStr(true) .. Empty .. 1)]])
    end)

    it("of Empty in a sum is 0", function()
      assert.equal("5 -2 6 1 0\n", run [[WScript.Echo(Empty + 5, Empty - 2, 6 - Empty, 1 + Empty, -Empty)]])
      assert.equal("True False True False\n", run [[
        WScript.Echo(IsEmpty(Empty), IsEmpty(0), IsEmpty(nonesuch), IsEmpty(""))]])
    end)

    it("is joined from numbers, Decimals, Doubles and machines", function()
      run [[objVM = CreateObject("VirtualServer.Application").FindVirtualMachine("web01")]]
      assert.equal("web01 has sent 1500, received 9223372036854775808, of which web01\n", run [[
        WScript.Echo(objVM .. " has sent " .. objVM.Accountant.NetworkBytesSent .. ", received "
          .. objVM.Accountant.NetworkBytesReceived .. ", of which " .. objVM)]])
      assert.equal("web01db02\n", run [[
        WScript.Echo(objVM .. CreateObject("VirtualServer.Application").FindVirtualMachine("db02"))]])
      host:AddMachine("web02"):Rename("web03")
      assert.equal("5 False\n", run [[WScript.Echo(objVM.State .. " " .. CStr(objVM.State == 1))]])
    end)

    it("is the machine's current name", function()
      local machine = host:AddMachine("old")
      run [[objVM = CreateObject("VirtualServer.Application").FindVirtualMachine("old")]]
      machine:Rename("new")
      assert.equal("new new\n", run [[WScript.Echo(objVM, "" .. objVM)]])
    end)

    it("is joined from anything once that is asked for", function()
      local status, printed = child.run [[
        local vbscript = require "vmaccountant.vbscript"
        print(pcall(function() return "a" .. nil end) == false, pcall(function() return "a" .. true end) == false)
        vbscript.join_anything()
        print("a" .. nil .. true .. false .. 1)
        print(nil .. "b", false .. nil)
      ]]
      assert.equal(0, status)
      assert.equal("true\ttrue\naTrueFalse1\nb\tFalse\n", printed)
    end)
  end)

  describe("conversion", function()
    it("CLng rounds halves to the even side", function()
      assert.equal("2 4 -2 3 7 -1 0 0\n", run [[WScript.Echo(CLng(2.5), CLng(3.5), CLng(-2.5), CLng("2.6"), CLng(" 7 "),
        CLng(True), CLng(False), CLng(Empty))]])
    end)

    it("CDbl joins as VBScript's Double", function()
      assert.equal("1048576 1.5 0.25\n", run [[
        WScript.Echo(CDbl("1048576") .. " " .. CDbl("1.5") .. " " .. CDbl(1/4))]])
    end)

    it("FormatNumber groups and rounds, and keeps all digits of an integer", function()
      assert.equal("1,234,567.89 0.50 -1,000 9,223,372,036,854,775,807.00 123 999,999 12.0\n", run [[
        WScript.Echo(FormatNumber(1234567.891), FormatNumber(".5"), FormatNumber(-1000, 0),
          FormatNumber(9223372036854775807), FormatNumber(123, 0), FormatNumber(999999, 0), FormatNumber(12, 1))]])
    end)

    it("UCase, LCase and Len take any value that has a text", function()
      assert.equal("ABC abc 3 4 2\n", run [[
        WScript.Echo(UCase("aBc"), LCase("AbC"), Len("abc"), Len(True), Len("\u{e9}t"))]])
    end)

    it("Now is the current time", function()
      assert.matches("^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d$", env.Now())
    end)

    local BAD <const> = {
      [ [[CLng("0x10")]] ] = "Type mismatch: 'CLng': '0x10' is not a number (13)",
      [ [[CLng("")]] ] = "Type mismatch: 'CLng': '' is not a number (13)",
      [ [[CLng("nan")]] ] = "Type mismatch: 'CLng': 'nan' is not a number (13)",
      [ [[CDbl("1.2.3")]] ] = "Type mismatch: 'CDbl': '1.2.3' is not a number (13)",
      [ [[CLng(1e300)]] ] = "Overflow: 'CLng': 1E+300 (6)",
      [ [[FormatNumber(1, 16)]] ] = "FormatNumber: the digits behind the point must be from 0 to 15, not 16 (5)",
      [ [[FormatNumber(1/0)]] ] = "Overflow: 'FormatNumber': 1.#INF (6)",
    }
    for script, message in pairs(BAD) do
      it(script .. " is refused", function()
        assert.equal("port.lua:1: " .. message, (failure_of(script)))
      end)
    end
  end)

  describe("On Error Resume Next", function()
    before_each(function()
      run [[
        objVS = CreateObject("VirtualServer.Application")
        objVM = objVS.FindVirtualMachine("web01")
        OnErrorResumeNext()]]
    end)

    it("skips the statement that a member fails in, and no other", function()
      assert.equal("before\nafter\n", run [[
        WScript.Echo("before")
        WScript.Echo("Bytes: " .. objVM.Accountant.Nonesuch .. " of " .. objVM)
        WScript.Echo("after")]])
    end)

    it("sets Err until it is cleared", function()
      assert.equal("-2147352570 Nonesuch True\n0   True\n", run [[
        x = objVM.Nonesuch
        y = objVM.Name
        WScript.Echo(Err.Number, err.SOURCE, Len(Err.Description) > 0)
        Err.Clear()
        WScript.Echo(Err.Number, Err.Description, Err.Source, True)]])
    end)

    it("gives the signed numbers of the result codes", function()
      host:AddMachine("gone"):Remove()
      local gone = host:AddMachine("goes")
      run [[objGone = objVS.FindVirtualMachine("goes")]]
      gone:Remove()
      assert.equal("-1610350073\n", run [[x = objGone.State; WScript.Echo(Err.Number)]])
      assert.equal("-1610350074\n", run [[objVS.FindVirtualMachine("mail").TurnOff(); WScript.Echo(Err.Number)]])
      assert.equal(-1610350073, vma.hresult.VM_E_VM_UNKNOWN - (1 << 32))
    end)

    it("leaves a variable as it was, or Empty", function()
      assert.equal("kept\n<>\n", run [[
        strName = "kept"
        strName = objVM.Nonesuch
        WScript.Echo(strName)
        strNew = objVM.Nonesuch
        WScript.Echo("<" .. strNew .. ">")]])
    end)

    it("has no members in a variable that is Empty", function()
      assert.equal("424 end\n", run [[
        objTask = objVM.Nonesuch()
        objTask.WaitForCompletion(-1)
        objTask.Result = 1
        WScript.Echo(Err.Number, "end")]])
      assert.equal("port.lua:1: Object required: Empty has no 'Name' (424)",
        (failure_of [[OnErrorGoto0() WScript.Echo(Empty.Name)]]))
    end)

    it("skips what depends on what has failed: joins, sums, calls, members, assignments", function()
      assert.equal("end\n", run [[
        local failed = objVM.Nonesuch
        WScript.Echo(failed)
        WScript.Echo(1 + failed * 2 - failed / 3 .. "x")
        WScript.Echo(-failed, #failed)
        WScript.Echo(failed.Name, failed(1), failed.Item(2).Name)
        WScript.Echo(CStr(failed) .. CLng(failed) .. UCase(failed))
        WScript.Echo(Empty .. failed)
        WScript.Echo(objVM .. failed)
        failed.Name = "x"
        failed:TurnOff()
        objVS.FindVirtualMachine(failed).TurnOff()
        for x in failed do WScript.Echo(x) end
        for x in Each(failed) do WScript.Echo(x) end
        if failed == 5 or failed < 5 or failed >= 5 then WScript.Echo("compared") end
        WScript.StdOut.Write(failed)
        WScript.Nonesuch()
        WScript.Nonesuch = 1
        CreateObject("Nonesuch.Application")
        CreateObject("VirtualServer.Application").FindVirtualMachine().Startup()
        WScript.Echo(CLng("x"))
        WScript.Echo(objVM.Startup)
        WScript.Echo("a" .. objVM.Startup)
        WScript.Echo(objVM.Startup.IsComplete)
        WScript.Echo(objVM.Accountant)
        WScript.Echo(objVM.Accountant("x"))
        for x in objVM do WScript.Echo(x) end
        WScript.Sleep(-1)
        objVM.Accountant = 1
        objVM.Name = failed
        WScript.Echo("end")]])
      assert.equal("5\n", run [[WScript.Echo(objVM.State)]])
    end)

    it("is ended by On Error GoTo 0", function()
      assert.equal("0\n", run [[x = objVM.Nonesuch; OnErrorGoTo0(); WScript.Echo(Err.Number)]])
      assert.matches("^port.lua:1: .*Nonesuch", (failure_of [[x = objVM.Nonesuch]]))
    end)

    it("does not affect another script", function()
      local other = vbscript.environment {
        CreateObject = function() return host:CreateObject("VirtualServer.Application") end,
      }
      local objVS = other.CreateObject("VirtualServer.Application")
      assert.has_error(function() return objVS.Nonesuch end)
      assert.equal(0, env.Err.Number)
      assert.equal(-2147352570, other.Err.Number)
    end)

    it("does not hold for what Lua itself raises", function()
      assert.matches("^port.lua:1: attempt to index a nil value", (failure_of [[WScript.Echo(nonesuch.Name)]]))
    end)

    describe("of functions", function()
      it("ends that function for what Lua itself raises, and goes on after it", function()
        assert.equal("first\nsecond\nthird\n507 port.lua:1: attempt to index a nil value (global 'nonesuch')\n",
          run [[
          OnErrorResumeNext(function() WScript.Echo("first"); x = nonesuch.Name; WScript.Echo("not here") end,
            function() WScript.Echo("second") end)
          WScript.Echo("third")
          WScript.Echo(Err.Number, Err.Description)]])
      end)

      it("skips within one just the statement that a member fails in", function()
        run [[OnErrorGoto0()]]
        assert.equal("before\nafter\n", run [[
          OnErrorResumeNext(function()
            WScript.Echo("before")
            WScript.Echo(objVM.Nonesuch)
            WScript.Echo("after")
          end)]])
        assert.matches("Nonesuch", (failure_of [[x = objVM.Nonesuch]]))
      end)

      it("refuses what is no function, and calls none", function()
        assert.matches("OnErrorResumeNext takes functions, such as function() … end, and argument 2 is a string",
          (failure_of [[OnErrorResumeNext(function() called = true end, "x")]]), 1, true)
        assert.is_nil(env.called)
      end)
    end)

    it("does not keep Ctrl-C from ending the script", function()
      for _, script in ipairs {
        [[OnErrorResumeNext() WScript.Echo("waits") WScript.Sleep(60000) WScript.Echo("goes on")]],
        [[OnErrorResumeNext(function() WScript.Echo("waits") WScript.Sleep(60000) end) WScript.Echo("goes on")]],
      } do
        local status, printed, errors = child.run(([==[
          local text = %q
          -- Once the script has written its line, its interpreter is sent SIGINT.
          local path = os.tmpname()
          local file = assert(io.open(path, "w"))
          file:write(("package.path, package.cpath = %%q, %%q "):format(package.path, package.cpath),
            "local _ENV = require('vmaccountant.vbscript').environment() ", text)
          file:close()
          os.execute("port=" .. path .. [[; lua5.4 $port >$port.out 2>$port.err & pid=$!
            tries=0
            until grep -qs waits $port.out || [ $tries = 300 ]; do sleep 0.1; tries=$((tries + 1)); done
            kill -INT $pid; wait $pid; echo status $?
            cat $port.out $port.err; rm $port $port.out $port.err]])
        ]==]):format(script))
        assert.same({ 0, "" }, { status, errors })
        assert.matches("^status 1\nwaits\n.*interrupted!", printed)
        assert.is_nil(printed:find("goes on", 1, true))
      end
    end)
  end)

  describe("Err", function()
    it("raises what the script wants", function()
      local text, err = failure_of [[Err.Raise(1001, "port", "the disk is full")]]
      assert.equal("port.lua:1: the disk is full (1001)", text)
      assert.equal("port", err.source)
      assert.equal("1001 port the disk is full\n", run [[WScript.Echo(Err.Number, Err.Source, Err.Description)]])
      assert.equal("1002 Unknown runtime error\n", run [[
        OnErrorResumeNext()
        Err:Raise(1002)
        WScript.Echo(Err, Err.Description)]])
    end)

    it("refuses a number that is none", function()
      for _, number in ipairs { "0", "'x'", "1.5", "nil" } do
        assert.matches("Err.Raise wants a whole number that is not 0 (5)",
          (failure_of("Err.Raise(" .. number .. ")")), 1, true)
      end
    end)

    it("may be assigned to, where VBScript lets it", function()
      assert.equal("7 seven\n", run [[
        Err.Number = 7; Err.Description = "seven"; WScript.Echo(Err.Number, Err.Description)]])
      assert.matches("clear of Err cannot be assigned to", (failure_of [[Err.clear = 1]]))
      assert.matches("Err has no member 'HelpFile'; its members are Clear, Description, Number, Raise, Source",
        (failure_of [[return Err.HelpFile]]))
    end)
  end)

  describe("WScript", function()
    it("echoes its arguments in one line", function()
      assert.equal("a 1 True  2\n\n\n", run [[WScript.Echo("a", 1, True, Empty, 2.0) WScript.Echo() WScript:Echo("")]])
      assert.equal("ab1\n\n\n", run [[WScript.StdOut.Write("a") WScript.StdOut.WriteLine("b", 1)
        WScript.StdOut.WriteBlankLines(2)]])
    end)

    it("has the arguments, from 0, and the script's name", function()
      assert.equal("2 2 web01 2 web01 2\n", run [[
        WScript.Echo(WScript.Arguments.Count, WScript.Arguments.Length, WScript.Arguments(0), WScript.Arguments(1),
          WScript.Arguments.Item(0), WScript.Arguments:Item(1))]])
      assert.equal("web01\n2\n", run [[for word in Each(WScript.Arguments) do WScript.Echo(word) end]])
      assert.equal("port.lua\n", run [[WScript.Echo(WScript.ScriptName)]])
      assert.matches("^/.*/folder/port.lua\n$", run [[WScript.Echo(WScript.ScriptFullName)]])
      assert.equal("port.lua:1: Subscript out of range: there is no argument 2; the script was given 2, which count "
        .. "from 0 (9)",
        (failure_of [[x = WScript.Arguments(2)]]))
      assert.matches("Object required: go through the arguments with Each",
        (failure_of [[for word in WScript.Arguments do end]]))
    end)

    it("takes the words of a script that lua5.4 runs", function()
      local printed = child.output_of [[
        arg = { [0] = "/x/y.lua", "one" }
        local _ENV = require("vmaccountant.vbscript").environment()
        WScript.Echo(WScript.ScriptFullName, WScript.Arguments.Count, WScript.Arguments(0))
        WScript.StdErr.Write("")
      ]]
      assert.equal("/x/y.lua 1 one\n", printed)
    end)

    it("quits with a status, and prints what was echoed", function()
      local status, printed, errors = child.run [[
        local _ENV = require("vmaccountant.vbscript").environment()
        OnErrorResumeNext(function()
          objVS = CreateObject("VirtualServer.Application", "test:///default")
          WScript.Echo("leaves")
          WScript.StdErr.WriteLine("why")
          WScript.Quit(3)
        end)
        WScript.Echo("stays")
      ]]
      assert.same({ 3, "leaves\n", "why\n" }, { status, printed, errors })
      assert.equal(0, (child.run [[require("vmaccountant.vbscript").WScript.Quit()]]))
    end)

    it("sleeps without using the processor", function()
      local before, cpu = core.monotonic_time(), os.clock()
      run [[WScript.Sleep(1000)]]
      assert.is_true(core.monotonic_time() - before >= 1)
      assert.is_true(os.clock() - cpu < 0.5) -- of the thousand that a busy loop uses
      run [[WScript.Sleep(0)]]
      for _, milliseconds in ipairs { "-1", "4294967296" } do
        assert.matches("WScript.Sleep wants from 0 to 2147483647 milliseconds, not",
          (failure_of("WScript.Sleep(" .. milliseconds .. ")")))
      end
      assert.matches("Type mismatch", (failure_of [[WScript.Sleep("soon")]]))
    end)

    describe("with a connected object", function()
      -- An object with the two members that events need: each wait delivers
      -- one of the events that are due.
      local connected

      local function stub()
        local object = { due = {}, waits = 0 }
        function object:Connect(handlers)
          self.handlers = handlers
        end
        function object:WaitForEvents(milliseconds)
          assert(milliseconds > 0)
          self.waits = self.waits + 1
          local event = table.remove(self.due, 1)
          if event then
            self.handlers[event[1]](table.unpack(event, 2))
          else
            core.sleep(milliseconds / 1000)
          end
        end
        return object
      end

      before_each(function()
        connected = stub()
        env.objStub = connected
      end)

      it("calls the handlers while the script sleeps, wherever they are defined", function()
        connected.due = { { "OnVMStateChange", "web01", 5 }, { "OnReset", "web01" }, { "OnAdapterRemoved", "web01" },
          { "OnVMStateChange", "web01", 1 } }
        assert.equal("web01 5\nreset web01\nweb01 1\n", run [[
          WScript.ConnectObject(objStub, "VS_")
          function vs_onvmstatechange(name, state) WScript.Echo(name, state) end
          function VS_OnReset(name) WScript.Echo("reset", name) end
          WScript.Sleep(20)]])
        assert.equal(0, #connected.due)
      end)

      it("sleeps the whole time, however often it is woken", function()
        for _ = 1, 20 do
          table.insert(connected.due, { "OnReset", "web01" })
        end
        local before = core.monotonic_time()
        run [[WScript.ConnectObject(objStub, "VS_") WScript.Sleep(300)]]
        assert.is_true(core.monotonic_time() - before >= 0.3)
        assert.is_true(connected.waits < 40)
      end)

      it("passes the events on that only the object can refuse", function()
        run [[function VS_OnHeartbeatStopped() end WScript.ConnectObject(objStub, "VS_")]]
        assert.is_function(connected.handlers.OnHeartbeatStopped)
        assert.is_nil(connected.handlers.OnEventLogged)
      end)

      it("raises what a handler raises, or goes on after it", function()
        connected.due = { { "OnReset", "a" }, { "OnReset", "b" } }
        run [[function VS_OnReset(name) seen = name; Err.Raise(99, "handler", "broken") end
          WScript.ConnectObject(objStub, "VS_")]]
        assert.matches("broken (99)", (failure_of [[WScript.Sleep(1000)]]), 1, true)
        assert.equal("99\n", run [[OnErrorResumeNext() WScript.Sleep(50) WScript.Echo(Err.Number)]])
        assert.equal("b", env.seen)
      end)

      it("serves several, and forgets one that is closed", function()
        local other = stub()
        env.objOther = other
        connected.due = { { "OnReset", "one" } }
        other.due = { { "OnReset", "two" } }
        assert.equal("two\none\n", run [[
          function VS_OnReset(name) WScript.Echo(name) end
          WScript.ConnectObject(objStub, "VS_")
          WScript.ConnectObject(objOther, "VS_")
          WScript.Sleep(50)]])
        function other.WaitForEvents()
          error({ name = "VM_E_APP_SHUTTING_DOWN", hresult = 0xA0040209, message = "closed" })
        end
        run [[WScript.Sleep(50)]]
        local waits = connected.waits
        run [[WScript.Sleep(50)]]
        assert.is_true(connected.waits > waits)
      end)

      it("is created connected", function()
        env = vbscript.environment { CreateObject = function() return connected end }
        env.WScript.CreateObject("VirtualServer.Application", "VS_")
        assert.is_function(connected.handlers.OnVMStateChange)
      end)

      it("is refused when it is none", function()
        assert.matches("Object required: WScript.ConnectObject was given nothing to connect (424)",
          (failure_of [[WScript.ConnectObject(Nothing, "VS_")]]), 1, true)
        assert.matches("wants the prefix of the handlers' names as its second argument, as in \"VS_\", not a nil",
          (failure_of [[WScript.ConnectObject(objStub)]]), 1, true)
      end)
    end)
  end)
end)
