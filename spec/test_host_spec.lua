-- The test host itself: what every other spec with a real guest relies on.

local host = require "spec.support.libvirt_host"
local guest = require "spec.support.guest"

-- The taps' view of a guest: what it has sent and received, summed.
local function tap_bytes(g)
    local sent, received = 0, 0
    for _, tap in ipairs(g:taps()) do
        if tap.device then
            local rx, tx = host.device_counters(tap.device)
            sent, received = sent + rx, received + tx
        end
    end
    return sent, received
end

local function assert_exact(g)
    local sent, received = tap_bytes(g)
    assert.equal(g:tx_bytes(), sent)
    assert.equal(g:rx_bytes(), received)
    return sent, received
end

host.describe(_ENV, "the test host #root", function()
    setup(function()
        host.start()
    end)

    teardown(function()
        host.destroy_all()
        host.stop()
    end)

    describe("a guest's own counters equal its taps'", function()
        local g

        setup(function()
            g = guest.start {adapters = {{}, {bridge = "vmabr1"}}}
        end)

        teardown(function()
            g:remove()
        end)

        it("at zero, on a link where nobody sends", function()
            g:configure()
            g:quiet()
            assert.same({0, 0}, {assert_exact(g)})
        end)

        it("when it sends by one adapter", function()
            local bytes = g:send(1, 200, 1234)
            g:quiet()
            assert.same({bytes, 0}, {assert_exact(g)})
        end)

        it("when it receives by one adapter", function()
            local _, before = tap_bytes(g)
            local bytes = g:receive(2, 200, 777)
            g:quiet()
            local _, after = assert_exact(g)
            assert.equal(bytes, after - before)
        end)

        it("when it sends and receives by two adapters", function()
            local before = {tap_bytes(g)}
            g:ping(1, 20)
            g:ping(2, 30, 100)
            g:quiet()
            local bytes = 20 * (14 + 20 + 8 + 1000) + 30 * (14 + 20 + 8 + 100)
            assert.same({before[1] + bytes, before[2] + bytes}, {assert_exact(g)})
        end)

        it("after it has sent without end for a while", function()
            local before = tap_bytes(g)
            g:flood(2)
            host.sleep(0.3)
            g:quiet()
            assert.is_true(assert_exact(g) > before)
        end)
    end)

    describe("a guest's console survives", function()
        local g

        setup(function()
            g = guest.start()
            g:send(1, 10)
            g:quiet()
        end)

        teardown(function()
            g:remove()
        end)

        it("an output without end of line, and a failing command", function()
            assert.same({"no newline", 3}, {g:run("printf 'no newline'; exit 3")})
            assert.same({"", 0}, {g:run("true")})
            assert.same({"'\"$x\n", 0}, {g:run([[echo "'\"\$x"]])})
        end)

        it("a command that takes too long", function()
            assert.has_error.matches(function() g:run("sleep 60", 1) end,
                "guest%-%d+ to 'sleep 60' within 1 s")
            assert.equal("alive\n", (g:run("echo alive")))
        end)

        it("a reset, over which the tap counts on", function()
            local before = tap_bytes(g)
            g:reset()
            assert.equal(0, g:tx_bytes())
            assert.equal(before, (tap_bytes(g)))
        end)

        it("a reboot by the guest, over which the tap counts on", function()
            local before = tap_bytes(g)
            g:reboot()
            assert.equal(0, g:tx_bytes())
            assert.equal(before, (tap_bytes(g)))
        end)

        it("a pause", function()
            host.virsh("suspend", g.name)
            host.virsh("resume", g.name)
            assert.equal("alive\n", (g:run("echo alive")))
        end)

        it("managed save and restore, after which a new tap counts from zero", function()
            g:send(1, 10)
            g:quiet()
            local before, id = g:tx_bytes(), g:domain_id()
            local old_tap = g:taps()[1].device
            g:save()
            assert.is_nil(g:domain_id())
            g:restore()
            assert.is_true(g:domain_id() > id)
            assert.not_equal(old_tap, g:taps()[1].device)
            g:quiet()
            -- QEMU itself has announced the guest: five times 60 bytes that the
            -- guest does not know of.
            local since_restore = g:tx_bytes() - before
            assert.equal(since_restore + 5 * 60, (tap_bytes(g)))
            local bytes = g:send(1, 10)
            g:quiet()
            assert.equal(since_restore + 5 * 60 + bytes, (tap_bytes(g)))
        end)

        it("a power cycle", function()
            g:destroy()
            g:start()
            assert.same({0, 0}, {assert_exact(g)})
        end)
    end)

    it("restarts a guest that has crashed", function()
        local g <close> = guest.start {on_crash = "restart"}
        g:post("echo c >/proc/sysrq-trigger")
        g:wait_boot()
        assert.equal("0\n", (g:run("dmesg | grep -c sysrq")))
    end)

    it("plugs and unplugs adapters of a running guest", function()
        local g <close> = guest.start {adapters = {{}, {type = "user"}}}
        local mac, number = g:plug {bridge = "vmabr1"}
        assert.equal(3, number)
        assert.equal(3, #g:counters())
        g:send(1, 5)
        g:send(number, 7)
        g:quiet()
        assert.equal(12000, (assert_exact(g)))
        g:unplug(mac)
        assert.equal(2, #g:counters())
        assert.equal(5000, (assert_exact(g)))
    end)

    it("runs a transient guest, with disks and more memory", function()
        local g <close> = guest.start {
            name = "a transient guest", persistent = false, memory = 192, disks = {1 << 20},
        }
        assert.equal("2048\n", (g:run("cat /sys/block/vda/size")))
        assert.has_error.matches(function() g:send(2, 1) end, "has no adapter 2")
    end)

    it("keeps its guests while libvirtd is killed, stopped and started again", function()
        local g <close> = guest.start()
        local qemu, daemon = host.qemu_pid(g.name), host.pid()
        host.kill("KILL")
        assert.is_nil(host.pid())
        assert.equal("alive\n", (g:run("echo alive")))
        host.start()
        assert.not_equal(daemon, host.pid())
        host.kill("STOP")
        assert.equal("alive\n", (g:run("echo alive")))
        host.kill("CONT")
        host.restart()
        assert.equal(qemu, host.qemu_pid(g.name))
        local bytes = g:send(1, 3)
        g:quiet()
        assert.equal(bytes, (assert_exact(g)))
    end)

    it("starts idle machines with real taps, and destroys all", function()
        local names = host.idle_machines(5, 2, "a few ")
        assert.equal(5, #names)
        for _, name in ipairs(names) do
            local taps = host.taps(name)
            assert.equal(2, #taps)
            assert.same({0, 0}, {host.device_counters(taps[2].device)})
        end
        host.destroy_all()
        assert.equal("", host.virsh("list", "--all", "--name"))
        assert.has_error.matches(function() host.virsh("domid", "nobody") end, "virsh domid nobody: .*nobody")
    end)
end)
