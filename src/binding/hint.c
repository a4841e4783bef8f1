#include "binding/hint.h"

#include "base/text.h"
#include "binding/class_members.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Longer names are compared by their beginning. */
enum { NAME_SIZE = 64 };

/* ------------------------------------------------------------------------
 * Spellings
 * ------------------------------------------------------------------------ */

static void lower(const char *name, char lowered[NAME_SIZE])
{
    size_t i = 0;
    for (; name[i] != '\0' && i < NAME_SIZE - 1; i++)
        lowered[i] = text_lower(name[i]);
    lowered[i] = '\0';
}

/* Levenshtein's, row by row. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_SIZE];
    size_t width = strlen(b);

    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t above = row[j];
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[width];
}

size_t hint_distance(const char *a, const char *b)
{
    char left[NAME_SIZE], right[NAME_SIZE];

    lower(a, left);
    lower(b, right);
    return distance(left, right);
}

struct match {
    const struct class *class;
    const struct member *member; /* NULL: nothing is near */
    size_t distance;
};

/* Takes the members of the class that are nearer than what is matched already. */
static void match_members(struct match *match, const struct class *class, const char *wanted,
                          bool parts_count)
{
    char candidate[NAME_SIZE];
    const struct member *member = NULL;

    while ((member = class_next_member(class, member)) != NULL) {
        lower(member->name, candidate);
        size_t length = distance(wanted, candidate);
        if (parts_count && wanted[0] != '\0' && strstr(candidate, wanted) != NULL)
            length = 1;
        if (length < match->distance)
            *match = (struct match){class, member, length};
    }
}

/* ------------------------------------------------------------------------
 * Synonyms
 * ------------------------------------------------------------------------ */

struct synonym {
    const char *class_name;
    const char *names;  /* in lower case, blanks between and around them */
    const char *meant;  /* the member, or how it is written from elsewhere; NULL: there is none */
    const char *advice; /* what else to say; NULL for nothing */
};

#define MACHINE "VMVirtualMachine"
#define SERVER  "VMVirtualServer"
#define ACCOUNT "VMAccountant"
#define ADAPTER "VMNetworkAdapter"
#define HOST    "VMHostInfo"
#define TASK    "VMTask"

#define ADDRESSES "virsh domifaddr MACHINE shows the addresses that the guest has"

