-- Each example is run as its header comment says, and what it prints compared.

package.path = "./?.lua;" .. package.path

local shell = require "spec.support.shell"
local simulator = require "vmaccountant.simulator"

local EXAMPLES <const> = { "network_bytes_sent", "all_counters", "adapters", "watch", "recorder" }

-- A host of the test driver with two running machines and a stopped one.
local NODE <const> = [[
<node>
  <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
    <test:runstate>5</test:runstate>
    <name>stopped</name><memory>1024</memory><os><type>hvm</type></os>
    <devices>
      <interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/></interface>
    </devices>
  </domain>
  <domain type='test'>
    <name>two adapters</name><memory>1024</memory><os><type>hvm</type></os>
    <devices>
      <interface type='bridge'>
        <mac address='52:54:00:00:00:02'/><source bridge='br0'/><target dev='tap0'/>
      </interface>
      <interface type='user'><mac address='52:54:00:00:00:03'/></interface>
    </devices>
  </domain>
  <domain type='test'>
    <name>db &amp; co</name><memory>1024</memory><os><type>hvm</type></os>
    <devices>
      <interface type='network'>
        <mac address='52:54:00:00:00:04'/><source network='default'/><target dev='tap1'/>
      </interface>
    </devices>
  </domain>
</node>
]]

