-- Whatever locale a program has set, names are ASCII in any letter case and
-- numbers have a point.

local child = require "spec.support.child"
local shell = require "spec.support.shell"

local FOLDER <const> = "build/locale"

-- The locales that the specs need, made from the sources that the package
-- `locales` has. Elsewhere first: a half-written one is never seen.
local function make_locale(name)
  local source, charset = name:match("^(.*)%.(.*)$")
  shell.run(("mkdir -p %s && { test -d %s/%s || { t=$(mktemp -d %s/XXXXXX) && "
    .. "{ localedef -i %s -f %s $t/new || test -d $t/new; } && mv -T $t/new %s/%s; rm -rf $t; }; }"):format(
    FOLDER, FOLDER, name, FOLDER, source, charset, FOLDER, name))
end

-- What the script prints under that locale.
local function output_under(locale, script)
  make_locale(locale)
  local set = ("assert(os.setlocale(%q), 'no such locale')\n"):format(locale)
  return child.output_of(set .. script, { LOCPATH = FOLDER })
end

describe("Under the locale", function()
  -- Each name of each class, of what is left out, and of the VBScript layer, in
  -- capitals and small letters.
  local NAMES <const> = [[
    local vma = require "vmaccountant"
    local core = require "vmaccountant.core"
    local function small(name) return (name:gsub("[A-Z]", function(c) return string.char(c:byte() + 32) end)) end
    local function large(name) return (name:gsub("[a-z]", function(c) return string.char(c:byte() - 32) end)) end
    local count = 0
    for _, change in ipairs { small, large } do
      for _, class in ipairs(core.classes()) do
        for _, member in ipairs(class.members) do
          assert(core.find_member(class.name, change(member.name)) == member.name)
          count = count + 1
        end
      end
      local objVS = vma.CreateObject(change "VirtualServer.Application", "test:///default")
      local objVM = objVS[change "VirtualMachines"][1]
      assert(objVM[change "Accountant"][change "NetworkBytesSent"])
      assert(objVM.Accountant:Get(change "DiskBytesWritten"))
      objVS:Connect { [change "OnVMStateChange"] = print }
      objVS:Connect {}
      for _, member in ipairs(core.left_out()) do
        if member.class == "VMVirtualMachine" then
          local _, err = pcall(function() return objVM[change(member.name)] end)
          assert(err.message:find(member.way, 1, true), err.message)
        end
      end
      local environment = require("vmaccountant.vbscript").environment { write = function() end }
      environment[change "objVI"] = 1
      assert(environment.objVI == 1)
      assert(environment[change "CLng"]("12") == 12)
      assert(environment.UCase("titIi") == "TITII" and environment.LCase("TITIi") == "titii")
      environment.WScript[change "Echo"]("x")
      vma.help(change "VMTask", change "IsComplete")
    end
    io.stdout:write(count > 100 and "found" or count)
  ]]

  for _, locale in ipairs { "tr_TR.UTF-8", "tr_TR.ISO-8859-9", "az_AZ.UTF-8" } do
    it(locale .. " all names are found in any letter case", function()
      assert.truthy(output_under(locale, NAMES):find("found$"))
    end)
  end

  -- Under one whose decimal mark has several bytes not even Lua's own sources
  -- can be read.
  for _, locale in ipairs { "de_DE.UTF-8", "fr_FR.UTF-8" } do
    it(locale .. " numbers print and are read as under C", function()
      local script = [[
        local _ENV = require("vmaccountant.vbscript").environment { write = function(s) io.write(s) end }
        for _, x in ipairs { 1.5, 3.0, 0.1, 1e20, 1.25e20, 1e-7, -2.5, 1 / 3, 123456789012345.0 } do WScript.Echo(x) end
        WScript.Echo(FormatNumber(1234567.891, 2))
        WScript.Echo(FormatNumber(-0.5, 3))
        WScript.Echo(FormatNumber(7, 1))
        WScript.Echo(FormatNumber(1234.5, 0))
        WScript.Echo(CDbl("1.5"))
        WScript.Echo(CDbl("-2.5e3"))
        WScript.Echo(CLng("12.75"))
      ]]
      local plain = child.output_of(script)
      assert.truthy(plain:find("^1.5\n3\n0.1\n1E%+20\n1.25E%+20\n0.0000001\n"))
      assert.equal(plain, output_under(locale, script))
    end)

    it(locale .. " messages have their numbers as under C", function()
      local script = [[
        local host = require("vmaccountant.simulator").new()
        host:AddMachine("web", { running = true })
        host:SetProcessors(3)
        local acct = host:CreateObject("VirtualServer.Application"):FindVirtualMachine("web").Accountant
        for _, parameters in ipairs { { 0.5, 99.5, 100 }, { 2.5, 1.5, 100 }, { -0.5, 12.5, 100 } } do
          print(select(2, pcall(acct.SetSchedulingParameters, acct, table.unpack(parameters))).message)
        end
      ]]
      local plain = child.output_of(script)
      assert.truthy(plain:find("33.3333", 1, true))
      assert.equal(plain, output_under(locale, script))
    end)
  end
end)
