--- Real guests on a private host: emulated machines that boot a small Linux
-- and obey on their serial console.
--
--     local guest = require "spec.support.guest"
--     local g <close> = guest.start {adapters = 2}
--     g:send(1, 100)
--     g:quiet()
--     assert.equal(g:tx_bytes(), rx_bytes_of_its_taps)
--
-- A link is quiet unless somebody sends: there is no DHCP by a boot ROM, no
-- IPv6, and neighbours are entered by hand, so there is no ARP either.  That
-- makes the guest kernel's own counters the truth about what it has sent.
--
-- Adapters are numbered from 1, in the order of the domain XML.  Needs
-- libvirtd (`host.start()` is called) and the repository's root as the working
-- directory.  Every wait is bounded, and raises an error that names what did not
-- happen.

local host = require "spec.support.libvirt_host"

local IMAGE <const> = "build/guest"
local BOOT_SECONDS <const> = 60
local COMMAND_SECONDS <const> = 20
local DEVICE_SECONDS <const> = 60
-- Seconds between two looks at what the guest has said.
local CONSOLE_INTERVAL <const> = 0.003
local QUIET_SECONDS <const> = 30
-- QEMU announces a restored guest for 1.4 s, in rounds that are up to 450 ms
-- apart.
local ANNOUNCING_SECONDS <const> = 3
local STILL_SECONDS <const> = 0.25
local STILL_SECONDS_OF_ANNOUNCED <const> = 0.6

-- Most of a boot goes into the translation of code that runs once: so what no
-- spec needs is left out (tests of ciphers, certificates, probes).
local QUICK_BOOT <const> = "mitigations=off cryptomgr.notests edd=off audit=0 nokaslr noreplace-smp " ..
    "rcupdate.rcu_expedited=1 random.trust_cpu=on no_timer_check 8250.nr_uarts=1 init_on_alloc=0 " ..
    "initcall_blacklist=crypto_kdf108_init,init_kprobe_trace,load_system_certificate_list,cubictcp_register"

local guest = {}
local methods = {}
local metatable = {__name = "guest", __index = methods}

-- Numbers guests, their MAC addresses and their IP addresses.
local guest_count, adapter_count, request_count = 0, 0, 0
local guests = {}

-- XML ---------------------------------------------------------------------

local function next_mac()
    adapter_count = adapter_count + 1
    return ("52:54:00:76:%02x:%02x"):format(adapter_count >> 8, adapter_count & 255)
end

-- The <interface> of an adapter specification, and its MAC address.
local function interface_xml(adapter)
    if adapter.xml then
        local mac = adapter.xml:match("<mac%s+address=['\"]([%x:]+)")
        if mac then
            return adapter.xml, mac:lower()
        end
        mac = next_mac()
        return (adapter.xml:gsub("(<interface[^>]*[^/])>", "%1><mac address='" .. mac .. "'/>", 1)), mac
    end
    local mac = adapter.mac or next_mac()
    local kind = adapter.type or "bridge"
    local parts = {
        ("<interface type='%s'>"):format(kind),
        ("<mac address='%s'/>"):format(mac),
        kind == "bridge" and ("<source bridge='%s'/>"):format(adapter.bridge or "vmabr0") or "",
        adapter.target and ("<target dev='%s'%s/>"):format(adapter.target,
            adapter.managed and (" managed='%s'"):format(adapter.managed) or "") or "",
        "<model type='virtio'/>",
        "<rom enabled='no'/>",                  -- it would ask for DHCP
        "</interface>",
    }
    return table.concat(parts), mac:lower()
end

local function disk_xml(disk, index, folder)
    if type(disk) == "string" then
        return disk
    end
    local path = ("%s/disk.%d"):format(folder, index)
    host.shell(("truncate --size=%d %s"):format(disk, host.quote(path)))
    return ([[<disk type='file'><driver name='qemu' type='raw'/><source file='%s'/>
      <target dev='vd%s' bus='virtio'/></disk>]]):format(path, string.char(96 + index))
end

