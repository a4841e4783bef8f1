-- Random sequences of whatever may happen to machines, on the simulator, against
-- the model of the documented contract in spec/support/accounting_model.lua.
--
--   VMACCOUNTANT_SEED       the number of the first sequence; by default the
--                           time, so that each run tries others
--   VMACCOUNTANT_SEQUENCES  how many; 100000 by default

local model = require "spec.support.accounting_model"

local SHORTEST <const>, LONGEST <const> = 4, 14

local names = {}
for name in pairs(model.WEIGHTS) do
  names[#names + 1] = name
end
table.sort(names) -- `pairs` has no order, and a seed is to give the same sequence
local lots = {}
for _, name in ipairs(names) do
  for _ = 1, model.WEIGHTS[name] do
    lots[#lots + 1] = name
  end
end

-- A quarter of the sequences has numbers beyond what other tools can count.
local function make_sequence(seed)
  local random = math.random
  math.randomseed(seed)
  local amounts = random(4) == 1 and #model.AMOUNTS or model.SMALL
  local sequence = {}
  for index = 1, random(SHORTEST, LONGEST) do
    sequence[index] = { lots[random(#lots)], random(1, 6), random(1, 8), random(1, amounts) }
  end
  return sequence
end

-- The sequence without what does not matter to its failure.
local function shrink(sequence)
  local index = 1
  while index <= #sequence do
    local shorter = table.move(sequence, 1, #sequence, 1, {})
    table.remove(shorter, index)
    if model.run(shorter) then
      sequence = shorter
    else
      index = index + 1
    end
  end
  return sequence
end

local function show(sequence)
  local lines = {}
  for index, step in ipairs(sequence) do
    lines[index] = ("  { %q, %d, %d, %d },"):format(table.unpack(step))
  end
  return table.concat(lines, "\n")
end

local function check(seed)
  local sequence = make_sequence(seed)
  if not model.run(sequence) then
    return
  end
  sequence = shrink(sequence)
  error(("%s\nThe sequence is that of VMACCOUNTANT_SEED=%d, shortened to\n%s"):format(
    model.run(sequence), seed, show(sequence)), 0)
end

describe("the accountant and the model of its contract", function()
  local first = math.tointeger(tonumber(os.getenv("VMACCOUNTANT_SEED") or os.time() * 1000))
  local count = math.tointeger(tonumber(os.getenv("VMACCOUNTANT_SEQUENCES") or 100000))

  it(("agree in %d random sequences #slow"):format(count), function()
    for seed = first, first + count - 1 do
      check(seed)
    end
  end)
end)
