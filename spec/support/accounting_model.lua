--- What the accountant must say: a model of the documented contract over the
-- simulator, in Lua, for spec/model_spec.lua.
--
-- A world is a list of machines and of applications. Each action is done on
-- the simulator and on the model; each read compares the two. Two models check
-- each other. The first is the contract's own words: a machine's count starts
-- at zero when it is powered up, reset or restored, and grows by each byte
-- that it sends. It knows nothing of devices, and holds for an application that
-- has been listening since the session began. The second says what an
-- application can know that was not: what it saw at its looks.
--
--     local failure = model.run({ { "send", 1, 1, 3 }, { "read", 1, 1 } })

local simulator = require "vmaccountant.simulator"

local model = {}

local PROGID <const> = "VirtualServer.Application"

-- Seconds. Resets that are told of within this time, with nothing sent between
-- them, are one: a firmware may reset once more by itself.
local ONE_RESET <const> = 2
-- A shared baseline written so shortly after a reset that is known is taken
-- for that of the same reset, unless it is numbered as a later one.
local SAME_BASELINE <const> = 10

-- No sum of these is near one of the above.
model.CLOCK_STEPS = { 0, 4, 3600, 86400 }

-- Whole numbers of up to 36 digits: two halves, in units of 1e18 and 1 --------

local UNIT <const> = 1000000000000000000

local function add(a_high, a_low, b_high, b_low)
  local low = a_low + b_low
  if low >= UNIT then
    return a_high + b_high + 1, low - UNIT
  end
  return a_high + b_high, low
end

local function subtract(a_high, a_low, b_high, b_low)
  local low = a_low - b_low
  if low < 0 then
    return a_high - b_high - 1, low + UNIT
  end
  return a_high - b_high, low
end

local function is_below(a_high, a_low, b_high, b_low)
  return a_high < b_high or a_high == b_high and a_low < b_low
end

local function to_text(high, low)
  return high == 0 and ("%d"):format(low) or ("%d%018d"):format(high, low)
end

local function from_text(text)
  local high, low = text:match("^(%d-)(%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?)$")
  return math.tointeger(tonumber(high)) or 0, math.tointeger(tonumber(low))
end

-- As the API gives it: an integer up to 2^63-1, else decimal digits.
local INTEGER_HIGH <const>, INTEGER_LOW <const> = from_text("9223372036854775807")
local LARGEST_HIGH <const>, LARGEST_LOW <const> = from_text("79228162514264337593543950335")

local function to_value(high, low)
  if is_below(INTEGER_HIGH, INTEGER_LOW, high, low) then
    return to_text(high, low)
  end
  return high * UNIT + low
end

--- Amounts of bytes by number: small ones, and what breaks 31, 32, 53, 63, 64
-- and 96 bits.
model.AMOUNTS = {}
for index, text in ipairs {
  "0", "1", "60", "1514", "1000000", "2147483648", "4294967295", "4294967297", "9007199254740993",
  "9223372036854775807", "9223372036854775808", "18446744073709551615", "39614081257132168796771975168",
  "79228162514264337593543950335",
} do
  local high, low = from_text(text)
  model.AMOUNTS[index] = { high = high, low = low, value = to_value(high, low) }
end
--- So many of the above are small.
model.SMALL = 5

-- The world -------------------------------------------------------------------

-- Both directions of whatever counts: 1 sent, 2 received.
local MEMBERS <const> = { "NetworkBytesSent", "NetworkBytesReceived" }
local TRANSFER <const> = { "Send", "Receive" }
local SET <const> = { "SetBytesSent", "SetBytesReceived" }

local function zero()
  return { 0, 0, 0, 0 } -- sent: 1 and 2, received: 3 and 4
end

