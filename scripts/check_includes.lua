-- Who may include whom, for `make check-includes`: a folder of src/ includes
-- itself and the folders below it that its line names, and the headers of a
-- library stand only in the folder that is there to know that library.
--
--     lua5.4 scripts/check_includes.lua FILE...

-- A folder of src/ and what it may include beside itself. The binding makes
-- the hosts that a script asks for, so it knows the face of each, and no more.
local MAY_INCLUDE <const> = {
  core = {},
  base = {},
  host = { "base/", "core/" },
  kernel = { "base/", "core/" },
  accounting = { "host/", "base/", "core/" },
  libvirt_host = { "host/", "kernel/", "base/", "core/" },
  simulator = { "host/", "base/", "core/" },
  preload = {},
  binding = {
    "accounting/", "host/", "base/", "core/",
    "libvirt_host/driver.h", "libvirt_host/event_loop.h", "simulator/simulator.h",
  },
}

-- The beginning of a system header's name and the folders where it may stand.
local SYSTEM_HEADERS <const> = {
  { "libvirt/", { "libvirt_host" } },
  { "libxml/", { "libvirt_host" } },
  { "libmnl/", { "kernel" } },
  { "uthash.h", { "accounting", "libvirt_host" } },
  { "linux/", { "kernel" } },
  { "lua", { "binding" } },
  { "lauxlib", { "binding" } },
  -- The arithmetic of accounting makes no call to anything.
  { "pthread", { "base", "host", "kernel", "accounting", "libvirt_host", "simulator", "binding" } },
  { "time.h", { "base", "host", "kernel", "accounting", "libvirt_host", "simulator", "binding" } },
  { "stdio.h", { "base", "host", "kernel", "accounting", "libvirt_host", "simulator", "binding" } },
  { "unistd.h", { "base", "host", "kernel", "accounting", "libvirt_host", "simulator", "binding" } },
}

local faults = 0

local function complain(path, line, format, ...)
  faults = faults + 1
  print(("%s:%d: %s"):format(path, line, format:format(...)))
end

local function begins_with(text, beginning)
  return text:sub(1, #beginning) == beginning
end

local function begins_with_one_of(text, beginnings)
  for _, beginning in ipairs(beginnings) do
    if begins_with(text, beginning) then
      return true
    end
  end
  return false
end

local function check_own(path, number, folder, header)
  local allowed = MAY_INCLUDE[folder]
  if not header:find("/", 1, true) then
    complain(path, number, 'write "%s" with its folder', header)
  elseif not begins_with(header, folder .. "/") and not begins_with_one_of(header, allowed) then
    complain(path, number, 'includes "%s"; src/%s/ may include itself%s', header, folder,
      #allowed > 0 and ", " .. table.concat(allowed, ", ") or " only")
  end
end

local function check_system(path, number, folder, header)
  for _, rule in ipairs(SYSTEM_HEADERS) do
    local beginning, folders = rule[1], rule[2]
    if begins_with(header, beginning) and not begins_with_one_of(folder, folders) then
      complain(path, number, "includes <%s>, which may stand only in src/%s/", header,
        table.concat(folders, "/, src/"))
    end
  end
end

for _, path in ipairs(arg) do
  local folder = path:match("src/([%w_]+)/[^/]+$")
  local number = 0
  if not MAY_INCLUDE[folder] then
    complain(path, 1, "scripts/check_includes.lua has no rule for this folder")
  else
    for line in io.lines(path) do
      number = number + 1
      local own, system = line:match('^%s*#%s*include%s*"([^"]+)"'), line:match("^%s*#%s*include%s*<([^>]+)>")
      if own then
        check_own(path, number, folder, own)
      elseif system then
        check_system(path, number, folder, system)
      end
    end
  end
end

os.exit(faults == 0 and #arg > 0)
