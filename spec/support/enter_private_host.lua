--- busted helper: root specs run on a private host, without being told to.
--
-- As root and outside a private host, runs the whole command line again inside
-- `spec/support/private_host` and exits with its status.  The environment
-- variable VMACCOUNTANT_NO_PRIVATE_HOST=1 forbids that; specs that need the
-- host then report pending.  Without root nothing happens.

package.path = "./?.lua;" .. package.path

local host = require "spec.support.libvirt_host"

-- The process's own arguments, exactly.  The global `arg` would not do: busted
-- replaces it, and with a `lua` setting it starts itself anew.
local function command_line()
    local file <close> = assert(io.open("/proc/self/cmdline", "rb"))
    local words = {}
    for word in file:read("a"):gmatch("(%Z*)%z") do
        words[#words + 1] = host.quote(word)
    end
    return table.concat(words, " ")
end

if host.is_root() and not host.is_private() and os.getenv("VMACCOUNTANT_NO_PRIVATE_HOST") ~= "1" then
    -- Here, because inside there is no network to fetch a kernel from.  A
    -- failure is reported by the specs that start a guest.
    os.execute("spec/support/guest_image >/dev/null 2>&1")
    io.stdout:flush()
    -- Tied to this process's life, or it would outlive a killed busted.
    local _, how, status = os.execute("exec setpriv --pdeathsig KILL -- spec/support/private_host " ..
        command_line())
    os.exit(how == "exit" and status or 128 + status, true)
end
