--- The pages that users read, README.md and those of docs/, for the specs that
-- check them.
--
-- Needs the repository's root as the working directory.

local shell = require "spec.support.shell"

local pages = {}

--- The text of a file.
function pages.read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

--- The paths of all pages, README.md first.
function pages.paths()
  local found = { "README.md" }
  for path in shell.run("ls docs/*.md"):gmatch("%S+") do
    found[#found + 1] = path
  end
  assert(#found > 10, "docs/ has no pages")
  return found
end

--- The fenced blocks of a language, in their order.
function pages.blocks(path, language)
  local found = {}
  for block in ("\n" .. pages.read(path)):gmatch("\n```" .. language .. "\n(.-)\n```\n") do
    found[#found + 1] = block
  end
  return found
end

--- The rows, as arrays of cells, of the page's table that has `first` as the
-- head of its first column; of its section of that heading, where one is given.
function pages.rows(path, first, heading)
  local text = pages.read(path)
  if heading then
    text = assert(text:match("\n## " .. heading .. "\n(.*)"), heading)
  end
  local body = assert((text .. "\n\n"):match("\n| " .. first .. " |[^\n]*\n|[-:|]+\n(.-\n)\n"), path .. ": " .. first)
  local found = {}
  for line in body:gmatch("[^\n]+") do
    local cells = {}
    for cell in line:gmatch("| ([^|]*) ") do
      cells[#cells + 1] = cell:match("^%s*(.-)%s*$")
    end
    found[#found + 1] = cells
  end
  return found
end

return pages
