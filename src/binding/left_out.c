#include "binding/left_out.h"

#include "base/text.h"

#include <stddef.h>
#include <string.h>

#define MACHINE "VMVirtualMachine"
#define SERVER  "VMVirtualServer"
#define HOST    "VMHostInfo"
#define ADAPTER "VMNetworkAdapter"
#define NETWORK "VMVirtualNetwork"

#define DISKS                                                                                      \
    "virsh domblklist lists the machine's drives, virsh attach-disk and change-media alter them"
#define PORTS   "virsh dumpxml shows the ports, virsh console opens the first serial one"
#define SMBIOS  "it is in <sysinfo> of the machine's definition, virsh edit"
#define UNDO    "virsh snapshot-create-as, snapshot-revert and blockcommit do what undo disks did"
#define GUESTS  "the service libvirt-guests does it, see ON_SHUTDOWN and START_DELAY in its settings"
#define ACCOUNT "the hypervisor's account is a setting of the host, user in /etc/libvirt/qemu.conf"
#define PROCESSOR                                                                                  \
    "objVS.HostInfo describes the host's processors, virsh dumpxml the machine's <cpu>"
#define HARDWARE "virsh attach-device and detach-device alter the machine's hardware"
#define SETTINGS "virsh dumpxml shows the machine's definition, virsh edit alters it"
#define SCRIPTS  "libvirt runs the host's hooks, /etc/libvirt/hooks/qemu"
#define NETWORKS "virsh net-list and net-info show the host's networks"
#define REGISTRY "virsh define and undefine add and remove a machine's definition"
#define LIMITS   "virsh domcapabilities and capabilities show what the host can do"
#define PATHS    "definitions have no path of their own: virsh dumpxml, virsh net-dumpxml"
#define MEDIA                                                                                      \
    "ask the host itself, with lsblk or df; virsh pool-list and vol-list show libvirt's "          \
    "storage"
#define TRAFFIC                                                                                    \
    "the host's bridge counts it, ip -s link; BytesSent of the adapters has it by machine"
#define DHCP "virsh net-edit alters the network's <dhcp>, virsh net-dhcp-leases shows its addresses"

