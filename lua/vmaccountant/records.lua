-- What is no object of the model and has types all the same, for help and for
-- editors: the tables that members take and give, and the modules' functions.

local records = {}

--- The tables, in the form of `core.classes()`.
records.tables = {
  {
    name = "VMOptions",
    meaning = "what CreateObject's last argument can say",
    members = {
      { name = "decimal", type = '"integer"|"string"', optional = true,
        meaning = "counts as integers where they fit, or as decimal strings always" },
      { name = "max_age", type = "number", optional = true, unit = "seconds",
        meaning = "how old a sample may be that answers a read" },
      { name = "not_running", type = '"error"|"zero"', optional = true,
        meaning = "what the counts of a stopped machine do" },
      { name = "counters", type = '"auto"|"kernel"|"hypervisor"', optional = true,
        meaning = "where a local host's counts are read" },
      { name = "timeout", type = "integer", optional = true, unit = "seconds",
        meaning = "how long the host may be silent before a call fails" },
    },
  },
  {
    name = "VMSimulatorOptions",
    meaning = "what simulator.new can say",
    members = {
      { name = "clock", type = '"told"|"real"', optional = true,
        meaning = "whether the host's clock moves by AdvanceClock only (default), or with real time" },
    },
  },
  {
    name = "VMError",
    meaning = "what a member raises; its text is one line",
    members = {
      { name = "name", type = "string", meaning = "the documented code, such as S_FALSE" },
      { name = "hresult", type = "integer", meaning = "its number" },
      { name = "message", type = "string", meaning = "what happened, in words" },
      { name = "member", type = "string", optional = true, meaning = "what was read or called" },
      { name = "machine", type = "string", optional = true, meaning = "the machine's name" },
      { name = "where", type = "string", optional = true, meaning = "the place in the script" },
      { name = "cause", type = "VMErrorCause", optional = true, meaning = "what libvirt itself said" },
    },
  },
  {
    name = "VMErrorCause",
    meaning = "libvirt's own error",
    members = {
      { name = "code", type = "integer", meaning = "of virErrorNumber" },
      { name = "domain", type = "integer", meaning = "of virErrorDomain" },
      { name = "message", type = "string", meaning = "libvirt's words" },
    },
  },
  {
    name = "VMEventHandlers",
    meaning = "what Connect takes",
    members = {
      { name = "OnVMStateChange", type = "fun(name: string, state: integer)", optional = true,
        meaning = "a machine entered a state" },
      { name = "OnReset", type = "fun(name: string)", optional = true, meaning = "a machine was reset" },
      { name = "OnAdapterRemoved", type = "fun(name: string, address: string)", optional = true,
        meaning = "an adapter was unplugged" },
    },
  },
  {
    name = "VMSession",
    meaning = "a session of a machine that is over, as LastSession gives it",
    members = {
      { name = "Started", type = "integer", optional = true, unit = "seconds since 1970",
        meaning = "when it started; absent when not known" },
      { name = "Ended", type = "integer", unit = "seconds since 1970", meaning = "when it ended" },
      { name = "Reason", type = "string", meaning = "why: ShutDown, TurnedOff, Crashed, Saved, Reset and the like" },
      { name = "NetworkBytesSent", type = "integer|string", optional = true, unit = "bytes",
        meaning = "absent when an adapter had no counter" },
      { name = "NetworkBytesReceived", type = "integer|string", optional = true, unit = "bytes",
        meaning = "absent when an adapter had no counter" },
    },
  },
  {
    name = "VMCounterSource",
    meaning = "how the counters of one adapter are read",
    members = {
      { name = "machine", type = "string", optional = true, meaning = "the machine's name" },
      { name = "adapter", type = "string", meaning = "the adapter's address" },
      { name = "device", type = "string", optional = true, meaning = "the host's network device" },
      { name = "ifindex", type = "integer", optional = true, meaning = "of the device, where it can be seen" },
      { name = "source", type = "string", meaning = "kernel, libvirt, simulator or none" },
      { name = "reason", type = "string", meaning = "why it is read so" },
    },
  },
}

--- The functions of `vmaccountant`, as methods are described.
records.functions = {
  { name = "CreateObject", kind = "method", parameters = "progid: string, host?: string, options?: VMOptions",
    type = "VMVirtualServer", meaning = "connects to a host, read-only" },
  { name = "stateName", kind = "method", parameters = "state: integer", type = "string",
    meaning = "the name of a machine's state, such as Running for vmVMState_Running" },
  { name = "compare", kind = "method", parameters = "a: integer|string, b: integer|string", type = "integer",
    meaning = "-1, 0 or 1: whether one count is less than another, equal, or more" },
  { name = "help", kind = "method", parameters = "object?: any, member?: string",
    meaning = "prints what an object has, or what a member, constant or code is" },
}

--- Those of `vmaccountant.simulator`.
records.simulator_functions = {
  { name = "new", kind = "method", parameters = "options?: VMSimulatorOptions", type = "Simulator",
    meaning = "a host in memory, for test suites" },
}

--- What the codes mean that this module raises; the others are documented by
-- Virtual Server, and none of its members here gives them.
records.codes = {
  S_OK = "done; never raised",
  S_FALSE = "the machine is not running",
  E_POINTER = "an object or an argument is missing or nil",
  E_FAIL = "the state of the machine or the task does not allow it",
  E_ACCESSDENIED = "this user may not do it",
  E_INVALIDARG = "a value is out of range or of the wrong form",
  DISP_E_MEMBERNOTFOUND = "the member cannot be used so: it is read-only, or no method",
  DISP_E_UNKNOWNNAME = "there is nothing of that name",
  DISP_E_EXCEPTION = "anything unexpected; the cause is libvirt's own error",
  DISP_E_OVERFLOW = "the value is too large for its type",
  DISP_E_BADINDEX = "a collection has no item of that index or name",
  VM_E_VM_NOT_RUNNING = "the method needs a machine that runs",
  VM_E_VM_UNKNOWN = "the object outlived its machine's definition",
  VM_E_APP_SHUTTING_DOWN = "the application object is closed",
  VM_E_CONFIG_NO_NAME = "a machine's name is empty",
  VM_E_CONFIG_NAME_TOO_LONG = "a machine's name is too long",
  VM_E_CONFIG_NAME_INVALID_CHAR = "a machine's name has a character that none may have",
  VM_E_CONFIG_DUPLICATE_NAME = "another machine has that name",
  VM_E_VM_RUNNING = "the method needs a machine that is turned off",
  VM_E_VM_NO_SAVED_STATE = "there is no saved state",
  VM_E_ADAPTER_NOT_FOUND = "the machine no longer has that adapter",
}

return records
