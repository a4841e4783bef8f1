-- Whether object files need each other in a circle, for `make check-circles`.
-- What a file needs is read off its symbols: includes alone do not tell, since
-- a header is often shared.
--
--     lua5.4 scripts/check_circles.lua OBJECT...
--
-- Each circle is a strongly connected set of files; for each of its files are
-- printed the files of the set that it needs, one symbol by which, and the line
-- where that stands first.

local function read_symbols(path)
  local defined, needed = {}, {}
  local pipe <close> = assert(io.popen(("nm --format=posix '%s'"):format(path)))
  for line in pipe:lines() do
    local name, kind = line:match("^(%S+) (%a)")
    if kind == "U" then
      needed[#needed + 1] = name
    elseif kind and kind:find("[A-Z]") then
      defined[#defined + 1] = name
    end
  end
  return defined, needed
end

-- needs[a][b] is a symbol of b that a needs.
local function read_graph(paths)
  local owner, needed_by, needs = {}, {}, {}
  for _, path in ipairs(paths) do
    local defined, needed = read_symbols(path)
    needed_by[path], needs[path] = needed, {}
    for _, name in ipairs(defined) do
      owner[name] = path
    end
  end
  for _, path in ipairs(paths) do
    for _, name in ipairs(needed_by[path]) do
      local other = owner[name]
      if other and other ~= path and not needs[path][other] then
        needs[path][other] = name
      end
    end
  end
  return needs
end

-- Tarjan's algorithm: the sets of files each of which needs all others.
local function find_circles(paths, needs)
  local index, low, is_on_stack, stack, circles, count = {}, {}, {}, {}, {}, 0

  local function visit(path)
    count = count + 1
    index[path], low[path] = count, count
    stack[#stack + 1], is_on_stack[path] = path, true
    for other in pairs(needs[path]) do
      if not index[other] then
        visit(other)
        low[path] = math.min(low[path], low[other])
      elseif is_on_stack[other] then
        low[path] = math.min(low[path], index[other])
      end
    end
    if low[path] == index[path] then
      local circle = {}
      repeat
        local member = table.remove(stack)
        is_on_stack[member] = nil
        circle[#circle + 1] = member
      until member == path
      if #circle > 1 then
        table.sort(circle)
        circles[#circles + 1] = circle
      end
    end
  end

  for _, path in ipairs(paths) do
    if not index[path] then
      visit(path)
    end
  end
  return circles
end

local function source_of(object)
  return (object:gsub("^.-(src/)", "%1"):gsub("%.o$", ".c"))
end

-- Where the symbol stands first as a word; line 1 when a macro has made it.
local function line_of(source, symbol)
  local file <close> = io.open(source)
  local number = 0
  for line in file and file:lines() or function() end do
    number = number + 1
    if (" " .. line .. " "):find("[^%w_]" .. symbol .. "[^%w_]") then
      return number
    end
  end
  return 1
end

local function print_circle(circle, needs)
  print(("%d files need each other in a circle; no file may need one that needs it:"):format(#circle))
  for _, path in ipairs(circle) do
    for _, other in ipairs(circle) do
      local symbol = needs[path][other]
      if symbol then
        local source = source_of(path)
        print(("%s:%d: needs %s for %s"):format(source, line_of(source, symbol), source_of(other), symbol))
      end
    end
  end
end

local needs = read_graph(arg)
local circles = find_circles(arg, needs)
for _, circle in ipairs(circles) do
  print_circle(circle, needs)
end
os.exit(#circles == 0 and #arg > 0)
