-- Which device's bytes are the machine's. A name is not a device: libvirt reads
-- whatever has the name, or a name that ends so.

local host = require "spec.support.libvirt_host"
local idle_machine = require "spec.support.idle_machine"
local real_host = require "spec.support.real_host"
local exact = require "spec.support.exact"
local failure = require "spec.support.failure"

local ANNOUNCEMENT <const> = 60 -- bytes of one
local NAME <const> = "owner"

local BRIDGE <const> = "<interface type='bridge'><source bridge='vmabr0'/>%s<model type='virtio'/>" ..
  "<rom enabled='no'/></interface>"

local start, announce = idle_machine.create, idle_machine.announce

-- A device that has counted, in both directions, more than any machine here.
local function make_impostor(name)
  host.shell(([[ip link add %s type veth peer name impostor
    ip link set %s up
    ip link set impostor up
    ip address add 10.97.0.1/24 dev %s
    ip neighbour replace 10.97.0.2 lladdr 02:00:00:00:00:02 dev %s nud permanent
    bash -c 'for i in 1 2 3 4 5 6 7 8 9; do printf %%900s >/dev/udp/10.97.0.2/9; done']])
    :format(name, name, name, name))
  local _, sent = host.device_counters(name)
  assert.is_true(sent > 8000)
end

local function rename(from, to)
  host.shell(("ip link set %s down && ip link set %s name %s && ip link set %s up"):format(from, from, to, to))
end

