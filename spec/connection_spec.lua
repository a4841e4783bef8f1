-- Which host CreateObject connects to, and what it says when it cannot.

local vma = require "vmaccountant"
local child = require "spec.support.child"
local failure = require "spec.support.failure"
local handles = require "spec.support.handles"

local PROGID <const> = "VirtualServer.Application"

-- libvirt/virterror.h
local VIR_ERR_INTERNAL_ERROR <const> = 1
local VIR_ERR_SYSTEM_ERROR <const> = 38

local function connect(uri)
  return failure.of(vma.CreateObject, PROGID, uri, { timeout = 10 })
end

describe("a connection", function()
  it("is not asked for with bytes that are not UTF-8", function()
    local ok, err = pcall(vma.CreateObject, PROGID, "test:///\xff\xfe")
    assert.is_false(ok)
    assert.is_truthy(err:find("bad argument #2", 1, true), err)
    assert.is_truthy(err:find("a libvirt URI must be UTF-8 text without a NUL", 1, true), err)
  end)

  before_each(handles.remember)
  after_each(handles.check)

  describe("that cannot be made gives libvirt's words and advice:", function()
    local cases = {
      { "a driver that libvirt does not have", "bogus:///system", nil, nil }, -- a daemon might have it
      { "a transport that libvirt does not have", "qemu+bogus:///system", nil, "give a libvirt URI such as" },
      { "a file that is not there", "test:///no/such/file.xml", nil,
        "check with: virsh -c test:///no/such/file.xml list" },
      { "a file that is no XML", "test:///dev/null", nil, "check with: virsh -c test:///dev/null list" },
      { "a socket that is not there", "qemu+unix:///system?socket=/no/such/socket", VIR_ERR_SYSTEM_ERROR,
        "is libvirtd (or the modular daemon of this driver) running there" },
      { "a port where nobody listens", "qemu+tcp://127.0.0.1:1/system", VIR_ERR_SYSTEM_ERROR,
        "is libvirtd (or the modular daemon of this driver) running there" },
      { "a host that does not resolve", "qemu+tcp://nobody.invalid/system", VIR_ERR_SYSTEM_ERROR,
        "check with: virsh -c qemu+tcp://nobody.invalid/system list" },
      { "an ssh that cannot", "qemu+ssh://127.0.0.1:1/system", VIR_ERR_SYSTEM_ERROR,
        "check with: virsh -c qemu+ssh://127.0.0.1:1/system list" },
      { "an ssh that ends", "qemu+ssh://127.0.0.1/system?command=/bin/false", VIR_ERR_SYSTEM_ERROR,
        "check with: virsh -c 'qemu+ssh://127.0.0.1/system?command=/bin/false' list" },
      { "a key that is not there", "qemu+tls://127.0.0.1:1/system?pkipath=/no/such", nil,
        "check with: virsh -c 'qemu+tls://127.0.0.1:1/system?pkipath=/no/such' list" },
      { "a path that is none", "test:///", nil, "give a libvirt URI such as" },
      { "no scheme", "/system", nil, "give a libvirt URI such as" },
      { "a text with a %s in it", "%s%n:///", nil, nil },
      { "spaces", "a b c", nil, "give a libvirt URI such as" },
      { "several lines", "test:///\n\n", nil, nil },
      { "a long text", "test:///" .. ("x"):rep(100000), nil, nil },
    }

    for _, case in ipairs(cases) do
      local what, uri, code, hint = table.unpack(case, 1, 4)
      it(what, function()
        local err = failure.check({ name = "DISP_E_EXCEPTION", member = "CreateObject",
          message = "cannot connect to '" .. uri:sub(1, 200) }, connect(uri))
        assert.is_table(err.cause)
        assert.equal("integer", math.type(err.cause.code))
        assert.equal("integer", math.type(err.cause.domain))
        assert.equal("string", type(err.cause.message))
        assert.is_true(err.cause.message ~= "")
        assert.is_true(err.cause.code >= VIR_ERR_INTERNAL_ERROR)
        if #uri < 100 then
          assert.is_truthy(err.message:find(err.cause.message:sub(1, 100), 1, true), err.message)
        end
        if code then
          assert.equal(code, err.cause.code)
        end
        if hint then
          assert.is_truthy(err.message:find(hint, 1, true), err.message)
          -- One piece of advice, and not the other.
          local is_of_uri = hint:find("give a libvirt URI", 1, true)
          assert.is_nil(err.message:find(is_of_uri and "virsh" or "give a libvirt URI", 1, true), err.message)
        end
        assert.is_nil(tostring(err):find("%c"))
      end)
    end

    it("a socket that this user may not open", function()
      local path = os.tmpname() -- a file and no socket: nobody may connect to it
      local err = connect("qemu+unix:///system?socket=" .. path)
      os.remove(path)
      failure.check({ name = "DISP_E_EXCEPTION", member = "CreateObject" }, err)
      assert.equal(VIR_ERR_SYSTEM_ERROR, err.cause.code)
    end)
  end)

  it("that cannot be made leaves nothing open", function()
    for _ = 1, 50 do
      connect("qemu+unix:///system?socket=/no/such/socket")
      connect("bogus:///system")
    end
    local objVS <close> = vma.CreateObject(PROGID, "test:///default")
    assert.equal(1, #objVS.VirtualMachines)
  end)

  describe("by default", function()
    local SHOW_HOST <const> = [[
      local vma = require "vmaccountant"
      local ok, result = pcall(vma.CreateObject, "VirtualServer.Application"%s)
      print(ok and tostring(result) or result)
    ]]

    for what, argument in pairs { ["without an argument"] = "", ["of nil"] = ", nil", ["of an empty text"] = ", ''" } do
      it("is that of LIBVIRT_DEFAULT_URI, " .. what, function()
        local output = child.output_of(SHOW_HOST:format(argument), { LIBVIRT_DEFAULT_URI = "test:///default" })
        assert.equal("VMVirtualServer (test:///default)\n", output)
      end)
    end

    it("gives way to the argument", function()
      local output = child.output_of(SHOW_HOST:format(", 'test:///default'"), { LIBVIRT_DEFAULT_URI = "bogus:///" })
      assert.equal("VMVirtualServer (test:///default)\n", output)
    end)

    it("that cannot be made is called the default host", function()
      local output = child.output_of(SHOW_HOST:format(""), { LIBVIRT_DEFAULT_URI = "bogus:///system" })
      assert.matches("^CreateObject: cannot connect to the default libvirt host: .+%(DISP_E_EXCEPTION 0x80020009%)\n$",
        output)
    end)

    it("that is no URI names where it comes from", function()
      local output = child.output_of(SHOW_HOST:format(""), { LIBVIRT_DEFAULT_URI = "bogus" })
      assert.is_truthy(output:find("LIBVIRT_DEFAULT_URI", 1, true), output)
      assert.is_nil(output:find("nothing for the default", 1, true), output)
    end)
  end)

  it("of a bare host name is asked of that host, over ssh", function()
    local output = child.output_of([[
      local vma = require "vmaccountant"
      local _, err = pcall(vma.CreateObject, "VirtualServer.Application", "nobody.invalid", { timeout = 10 })
      print(err.name, err.message)
    ]], { SSH_ASKPASS = "/bin/false" })
    assert.matches("^DISP_E_EXCEPTION\tcannot connect to 'qemu%+ssh://nobody%.invalid/system': ", output)
  end)

  it("of an option for ssh is not taken for a host name", function()
    for _, name in ipairs { "-oProxyCommand=true", "-v", "@host", "user@host", "host name", "host;id", "höst" } do
      local err = connect(name)
      assert.is_truthy(err.message:find("cannot connect to '" .. name .. "'", 1, true), err.message)
    end
  end)

  it("prints nothing on standard error, whatever fails", function()
    local output = child.output_of [[
      local vma = require "vmaccountant"
      local objVS = vma.CreateObject("VirtualServer.Application", "test:///default")
      local objVM = objVS.VirtualMachines[1]
      assert(objVS:FindVirtualMachine("nobody") == nil)
      objVM:TurnOff()
      for _, call in ipairs {
        function() return objVM.Accountant.NetworkBytesSent end,
        function() return objVM:TurnOff() end,
        function() return objVM:Pause() end,
        function() return objVM:DiscardSavedState() end,
        function() return vma.CreateObject("VirtualServer.Application", "bogus:///") end,
        function() return vma.CreateObject("VirtualServer.Application", "test:///no/such/file") end,
        function() return vma.CreateObject("VirtualServer.Application", "qemu+unix:///system?socket=/none") end,
      } do
        assert(not pcall(call))
      end
      print "done"
    ]]
    assert.equal("done\n", output)
  end)
end)
