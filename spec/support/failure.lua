--- What a call raises, compared to the last field.
--
--     failure.expect({ name = "S_FALSE", member = "NetworkBytesSent", machine = "web01" }, function()
--       return objVM.Accountant.NetworkBytesSent
--     end)

local failure = {}

--- The codes' numbers as winerror.h and the Virtual Server reference give them.
failure.numbers = {
  S_FALSE = 1,
  E_POINTER = 0x80004003,
  E_FAIL = 0x80004005,
  E_ACCESSDENIED = 0x80070005,
  E_INVALIDARG = 0x80070057,
  DISP_E_MEMBERNOTFOUND = 0x80020003,
  DISP_E_UNKNOWNNAME = 0x80020006,
  DISP_E_EXCEPTION = 0x80020009,
  DISP_E_OVERFLOW = 0x8002000A,
  DISP_E_BADINDEX = 0x8002000B,
  VM_E_VM_NOT_RUNNING = 0xA0040206,
  VM_E_VM_UNKNOWN = 0xA0040207,
  VM_E_APP_SHUTTING_DOWN = 0xA0040209,
  VM_E_CONFIG_NO_NAME = 0xA0040400,
  VM_E_CONFIG_DUPLICATE_NAME = 0xA0040403,
  VM_E_VM_RUNNING = 0xA0040500,
  VM_E_VM_NO_SAVED_STATE = 0xA0040501,
  VM_E_ADAPTER_NOT_FOUND = 0xA0040700,
}

--- The error that the call raises; an error of its own when it raises none.
function failure.of(call, ...)
  local results = table.pack(pcall(call, ...))
  if results[1] then
    error(("nothing was raised, %s was returned"):format(tostring(results[2])), 2)
  end
  return results[2]
end

local function compare(field, expected, actual)
  if expected ~= actual then
    error(("%s: expected %s, got %s"):format(field, tostring(expected), tostring(actual)), 4)
  end
end

local function check(expected, err)
  if type(err) ~= "table" then
    error(("expected %s, got the error: %s"):format(expected.name, tostring(err)), 3)
  end
  local number = failure.numbers[expected.name] or error("unknown code " .. tostring(expected.name))
  compare("name", expected.name, err.name)
  compare("hresult", number, err.hresult)
  compare("math.type of hresult", "integer", math.type(err.hresult))
  compare("member", expected.member, err.member)
  compare("machine", expected.machine, err.machine)
  compare("type of message", "string", type(err.message))
  if expected.message and not err.message:find(expected.message, 1, true) then
    error(("'%s' is not in the message '%s'"):format(expected.message, err.message), 3)
  end
end

--- Demands that an error object has the code and exactly the member and machine
-- of `expected`, and that its message has the words `expected.message`.
function failure.check(expected, err)
  check(expected, err)
  return err
end

--- Demands that of the error that the call raises, and returns it.
function failure.expect(expected, call, ...)
  local err = failure.of(call, ...)
  check(expected, err)
  return err
end

--- Demands that the call raises a plain argument error with the words.
function failure.expect_argument_error(words, call, ...)
  local err = failure.of(call, ...)
  if type(err) ~= "string" or not err:find("bad argument", 1, true) or not err:find(words, 1, true) then
    error(("expected an argument error with '%s', got: %s"):format(words, tostring(err)), 2)
  end
  return err
end

return failure
