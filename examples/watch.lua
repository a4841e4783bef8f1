-- A live table of all machines: bytes sent and received, and bytes per second
-- since the previous sample.
--
--     lua5.4 examples/watch.lua [URI] [seconds]
--
-- seconds: the time between two samples, 2 by default; fractions are allowed.
-- In a terminal the table is drawn over again; Ctrl-C ends it, with status 0.
-- Into a pipe or file go plain lines, tab-separated, one per machine and sample:
--
--     lua5.4 examples/watch.lua qemu:///system 10 | tee traffic.tsv
--
-- It shows max_age at work: a sample costs two calls to the host, one for the
-- list of machines and one for all counts, however many machines there are.
-- And it shows the pitfall of rates: a machine that was started again, reset or
-- restored counts from zero again, which is not negative traffic.

local function usage(stream, status)
  stream:write("usage: lua5.4 watch.lua [URI] [seconds]\n")
  os.exit(status)
end

local uri, seconds = arg[1], arg[2]
if uri == "-h" or uri == "--help" then
  usage(io.stdout, 0)
elseif not seconds and tonumber(uri) then
  uri, seconds = nil, uri
end
seconds = tonumber(seconds or 2)
if not (seconds and seconds > 0 and seconds <= 86400) or arg[3] then
  usage(io.stderr, 1)
end

local vma = require "vmaccountant"

local is_terminal = os.execute("test -t 1") == true

-- Sampling the host ---------------------------------------------------------

-- Seconds, with a finer resolution than that of os.time().
local function now()
  local file <close> = io.open("/proc/uptime")
  return file and file:read("n") or os.time()
end

-- The accountant's current counts, or the reason why there are none.
local function read(accountant)
  local sent, err = accountant:Get("NetworkBytesSent")
  local received
  if sent then
    received, err = accountant:Get("NetworkBytesReceived")
  end
  if not received then
    return { reason = err.message }
  end
  -- Since cannot be known on every host, and is then nil.
  return { sent = sent, received = received, since = (accountant:Get("Since")) }
end

-- Counts restart with the machine's session, and within one never fall.  Where
-- Since is known it shows a new one; otherwise only a count that fell does.
local function is_same_session(before, after)
  return before.since == after.since
    and tonumber(after.sent) >= tonumber(before.sent)
    and tonumber(after.received) >= tonumber(before.received)
end

-- Adds the rates since the previous sample to a machine's counts.
local function add_rates(counts, before, elapsed)
  if not counts.sent or not before or not before.sent then
    return -- stopped, or the first sample: there is no rate
  elseif not is_same_session(before, counts) then
    counts.restarted = true
  elseif elapsed > 0 then
    -- tonumber: counts above 2^63 are decimal strings.
    counts.sent_rate = (tonumber(counts.sent) - tonumber(before.sent)) / elapsed
    counts.received_rate = (tonumber(counts.received) - tonumber(before.received)) / elapsed
  end
end

-- A sample of all machines: a list of their counts in name order, with the rates
-- since the previous sample.  Machines may have come and gone since.
local function sample_machines(objVS, before)
  local machines = objVS.VirtualMachines
  local sample = { at = now(), by_id = {}, none = #machines == 0 and tostring(machines) or nil }
  for objVM in machines do
    local counts = read(objVM.Accountant)
    local id = objVM.ConfigID
    counts.name = tostring(objVM):gsub("%c", "?") -- a name may have control characters
    add_rates(counts, before and before.by_id[id], before and sample.at - before.at)
    sample[#sample + 1] = counts
    sample.by_id[id] = counts
  end
  return sample
end

-- Output --------------------------------------------------------------------

local function rate_text(counts, rate)
  return counts.restarted and "restarted" or rate and ("%.0f"):format(rate) or "-"
end

local function print_lines(sample)
  local time = os.date("!%Y-%m-%dT%H:%M:%SZ")
  for _, counts in ipairs(sample) do
    if counts.sent then
      print(table.concat({ time, counts.name, counts.sent, rate_text(counts, counts.sent_rate),
        counts.received, rate_text(counts, counts.received_rate) }, "\t"))
    else
      print(table.concat({ time, counts.name, counts.reason }, "\t"))
    end
  end
  io.stdout:flush()
end

-- Names come last, as they may be of any length.
local ROW <const> = "%18s %12s %18s %12s  %s"

-- The terminal's current rows and columns: its window may change.
local function terminal_size()
  local pipe <close> = io.popen("stty size 2>/dev/null")
  local rows, columns = pipe:read("n", "n")
  if not columns or rows < 4 or columns < 1 then
    return 24, 80
  end
  return rows, columns
end

local function draw_table(sample)
  local rows, columns = terminal_size()
  local lines = {
    ("%s, every %g s; Ctrl-C ends"):format(os.date("%H:%M:%S"), seconds),
    ROW:format("Sent", "bytes/s", "Received", "bytes/s", "Machine"),
  }
  lines[#lines + 1] = sample.none -- names the host, and other hosts to try
  local room = rows - #lines - 1 -- the last row stays free for the cursor
  local shown = #sample <= room and #sample or room - 1
  for i = 1, shown do
    local counts = sample[i]
    lines[#lines + 1] = counts.sent
      and ROW:format(counts.sent, rate_text(counts, counts.sent_rate),
        counts.received, rate_text(counts, counts.received_rate), counts.name)
      or ROW:format("-", "-", "-", "-", counts.name .. ": " .. counts.reason)
  end
  if shown < #sample then
    lines[#lines + 1] = ("… and %d more"):format(#sample - shown)
  end
  for i, line in ipairs(lines) do -- longer ones would take two rows
    local stop = utf8.len(line) and utf8.offset(line, columns + 1)
    lines[i] = line:sub(1, stop and stop - 1 or utf8.len(line) and -1 or columns)
  end
  -- Home, each line with what was right of it cleared, then all that is below.
  io.stdout:write("\27[H", table.concat(lines, "\27[K\n"), "\27[K\n\27[J")
  io.stdout:flush()
end

-- The loop ------------------------------------------------------------------

-- Plain Lua cannot sleep, so a child does.  Not by os.execute(), which hides
-- SIGINT from this process.  In short pieces, so that a signal sent to this
-- process alone, and not to the child, still ends it soon.
local function sleep(duration)
  while duration > 0 do
    local piece = math.min(duration, 1)
    io.popen(("sleep %.3f"):format(piece)):close()
    duration = duration - piece
  end
end

local function watch()
  -- The host's sample serves one round, and is too old for the next.
  local objVS <close> = vma.CreateObject("VirtualServer.Application", uri, { max_age = seconds * 0.9 })
  local before
  if is_terminal then
    io.stdout:write("\27[2J")
  end
  while true do
    local ok, sample = pcall(sample_machines, objVS, before)
    if ok then
      if sample.none and not before and not is_terminal then
        io.stderr:write(sample.none, "\n")
      end
      local show = is_terminal and draw_table or print_lines
      show(sample)
      before = sample
    elseif sample.message then -- the host does not answer; it may again later
      io.stderr:write(sample.message, "\n")
    else
      error(sample, 0)
    end
    sleep(seconds)
  end
end

-- The interpreter turns Ctrl-C into an error in whatever Lua code runs.
local _, err = pcall(watch)
if type(err) == "string" and err:find("interrupted!", 1, true) then
  if is_terminal then
    print()
  end
  os.exit(0, true)
end
io.stderr:write("watch.lua: ", tostring(err), "\n")
os.exit(1, true)