describe("example", function()
  local node_file, node_uri

  setup(function()
    node_file = os.tmpname()
    local file <close> = assert(io.open(node_file, "w"))
    file:write(NODE)
    node_uri = "test://" .. node_file
  end)

  teardown(function()
    os.remove(node_file)
  end)

  -- Runs it without an error and returns its output.
  local function run(example, ...)
    local words = { "lua5.4", "examples/" .. example .. ".lua" }
    for i = 1, select("#", ...) do
      words[#words + 1] = shell.quote((select(i, ...)))
    end
    local output, errors, status = shell.run(table.concat(words, " "))
    assert.equal("", errors)
    assert.equal(0, status)
    return output
  end

  it("story shows what each event does to the figures", function()
    assert.equal("usage: lua5.4 story.lua\n", (run("story", "--help")))
    assert.equal([[
A machine of a simulated host              NetworkBytesSent
is powered up                              0
sends 1500 bytes                           1500
gets a second adapter, which sends 500     2000
loses that adapter; its bytes stay         2000
sends 2^64 bytes more                      18446744073709553616
is paused                                  18446744073709553616
is reset: counts begin again               0
sends 60 bytes                             60
is saved                                   the machine is not running
is restored: counts begin again            0
]], (run("story")))
  end)

  -- All but the two that go on until they are ended, which specs of their own start.
  for _, example in ipairs { "network_bytes_sent", "all_counters", "adapters" } do
    it(example .. " names the host on which it finds no machine", function()
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      assert(file:write("<node></node>"))
      file:close()
      local _, errors, status = shell.run(("lua5.4 examples/%s.lua test://%s"):format(example, path))
      os.remove(path)
      assert.equal(("VMVirtualMachineCollection of 0: test://%s has no machines\n"):format(path), errors)
      assert.equal(0, status)
    end)
  end

  it("watch names the host on which it finds no machine, once", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    assert(file:write("<node></node>"))
    file:close()
    local _, errors = shell.run(("timeout --signal INT 2 lua5.4 examples/watch.lua test://%s 0.1"):format(path))
    os.remove(path)
    assert.equal(("VMVirtualMachineCollection of 0: test://%s has no machines\n"):format(path), errors)
  end)

  for _, example in ipairs(EXAMPLES) do
    describe(example, function()
      it("shows its usage", function()
        for _, option in ipairs { "-h", "--help" } do
          assert.matches("^usage: lua5%.4 " .. example .. "%.lua %[URI%][^\n]*\n$", (run(example, option)))
        end
      end)

      it("says why a host cannot be reached, without a traceback", function()
        local output, errors, status = shell.run("lua5.4 examples/" .. example .. ".lua nonesuch:///system")
        assert.equal("", output)
        assert.matches("^[^\n]*nonesuch:///system[^\n]*DISP_E_EXCEPTION 0x80020009%)\n$", errors)
        assert.equal(1, status)
      end)
    end)
  end

  describe("network_bytes_sent", function()
    it("prints the machine and its bytes", function()
      local bytes = run("network_bytes_sent", "test:///default"):match("^Machine: test\nBytes sent: (%d+)\n\n$")
      assert.equal("integer", math.type(math.tointeger(tonumber(bytes))))
      assert.is_true(tonumber(bytes) > 0)
    end)

    it("takes libvirt's default without a URI", function()
      local output = shell.run("LIBVIRT_DEFAULT_URI=test:///default lua5.4 examples/network_bytes_sent.lua")
      assert.matches("^Machine: test\n", output)
    end)

    it("prints the reason for a stopped machine and goes on", function()
      assert.equal([[
Machine: db & co
Bytes sent: N

Machine: stopped
Bytes sent: the machine is not running

Machine: two adapters
Bytes sent: N

]], (run("network_bytes_sent", node_uri):gsub("%d+", "N")))
    end)
  end)

  it("all_counters prints every property of every accountant", function()
    local output = run("all_counters", node_uri)
    local objVS <close> = require("vmaccountant").CreateObject("VirtualServer.Application", node_uri)
    for accountant in objVS.VirtualMachines:Accountants() do
      local first, last = output:find(tostring(accountant) .. "\n", 1, true)
      assert.equal(1, first)
      output = output:sub(last + 1)
      for name in pairs(accountant) do
        local line
        line, output = output:match("^([^\n]+)\n(.*)$")
        assert.equal(name, line:match("^  (%a+) +%S"))
        if name == "NetworkBytesSent" then
          assert.matches(tostring(accountant.VirtualMachine) == "stopped"
            and "  %(S_FALSE: the machine is not running%)$" or "  %d+$", line)
        end
      end
    end
    assert.equal("", output)
  end)

  it("adapters prints a line for each, with figures or the reason", function()
    assert.same([[
Machine Address Type Network Sent Received
db & co 52-54-00-00-00-04 network default N N
stopped 52-54-00-00-00-01 bridge br0 not counted: the machine is not running
two adapters 52-54-00-00-00-02 bridge br0 N N
two adapters 52-54-00-00-00-03 user - N N
]], (run("adapters", node_uri):gsub(" +", " "):gsub("%d%d%d%d+", "N")))
  end)

  -- watch.lua in a process group of its own, and SIGINT after so many lines of
  -- output.  The formats: its arguments, the lines, whom to send the signal.
  local WATCH <const> = [[
    output=$(mktemp); errors=$(mktemp)
    setsid lua5.4 examples/watch.lua %s >$output 2>$errors & pid=$!
    trap 'kill -KILL -$pid' TERM
    tries=0
    until [ $(wc -l <$output) -ge %d ] || [ $tries -eq 300 ]; do
      sleep 0.05; tries=$((tries + 1))
    done
    kill -INT %s
    wait $pid; status=$?
    cat $output; cat $errors >&2
    rm $output $errors
    exit $status]]

  describe("watch", function()
    it("prints plain lines into a pipe until SIGINT", function()
      local output, errors, status = shell.run(WATCH:format(shell.quote(node_uri) .. " 0.2", 7, "-$pid"))
      assert.equal("", errors)
      assert.equal(0, status)
      assert.matches("^[%d-]+T[%d:]+Z\tdb & co\t%d+\t%-\t%d+\t%-\n", output)
      assert.matches("Z\tstopped\tthe machine is not running\n", output)
      -- The test driver counts 50000 bytes a second sent, and twice that received.
      local sent, received = output:match("\n[^\t]+\tdb & co\t%d+\t(%d+)\t%d+\t(%d+)\n")
      assert.is_near(50000, tonumber(sent), 10000)
      assert.is_near(100000, tonumber(received), 20000)
    end)

    it("ends soon when only its own process is sent SIGINT", function()
      local started = os.time()
      local _, errors, status = shell.run(WATCH:format("test:///default 60", 1, "$pid"))
      assert.equal("", errors)
      assert.equal(0, status)
      assert.is_true(os.time() - started < 15)
    end)

    it("takes the seconds alone", function()
      local output = shell.run("export LIBVIRT_DEFAULT_URI=test:///default; " .. WATCH:format("0.1", 2, "-$pid"))
      assert.matches("Z\ttest\t%d+\t%-\t%d+\t%-\n.*Z\ttest\t%d+\t%d+\t%d+\t%d+\n", output)
    end)

    it("ends when nobody reads on", function()
      local output, errors = shell.run("lua5.4 examples/watch.lua test:///default 0.05 | head -n 2")
      assert.equal(2, select(2, output:gsub("\n", "")))
      assert.equal("", errors)
    end)

    for _, seconds in ipairs { "0", "-1", "soon", "nan", "1 2" } do
      it("refuses " .. seconds .. " as seconds", function()
        local _, errors, status = shell.run("lua5.4 examples/watch.lua test:///default " .. seconds)
        assert.matches("^usage: ", errors)
        assert.equal(1, status)
      end)
    end

    it("redraws its table in a terminal until Ctrl-C", function()
      -- Ctrl-C is typed after some redraws; script ends with the example's status.
      local output, errors, status = shell.run([[
        typed=$(mktemp -u); screen=$(mktemp); mkfifo $typed
        script -qfec "stty rows 24 cols 80; lua5.4 examples/watch.lua ]] .. node_uri ..
        [[ 0.1" /dev/null <$typed >$screen & pid=$!
        exec 3>$typed
        tries=0
        until [ $(grep -c Machine $screen) -ge 3 ] || [ $tries -eq 300 ]; do
          sleep 0.05; tries=$((tries + 1))
        done
        printf '\003' >&3
        wait $pid; status=$?
        cat $screen
        rm $typed $screen
        exit $status]])
      assert.equal("", errors)
      assert.equal(0, status)
      assert.is_nil(output:find("traceback", 1, true))
      assert.is_nil(output:find("interrupted", 1, true))
      -- The last whole screen: home, and every line cleared behind its text.
      local screen = output:match(".*\27%[H(.-)\27%[J")
      local lines = {}
      for line in screen:gmatch("(.-)\27%[K\r?\n") do
        lines[#lines + 1] = line
        assert.is_true(#line <= 80)
      end
      assert.matches("^%d+:%d+:%d+, every 0%.1 s; Ctrl%-C ends$", lines[1])
      assert.matches("Sent +bytes/s +Received +bytes/s  Machine$", lines[2])
      assert.matches("^ +%d+ +%d+ +%d+ +%d+  db & co$", lines[3])
      assert.matches("^ +%- +%- +%- +%-  stopped: the m", lines[4])
      assert.matches("^ +%d+ +%d+ +%d+ +%d+  two adapters$", lines[5])
      assert.equal(5, #lines)
    end)
  end)

  -- An example on a simulator, in this process: what it is to find instead of
  -- the globals.
  local function run_on(host, example, globals)
    globals.require = function()
      return { CreateObject = function(progid, _, options)
        return host:CreateObject(progid, options)
      end }
    end
    assert(loadfile("examples/" .. example .. ".lua", "t", setmetatable(globals, { __index = _G })))()
  end

  it("all_counters shows the session before", function()
    local host = simulator.new()
    local web01, nic = host:AddMachine("web01", { adapters = 1, running = true })
    local lines = {}
    run_on(host, "all_counters", {
      arg = {},
      print = function(line)
        lines[#lines + 1] = tostring(line):gsub(" +", " ")
        if #lines == 1 then -- it has found the machine
          host:AdvanceClock(60)
          nic:Send(1500)
          nic:Receive(60)
          web01:Reset()
          nic:Send(7)
        end
      end,
    })
    assert.equal("VMAccountant of web01", lines[1])
    local text = table.concat(lines, "\n")
    assert.matches("\n LastSession%.Ended %d+\n LastSession%.Reason Reset\n"
      .. " LastSession%.NetworkBytesSent 1500\n LastSession%.NetworkBytesReceived 60$", text)
  end)

  -- What no host does at a given moment: watch.lua on a simulator, where each
  -- of its pauses lasts a second and begins with the next one of the steps.
  describe("watch, on a simulator,", function()
    local function watch(host, steps)
      local seconds, lines = 0, {}
      local uptime = setmetatable({}, { __close = function() end, __index = {
        read = function() return seconds end,
      } })
      local environment = {
        arg = { "a URI", "1" },
        print = function(line)
          lines[#lines + 1] = line and line:gsub("^[^\t]+\t", "")
        end,
        io = setmetatable({
          open = function() return uptime end,
          popen = function()
            local step = table.remove(steps, 1) or error "interrupted!"
            step()
            seconds = seconds + 1
            host:AdvanceClock(1)
            return io.tmpfile()
          end,
          stderr = { write = function(_, ...) lines[#lines + 1] = "stderr: " .. table.concat { ... } end },
        }, { __index = io }),
        os = setmetatable({
          execute = function() return nil, "exit", 1 end, -- no terminal
          exit = function(status) error({ status = status }) end,
        }, { __index = os }),
      }
      local _, exit = pcall(run_on, host, "watch", environment)
      assert.same({ status = 0 }, exit)
      return lines
    end

    it("shows rates, a restart, and machines that come and go", function()
      local host = simulator.new()
      local a, nic = host:AddMachine("a", { adapters = 1, running = true })
      nic:Send(1000)
      local lines = watch(host, {
        function() nic:Send(500); nic:Receive(70) end,
        function() a:TurnOff(); a:Startup(); nic:Send(9000) end,
        function() a:Pause(); host:AddMachine("b", { running = true }) end,
        function() a:TurnOff() end,
        function() a:Remove() end,
      })
      assert.same({
        "a\t1000\t-\t0\t-",
        "a\t1500\t500\t70\t70",
        "a\t9000\trestarted\t0\trestarted",
        "a\t9000\t0\t0\t0", "b\t0\t-\t0\t-",
        "a\tthe machine is not running", "b\t0\t0\t0\t0",
        "b\t0\t0\t0\t0",
      }, lines)
    end)

    it("shows a reset as a restart, and a device made anew as nothing", function()
      local host = simulator.new()
      local a, nic = host:AddMachine("a", { adapters = 1, running = true })
      nic:Send(1000)
      local lines = watch(host, {
        function() end,
        function() a:Reset(); nic:Send(5000) end,
        function() nic:SetBytesSent(300) end,
        function() nic:Send(20) end,
        function() a:Plug():Send(4) end,
      })
      assert.same({
        "a\t1000\t-\t0\t-",
        "a\t1000\t0\t0\t0",
        "a\t5000\trestarted\t0\trestarted",
        "a\t5300\t300\t0\t0",
        "a\t5320\t20\t0\t0",
        "a\t5324\t4\t0\t0",
      }, lines)
    end)

    it("goes on with figures above 2^63 and with names that hold anything", function()
      local host = simulator.new()
      local _, nic = host:AddMachine("a\tname\nof two lines", { adapters = 1, running = true })
      nic:Send("9223372036854775807")
      local lines = watch(host, { function() nic:Send(1 << 20) end })
      assert.same({
        "a?name?of two lines\t9223372036854775807\t-\t0\t-",
        "a?name?of two lines\t9223372036855824383\t1048576\t0\t0",
      }, lines)
    end)

    it("says that the host does not answer, and goes on when it does", function()
      local host = simulator.new()
      host:AddMachine("a", { running = true })
      local lines = watch(host, {
        function() host:Fail("list", "the daemon is gone") end,
        function() host:Fail("list") end,
      })
      assert.equal("a\t0\t-\t0\t-", lines[1])
      assert.matches("^stderr: the daemon is gone", lines[2])
      assert.equal("a\t0\t0\t0\t0", lines[3])
    end)
  end)

  it("vmaccountant-recorder.service runs a recorder.lua that there is", function()
    local file <close> = assert(io.open("examples/vmaccountant-recorder.service"))
    local unit = file:read("a")
    local folder, script = unit:match("\nExecStart=/usr/bin/lua5%.4 (%S+)/(recorder%.lua) qemu:///system\n")
    assert.is_truthy(unit:find("install -D -m 644 -t " .. folder .. " examples/" .. script .. "\n", 1, true))
    assert.is_truthy(io.open("examples/" .. script))
    -- Says nothing where there is no systemd.
    local output = shell.run("command -v systemd-analyze >/dev/null || exit 0; "
      .. "systemd-analyze verify examples/vmaccountant-recorder.service 2>&1")
    assert.is_nil(output:find("vmaccountant", 1, true), output)
  end)

  it("testing_spec passes", function()
    local output, _, status = shell.run("busted --lua=lua5.4 --output=plainTerminal examples/testing_spec.lua")
    assert.matches("[1-9]%d* successes / 0 failures / 0 errors / 0 pending", output)
    assert.equal(0, status)
  end)
end)
