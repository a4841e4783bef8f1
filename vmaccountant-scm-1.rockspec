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
        "src/core/counter.c",
        "src/core/decimal.c",
        "src/core/session.c",
        "src/core/utilization.c",
        "src/hypervisor/account.c",
        "src/hypervisor/accounting.c",
        "src/hypervisor/accounting_events.c",
        "src/hypervisor/baseline_xml.c",
        "src/hypervisor/configuration.c",
        "src/hypervisor/disk.c",
        "src/hypervisor/disk_account.c",
        "src/hypervisor/domain_xml.c",
        "src/hypervisor/event_thread.c",
        "src/hypervisor/fault.c",
        "src/hypervisor/host_info.c",
        "src/hypervisor/hresult.c",
        "src/hypervisor/hypervisor.c",
        "src/hypervisor/kernel_counters.c",
        "src/hypervisor/known_domain.c",
        "src/hypervisor/libvirt.c",
        "src/hypervisor/libvirt_change.c",
        "src/hypervisor/libvirt_configuration.c",
        "src/hypervisor/libvirt_connection.c",
        "src/hypervisor/libvirt_counters.c",
        "src/hypervisor/libvirt_disks.c",
        "src/hypervisor/libvirt_error.c",
        "src/hypervisor/libvirt_events.c",
        "src/hypervisor/libvirt_host_info.c",
        "src/hypervisor/libvirt_kernel.c",
        "src/hypervisor/libvirt_processors.c",
        "src/hypervisor/libvirt_scheduling.c",
        "src/hypervisor/machine.c",
        "src/hypervisor/machine_events.c",
        "src/hypervisor/machine_task.c",
        "src/hypervisor/network_device.c",
        "src/hypervisor/network_monitor.c",
        "src/hypervisor/process_start.c",
        "src/hypervisor/processor_sampler.c",
        "src/hypervisor/recorder.c",
        "src/hypervisor/scheduling.c",
        "src/hypervisor/signal_guard.c",
        "src/hypervisor/simulated_disk.c",
        "src/hypervisor/simulated_processor.c",
        "src/hypervisor/simulator.c",
        "src/hypervisor/simulator_configuration.c",
        "src/hypervisor/wake.c",
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
      },
      defines = {"_GNU_SOURCE"},
      incdirs = {"src", "$(LIBVIRT_INCDIR)", "$(LIBXML2_INCDIR)/libxml2", "$(LIBMNL_INCDIR)"},
      libdirs = {"$(LIBVIRT_LIBDIR)", "$(LIBXML2_LIBDIR)", "$(LIBMNL_LIBDIR)"},
      libraries = {"virt", "xml2", "mnl", "pthread"},
    },
  },
}
