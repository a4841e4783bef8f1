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
}

build = {
  type = "builtin",
  modules = {
    ["vmaccountant"] = "lua/vmaccountant/init.lua",
    ["vmaccountant.help"] = "lua/vmaccountant/help.lua",
    ["vmaccountant.records"] = "lua/vmaccountant/records.lua",
    ["vmaccountant.types"] = "lua/vmaccountant/types.lua",
    ["vmaccountant.simulator"] = "lua/vmaccountant/simulator.lua",
    ["vmaccountant.vbscript"] = "lua/vmaccountant/vbscript.lua",
    ["vmaccountant.vbscript_caseless"] = "lua/vmaccountant/vbscript_caseless.lua",
    ["vmaccountant.vbscript_fault"] = "lua/vmaccountant/vbscript_fault.lua",
    ["vmaccountant.vbscript_host"] = "lua/vmaccountant/vbscript_host.lua",
    ["vmaccountant.vbscript_object"] = "lua/vmaccountant/vbscript_object.lua",
    ["vmaccountant.vbscript_resume"] = "lua/vmaccountant/vbscript_resume.lua",
    ["vmaccountant.vbscript_value"] = "lua/vmaccountant/vbscript_value.lua",
    ["vmaccountant.core"] = {
      -- `make check` compares this list with the folders.
      sources = {
        "src/accounting/account.c",
        "src/accounting/accounting.c",
        "src/accounting/disks.c",
        "src/accounting/event_queue.c",
        "src/accounting/listener.c",
        "src/accounting/processors.c",
        "src/accounting/recorder.c",
        "src/accounting/task.c",
        "src/base/fault.c",
        "src/base/hresult.c",
        "src/base/interrupt.c",
        "src/base/wake.c",
        "src/binding/accountant.c",
        "src/binding/accountant_processor.c",
        "src/binding/adapter.c",
        "src/binding/application.c",
        "src/binding/class.c",
        "src/binding/collection.c",
        "src/binding/description.c",
        "src/binding/error.c",
        "src/binding/event_handlers.c",
        "src/binding/host_info.c",
        "src/binding/left_out.c",
        "src/binding/machine.c",
        "src/binding/module.c",
        "src/binding/resource.c",
        "src/binding/simulated_disk.c",
        "src/binding/simulated_processor.c",
        "src/binding/simulation.c",
        "src/binding/task.c",
        "src/core/counter.c",
        "src/core/decimal.c",
        "src/core/session.c",
        "src/core/utilization.c",
        "src/host/configuration.c",
        "src/host/disk.c",
        "src/host/host.c",
        "src/host/host_info.c",
        "src/host/machine.c",
        "src/host/scheduling.c",
        "src/kernel/link.c",
        "src/kernel/link_monitor.c",
        "src/kernel/link_stats.c",
        "src/libvirt_host/baseline_xml.c",
        "src/libvirt_host/call.c",
        "src/libvirt_host/change.c",
        "src/libvirt_host/configuration.c",
        "src/libvirt_host/connection.c",
        "src/libvirt_host/counters.c",
        "src/libvirt_host/disks.c",
        "src/libvirt_host/domain_xml.c",
        "src/libvirt_host/driver.c",
        "src/libvirt_host/error.c",
        "src/libvirt_host/event_loop.c",
        "src/libvirt_host/events.c",
        "src/libvirt_host/host_info.c",
        "src/libvirt_host/kernel_proof.c",
        "src/libvirt_host/known_domain.c",
        "src/libvirt_host/process_time.c",
        "src/libvirt_host/processors.c",
        "src/libvirt_host/scheduling.c",
        "src/libvirt_host/signal_guard.c",
        "src/simulator/configuration.c",
        "src/simulator/disks.c",
        "src/simulator/processors.c",
        "src/simulator/simulator.c",
      },
      defines = {"_GNU_SOURCE"},
      incdirs = {"src", "$(LIBVIRT_INCDIR)", "$(LIBXML2_INCDIR)/libxml2", "$(LIBMNL_INCDIR)"},
      libdirs = {"$(LIBVIRT_LIBDIR)", "$(LIBXML2_LIBDIR)", "$(LIBMNL_LIBDIR)"},
      libraries = {"virt", "xml2", "mnl", "pthread"},
    },
  },
}