real_host.describe(_ENV, "a machine's network device #root", function(connect)
  local objVS

  after_each(function()
    host.destroy_all()
    host.try_shell("ip link del impostor; ip link del moved; ip link del mytap1; ip link del imitation")
  end)

  -- The figure, or nil after a check of the error.
  local function read(application)
    local value, err = application:FindVirtualMachine(NAME).Accountant:Get("NetworkBytesSent")
    if not value then
      failure.check({ name = "DISP_E_EXCEPTION", member = "NetworkBytesSent", machine = NAME }, err)
    end
    return value, err and err.message
  end

  for _, counters in ipairs { "auto", "hypervisor" } do
    describe("with counters = '" .. counters .. "'", function()
      for kind, source in pairs {
        user = "",
        udp = "<source address='127.0.0.1' port='5556'><local address='127.0.0.1' port='5557'/></source>",
        server = "<source address='127.0.0.1' port='5559'/>",
      } do
        it("is none for an adapter of type " .. kind .. ", whatever its target is called", function()
          make_impostor("imitation")
          start(NAME, BRIDGE:format("") .. ("<interface type='%s'>%s<target dev='imitation'/><model type='virtio'/>" ..
            "<rom enabled='no'/></interface>"):format(kind, source))
          announce(NAME, 2)
          objVS = connect { counters = counters }
          local objVM = objVS:FindVirtualMachine(NAME)
          local adapters = objVM.NetworkAdapters
          assert.same({ true, false }, { adapters[1].IsCounted, adapters[2].IsCounted })
          assert.equal(2 * ANNOUNCEMENT, adapters[1].BytesSent)
          failure.expect({
            name = "DISP_E_EXCEPTION", member = "BytesSent", machine = NAME, message = "no byte counter",
          }, function()
            return adapters[2].BytesSent
          end)
          local value, message = read(objVS)
          assert.is_nil(value)
          assert.matches(adapters[2].EthernetAddress, message, 1, true)
          assert.matches("type '" .. kind .. "'", message, 1, true)
        end)
      end

      it("is not an older one whose name ends with its own", function()
        make_impostor("mytap1")
        start(NAME, BRIDGE:format("<target dev='tap1'/>"))
        announce(NAME, 3)
        objVS = connect { counters = counters }
        for _ = 1, 6 do
          assert.equal(3 * ANNOUNCEMENT, read(objVS))
          assert.equal(0, objVS:FindVirtualMachine(NAME).Accountant.NetworkBytesReceived)
        end
        announce(NAME, 2)
        assert.equal(5 * ANNOUNCEMENT, read(objVS))
        if counters == "auto" then
          assert.equal("kernel", objVS.Accounting[1].source)
        end
      end)

      it("is still its own when it was renamed, imitated and named back", function()
        start(NAME, BRIDGE:format(""))
        local tap = host.taps(NAME)[1]
        objVS = connect { counters = counters }
        announce(NAME, 3)
        assert.equal(3 * ANNOUNCEMENT, read(objVS))
        rename(tap.device, "moved")
        host.shell(("ip tuntap add dev %s mode tap && ip link set %s address fe%s up"):format(tap.device, tap.device,
          tap.mac:sub(3)))
        announce(NAME, 2)
        assert.equal(5 * ANNOUNCEMENT, read(objVS))
        local newcomer <close> = connect { counters = counters }
        assert.equal(5 * ANNOUNCEMENT, read(newcomer))
        host.shell("ip link del " .. tap.device)
        assert.equal(5 * ANNOUNCEMENT, read(objVS))
        rename("moved", tap.device)
        announce(NAME, 2)
        assert.equal(7 * ANNOUNCEMENT, read(objVS))
        assert.equal(7 * ANNOUNCEMENT, read(newcomer))
      end)

      it("is not a veth that took its name", function()
        start(NAME, BRIDGE:format(""))
        local tap = host.taps(NAME)[1].device
        announce(NAME, 4)
        rename(tap, "moved")
        make_impostor(tap)
        objVS = connect { counters = counters }
        assert.equal(4 * ANNOUNCEMENT, read(objVS))
        -- Gone altogether: what has its name is still not the machine's.
        host.shell("ip link del moved")
        host.sleep(0.2)
        local late <close> = connect { counters = counters }
        local value, message = read(late)
        assert.is_nil(value)
        assert.matches("another network device has the name", message, 1, true)
        assert.is_nil(message:find("plug the adapter", 1, true), message)
      end)

      it("counts on when it comes back from another network namespace, and is an error while it is there", function()
        start(NAME, BRIDGE:format(""))
        local tap = host.taps(NAME)[1].device
        objVS = connect { counters = counters }
        announce(NAME, 3)
        for _ = 1, 3 do
          assert.equal(3 * ANNOUNCEMENT, read(objVS))
        end
        local pid = host.shell("unshare -n sleep 300 >/dev/null 2>&1 & echo $!"):match("%d+")
        finally(function()
          host.try_shell("kill " .. pid)
        end)
        host.sleep(0.3)
        host.shell(("ip link set %s netns %s"):format(tap, pid))
        for _ = 1, 3 do
          local value, message = read(objVS)
          assert.is_nil(value)
          assert.matches("not in this network namespace", message, 1, true)
          assert.matches(tap, message, 1, true)
        end
        host.shell(("nsenter -t %s -n sh -c 'ip link set %s netns 1'; ip link set %s up"):format(pid, tap, tap))
        assert.equal(3 * ANNOUNCEMENT, read(objVS))
        announce(NAME, 2)
        assert.equal(5 * ANNOUNCEMENT, read(objVS))
        assert.same(exact.device_bytes(NAME)[1], read(objVS))
      end)
    end)
  end

  it("is read from the kernel for each of 70 adapters, and no other machine's sweep suffers", function()
    start("many", BRIDGE:format(""):rep(70))
    start(NAME, BRIDGE:format(""))
    objVS = connect { counters = "auto" }
    local sources = { kernel = 0, libvirt = 0 }
    for _ = 1, 4 do
      sources = { kernel = 0, libvirt = 0 }
      for _, one in ipairs(objVS.Accounting) do
        sources[one.source] = sources[one.source] + 1
      end
    end
    assert.same({ kernel = 71, libvirt = 0 }, sources)
    assert.equal(0, objVS:FindVirtualMachine("many").Accountant.NetworkBytesSent)
  end)

  it("is not needed for a machine without adapters, whose bytes are none", function()
    start(NAME, "")
    for _, counters in ipairs { "auto", "hypervisor", "kernel" } do
      local application <close> = connect { counters = counters }
      assert.equal(0, read(application))
      assert.equal(0, application:FindVirtualMachine(NAME).Accountant.NetworkBytesReceived)
    end
  end)
end)