local function new_world()
  local host = simulator.new()
  local objVS <close> = host:CreateObject(PROGID)
  return {
    host = host,
    begun = objVS.HostInfo.UTCTime, -- where the simulator's clock stands at first
    offset = 0, -- how far it was moved
    tells = true,
    machines = {},
    applications = {},
    serial = 0,
  }
end

-- The window in which a moment of now lies: the simulator's clock stands still.
local function moment(world)
  local now = world.begun + world.offset
  return { first = now, last = now }
end

local function is_in(window, seconds)
  return seconds >= window.first and seconds <= window.last
end

-- What an application knows of a machine -----------------------------------------

local function view_of(application, machine)
  local view = application.views[machine]
  if not view then
    view = { devices = {}, ordinal = 0 }
    application.views[machine] = view
  end
  return view
end

-- A total, or nil and the code of the reason: one of them where there are two.
local function total_of(view, direction)
  local at = direction * 2 - 1
  local high, low, is_unknown = 0, 0, false
  for _, seen in pairs(view.devices) do
    is_unknown = is_unknown or not seen.counted
    high, low = add(high, low, seen.total[at], seen.total[at + 1])
  end
  if is_below(LARGEST_HIGH, LARGEST_LOW, high, low) then
    return nil, "DISP_E_OVERFLOW", is_unknown and "DISP_E_EXCEPTION"
  elseif is_unknown or high < 0 then
    return nil, "DISP_E_EXCEPTION"
  end
  return to_value(high, low)
end

-- The session is over; `reason` is nil where it was not told.
local function end_session(world, view, reason)
  view.last = {
    [1] = (total_of(view, 1)), [2] = (total_of(view, 2)), reason = reason, started = view.started,
    ended = moment(world), told = reason ~= nil,
  }
end

-- Takes in a device's figures in one direction: what is below the figure before
-- is of a device made anew.
local function take(seen, at, high, low)
  if is_below(high, low, seen.last[at], seen.last[at + 1]) then
    seen.total[at], seen.total[at + 1] = add(seen.total[at], seen.total[at + 1], high, low)
  else
    local more_high, more_low = subtract(high, low, seen.last[at], seen.last[at + 1])
    seen.total[at], seen.total[at + 1] = add(seen.total[at], seen.total[at + 1], more_high, more_low)
  end
  seen.last[at], seen.last[at + 1] = high, low
end

local function drop_detached(view)
  for device, seen in pairs(view.devices) do
    if not seen.attached then
      view.devices[device] = nil
    end
  end
end

-- A reset that another application has written down.
local function take_baseline(world, view, machine)
  local baseline = machine.baseline
  if not baseline or baseline.run ~= machine.run or view.refused == baseline or
      view.reset_at and baseline.offset - view.reset_at <
        (baseline.ordinal > view.ordinal and ONE_RESET or SAME_BASELINE) then
    return
  end
  for device, figures in pairs(baseline.figures) do
    local seen = view.devices[device]
    for at = 1, seen and seen.attached and 3 or 0, 2 do
      if is_below(seen.last[at], seen.last[at + 1], figures[at], figures[at + 1]) then
        view.refused = baseline -- it is of another life of the device
        return
      end
    end
  end
  if view.is_old then
    -- What was counted until then. What was plugged since is not of it.
    local now = {}
    for device, seen in pairs(view.devices) do
      local figures = baseline.figures[device]
      now[device] = seen
      if figures and seen.attached then
        local total = zero()
        for at = 1, 3, 2 do
          local high, low = subtract(seen.last[at], seen.last[at + 1], figures[at], figures[at + 1])
          total[at], total[at + 1] = subtract(seen.total[at], seen.total[at + 1], high, low)
        end
        view.devices[device] = { counted = seen.counted, total = total }
      elseif seen.attached then
        view.devices[device] = nil
      end
    end
    end_session(world, view, "Reset")
    view.last.told = false
    view.devices = now
  end
  drop_detached(view)
  for device, seen in pairs(view.devices) do
    local figures = baseline.figures[device] or zero()
    for at = 1, 3, 2 do
      seen.total[at], seen.total[at + 1] = subtract(seen.last[at], seen.last[at + 1], figures[at], figures[at + 1])
    end
  end
  view.reset_at, view.reset_seen, view.ordinal = baseline.offset, baseline.offset, baseline.ordinal
  view.started = baseline.at
