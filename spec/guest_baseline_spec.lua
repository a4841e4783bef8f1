-- Baselines that processes share through the machine's live definition: who
-- starts late counts from the last reset, and is not misled by what is stale,
-- hostile or from the future.

local host = require "spec.support.libvirt_host"
local real_host = require "spec.support.real_host"
local guest = require "spec.support.guest"
local agent = require "spec.support.agent"
local child = require "spec.support.child"
local exact = require "spec.support.exact"

local NAMESPACE

real_host.describe(_ENV, "a shared baseline #root", function()
  local g, recorder

  setup(function()
    g = guest.start { name = "baseline", adapters = { {}, { bridge = "vmabr1" } } }
    recorder = agent.start()
    recorder:eval [[
      objVS = connect()
      objVS:RecordResets()]]
    g:send(1, 9)
    g:reset()
    NAMESPACE = host.wait_until("baseline", 60, function()
      return g:xml():match("xmlns:[%w_-]+='([^']+)'>?%s*[^>]*version='1'") or
        g:xml():match("<[%w_-]+:baseline xmlns:[%w_-]+=['\"]([^'\"]+)")
    end)
    recorder:stop()
  end)

  local function demand_newcomer(expected)
    assert.same(expected, (exact.figures_of_newcomer(g.name)))
  end

  -- What a new process reads five times, and its warnings.
  local function read_with_warnings()
    local status, output, errors = child.run(([[
      warn "@on"
      local objVS <close> = require("vmaccountant").CreateObject("VirtualServer.Application", "qemu:///system")
      local accountant = objVS:FindVirtualMachine(%q).Accountant
      for _ = 1, 5 do
        io.write(accountant.NetworkBytesSent, "\n")
      end]]):format(g.name))
    assert.equal(0, status, errors)
    local figures = {}
    for figure in output:gmatch("%d+") do
      figures[#figures + 1] = math.tointeger(tonumber(figure))
    end
    local _, warnings = errors:gsub("\n", "")
    return figures, warnings, errors
  end

  -- As its editor: a command line has a limit, and what virsh is typed at it takes
  -- seconds to read.
  local function set_metadata(xml)
    local path = host.write_file(host.folder .. "/metadata", (xml:gsub("%s*\n%s*", " ")))
    host.shell(("VISUAL='cp %s' timeout 60 virsh --quiet --connect qemu:///system metadata %s --uri %s --key vma " ..
      "--live --edit"):format(path, g.name, NAMESPACE))
  end

  local function element()
    return (host.virsh("metadata", g.name, "--uri", NAMESPACE, "--live"):gsub("%s+$", ""))
  end

  it("is found by a process that starts when no other is there any more", function()
    g:send(1, 3)
    g:send(2, 4)
    g:quiet()
    assert.equal(7000, g:tx_bytes())
    demand_newcomer { 7000, 0 }
  end)

  it("leaves adapters that came after it, and bytes of both, alone", function()
    local mac = g:plug {}
    g:send(3, 5)
    g:quiet()
    demand_newcomer { 12000, 0 }
    g:unplug(mac)
  end)

  it("is written by Reset of a process that records nothing else", function()
    local one <close> = agent.start()
    one:eval(("objVS = connect() objVS:FindVirtualMachine(%q):Reset()"):format(g.name))
    one:stop()
    g:wait_boot()
    g:send(2, 6)
    g:quiet()
    demand_newcomer { 6000, 0 }
    assert.equal(6000, g:tx_bytes())
  end)

  it("survives a libvirtd restart", function()
    host.restart()
    demand_newcomer { 6000, 0 }
  end)

  it("is ignored when it is malformed, hostile, of another schema or from the future", function()
    local good = element()
    assert.is_truthy(good:find("baseline", 1, true))
    local raw = exact.device_bytes(g.name)
    local adapters = good:match("(<adapter.*)</")
    local cases = {
      { "another schema", good:gsub("version=(['\"])1", "version=%12"), true },
      { "no version", good:gsub(" version=['\"]1['\"]", ""), true },
      { "text for a figure", good:gsub("sent=(['\"])%d+", "sent=%1many"), true },
      { "a negative figure", good:gsub("sent=(['\"])%d+", "sent=%1-5"), true },
      { "a figure above all types", good:gsub("sent=(['\"])%d+", "sent=%1" .. ("9"):rep(60)), true },
      { "no MAC address", good:gsub(" mac=['\"][^'\"]+['\"]", ""), true },
      { "megabytes", good:gsub("sent=(['\"])%d+", "sent=%1" .. ("9"):rep(1000000)), true },
      { "thousands of adapters", (good:gsub("<adapter.*</", function()
        return adapters:match("<adapter.-/>"):rep(2000) .. "</"
      end)), true },
      { "more than the device has", (good:gsub("sent=(['\"])%d+", "sent=%1999999999999")), false },
      { "the future", (good:gsub("clock=(['\"])%d+", "clock=%199999999999999")), true },
      { "an older form", (good:gsub(" boot=['\"].-['\"]", ""):gsub(" ordinal=['\"].-['\"]", "")
        :gsub(" clock=['\"].-['\"]", "")), true },
      { "another run", (good:gsub("domain=(['\"])%d+", "domain=%19999")), false },
    }
    for _, case in ipairs(cases) do
      set_metadata(case[2])
      local figures, warnings, text = read_with_warnings()
      assert.same({ raw[1], raw[1], raw[1], raw[1], raw[1] }, figures, case[1] .. ": " .. text)
      assert.equal(case[3] and 1 or 0, warnings, case[1] .. ": " .. text)
    end
    -- The wall clock's time is for people: it decides nothing.
    set_metadata((good:gsub("reset=(['\"])%d+", "reset=%199999999999999")))
    assert.equal(6000, read_with_warnings()[1])
    set_metadata(good)
    demand_newcomer { 6000, 0 }
  end)

  it("that cannot be used is warned of once for each machine", function()
    local names = host.idle_machines(3, 1, "unusable")
    for _, name in ipairs(names) do
      host.virsh("metadata", name, "--uri", NAMESPACE, "--key", "vma", "--live", "--set", "<baseline version='9'/>")
    end
    local status, output, errors = child.run([[
      warn "@on"
      local objVS <close> = require("vmaccountant").CreateObject("VirtualServer.Application", "qemu:///system",
        { max_age = 60 })
      for _ = 1, 3 do
        for accountant in objVS.VirtualMachines:Accountants() do accountant:Get("NetworkBytesSent") end
      end
      print "done"]])
    assert.same({ 0, "done\n" }, { status, output }, errors)
    local _, warnings = errors:gsub("another schema version", "")
    assert.equal(#names, warnings, errors)
    for _, name in ipairs(names) do
      host.virsh("destroy", name)
    end
  end)

  it("of before a save, in the image, is ignored after the restore", function()
    local old = g:domain_id()
    g:save()
    g:restore()
    g:quiet()
    assert.is_truthy(element():find(("domain=\"%d\""):format(old), 1, true) or
      element():find(("domain='%d'"):format(old), 1, true), element())
    demand_newcomer(exact.device_bytes(g.name))
    g:send(1, 2)
    g:quiet()
    demand_newcomer(exact.device_bytes(g.name))
  end)

  it("of before a save is ignored even when libvirt gives the run the same ID again", function()
    local one <close> = agent.start()
    one:eval(("objVS = connect() objVS:FindVirtualMachine(%q):Reset()"):format(g.name))
    one:stop()
    g:wait_boot()
    g:save()
    host.restart()
    g:restore()
    g:quiet()
    demand_newcomer(exact.device_bytes(g.name))
    local _, since = exact.figures_of_newcomer(g.name)
    assert.is_true(since >= os.time() - 60)
  end)
end, true)
