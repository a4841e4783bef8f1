std = "lua54"
max_line_length = 120

-- Specs: what busted and luassert add.
files["spec"] = {std = "+busted"}
files["examples/**/*_spec.lua"] = {std = "+busted"}
-- Definitions of one line each.
files["lua/vmaccountant/types.lua"] = {max_line_length = false}