static const struct synonym synonyms[] = {
    {MACHINE, " shutdown stop poweroff powerdown halt destroy kill terminate off end ", "TurnOff",
     "It is like pulling the plug; virsh shutdown MACHINE asks the guest to shut down"},
    {MACHINE, " start poweron boot run launch turnon open begin ", "Startup", NULL},
    {MACHINE, " reboot restart ", "Reset",
     "It is like the reset button; virsh reboot MACHINE asks the guest to reboot"},
    {MACHINE, " suspend hibernate sleep freeze ", "Save",
     "It writes the machine's memory to disk; Pause halts the machine and keeps it in memory"},
    {MACHINE, " managedsave savestate ", "Save", NULL},
    {MACHINE, " unpause continue wake wakeup unfreeze unsuspend ", "Resume", NULL},
    {MACHINE, " restore ", "Startup", "It restores a machine that is saved"},
    {MACHINE, " status powerstate running isrunning isactive active ", "State",
     "vma.stateName(objVM.State) is its name"},
    {MACHINE, " uuid id guid domainid vmid identifier uniqueid ", "ConfigID", NULL},
    {MACHINE, " title hostname displayname ", "Name", NULL},
    {MACHINE, " description comment comments note annotation ", "Notes", NULL},
    {MACHINE, " ram mem maxmemory memorysize memorymb ", "Memory", NULL},
    {MACHINE, " nics nic interfaces interface networkcards networkadapter networks ",
     "NetworkAdapters", NULL},
    {MACHINE, " mac macaddress hwaddr macs hardwareaddress ",
     "objVM.NetworkAdapters[1].EthernetAddress", NULL},
    {MACHINE, " ip ipaddress ips ipaddresses ipv4 ipv6 address addresses ", NULL, ADDRESSES},
    {MACHINE, " bytessent sent txbytes tx networksent bytesout ",
     "objVM.Accountant.NetworkBytesSent", "One adapter's is objVM.NetworkAdapters[1].BytesSent"},
    {MACHINE, " bytesreceived received rxbytes rx networkreceived bytesin ",
     "objVM.Accountant.NetworkBytesReceived",
     "One adapter's is objVM.NetworkAdapters[1].BytesReceived"},
    {MACHINE, " cpu cpuusage cpuload cpupercent cputime load ", "objVM.Accountant.CPUUtilization",
     NULL},
    {MACHINE, " diskbytes diskread bytesread ", "objVM.Accountant.DiskBytesRead", NULL},
    {MACHINE, " diskwritten byteswritten ", "objVM.Accountant.DiskBytesWritten", NULL},
    {MACHINE, " disks disk drives harddisks ", NULL,
     "virsh domblklist MACHINE lists its disks, objVM.Accountant.DiskBytesRead counts them"},
    {MACHINE, " delete undefine remove unregister ", NULL,
     "virsh undefine MACHINE removes its definition"},
    {MACHINE, " snapshot snapshots checkpoint ", NULL,
     "virsh snapshot-create-as MACHINE makes a snapshot"},
    {MACHINE, " migrate move ", NULL, "virsh migrate MACHINE moves it to another host"},
    {MACHINE, " host server parent ", NULL, "it is the object that CreateObject gave"},

    {SERVER, " machines vms domains guests virtualmachine vm ", "VirtualMachines", NULL},
    {SERVER,
     " findmachine findvm finddomain getvirtualmachine getmachine getvm getdomain find "
     "lookupbyname domainlookupbyname openmachine ",
     "FindVirtualMachine", NULL},
    {SERVER, " disconnect quit dispose release exit ", "Close", NULL},
    {SERVER, " on subscribe listen onvmstatechange onreset onadapterremoved addevent events ",
     "Connect", "It takes the handlers, as in objVS:Connect{OnVMStateChange = print}"},
    {SERVER, " wait waitevents poll run loop ", "WaitForEvents", NULL},
    {SERVER, " uri url hostname host ", NULL, "tostring(objVS) has the URI of the host"},

    {ACCOUNT, " bytessent sent txbytes tx networksent bytesout transmitted ", "NetworkBytesSent",
     NULL},
    {ACCOUNT, " bytesreceived received rxbytes rx networkreceived bytesin ", "NetworkBytesReceived",
     NULL},
    {ACCOUNT, " cpu cpuusage cpuload cpupercent load processorutilization utilization ",
     "CPUUtilization", NULL},
    {ACCOUNT, " cpuhistory history ", "CPUUtilizationHistory", NULL},
    {ACCOUNT, " bytesread diskread readbytes ", "DiskBytesRead", NULL},
    {ACCOUNT, " byteswritten diskwritten diskwrite writebytes ", "DiskBytesWritten", NULL},
    {ACCOUNT, " started startedat starttime startedon start ", "Since", NULL},
    {ACCOUNT, " machine ", "VirtualMachine", NULL},
    {ACCOUNT, " weight shares ", "RelativeWeight", NULL},

    {ADAPTER, " mac macaddress hwaddr hardwareaddress physicaladdress address ", "EthernetAddress",
     NULL},
    {ADAPTER, " ip ipaddress ips ipaddresses ipv4 ipv6 ", NULL, ADDRESSES},
    {ADAPTER, " networkbytessent sent txbytes tx bytesout transmitted ", "BytesSent", NULL},
    {ADAPTER, " networkbytesreceived received rxbytes rx bytesin ", "BytesReceived", NULL},
    {ADAPTER, " network bridge source net lan switch ", "VirtualNetwork", NULL},
    {ADAPTER, " machine vm ", "VirtualMachine", NULL},
    {ADAPTER, " device interface ifname target devicename ", NULL,
     "objVS.Accounting names the host's device of each adapter"},
    {ADAPTER, " name ", NULL, "an adapter is known by its EthernetAddress"},
    {ADAPTER, " kind ", "Type", NULL},

    {HOST, " cpus cores cpucount processors threads processorcount ", "LogicalProcessorCount",
     NULL},
    {HOST, " ram memorytotal totalmemory ", "Memory", NULL},
    {HOST, " freememory memoryfree available availablememory ", "MemoryAvail", NULL},
    {HOST, " os kernel ", "OperatingSystem", NULL},

    {TASK, " wait waitfor join await ", "WaitForCompletion", NULL},
    {TASK, " progress percent percentage ", "PercentCompleted", NULL},
    {TASK, " done isdone finished iscompleted complete ", "IsComplete", NULL},
    {TASK, " abort stop kill ", "Cancel", NULL},
    {TASK, " status state ", "Result",
     "There is none while the task is in progress; see IsComplete"},
};