local function domain_xml(self, options)
    local devices = {}
    for index, disk in ipairs(options.disks or {}) do
        devices[#devices + 1] = disk_xml(disk, index, self.folder)
    end
    local adapters = options.adapters or 1
    if math.type(adapters) == "integer" then
        local count = adapters
        adapters = {}
        for index = 1, count do
            adapters[index] = {}
        end
    end
    for index, adapter in ipairs(adapters) do
        devices[#devices + 1], self.macs[index] = interface_xml(adapter)
    end
    if options.on_crash then
        devices[#devices + 1] = "<panic model='isa'/>"
    end
    devices[#devices + 1] = options.devices
    -- acpi: without it, PCI devices cannot be plugged into a running machine.
    -- tb-cache: with QEMU's default a reset takes up to 10 s instead of 2 to 4,
    -- as the new kernel is unpacked over pages that hold translations of the old.
    return ([[
<domain type='qemu'>
  <name>%s</name>
  <memory unit='MiB'>%d</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>%s/%s</kernel>
    <initrd>%s/initrd</initrd>
    <cmdline>console=ttyS0 quiet loglevel=0 net.ifnames=0 ipv6.disable=1 %s</cmdline>
  </os>
  <features><acpi/><tcg><tb-cache unit='MiB'>16</tb-cache></tcg></features>
  <on_crash>%s</on_crash>
  <devices>
    %s
    <serial type='pipe'><source path='%s/console'/></serial>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
]]):format(self.name, options.memory or 160, self.image, options.sleeps and "vmlinuz" or "vmlinux", self.image,
        QUICK_BOOT, options.on_crash or "destroy", table.concat(devices, "\n    "), self.folder)
end

-- Console -------------------------------------------------------------------
--
-- QEMU's serial port is a pair of fifos.  One background process copies what
-- comes out into a file that is polled here; it also holds both fifos open, so
-- that they outlive QEMU and neither side ever waits for the other to open.

local function open_console(self)
    local console = self.folder .. "/console"
    self.console_pid = math.tointeger(tonumber(host.shell(("cd %s\n"):format(host.quote(self.folder)) .. [[
        mkfifo console.in console.out || exit
        cat <>console.out 3<>console.in >console.log 2>/dev/null &
        echo $!]])))
    self.console_input = assert(io.open(console .. ".in", "r+b"))
    self.console_input:setvbuf("no")
    self.console_output = host.wait_until("console log", 5, function()
        return io.open(console .. ".log", "rb")
    end)
end

-- What the console has said from `position` on.
local function console_text(self, position)
    self.console_output:seek("set", position)
    return self.console_output:read("a")
end

local function console_position(self)
    return self.console_output:seek("end")
end

local function console_tail(self)
    local text = console_text(self, math.max(0, console_position(self) - 1000))
    return ("console of %s ends with:\n%s"):format(self.name, text)
end

local BASE64 <const> = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(text)
    local function digit(value)
        return BASE64:sub(value + 1, value + 1)
    end
    local encoded = text:gsub("..?.?", function(chunk)
        local a, b, c = chunk:byte(1, 3)
        local bits = a << 16 | (b or 0) << 8 | (c or 0)
        return digit(bits >> 18) .. digit(bits >> 12 & 63) ..
            (b and digit(bits >> 6 & 63) or "=") .. (c and digit(bits & 63) or "=")
    end)
    return encoded
end

--- Has the guest run a shell command, and does not wait: for `reboot -f`,
-- `poweroff -f` and the like, that never answer.
-- @return the identifier of the request
function methods:post(command, timeout)
    request_count = request_count + 1
    -- The empty line ends what a reset may have cut short.
    self.console_input:write(("\n@run %d %d %s\n"):format(request_count,
        math.ceil(timeout or COMMAND_SECONDS), base64(command)))
    return request_count
end

-- Asks for the counters, and does not wait.
local function ask_counters(self)
    request_count = request_count + 1
    self.console_input:write(("\n@counters %d\n"):format(request_count))
    return request_count
end

-- Waits for the answer to a request, which was made at `position`.
local function answer(self, id, position, request, timeout)
    local pattern = ("@begin %d\n(.*)\n@end %d (%%d+)\n"):format(id, id)
    local output, status
    host.wait_until(("answer of guest %s to '%s'"):format(self.name, request), timeout, function()
        output, status = console_text(self, position):match(pattern)
        return status
    end, CONSOLE_INTERVAL, function()
        return console_tail(self)
    end)
    return output, math.tointeger(tonumber(status))
end

--- Runs a shell command in the guest.
-- @param timeout  seconds after which the command is killed and an error
-- raised; default 20
-- @return what it wrote to standard output and error, and its exit status
function methods:run(command, timeout)
    timeout = timeout or COMMAND_SECONDS
    local position = console_position(self)
    return answer(self, self:post(command, timeout), position, command, timeout)
end

-- Like run, but the command must succeed.
local function check_run(self, command, timeout)
    local output, status = self:run(command, timeout)
    if status ~= 0 then
        error(("guest %s: '%s' exited with %d: %s"):format(self.name, command, status, output), 3)
    end
    return output
end

--- Waits until the guest's shell answers: after a start, reset or restore that
-- was not made by a method of the guest.
function methods:wait_boot(timeout)
    local position = console_position(self)
    local next_request, answers = 0, {}
    host.wait_until(("answer of guest %s"):format(self.name), timeout or BOOT_SECONDS, function()
        -- A booting guest may lose a request, so there are several.
        if host.now() >= next_request then
            next_request = host.now() + 0.25
            answers[#answers + 1] = ("@end %d 0\n"):format(ask_counters(self))
        end
        local text = console_text(self, position)
        for _, line in ipairs(answers) do
            if text:find(line, 1, true) then
                return true
            end
        end
        return false
    end, CONSOLE_INTERVAL, function()
        return console_tail(self)
    end)
    self.announced = host.now() + ANNOUNCING_SECONDS
end

-- Does what lets the guest boot, and waits until it has.
local function boot(self, action, timeout)
    local position = console_position(self)
    action()
    host.wait_until(("boot of guest %s"):format(self.name), timeout or BOOT_SECONDS, function()
        return console_text(self, position):find("@ready %x[%x-]+\n")
    end, CONSOLE_INTERVAL, function()
        return console_tail(self)
    end)
end

-- Life cycle ------------------------------------------------------------------

--- Starts a guest and waits until its shell answers.
-- @param options  a table, all optional:
--   name        of the machine
--   adapters    a number (default 1) of adapters on vmabr0, or a list of
--               {bridge =, mac =, target =}, {type = "user"},
--               {type = "ethernet", target =, managed = "no"}, {xml = "<interface ...>"}
--   memory      MiB, default 160
--   sleeps      true for one that sleeps (S3): its kernel has to boot packed, for an
--               unpacked one is QEMU's to write, and it does so again at the wake-up
--   disks       a list of sizes in bytes (empty disks) or of XML elements
--   on_crash    the action; the machine then has a panic device
--   devices     XML of further devices
--   persistent  false for a transient machine
--   wait        false to return at once; see `wait_boot`
-- @return the guest: `name`, `macs` (of its adapters), and its methods; it may
-- be a to-be-closed variable, which removes it
function guest.start(options)
    options = options or {}
    host.start()
    host.shell("spec/support/guest_image")
    guest_count = guest_count + 1
    local name = options.name or "guest-" .. guest_count
    local self = setmetatable({
        name = name,
        folder = ("%s/%s"):format(host.folder, name),
        image = host.shell("readlink -f " .. IMAGE):match("[^\n]+"),
        macs = {},
        addresses = {},     -- by MAC address
        persistent = options.persistent ~= false,
    }, metatable)
    guests[self] = true
    host.shell("rm -rf " .. host.quote(self.folder) .. "; mkdir -p " .. host.quote(self.folder))
    open_console(self)
    local ok, message = pcall(function()
        local xml = domain_xml(self, options)
        if self.persistent then
            host.define(xml)
        end
        local function start()
            if self.persistent then
                host.virsh("start", name)
            else
                host.create(xml)
            end
        end
        if options.wait == false then
            start()
        else
            boot(self, start)
        end
    end)
    if not ok then
        self:remove()
        error(message, 0)
    end
    return self
end

--- Starts the machine after a stop; a managed save is restored.
function methods:start()
    local restores = host.virsh("dominfo", self.name):find("Managed save:%s+yes")
    if restores then
        self:restore()
    else
        boot(self, function() host.virsh("start", self.name) end)
    end
end

--- Resets the machine and waits until it has booted again.
function methods:reset()
    boot(self, function() host.virsh("reset", self.name) end)
end

--- Has the guest itself reboot, and waits until it has.
function methods:reboot()
    boot(self, function() self:post("reboot -f") end)
end

--- Cuts the power.
function methods:destroy()
    host.virsh("destroy", self.name)
end

--- Saves the machine's state and stops it.
function methods:save()
    host.virsh("managedsave", self.name)
end

--- Starts the machine from its saved state, and waits until it answers.
function methods:restore()
    host.virsh("start", self.name)
    self:wait_boot()
end

--- Destroys and undefines the machine, and removes its files.  May be called
-- again, in any state of the machine.
function methods:remove()
    if self.removed then
        return
    end
    self.removed = true
    guests[self] = nil
    host.try_virsh("destroy", self.name)
    host.try_virsh("undefine", self.name, "--managed-save", "--snapshots-metadata")
    self.console_input:close()
    self.console_output:close()
    os.execute(("kill %d; rm -rf %s"):format(self.console_pid, host.quote(self.folder)))
end

metatable.__close = methods.remove

--- Removes all guests.
function guest.remove_all()
    for self in pairs(guests) do
        self:remove()
    end
end

--- The live XML, or that of the next start.
function methods:xml()
    return host.virsh("dumpxml", self.name)
end

--- The domain ID as an integer, or nil when the machine is off.
function methods:domain_id()
    return math.tointeger(tonumber((host.virsh("domid", self.name))))
end

--- As `host.taps`.
function methods:taps()
    return host.taps(self.name)
end

-- Counters ------------------------------------------------------------------

--- What the guest kernel has counted: a list over its Ethernet devices of
-- {device =, mac =, tx_bytes =, rx_bytes =}.
function methods:counters()
    local position = console_position(self)
    local output = answer(self, ask_counters(self), position, "counters", COMMAND_SECONDS)
    local counters = {}
    for device, mac, tx, rx in output:gmatch("(%S+) (%S+) (%d+) (%d+)\n") do
        counters[#counters + 1] = {
            device = device,
            mac = mac,
            tx_bytes = math.tointeger(tonumber(tx)),
            rx_bytes = math.tointeger(tonumber(rx)),
        }
    end
    return counters
end

local function sum(self, field)
    local total = 0
    for _, counter in ipairs(self:counters()) do
        total = total + counter[field]
    end
    return total
end

--- What the guest has sent, as it says itself, over all its devices.
function methods:tx_bytes()
    return sum(self, "tx_bytes")
end

--- What the guest has received, as it says itself, over all its devices.
function methods:rx_bytes()
    return sum(self, "rx_bytes")
end

-- Traffic -----------------------------------------------------------------
--
-- On bridge B (0 or 1) the host is 10.99.B.1 and adapter K of all guests' is
-- 10.99.B.K.  Two more addresses swallow: what the guest sends to the bridge's
-- MAC address for 10.99.B.254, and what the host sends to the adapter's for
-- 10.99.B.(K+125), belongs to nobody there, so it is counted, dropped, and not
-- answered.

local BRIDGE_MAC <const> = "02:76:6d:61:00:0%d"

-- The number of the bridge that a tap is on, or nil.
local function bridge_of(tap)
    for number = 0, 1 do
        if tap.device and
            host.read_file(("/sys/class/net/vmabr%d/brif/%s/port_no"):format(number, tap.device)) then
            return number
        end
    end
end

-- The adapter of a number: its MAC address, device in the guest, bridge number,
-- tap.
local function adapter(self, index)
    local mac = self.macs[index] or error(("guest %s has no adapter %s"):format(self.name, index), 3)
    for _, tap in ipairs(self:taps()) do
        local bridge = tap.mac == mac and bridge_of(tap)
        if bridge then
            for _, counter in ipairs(self:counters()) do
                if counter.mac == mac then
                    return {mac = mac, device = counter.device, bridge = bridge, tap = tap.device}
                end
            end
            error(("guest %s has no device %s"):format(self.name, mac), 3)
        end
    end
    error(("adapter %d of guest %s is on no bridge of the private host"):format(index, self.name), 3)
end

local address_count = 1

-- Brings an adapter up with its address and static neighbours.
local function configure_adapter(self, index)
    local port = adapter(self, index)
    local number = self.addresses[port.mac]
    if not number then
        address_count = address_count + 1
        number = address_count
        if number > 120 then
            error("no addresses left: too many adapters configured on this private host", 3)
        end
        self.addresses[port.mac] = number
    end
    port.address = ("10.99.%d.%d"):format(port.bridge, number)
    port.sink = ("10.99.%d.%d"):format(port.bridge, number + 125)
    port.host_address = ("10.99.%d.1"):format(port.bridge)
    port.host_mac = BRIDGE_MAC:format(port.bridge)
    -- Each program that an emulated processor starts takes its time: first it is
    -- seen whether all is as it shall be.
    check_run(self, ([[
        read -r flags </sys/class/net/%s/flags
        [ $((flags & 1)) = 1 ] && grep -q '|-- %s$' /proc/net/fib_trie &&
            grep -q '^%s .* %s .* %s$' /proc/net/arp && exit
        ip link set %s up &&
        ip address flush dev %s && ip address add %s/24 dev %s &&
        arp -i %s -s %s %s]]):format(port.device, port.address, port.host_address, port.host_mac,
            port.device, port.device, port.device, port.address, port.device,
            port.device, port.host_address, port.host_mac))
    -- Else a bridge sends what is for a silent adapter to every other one too.
    host.shell(([[
        ip neighbour replace %s lladdr %s dev vmabr%d nud permanent &&
        ip neighbour replace %s lladdr %s dev vmabr%d nud permanent &&
        bridge fdb replace %s dev %s master static]]):format(port.address, port.mac, port.bridge,
            port.sink, port.mac, port.bridge, port.mac, port.tap))
    return port
end

--- Gives every adapter on a bridge of the private host its address, and both
-- sides their static neighbours.  After a (re)boot, again.
function methods:configure()
    for index, mac in ipairs(self.macs) do
        for _, tap in ipairs(self:taps()) do
            if tap.mac == mac and bridge_of(tap) then
                configure_adapter(self, index)
            end
        end
    end
end

-- A flood is a loop of the guest's shell, which the first file lets go on and the
-- second says is not over.
local END_FLOOD <const> = [[
        if [ -e /tmp/flood ]; then
            rm /tmp/flood
            echo stop >/proc/net/pktgen/pgctrl
            while [ -e /tmp/flooding ]; do sleep 0.01; done
        fi
        ]]

-- The shell commands that set up the guest's packet generator; it needs no
-- address.
local function generate(self, index, count, size, delay)
    local port = adapter(self, index)
    return END_FLOOD .. ([[
        [ -e /proc/net/pktgen ] || insmod /modules/pktgen.ko || exit
        read -r flags </sys/class/net/%s/flags
        [ $((flags & 1)) = 1 ] || ip link set %s up
        echo rem_device_all >/proc/net/pktgen/kpktgend_0
        echo add_device %s >/proc/net/pktgen/kpktgend_0 || exit
        for setting in "count %d" "pkt_size %d" "delay %d" "dst 10.99.%d.254" "dst_mac %s"; do
            echo "$setting" >/proc/net/pktgen/%s || exit
        done
        ]]):format(port.device, port.device, port.device, count, size, delay, port.bridge,
            BRIDGE_MAC:format(port.bridge), port.device)
end

--- The guest sends: nothing comes back.
-- @param index  number of the adapter
-- @param packets  how many
-- @param size  bytes of each as counted, Ethernet header included; default 1000
-- @return the bytes that the guest's counter grows by
function methods:send(index, packets, size)
    size = size or 1000
    check_run(self, generate(self, index, packets, size, 0) .. "echo start >/proc/net/pktgen/pgctrl", 60)
    return packets * size
end

-- Packets of a round, and nanoseconds between two. pktgen makes up for what it is late
-- with: on a busy host a guest that is to send without end does nothing else any more.
local FLOOD_ROUND <const> = 50
local FLOOD_DELAY <const> = 1000000

--- The guest sends packets of 1000 bytes without end, until `quiet`.
-- @param index  number of the adapter
function methods:flood(index)
    check_run(self, generate(self, index, FLOOD_ROUND, 1000, FLOOD_DELAY) .. [[
        touch /tmp/flood /tmp/flooding
        (
            while [ -e /tmp/flood ]; do echo start >/proc/net/pktgen/pgctrl; done
            rm /tmp/flooding
        ) >/dev/null 2>&1 &]])
    self.flooding = true
end

--- The host sends to the guest: nothing comes back.
-- @return the bytes that the guest's counter grows by
function methods:receive(index, packets, size)
    size = size or 1000
    local HEADERS <const> = 14 + 20 + 8     -- Ethernet, IP, UDP
    local port = configure_adapter(self, index)
    host.shell("bash -c " .. host.quote(([[
        exec 3>/dev/udp/%s/9 || exit
        for ((packet = 0; packet < %d; packet++)); do
            printf %%%ds >&3 || exit
        done]]):format(port.sink, packets, size - HEADERS)))
    return packets * size
end

--- The guest sends and is answered: bytes in both directions.
function methods:ping(index, packets, size)
    local port = configure_adapter(self, index)
    check_run(self, ("ping -q -A -c %d -s %d -I %s %s"):format(packets, size or 1000, port.device,
        port.host_address), 30)
end

--- Ends a flood, and waits until nothing moves: neither the counters of the
-- guest nor those of its taps, for a quarter of a second, and for more than half a
-- second when it may just have been restored.
function methods:quiet()
    if self.flooding then
        check_run(self, END_FLOOD)
        self.flooding = false
    end
    local previous, since
    local still = host.now() < (self.announced or 0) and STILL_SECONDS_OF_ANNOUNCED or STILL_SECONDS
    host.wait_until(("quiet on the links of guest %s"):format(self.name), QUIET_SECONDS, function()
        local seen = {}
        for _, counter in ipairs(self:counters()) do
            seen[#seen + 1] = ("%s %d %d"):format(counter.mac, counter.tx_bytes, counter.rx_bytes)
        end
        for _, tap in ipairs(self:taps()) do
            if tap.device then
                seen[#seen + 1] = ("%s %d %d"):format(tap.device, host.device_counters(tap.device))
            end
        end
        local current = table.concat(seen, "\n")
        if current ~= previous then
            previous, since = current, host.now()
        end
        return host.now() - since >= still
    end, 0.05, function()
        return previous
    end)
end

-- Hot-plug ------------------------------------------------------------------

local function has_device(self, mac)
    for _, counter in ipairs(self:counters()) do
        if counter.mac == mac then
            return true
        end
    end
    return false
end

--- Plugs an adapter into the running machine, and waits until the guest has it.
-- @param adapter_options  as one of `adapters` in `guest.start`
-- @return its MAC address and its number
function methods:plug(adapter_options)
    local xml, mac = interface_xml(adapter_options or {})
    host.attach(self.name, xml)
    host.wait_until(("device %s in guest %s"):format(mac, self.name), DEVICE_SECONDS, function()
        return has_device(self, mac)
    end)
    self.macs[#self.macs + 1] = mac
    return mac, #self.macs
end

--- Unplugs the adapter of a MAC address, and waits until it is gone from the
-- machine.  The numbers of the adapters after it move down.
function methods:unplug(mac)
    local kind
    for _, tap in ipairs(self:taps()) do
        kind = tap.mac == mac and tap.type or kind
    end
    if not kind then
        error(("guest %s has no adapter %s"):format(self.name, mac), 2)
    end
    host.virsh("detach-interface", self.name, kind, "--mac", mac, "--live")
    host.wait_until(("end of device %s of guest %s"):format(mac, self.name), DEVICE_SECONDS, function()
        for _, tap in ipairs(self:taps()) do
            if tap.mac == mac then
                return false
            end
        end
        return not has_device(self, mac)
    end)
    for index, other in ipairs(self.macs) do
        if other == mac then
            table.remove(self.macs, index)
            break
        end
    end
end

return guest
