--- The kernel's last word on network devices that have gone, from a witness of
-- its own (device_watch.c).
--
--     local watch <close> = device_watch.start()
--     ... a device goes ...
--     local rx, tx = watch:final(ifindex) -- as the device counts

local host = require "spec.support.libvirt_host"
local compiled = require "spec.support.compiled"

local device_watch = {}
local methods = {}
local metatable = { __name = "device_watch", __index = methods }
local count = 0

function device_watch.start()
  count = count + 1
  local self = setmetatable({ log = ("%s/device_watch-%d"):format(host.folder, count) }, metatable)
  self.pid = math.tointeger(tonumber(host.shell(
    ("%s >%s 2>&1 & echo $!"):format(compiled.program("device_watch"), self.log))))
  host.wait_until("device_watch", 5, function()
    return (host.read_file(self.log) or ""):find("watching\n", 1, true)
  end, 0.01)
  return self
end

--- The ifindex of a device.
function device_watch.ifindex(device)
  return host.read_file(("/sys/class/net/%s/ifindex"):format(device)):match("%d+")
end

--- Waits until the device of that ifindex has gone: its rx_bytes and tx_bytes.
function methods:final(ifindex)
  local received, sent
  host.wait_until(("end of device %s"):format(ifindex), 10, function()
    received, sent = ("\n" .. host.read_file(self.log)):match(("\n%s %%S+ (%%d+) (%%d+)\n"):format(ifindex))
    return received
  end, 0.01, function()
    return host.read_file(self.log)
  end)
  return math.tointeger(tonumber(received)), math.tointeger(tonumber(sent))
end

function methods:stop()
  if self.pid then
    host.try_shell(("kill %d"):format(self.pid))
    self.pid = nil
  end
end

metatable.__close = methods.stop

return device_watch
