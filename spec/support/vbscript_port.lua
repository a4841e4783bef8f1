--- The ports of VBScripts in examples/vbscript, and what they should print.
--
-- Needs the repository's root as the working directory.

local shell = require "spec.support.shell"
local vbscript = require "vmaccountant.vbscript"

local vbscript_port = {}

--- The lines of accountants.lua about one machine, in their order: the text
-- before the value, the accountant's member, and the text behind.
vbscript_port.ACCOUNTANT_LINES = {
  { "Allowable maximum system capacity: ", "AllowableMaximumSystemCapacity", "" },
  { "Allowable reserved system capacity: ", "AllowableReservedSystemCapacity", "" },
  { "Maximum system capacity: ", "MaximumSystemCapacity", "" },
  { "Reserved system capacity: ", "ReservedSystemCapacity", "" },
  { "Relative weight: ", "RelativeWeight", "" },
  { "CPU utilization: ", "CPUUtilization", " %" },
  { "CPU utilization history:", "CPUUtilizationHistory", "" },
  { "Disk bytes read: ", "DiskBytesRead", "" },
  { "Disk bytes written: ", "DiskBytesWritten", "" },
  { "Network bytes received: ", "NetworkBytesReceived", "" },
  { "Network bytes sent: ", "NetworkBytesSent", "" },
  { "Up time: ", "UpTime", " seconds" },
}

--- Runs a port as a user does.
-- @return its output, its standard error, its exit status
function vbscript_port.run(uri, name, ...)
  local words = { "LIBVIRT_DEFAULT_URI=" .. shell.quote(uri), "lua5.4", "examples/vbscript/" .. name .. ".lua" }
  for _, word in ipairs { ... } do
    words[#words + 1] = shell.quote(word)
  end
  return shell.run(table.concat(words, " "))
end

--- Runs a port that must succeed and keep its standard error empty.
function vbscript_port.output_of(uri, name, ...)
  local output, errors, status = vbscript_port.run(uri, name, ...)
  if status ~= 0 or errors ~= "" then
    error(("%s.lua ended with %d: %s%s"):format(name, status, output, errors), 2)
  end
  return output
end

-- The text of a member that was read without the layer.
local function text_of(value)
  if type(value) ~= "table" then
    return vbscript.CStr(value)
  end
  local texts = {}
  for i, item in ipairs(value) do
    texts[i] = " " .. item
  end
  return table.concat(texts)
end

--- What accountants.lua should print about a machine, each member read from it
-- directly: a member that fails has no line, but the history an empty one.
-- @param objVM  of an application object with `not_running = "zero"`
function vbscript_port.accountant_text(objVM)
  local lines = { "Virtual machine: " .. objVM.Name .. "\n" }
  for _, line in ipairs(vbscript_port.ACCOUNTANT_LINES) do
    local ok, value = pcall(function() return objVM.Accountant[line[2]] end)
    if ok then
      lines[#lines + 1] = ("\t%s%s%s\n"):format(line[1], text_of(value), line[3])
    elseif line[2] == "CPUUtilizationHistory" then
      lines[#lines + 1] = ("\t%s\n"):format(line[1])
    end
  end
  return table.concat(lines) .. "\n"
end

--- The text of accountants.lua with N for the numbers that change from one look
-- to the next: those of the processor, and the up time.
function vbscript_port.without_clock(text)
  return (text:gsub("\t(CPU utilization[^\n]*)", function(line)
    return "\t" .. line:gsub("%d+", "N")
  end):gsub("Up time: %d+", "Up time: N"))
end

return vbscript_port
