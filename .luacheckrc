std = "lua54"
max_line_length = 120

-- Specs: what busted and luassert add.
files["spec"] = {std = "+busted"}
files["examples/**/*_spec.lua"] = {std = "+busted"}

-- Ports of VBScripts: luacheck does not know that a local _ENV has globals of
-- its own.
files["examples/vbscript"] = {ignore = {"111", "112", "113", "211/_ENV"}}
-- Definitions of one line each.
files["lua/vmaccountant/types.lua"] = {max_line_length = false}