end

-- A run whose devices are all others than at the last look, which was made when
-- the machine had just been started, is taken for another run: nobody has told
-- of the plugging, and a host may number its runs anew.
local function is_taken_for_another(view, machine)
  if not machine.run or view.looked_at ~= machine.run.offset or #machine.devices == 0 then
    return false
  end
  local had_devices = false
  for _, seen in pairs(view.devices) do
    had_devices = had_devices or seen.attached
  end
  for _, device in ipairs(machine.devices) do
    local seen = view.devices[device]
    if seen and seen.attached then
      return false
    end
  end
  return had_devices
end

-- The application looks at the machine.
local function look(world, application, machine)
  local view = view_of(application, machine)
  if view.run ~= machine.run or is_taken_for_another(view, machine) then
    if view.run then
      end_session(world, view)
    end
    view.run = machine.run
    view.devices = {}
    view.reset_at, view.reset_seen, view.refused, view.is_old, view.is_complete = nil, nil, nil, nil, nil
    view.ordinal = 0
    view.started = machine.run and machine.run.started
  end
  if machine.run then
    for _, seen in pairs(view.devices) do
      seen.attached = false
    end
    for _, device in ipairs(machine.devices) do
      local seen = view.devices[device]
      if not seen then
        seen = { counted = device.counted, total = zero(), last = zero() }
        view.devices[device] = seen
      end
      seen.attached = true
      for at = 1, device.counted and 3 or 0, 2 do
        take(seen, at, device.figures[at], device.figures[at + 1])
      end
    end
    take_baseline(world, view, machine)
    view.is_old = true
    view.looked_at = world.offset
  end
  return view
end

-- What the host tells -----------------------------------------------------------

local function tell(world, action, ...)
  if world.tells then
    for _, application in ipairs(world.applications) do
      action(world, application, ...)
    end
  end
end

local function on_started(world, application, machine)
  look(world, application, machine).is_complete = true
end

local function on_stopped(world, application, machine, reason)
  local view = view_of(application, machine)
  if view.run then
    end_session(world, view, reason)
    view.run = nil
  end
end

local function is_unused(view)
  for _, seen in pairs(view.devices) do
    if seen.total[1] > 0 or seen.total[2] > 0 then
      return false
    end
  end
  return true
end

local function note_reset(world, application, machine)
  local view = look(world, application, machine)
  if not machine.run then
    return
  end
  local is_same = view.reset_seen and world.offset - view.reset_seen < ONE_RESET and is_unused(view)
  if not is_same then
    end_session(world, view, "Reset")
    view.ordinal = view.ordinal + 1
  end
  drop_detached(view)
  for _, seen in pairs(view.devices) do
    seen.total = zero()
  end
  view.started = moment(world)
  view.reset_at, view.reset_seen = world.offset, world.offset
  view.is_complete = world.tells
end

local function write_baseline(world, machine, ordinal)
  local figures = {}
  for _, device in ipairs(machine.devices) do
    figures[device] = device.counted and { table.unpack(device.figures) } or zero()
  end
  machine.baseline = { run = machine.run, at = moment(world), offset = world.offset, ordinal = ordinal,
    figures = figures }
end

local function on_reset(world, application, machine)
  note_reset(world, application, machine)
  if application.records then
    write_baseline(world, machine, view_of(application, machine).ordinal)
  end
end

