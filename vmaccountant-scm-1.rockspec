rockspec_format = "3.0"
package = "vmaccountant"
version = "scm-1"

-- To be used in a checkout: `luarocks --lua-version 5.4 make`.
source = {
  url = "git+file://.",
}

description = {
  summary = "Per-machine network accounting for libvirt hosts",
  detailed = [[
How many bytes has this virtual machine sent? The object model of Microsoft Virtual Server 2005 for libvirt hosts: one
figure for each machine, over all its adapters, exact to the byte, that restarts when the machine does.]],
  license = "MIT",
  labels = {"libvirt", "virtualization", "network", "accounting"},
}

supported_platforms = {"linux"}

dependencies = {
  "lua >= 5.4, < 5.5",
}

external_dependencies = {
  LIBVIRT = {header = "libvirt/libvirt.h", library = "virt"},
  LIBXML2 = {header = "libxml2/libxml/parser.h", library = "xml2"},
  LIBMNL = {header = "libmnl/libmnl.h", library = "mnl"},
  UTHASH = {header = "uthash.h"},
}

-- The Makefile's rules, since LuaRocks' own would leave the objects and a
-- vmaccountant/core.so in the tree, which Lua loads from there by its ./?.so.
build = {
  type = "make",
  variables = {
    BUILD = "build/rock",
    CFLAGS = "$(CFLAGS)",
    WERROR = "",
    INCLUDES = "-I$(LUA_INCDIR) -I$(LIBVIRT_INCDIR) -I$(LIBXML2_INCDIR)/libxml2 -I$(LIBMNL_INCDIR) -I$(UTHASH_INCDIR)",
    LIBS = "-L$(LIBVIRT_LIBDIR) -lvirt -L$(LIBXML2_LIBDIR) -lxml2 -L$(LIBMNL_LIBDIR) -lmnl",
    DESTDIR = "",
    LUA_DIR = "$(LUADIR)",
    LUA_CDIR = "$(LIBDIR)",
  },
}
