-- What the Makefile and its scripts do for those who build and install: run in
-- this tree, on the module that is already built.

package.path = "./?.lua;" .. package.path

local shell = require "spec.support.shell"

local BUILD <const> = os.getenv("VMACCOUNTANT_BUILD") or "build"
local MODULE <const> = BUILD .. "/vmaccountant/core.so"
local PRELOAD <const> = BUILD .. "/vmaccountant/preload.so"

-- make, as started by hand; the module is taken as it is.
local function make(arguments, environment)
  return shell.run(("env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL %s make --no-print-directory BUILD=%s -o %s -o %s %s")
    :format(environment or "", BUILD, MODULE, PRELOAD, arguments))
end

local function files_below(folder)
  return (shell.run(("cd %s && find . -type f | LC_ALL=C sort"):format(shell.quote(folder))))
end

describe("the Makefile #native", function()
  local folder

  before_each(function()
    folder = shell.run("mktemp -d"):gsub("\n$", "")
  end)

  after_each(function()
    shell.run("rm -rf " .. shell.quote(folder))
  end)

  local function expected(lua_folder, c_folder)
    local files = { ("./%s/vmaccountant/core.so"):format(c_folder), ("./%s/vmaccountant/preload.so"):format(c_folder) }
    for name in shell.run("cd lua/vmaccountant && ls"):gmatch("%S+") do
      files[#files + 1] = ("./%s/vmaccountant/%s"):format(lua_folder, name)
    end
    table.sort(files)
    return table.concat(files, "\n") .. "\n"
  end

  it("installs to folders with blanks and quotes in their names, and nowhere else, and uninstalls", function()
    local variables = ("-s DESTDIR=%s PREFIX=%s"):format(shell.quote(folder .. "/a  b's"), shell.quote("/c d;e"))
    local output, errors, status = make(variables .. " install")
    assert.equal("", output .. errors)
    assert.equal(0, status)
    assert.equal(expected("a  b's/c d;e/share/lua/5.4", "a  b's/c d;e/lib/lua/5.4"), files_below(folder))

    local other = folder .. "/a  b's/c d;e/lib/lua/5.4/other.so"
    shell.run("touch " .. shell.quote(other))
    output, errors, status = make(variables .. " uninstall")
    assert.equal("", output .. errors)
    assert.equal(0, status)
    assert.equal("./a  b's/c d;e/lib/lua/5.4/other.so\n", files_below(folder))
  end)

  it("installs to the folders of Lua's path that it is given", function()
    local variables = ("-s DESTDIR=%s LUA_DIR='/lua files' LUA_CDIR=/usr/lib/x86_64-linux-gnu/lua/5.4")
      :format(shell.quote(folder))
    local output, errors, status = make(variables .. " install")
    assert.equal("", output .. errors)
    assert.equal(0, status)
    assert.equal(expected("lua files", "usr/lib/x86_64-linux-gnu/lua/5.4"), files_below(folder))
    local program = ("package.path = %q package.cpath = %q assert(require('vmaccountant').CreateObject)")
      :format(folder .. "/lua files/?.lua;" .. folder .. "/lua files/?/init.lua",
        folder .. "/usr/lib/x86_64-linux-gnu/lua/5.4/?.so")
    assert.equal(0, select(3, shell.run("lua5.4 -e " .. shell.quote(program))))
    assert.equal(0, select(3, make(variables .. " uninstall")))
    assert.equal("", files_below(folder))
  end)

  -- The compiler's command, where pkg-config knows Lua by that name and version.
  local function command(name, version)
    for _, package in ipairs { { name, version }, { "libvirt", "9" }, { "libxml-2.0", "2" }, { "libmnl", "1" } } do
      local file <close> = assert(io.open(("%s/%s.pc"):format(folder, package[1]), "w"))
      file:write(("Name: %s\nDescription: %s\nVersion: %s\nCflags: -I/of-%s\n"):format(package[1], package[1],
        package[2], package[1]))
    end
    return make(("-n --always-make %s/src/core/decimal.o"):format(BUILD), "PKG_CONFIG_LIBDIR=" .. folder)
  end

  for _, name in ipairs { "lua5.4", "lua-5.4", "lua54", "lua" } do
    it("finds Lua where pkg-config calls it " .. name, function()
      local output, errors, status = command(name, "5.4.6")
      assert.equal(0, status, errors)
      assert.matches("-I/of-" .. name .. " ", output, 1, true)
    end)
  end

  it("does not take another version for Lua 5.4", function()
    for _, version in ipairs { "5.3.6", "5.1", "5.40", "15.4" } do
      local _, errors, status = command("lua", version)
      assert.not_equal(0, status)
      assert.matches("names lua5.4, lua-5.4, lua54 or lua", errors, 1, true)
    end
  end)
end)

describe("the check of what is hardened #native", function()
  local function check(flags)
    local path = os.tmpname()
    local _, errors, status = shell.run(([[
      echo '#include <stdio.h>
        int luaopen_vmaccountant_core(char *text);
        __attribute__((visibility("default"))) int luaopen_vmaccountant_core(char *text) {
          char copy[16]; sprintf(copy, "%%s", text); return copy[1]; }
        int other(void); int other(void) { return 0; }' |
      cc -x c -shared -fPIC %s -o %s - && scripts/check_hardening %s]]):format(flags, path, path))
    os.remove(path)
    return errors, status
  end

  local HARDENED <const> = "-O2 -fvisibility=hidden -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 "
    .. "-Wl,-z,relro,-z,now,-z,noexecstack "

  it("is content with a module that has all", function()
    local errors, status = check(HARDENED)
    assert.equal("", errors)
    assert.equal(0, status)
  end)

  for flag, complaint in pairs {
    ["-fvisibility=default"] = "exports 2 symbols",
    ["-fno-stack-protector"] = "stack protector",
    ["-U_FORTIFY_SOURCE"] = "bounds of buffers",
    ["-Wl,-z,norelro"] = "relocations writable",
    ["-Wl,-z,lazy"] = "symbols late",
    ["-Wl,-z,execstack"] = "executable stack",
  } do
    it("misses what " .. flag .. " takes away", function()
      local errors, status = check(HARDENED .. flag)
      assert.equal(1, status)
      assert.matches(complaint, errors, 1, true)
      assert.equal(1, select(2, errors:gsub("\n", "")), errors)
    end)
  end
end)

describe("the release's rockspec #native", function()
  local folder, script

  before_each(function()
    folder = shell.run("mktemp -d"):gsub("\n$", "")
    script = ("cd %s && lua5.4 %s/scripts/release_rockspec.lua "):format(folder, shell.run("pwd"):gsub("\n$", ""))
    shell.run(("mkdir -p %s/src/binding && cp src/binding/version.h %s/src/binding && cp *.rockspec %s")
      :format(folder, folder, folder))
  end)

  after_each(function()
    shell.run("rm -rf " .. folder)
  end)

  local function check()
    local _, errors, status = shell.run(script .. "--check")
    return errors, status
  end

  it("in the tree is that of the module's version", function()
    assert.same({ "", 0 }, { check() })
    local version = require("vmaccountant")._VERSION:match("^vmaccountant (%d+%.%d+%.%d+)$")
    local file <close> = assert(io.open(("vmaccountant-%s-1.rockspec"):format(version)))
    local text = file:read("a")
    assert.is_truthy(text:find(('\nversion = "%s-1"\n'):format(version), 1, true))
    assert.is_truthy(text:find(('\n  tag = "v%s",\n'):format(version), 1, true))
  end)

  it("is written again after the version has changed, and the old one must go", function()
    shell.run(("sed -i 's/%s/\"10.2.3\"/' %s/src/binding/version.h"):format('"[0-9.]*"', folder))
    assert.matches("should have vmaccountant-10.2.3-1.rockspec vmaccountant-scm-1.rockspec", check(), 1, true)
    shell.run(("rm %s/vmaccountant-[0-9]*.rockspec"):format(folder))
    assert.equal(0, select(3, shell.run(script)))
    assert.same({ "", 0 }, { check() })
  end)

  it("may not be edited, nor lag behind the scm one", function()
    for _, name in ipairs { "vmaccountant-[0-9]*.rockspec", "vmaccountant-scm-1.rockspec" } do
      shell.run(("sed -i 's/Per-machine/Each machine/' %s/%s"):format(folder, name))
      local errors, status = check()
      assert.matches("is not what `make rockspec` writes", errors, 1, true)
      assert.equal(1, status)
      shell.run(script)
    end
  end)
end)