-- A device that goes with less than it had is taken for another one.
local function on_device_gone(_, application, machine, device)
  local seen = view_of(application, machine).devices[device]
  if not seen or not device.counted then
    return
  end
  for at = 1, 3, 2 do
    if is_below(device.figures[at], device.figures[at + 1], seen.last[at], seen.last[at + 1]) then
      return
    end
  end
  for at = 1, 3, 2 do
    take(seen, at, device.figures[at], device.figures[at + 1])
  end
end

-- The contract's words: the count is back to zero.
local function begin_session(machine)
  machine.truth = zero()
  machine.has_fallen = false
end

local function new_device(counted)
  return { counted = counted, figures = zero() }
end

local function start(world, machine)
  machine.run = { started = moment(world), offset = world.offset }
  for index, device in ipairs(machine.devices) do
    machine.devices[index] = new_device(device.counted)
  end
  begin_session(machine)
  tell(world, on_started, machine)
end

local function stop(world, machine, reason)
  for _, device in ipairs(machine.devices) do
    tell(world, on_device_gone, machine, device)
  end
  machine.run = nil
  machine.stops = machine.stops + 1
  machine.reason = reason
  if reason ~= "Saved" then
    machine.baseline = nil
  end
  tell(world, on_stopped, machine, reason)
end

local function reset(world, machine)
  begin_session(machine)
  -- Twice, as a real host does.
  tell(world, on_reset, machine)
  tell(world, on_reset, machine)
end

-- Comparing -----------------------------------------------------------------------

local function fail(...)
  error({ text = string.format(...) }, 0)
end

local function show(value)
  if type(value) == "table" then
    return ("%s (%s)"):format(tostring(value.name), tostring(value.message))
  end
  return tostring(value)
end

local function get(object, member)
  return object[member]
end

local function handle(application, machine)
  local objVM = application.handles[machine]
  if not objVM and not machine.is_removed then
    objVM = application.objVS:FindVirtualMachine(machine.name)
    application.handles[machine] = objVM
  end
  return objVM
end

-- The total, or nil and the codes of which reading it must raise one.
local function expect_total(machine, view, direction)
  if machine.is_removed then
    return nil, "VM_E_VM_UNKNOWN"
  elseif not machine.run then
    return nil, "S_FALSE"
  end
  return total_of(view, direction)
end

local function compare_total(machine, view, objVM, direction)
  local ok, value = pcall(get, objVM.Accountant, MEMBERS[direction])
  local total, code, other_code = expect_total(machine, view, direction)
  local as_expected
  if ok then
    as_expected = value == total and math.type(value) == math.type(total)
  else
    as_expected = not total and type(value) == "table" and (value.name == code or value.name == other_code)
  end
  if not as_expected then
    fail("%s of %s: expected %s, got %s", MEMBERS[direction], machine.name, code or show(total), show(value))
  end
  if total and view.is_complete and not machine.has_fallen then
    local at = direction * 2 - 1
    local truth = to_value(machine.truth[at], machine.truth[at + 1])
    if truth ~= total then
      fail("the model's %s of %s is %s, but %s bytes were sent", MEMBERS[direction], machine.name, show(total),
        show(truth))
    end
  end
end

local function compare_last(machine, view, last)
  local expected = view.last
  if not expected or not last then
    if expected or last then
      fail("LastSession of %s: expected %s", machine.name, expected and "one, got none" or "none, got one")
    end
    return
  end
  for direction = 1, 2 do
    local bytes = expected[direction]
    if last[MEMBERS[direction]] ~= bytes then
      fail("LastSession of %s: expected a %s of %s, got %s", machine.name, MEMBERS[direction], show(bytes),
        show(last[MEMBERS[direction]]))
    end
  end
  if expected.reason and last.Reason ~= expected.reason then
    fail("LastSession of %s: expected %s, got %s", machine.name, expected.reason, last.Reason)
  end
  if last.Started and not is_in(expected.started, last.Started) then
    fail("LastSession of %s: it has Started at %d, not between %d and %d", machine.name, last.Started,
      expected.started.first, expected.started.last)
  end
  if expected.told and not is_in(expected.ended, last.Ended) then
    fail("LastSession of %s: it has Ended at %d, not between %d and %d", machine.name, last.Ended,
      expected.ended.first, expected.ended.last)
  end
