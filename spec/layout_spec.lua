-- The checks of the tree's plan find what they are there to find: a fault is
-- planted in a copy of src/, or of the part of it that is enough.

package.path = "./?.lua;" .. package.path

local shell = require "spec.support.shell"

local function copy_of_sources()
  local pipe <close> = assert(io.popen("mktemp -d"))
  local folder = pipe:read("l")
  assert.is_true(os.execute(("cp -r src '%s'"):format(folder)))
  return folder
end

local function plant(path, line)
  local file <close> = assert(io.open(path, "a"))
  file:write(line, "\n")
end

local function check_includes(folder)
  return shell.run(("lua5.4 scripts/check_includes.lua '%s'/src/*/*.[ch]"):format(folder))
end

describe("check-includes #native", function()
  local folder

  before_each(function()
    folder = copy_of_sources()
  end)
  after_each(function()
    os.execute(("rm -r '%s'"):format(folder))
  end)

  it("accepts the tree", function()
    local output, errors, status = check_includes(folder)
    assert.equal("", output .. errors)
    assert.equal(0, status)
  end)

  for _, case in ipairs {
    { "core/decimal.c", '#include "base/fault.h"', "src/core/ may include itself only" },
    { "accounting/recorder.c", '#include "libvirt_host/driver.h"',
      "src/accounting/ may include itself, host/, base/, core/" },
    { "binding/machine.c", '#include "libvirt_host/libvirt_host.h"', "src/binding/ may include itself" },
    { "host/disk.c", '#include "disk.h"', 'write "disk.h" with its folder' },
    { "binding/machine.c", "#include <libvirt/libvirt.h>", "may stand only in src/libvirt_host/" },
    { "libvirt_host/counters.c", "#include <linux/if_link.h>", "may stand only in src/kernel/" },
    { "accounting/account.c", "#include <lua.h>", "may stand only in src/binding/" },
    { "core/session.c", "#include <time.h>", "may stand only in src/base/" },
  } do
    it(("finds %s in %s"):format(case[2], case[1]), function()
      local path = ("%s/src/%s"):format(folder, case[1])
      plant(path, case[2])
      local output, _, status = check_includes(folder)
      assert.equal(1, status)
      assert.matches(("src/%s:%%d+: "):format(case[1]), output)
      assert.is_truthy(output:find(case[3], 1, true), output)
      assert.equal(1, select(2, output:gsub("\n", "")))
    end)
  end

  it("finds a folder that it has no rule for", function()
    os.execute(("mkdir '%s/src/helpers' && touch '%s/src/helpers/all.c'"):format(folder, folder))
    local output, _, status = check_includes(folder)
    assert.equal(1, status)
    assert.matches("src/helpers/all%.c:1: scripts/check_includes%.lua has no rule for this folder", output)
  end)
end)

-- In the folder, as `make check-circles` is called there by hand.
local function check_circles(folder, build)
  return shell.run(("env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C '%s' BUILD=%s check-circles")
    :format(folder, build))
end

describe("check-circles #native", function()
  local folder

  -- The core, and what compiling it takes: session.c needs counter.c, which
  -- needs decimal.c.
  before_each(function()
    local pipe <close> = assert(io.popen("mktemp -d"))
    folder = pipe:read("l")
    assert.is_true(os.execute(([[
      mkdir '%s/src' '%s/src/base' && cp -r Makefile scripts '%s' &&
      cp -r src/core '%s/src' && cp src/base/hardening.h '%s/src/base']]):gsub("%%s", folder)))
  end)
  after_each(function()
    os.execute(("rm -r '%s'"):format(folder))
  end)

  it("accepts the tree", function()
    local output, errors, status = check_circles(".", os.getenv("VMACCOUNTANT_BUILD") or "build")
    assert.equal("", output .. errors)
    assert.equal(0, status)
  end)

  it("finds a call back up", function()
    local output, errors, status = check_circles(folder, "build")
    assert.equal("", output .. errors)
    assert.equal(0, status)

    plant(folder .. "/src/core/decimal.c", [[
struct session;
void session_clear(struct session *session);
void planted(struct session *session);

void planted(struct session *session)
{
    session_clear(session);
}]])
    output, errors, status = check_circles(folder, "build")
    assert.not_equal(0, status)
    assert.matches("3 files need each other in a circle", output)
    assert.matches("src/core/decimal%.c:%d+: needs src/core/session%.c for session_clear\n", output)
    assert.matches("src/core/counter%.c:%d+: needs src/core/decimal%.c for [%w_]+\n", output)
    assert.matches("check%-circles%] Error", errors)
  end)
end)