/* Whether the name is one of those in the list. */
static bool has_word(const char *list, const char *name)
{
    char word[NAME_SIZE + 2]; /* a blank on each side */
    size_t length = strlen(name);

    if (length == 0 || strchr(name, ' ') != NULL)
        return false;
    word[0] = ' ';
    memcpy(word + 1, name, length);
    word[length + 1] = ' ';
    word[length + 2] = '\0';
    return strstr(list, word) != NULL;
}

static const struct synonym *find_synonym(const struct class *class, const char *wanted)
{
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++)
        if (strcmp(synonyms[i].class_name, class->name) == 0 && has_word(synonyms[i].names, wanted))
            return &synonyms[i];
    return NULL;
}

static const char *push_synonym(lua_State *L, const struct synonym *synonym)
{
    if (synonym->meant == NULL)
        return lua_pushfstring(L, "; %s", synonym->advice);
    if (synonym->advice == NULL)
        return lua_pushfstring(L, "; did you mean %s?", synonym->meant);
    return lua_pushfstring(L, "; did you mean %s? %s", synonym->meant, synonym->advice);
}

/* ------------------------------------------------------------------------
 * The hint
 * ------------------------------------------------------------------------ */

/* A member as a script writes it. */
static const char *push_match(lua_State *L, const struct class *asked, const struct match *match)
{
    if (match->class == asked)
        return lua_pushfstring(L, "; did you mean %s?", match->member->name);
    return lua_pushfstring(L, "; did you mean %s%s%s%s?", match->class->written,
                           match->member->get != NULL ? "." : ":", match->member->name,
                           match->member->get != NULL ? "" : "()");
}

const char *hint_for_member(lua_State *L, const struct class *class,
                            const struct class *const *neighbours, const char *name)
{
    char wanted[NAME_SIZE];
    struct match match = {.distance = 1};

    lower(name, wanted);
    const struct synonym *synonym = find_synonym(class, wanted);
    if (synonym != NULL)
        return push_synonym(L, synonym);

    /* The same name, in a related object. */
    for (size_t i = 0; i < MOST_NEIGHBOURS && neighbours[i] != NULL; i++)
        match_members(&match, neighbours[i], wanted, false);
    if (match.member != NULL)
        return push_match(L, class, &match);

    /* A misspelling. It must be smaller for a name of another object, and where any
     * name is allowed, such as a machine's, there are none. */
    match.distance = strlen(wanted) / 2 + 1;
    match_members(&match, class, wanted, true);
    if (match.distance > strlen(wanted) / 4 + 1)
        match.distance = strlen(wanted) / 4 + 1;
    size_t count = class->unknown_hint == NULL ? MOST_NEIGHBOURS : 0;
    for (size_t i = 0; i < count && neighbours[i] != NULL; i++)
        match_members(&match, neighbours[i], wanted, false);
    if (match.member != NULL)
        return push_match(L, class, &match);

    if (class->unknown_hint != NULL && lua_type(L, 2) == LUA_TSTRING)
        return lua_pushfstring(L, class->unknown_hint, name);
    return "";
}