end

-- The actions: each of the world and of up to three numbers, which choose among
-- what there is. One that is not possible now does nothing. -------------------

local function pick(list, number)
  return list[(number - 1) % #list + 1]
end

local actions = {}

local function add_machine(world, running, adapters)
  world.serial = world.serial + 1
  local machine = { name = "vm" .. world.serial, devices = {}, adapters = {}, stops = 0, truth = zero() }
  local results = { world.host:AddMachine(machine.name, { adapters = adapters, running = running }) }
  machine.simulated = table.remove(results, 1)
  machine.adapters = results
  for index = 1, adapters do
    machine.devices[index] = new_device(true)
  end
  world.machines[#world.machines + 1] = machine
  if running then
    start(world, machine)
  end
end

function actions.add(world, number, adapters)
  if #world.machines < 3 then
    add_machine(world, number % 2 == 0, adapters % 3)
  end
end

local function transfer(world, direction, machine, adapter, amount)
  machine = pick(world.machines, machine)
  if not machine.run or #machine.devices == 0 then
    return
  end
  local index = (adapter - 1) % #machine.devices + 1
  local device = machine.devices[index]
  local bytes = model.AMOUNTS[amount]
  local at = direction * 2 - 1
  local high, low = add(device.figures[at], device.figures[at + 1], bytes.high, bytes.low)
  local nic = machine.adapters[index]
  local ok, err = pcall(nic[TRANSFER[direction]], nic, bytes.value)
  local fits = not is_below(LARGEST_HIGH, LARGEST_LOW, high, low)
  if ok ~= fits or not ok and err.name ~= "DISP_E_OVERFLOW" then
    fail("%s to a device at %s: %s", TRANSFER[direction], to_text(device.figures[at], device.figures[at + 1]),
      ok and "nothing was raised" or show(err))
  end
  if not fits then
    return
  end
  device.figures[at], device.figures[at + 1] = high, low
  local truth = machine.truth
  truth[at], truth[at + 1] = add(truth[at], truth[at + 1], bytes.high, bytes.low)
end

function actions.send(world, ...)
  transfer(world, 1, ...)
end

function actions.receive(world, ...)
  transfer(world, 2, ...)
end

-- The device's figure is another one all at once.
function actions.fall(world, machine, adapter, amount)
  machine = pick(world.machines, machine)
  if not machine.run or #machine.devices == 0 then
    return
  end
  local index = (adapter - 1) % #machine.devices + 1
  local bytes = model.AMOUNTS[amount]
  local direction = amount % 2 + 1
  local nic = machine.adapters[index]
  nic[SET[direction]](nic, bytes.value)
  local figures = machine.devices[index].figures
  figures[direction * 2 - 1], figures[direction * 2] = bytes.high, bytes.low
  machine.has_fallen = true
end

function actions.startup(world, machine)
  machine = pick(world.machines, machine)
  if not machine.run and not machine.is_removed then
    machine.simulated:Startup()
    start(world, machine)
  end
end

local STOPS <const> = { { "TurnOff", "TurnedOff" }, { "Save", "Saved" }, { "Crash", "Crashed" },
  { "ShutDown", "ShutDown" }, { "MigrateAway", "MigratedAway" } }

function actions.stop(world, machine, how)
  machine = pick(world.machines, machine)
  if machine.run then
    local method, reason = table.unpack(pick(STOPS, how))
    machine.simulated[method](machine.simulated)
    stop(world, machine, reason)
  end
end

function actions.revert(world, machine, number)
  machine = pick(world.machines, machine)
  if machine.is_removed then
    return
  end
  local to_running = number % 2 == 0
  machine.simulated:Revert(to_running)
  if machine.run then
    stop(world, machine, "Reverted")
  end
  machine.baseline = nil
  if to_running then
    start(world, machine)
  end
end

function actions.reset(world, machine)
  machine = pick(world.machines, machine)
  if machine.run then
    machine.simulated:Reset()
    reset(world, machine)
  end
end

-- It changes nothing of what is counted.
function actions.pause(world, machine)
  machine = pick(world.machines, machine)
  if machine.run then
    local method = machine.run.is_paused and "Resume" or "Pause"
    machine.run.is_paused = not machine.run.is_paused
    machine.simulated[method](machine.simulated)
  end
end

function actions.plug(world, machine, number)
  machine = pick(world.machines, machine)
  if machine.is_removed or #machine.devices >= 4 then
    return
  end
  local counted = number % 8 ~= 0
  local count = #machine.devices
  machine.adapters[count + 1] = machine.simulated:Plug { counted = counted }
  machine.devices[count + 1] = new_device(counted)
  if machine.run then
    tell(world, look, machine)
  end
end

function actions.unplug(world, machine, adapter)
  machine = pick(world.machines, machine)
  if machine.is_removed or #machine.devices == 0 then
    return
  end
  local index = (adapter - 1) % #machine.devices + 1
  table.remove(machine.adapters, index):Unplug()
  local device = table.remove(machine.devices, index)
  if machine.run then
    tell(world, on_device_gone, machine, device)
    tell(world, look, machine)
  end
end

function actions.rename(world, machine)
  machine = pick(world.machines, machine)
  if not machine.is_removed then
    world.serial = world.serial + 1
    machine.name = "renamed" .. world.serial
    machine.simulated:Rename(machine.name)
  end
end

function actions.remove(world, machine)
  machine = pick(world.machines, machine)
  if machine.is_removed then
    return
  end
  for _, application in ipairs(world.applications) do
    handle(application, machine) -- it outlives its machine
  end
  machine.simulated:Remove()
  if machine.run then
    stop(world, machine, "TurnedOff")
  end
  machine.is_removed = true
end

function actions.clock(world, step)
  local seconds = pick(model.CLOCK_STEPS, step)
  world.host:AdvanceClock(seconds)
  world.offset = world.offset + seconds
end

function actions.events(world)
  world.tells = not world.tells
  world.host:SetEvents(world.tells)
  -- Nobody can have heard everything of the sessions that are running.
  for _, application in ipairs(world.applications) do
    for _, view in pairs(application.views) do
      view.is_complete = nil
    end
  end
end

-- A process that starts now.
function actions.connect(world, number)
  if #world.applications >= 3 then
    table.remove(world.applications, (number - 1) % #world.applications + 1).objVS:Close()
  end
  -- In the order in which the simulator tells its hosts.
  table.insert(world.applications, 1, { objVS = world.host:CreateObject(PROGID), views = {}, handles = {} })
end

function actions.record(world, application)
  application = pick(world.applications, application)
  application.objVS:RecordResets()
  application.records = true
end

local CHANGES <const> = { "Startup", "TurnOff", "Save" }

-- An application changes the machine itself.
function actions.change(world, machine, application, number)
  machine, application = pick(world.machines, machine), pick(world.applications, application)
  local objVM = handle(application, machine)
  if not objVM or machine.is_removed then
    return
  end
  local method = pick(CHANGES, number)
  if (method == "Startup") == (machine.run ~= nil) then
    return
  end
  objVM[method](objVM)
  if method == "Startup" then
    start(world, machine)
    look(world, application, machine)
  else
    stop(world, machine, method == "Save" and "Saved" or "TurnedOff")
  end
end

-- Its reset is known to it even where nothing is told, and shared by it.
function actions.change_reset(world, machine, application)
  machine, application = pick(world.machines, machine), pick(world.applications, application)
  local objVM = handle(application, machine)
  if objVM and machine.run then
    objVM:Reset()
    reset(world, machine)
    note_reset(world, application, machine)
    write_baseline(world, machine, view_of(application, machine).ordinal)
  end
end

function actions.read(world, machine, application)
  machine, application = pick(world.machines, machine), pick(world.applications, application)
  local objVM = handle(application, machine)
  if not objVM then
    return
  end
  local view = look(world, application, machine)
  compare_total(machine, view, objVM, 1)
  compare_total(machine, view, objVM, 2)
end

function actions.read_since(world, machine, application)
  machine, application = pick(world.machines, machine), pick(world.applications, application)
  local objVM = handle(application, machine)
  if not objVM then
    return
  end
  local view = look(world, application, machine)
  local ok, since = pcall(get, objVM.Accountant, "Since")
  if ok ~= (machine.run ~= nil) then
    fail("Since of %s: got %s", machine.name, show(since))
  end
  if ok and not is_in(view.started, since) then
    fail("Since of %s is %d, not between %d and %d", machine.name, since, view.started.first, view.started.last)
  end
end

-- One by one, those that are plugged in.
function actions.read_adapters(world, machine, application)
  machine, application = pick(world.machines, machine), pick(world.applications, application)
  local objVM = handle(application, machine)
  if not objVM or machine.is_removed then
    return
  end
  local adapters = objVM.NetworkAdapters
  local view = look(world, application, machine)
  if #adapters ~= #machine.devices then
    fail("%s has %d adapters, not %d", machine.name, #adapters, #machine.devices)
  end
  for index, adapter in ipairs(adapters) do
    local seen = view.devices[machine.devices[index]]
    local ok, bytes = pcall(get, adapter, "BytesSent")
    local code = not machine.run and "S_FALSE" or not seen.counted and "DISP_E_EXCEPTION" or
      is_below(LARGEST_HIGH, LARGEST_LOW, seen.total[1], seen.total[2]) and "DISP_E_OVERFLOW" or nil
    local expected = not code and to_value(seen.total[1], seen.total[2]) or nil
    if ok and bytes ~= expected or not ok and bytes.name ~= code then
      fail("BytesSent of adapter %d of %s: expected %s, got %s", index, machine.name, code or show(expected),
        show(bytes))
    end
  end
end

function actions.last_session(world, machine, application)
  machine, application = pick(world.machines, machine), pick(world.applications, application)
  local objVM = handle(application, machine)
  if objVM then
    local last = objVM.Accountant:LastSession()
    compare_last(machine, look(world, application, machine), last)
  end
end

--- The actions and how often each is to be chosen.
model.WEIGHTS = {
  send = 20, receive = 8, fall = 3, revert = 4, startup = 8, stop = 8, reset = 8, pause = 2, plug = 6, unplug = 6,
  rename = 1, remove = 1, add = 2, clock = 6, events = 4, connect = 5, record = 3, change = 5, change_reset = 5,
  read = 20, read_since = 4, read_adapters = 4, last_session = 12,
}

--- Does the actions on a new world, and then reads everything.
-- @param sequence  a list of { action, number, number, number }
-- @return nil, or a text that says what was not as it should be
function model.run(sequence)
  local world = new_world()
  local ok, err = xpcall(function()
    add_machine(world, true, 1)
    actions.connect(world, 1)
    for _, step in ipairs(sequence) do
      actions[step[1]](world, step[2], step[3], step[4])
    end
    for machine = 1, #world.machines do
      for application = 1, #world.applications do
        actions.last_session(world, machine, application)
        actions.read(world, machine, application)
        actions.read_since(world, machine, application)
      end
    end
  end, function(err)
    return type(err) == "table" and (err.text or show(err)) or debug.traceback(err, 2)
  end)
  for _, application in ipairs(world.applications) do
    application.objVS:Close()
  end
  if not ok then
    return err
  end
end

return model