const struct left_out left_out_members[] = {
    {MACHINE, "GuestOS",
     "virsh guestinfo asks the QEMU guest agent, virsh shutdown ends the guest"},
    {MACHINE, "Display",
     "virsh domdisplay gives its address, virsh screenshot takes a picture of it"},
    {MACHINE, "Keyboard", "virsh send-key types"},
    {MACHINE, "Mouse", "a viewer moves it, at the address from virsh domdisplay"},
    {MACHINE, "DVDROMDrives", DISKS},
    {MACHINE, "FloppyDrives", DISKS},
    {MACHINE, "HardDiskConnections", DISKS},
    {MACHINE, "AttachedDriveTypes", DISKS},
    {MACHINE, "SCSIControllers", "virsh dumpxml shows the <controller> elements"},
    {MACHINE, "SerialPorts", PORTS},
    {MACHINE, "ParallelPorts", PORTS},
    {MACHINE, "Security",
     "libvirt's access control decides who may do what, access_drivers in libvirtd.conf"},
    {MACHINE, "File", "libvirt keeps the definition, virsh dumpxml shows it"},
    {MACHINE, "AccountName", ACCOUNT},
    {MACHINE, "RunAsDefinedAccount", ACCOUNT},
    {MACHINE, "BIOSGUID", SMBIOS},
    {MACHINE, "BIOSSerialNumber", SMBIOS},
    {MACHINE, "BaseBoardSerialNumber", SMBIOS},
    {MACHINE, "ChassisAssetTag", SMBIOS},
    {MACHINE, "ChassisSerialNumber", SMBIOS},
    {MACHINE, "AutoStartAtLaunch", "virsh autostart sets it, virsh dominfo shows it"},
    {MACHINE, "AutoStartAtLaunchDelay", GUESTS},
    {MACHINE, "ShutdownActionOnQuit", GUESTS},
    {MACHINE, "UndoAction", UNDO},
    {MACHINE, "Undoable", UNDO},
    {MACHINE, "MergeUndoDisks", UNDO},
    {MACHINE, "DiscardUndoDisks", UNDO},
    {MACHINE, "ProcessorSpeed", PROCESSOR},
    {MACHINE, "HasMMX", PROCESSOR},
    {MACHINE, "HasSSE", PROCESSOR},
    {MACHINE, "HasSSE2", PROCESSOR},
    {MACHINE, "Has3DNow", PROCESSOR},
    {MACHINE, "AddDVDROMDrive", HARDWARE},
    {MACHINE, "RemoveDVDROMDrive", HARDWARE},
    {MACHINE, "AddFloppyDrive", HARDWARE},
    {MACHINE, "RemoveFloppyDrive", HARDWARE},
    {MACHINE, "AddHardDiskConnection", HARDWARE},
    {MACHINE, "RemoveHardDiskConnection", HARDWARE},
    {MACHINE, "AddNetworkAdapter", HARDWARE},
    {MACHINE, "RemoveNetworkAdapter", HARDWARE},
    {MACHINE, "AddSCSIController", HARDWARE},
    {MACHINE, "RemoveSCSIController", HARDWARE},
    {MACHINE, "GetConfigurationValue", SETTINGS},
    {MACHINE, "SetConfigurationValue", SETTINGS},
    {MACHINE, "RemoveConfigurationValue", SETTINGS},
    {MACHINE, "GetActivationValue", SETTINGS},
    {MACHINE, "SetActivationValue", SETTINGS},
    {MACHINE, "RemoveActivationValue", SETTINGS},
    {MACHINE, "AttachScriptToEvent", SCRIPTS},
    {MACHINE, "FetchScriptByEvent", SCRIPTS},
    {MACHINE, "RemoveScriptFromEvent", SCRIPTS},

    {SERVER, "VirtualNetworks", NETWORKS},
    {SERVER, "FindVirtualNetwork", NETWORKS},
    {SERVER, "Tasks", "each method that changes a machine gives its own VMTask"},
    {SERVER, "SupportDrivers",
     "virsh capabilities and virsh domcapabilities show what the host offers"},
    {SERVER, "UnconnectedNetworkAdapters",
     "libvirt has no adapters without a machine; objVM.NetworkAdapters has the machine's"},
    {SERVER, "ProductID", "libvirt has none; Name and Version identify it"},
    {SERVER, "AvailableSystemCapacity",
     "Linux shares processors by weight and reserves nothing; virsh schedinfo shows the weights"},
    {SERVER, "MinimumMemoryPerVM", LIMITS},
    {SERVER, "MaximumMemoryPerVM", LIMITS},
    {SERVER, "SuggestedMaximumMemoryPerVM", "objVS.HostInfo.MemoryAvail is what the host can give"},
    {SERVER, "MaximumNetworkAdaptersPerVM", LIMITS},
    {SERVER, "MaximumFloppyDrivesPerVM", LIMITS},
    {SERVER, "MaximumSerialPortsPerVM", LIMITS},
    {SERVER, "MaximumParallelPortsPerVM", LIMITS},
    {SERVER, "MaximumNumberOfIDEBuses", LIMITS},
    {SERVER, "MaximumNumberOfSCSIControllers", LIMITS},
    {SERVER, "SearchPaths", PATHS},
    {SERVER, "DefaultVMConfigurationPath", PATHS},
    {SERVER, "DefaultVNConfigurationPath", PATHS},
    {SERVER, "CreateVirtualMachine",
     "virt-install makes a machine, virsh define takes a definition in XML"},
    {SERVER, "RegisterVirtualMachine", REGISTRY},
    {SERVER, "UnregisterVirtualMachine", REGISTRY},
    {SERVER, "DeleteVirtualMachine", REGISTRY},
    {SERVER, "VMScriptsEnabled", SCRIPTS},
    {SERVER, "VSScriptsEnabled", SCRIPTS},

    {HOST, "OSServicePackString",
     "Linux has no service packs; OSVersionString is the kernel's release"},
    {HOST, "ParallelPort", "virsh nodedev-list shows the host's devices"},
    {HOST, "SerialPorts", "virsh nodedev-list shows the host's devices"},
    {HOST, "DVDDrives", MEDIA},
    {HOST, "FloppyDrives", MEDIA},
    {HOST, "HostDrives", MEDIA},
    {HOST, "GetHostDriveSize", MEDIA},
    {HOST, "IsHostDriveMounted", MEDIA},
    {HOST, "NetworkAdapters",
     "virsh iface-list and nodedev-list --cap net show the host's interfaces"},
    {HOST, "NetworkAddresses",
     "virsh iface-dumpxml, or ip address on the host, shows its addresses"},

    {ADAPTER, "IsEthernetAddressDynamic",
     "libvirt writes the address that it has chosen into the definition, so none is"},
    {ADAPTER, "AttachToVirtualNetwork",
     "virsh update-device plugs an adapter into another network"},
    {ADAPTER, "DetachFromVirtualNetwork",
     "virsh domif-setlink MACHINE ADDRESS down unplugs its cable"},

    {NETWORK, "BytesSent", TRAFFIC},
    {NETWORK, "BytesReceived", TRAFFIC},
    {NETWORK, "BytesDropped", TRAFFIC},
    {NETWORK, "DHCPVirtualNetworkServer", DHCP},
    {NULL, NULL, NULL},
};

const struct left_out *left_out_find(const char *class_name, const char *name)
{
    for (const struct left_out *member = left_out_members; member->name != NULL; member++)
        if (strcmp(member->class_name, class_name) == 0 && text_same_name(member->name, name))
            return member;
    return NULL;
}
