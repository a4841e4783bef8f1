/*
 * host_info: VMHostInfo, the host that the machines are on.
 */
#include "host/host_info.h"
#include "binding/error.h"
#include "binding/objects.h"
#include "binding/resource.h"

#include <lauxlib.h>
#include <string.h>

/* User value 1: the application. */
struct host_info_object {
    struct application *application;
};

/***
The host that the machines are on: its processors, memory and operating system.
Makes no call to the host until one of its members is read.
@within VMVirtualServer
@tfield VMHostInfo HostInfo
*/
int application_get_host_info(lua_State *L, const struct call *call)
{
    struct host_info_object *info = class_new(L, &host_info_class, sizeof *info, 1);

    info->application = call->object;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

static void check(lua_State *L, const struct call *call)
{
    const struct host_info_object *info = call->object;
    application_check_open(L, call, info->application);
}

static void clear(void *info)
{
    host_info_clear(info);
}

/* That part of the host's description, in a resource on the stack. */
static const struct host_info *ask(lua_State *L, const struct call *call, enum host_part part)
{
    struct host *host = ((const struct host_info_object *)call->object)->application->host;
    struct host_info *info = resource_new(L, sizeof *info, clear);
    struct fault fault;

    if (!host_read_info(host, part, info, &fault))
        class_raise_fault(L, call, &fault);
    return info;
}

/***
How many processors the host's system counts: every thread of every core, those
that are online. Asks the host once (virNodeGetInfo).
@within VMHostInfo
@tfield integer LogicalProcessorCount
@raise DISP_E_EXCEPTION when the host does not answer
*/
static int get_logical_processor_count(lua_State *L, const struct call *call)
{
    const struct host_info *info = ask(L, call, HOST_PROCESSORS);
    lua_pushinteger(L, info->logical_processors);
    return 1;
}

/***
How many processors are in the host's sockets. Asks the host once
(virNodeGetInfo).
@within VMHostInfo
@tfield integer PhysicalProcessorCount
@raise DISP_E_EXCEPTION when the host does not answer
*/
static int get_physical_processor_count(lua_State *L, const struct call *call)
{
    const struct host_info *info = ask(L, call, HOST_PROCESSORS);
    lua_pushinteger(L, info->physical_processors);
    return 1;
}

static unsigned ask_speed(lua_State *L, const struct call *call)
{
    const struct host_info *info = ask(L, call, HOST_PROCESSORS);
    if (info->megahertz == 0)
        class_raise(L, call, HRESULT_DISP_E_EXCEPTION,
                    "the speed of the host's processors is not known: libvirt gives 0 for it");
    return info->megahertz;
}

/***
How fast the host's processors run, in MHz. Asks the host once
(virNodeGetInfo).
@within VMHostInfo
@tfield integer ProcessorSpeed
@raise DISP_E_EXCEPTION when the host does not answer, or does not know
*/
static int get_processor_speed(lua_State *L, const struct call *call)
{
    lua_pushinteger(L, ask_speed(L, call));
    return 1;
}

/***
ProcessorSpeed as a text, `2600 MHz`; raised as that is.
@within VMHostInfo
@tfield string ProcessorSpeedString
*/
static int get_processor_speed_string(lua_State *L, const struct call *call)
{
    lua_pushfstring(L, "%I MHz", (lua_Integer)ask_speed(L, call));
    return 1;
}

static int push_model_text(lua_State *L, const struct call *call, const char *text)
{
    if (text[0] == '\0')
        return class_raise(L, call, HRESULT_DISP_E_EXCEPTION,
                           "libvirt does not know the host's processor: its capabilities name "
                           "none");
    lua_pushstring(L, text);
    return 1;
}

/***
Who made the host's processors, by libvirt's name: `Intel`, `AMD`. Asks the
host once (virConnectGetCapabilities).
@within VMHostInfo
@tfield string ProcessorManufacturerString
@raise DISP_E_EXCEPTION when the host does not answer, or libvirt does not know
*/
static int get_processor_manufacturer_string(lua_State *L, const struct call *call)
{
    const struct host_info *info = ask(L, call, HOST_PROCESSOR_MODEL);
    return push_model_text(L, call, info->manufacturer);
}

/***
The model of the host's processors, by libvirt's name: `Skylake-Server-IBRS`.
Asks the host once (virConnectGetCapabilities).
@within VMHostInfo
@tfield string ProcessorVersionString
@raise DISP_E_EXCEPTION when the host does not answer, or libvirt does not know
*/
static int get_processor_version_string(lua_State *L, const struct call *call)
{
    const struct host_info *info = ask(L, call, HOST_PROCESSOR_MODEL);
    return push_model_text(L, call, info->model);
}

/***
The features of the host's processors, by libvirt's names and with a blank
between them: `aes apic avx`. Asks the host twice (virConnectGetCapabilities,
virConnectBaselineCPU).
@within VMHostInfo
@tfield string ProcessorFeaturesString
@raise DISP_E_EXCEPTION when the host does not answer, or libvirt does not
know the processor
*/
static int get_processor_features_string(lua_State *L, const struct call *call)
{
    const struct host_info *info = ask(L, call, HOST_PROCESSOR_FEATURES);
    lua_pushstring(L, info->features);
    resource_clear(L, -2);
    return 1;
}

static int has_feature(lua_State *L, const struct call *call, const char *feature)
{
    const char *found = ask(L, call, HOST_PROCESSOR_FEATURES)->features;
    size_t length = strlen(feature);

    while (strncmp(found, feature, length) != 0 || strchr(" ", found[length]) == NULL) {
        found = strchr(found, ' ');
        if (found == NULL)
            break;
        found++;
    }
    lua_pushboolean(L, found != NULL);
    resource_clear(L, -2);
    return 1;
}

/***
Whether the host's processors have the feature `mmx`. Known and raised as
ProcessorFeaturesString is.
@within VMHostInfo
@tfield boolean MMX
*/
static int get_mmx(lua_State *L, const struct call *call)
{
    return has_feature(L, call, "mmx");
}

/***
Whether the host's processors have the feature `sse`. Known and raised as
ProcessorFeaturesString is.
@within VMHostInfo
@tfield boolean SSE
*/
static int get_sse(lua_State *L, const struct call *call)
{
    return has_feature(L, call, "sse");
}

/***
Whether the host's processors have the feature `sse2`. Known and raised as
ProcessorFeaturesString is.
@within VMHostInfo
@tfield boolean SSE2
*/
static int get_sse2(lua_State *L, const struct call *call)
{
    return has_feature(L, call, "sse2");
}

/***
Whether the host's processors have the feature `3dnow`. Known and raised as
ProcessorFeaturesString is.
@within VMHostInfo
@tfield boolean ThreeDNow
*/
static int get_three_d_now(lua_State *L, const struct call *call)
{
    return has_feature(L, call, "3dnow");
}

static lua_Integer megabytes(uint64_t kibibytes)
{
    return (lua_Integer)(kibibytes / 1024);
}

/***
The host's memory in whole MB of 2^20 bytes. Asks the host once
(virNodeGetMemoryStats, or virNodeGetInfo where a driver has none).
@within VMHostInfo
@tfield integer Memory
@raise DISP_E_EXCEPTION when the host does not answer
*/
static int get_memory(lua_State *L, const struct call *call)
{
    lua_pushinteger(L, megabytes(ask(L, call, HOST_MEMORY)->memory));
    return 1;
}

/***
The memory that the host can give at once, in whole MB of 2^20 bytes: what is
free, and what Linux only caches files in (free, buffers and cached of
virNodeGetMemoryStats, or virNodeGetFreeMemory where a driver has none). Asks
the host once.
@within VMHostInfo
@tfield integer MemoryAvail
@raise DISP_E_EXCEPTION when the host does not answer
*/
static int get_memory_avail(lua_State *L, const struct call *call)
{
    lua_pushinteger(L, megabytes(ask(L, call, HOST_MEMORY)->available_memory));
    return 1;
}

/***
Memory as a text, `16384 MB`; raised as that is.
@within VMHostInfo
@tfield string MemoryTotalString
*/
static int get_memory_total_string(lua_State *L, const struct call *call)
{
    const struct host_info *info = ask(L, call, HOST_MEMORY);
    lua_pushfstring(L, "%I MB", megabytes(info->memory));
    return 1;
}

/***
MemoryAvail as a text, `8192 MB`; raised as that is.
@within VMHostInfo
@tfield string MemoryAvailString
*/
static int get_memory_avail_string(lua_State *L, const struct call *call)
{
    const struct host_info *info = ask(L, call, HOST_MEMORY);
    lua_pushfstring(L, "%I MB", megabytes(info->available_memory));
    return 1;
}

/***
The host's operating system as it calls itself, `Debian GNU/Linux 12
(bookworm)` (PRETTY_NAME of os-release). libvirt does not report it: it is read
on a local QEMU host, and for `test:///default` is that of this process.
@within VMHostInfo
@tfield string OperatingSystem
@raise DISP_E_EXCEPTION on a remote host
*/
static int get_operating_system(lua_State *L, const struct call *call)
{
    lua_pushstring(L, ask(L, call, HOST_SYSTEM)->system);
    return 1;
}

/***
The release of the host's kernel, `6.1.0-18-amd64` (uname). Known and raised as
OperatingSystem is.
@within VMHostInfo
@tfield string OSVersionString
*/
static int get_os_version_string(lua_State *L, const struct call *call)
{
    lua_pushstring(L, ask(L, call, HOST_SYSTEM)->release);
    return 1;
}

/***
The first number of OSVersionString. Known and raised as OperatingSystem is.
@within VMHostInfo
@tfield integer OSMajorVersion
*/
static int get_os_major_version(lua_State *L, const struct call *call)
{
    lua_pushinteger(L, ask(L, call, HOST_SYSTEM)->major);
    return 1;
}

/***
The second number of OSVersionString. Known and raised as OperatingSystem is.
@within VMHostInfo
@tfield integer OSMinorVersion
*/
static int get_os_minor_version(lua_State *L, const struct call *call)
{
    lua_pushinteger(L, ask(L, call, HOST_SYSTEM)->minor);
    return 1;
}

/***
The host's time in seconds since 1970, as os.time() gives it and os.date()
takes it; Virtual Server gave a DATE. Known and raised as OperatingSystem is.
@within VMHostInfo
@tfield integer UTCTime
*/
static int get_utc_time(lua_State *L, const struct call *call)
{
    lua_pushinteger(L, ask(L, call, HOST_CLOCK)->unix_time);
    return 1;
}

static const struct member members[] = {
    {.name = "LogicalProcessorCount",
     .get = get_logical_processor_count,
     .type = "integer",
     .meaning = "how many processors the host's system counts, threads included"},
    {.name = "PhysicalProcessorCount",
     .get = get_physical_processor_count,
     .type = "integer",
     .meaning = "how many processors are in the host's sockets"},
    {.name = "ProcessorSpeed",
     .get = get_processor_speed,
     .type = "integer",
     .unit = "MHz",
     .meaning = "how fast the processors run"},
    {.name = "ProcessorSpeedString",
     .get = get_processor_speed_string,
     .type = "string",
     .meaning = "the speed as a text, such as 2600 MHz"},
    {.name = "ProcessorManufacturerString",
     .get = get_processor_manufacturer_string,
     .type = "string",
     .meaning = "who made the processors, by libvirt's name"},
    {.name = "ProcessorVersionString",
     .get = get_processor_version_string,
     .type = "string",
     .meaning = "the processors' model, by libvirt's name"},
    {.name = "ProcessorFeaturesString",
     .get = get_processor_features_string,
     .type = "string",
     .meaning = "the processors' features, by libvirt's names, blanks between them"},
    {.name = "MMX",
     .get = get_mmx,
     .type = "boolean",
     .meaning = "whether the processors have mmx"},
    {.name = "SSE",
     .get = get_sse,
     .type = "boolean",
     .meaning = "whether the processors have sse"},
    {.name = "SSE2",
     .get = get_sse2,
     .type = "boolean",
     .meaning = "whether the processors have sse2"},
    {.name = "ThreeDNow",
     .get = get_three_d_now,
     .type = "boolean",
     .meaning = "whether the processors have 3dnow"},
    {.name = "Memory",
     .get = get_memory,
     .type = "integer",
     .unit = "MB of 2^20 bytes",
     .meaning = "the host's memory"},
    {.name = "MemoryAvail",
     .get = get_memory_avail,
     .type = "integer",
     .unit = "MB of 2^20 bytes",
     .meaning = "the memory that the host can give at once"},
    {.name = "MemoryTotalString",
     .get = get_memory_total_string,
     .type = "string",
     .meaning = "the host's memory as a text, such as 16384 MB"},
    {.name = "MemoryAvailString",
     .get = get_memory_avail_string,
     .type = "string",
     .meaning = "the available memory as a text"},
    {.name = "OperatingSystem",
     .get = get_operating_system,
     .type = "string",
     .meaning = "the host's operating system as it calls itself; of a local host"},
    {.name = "OSVersionString",
     .get = get_os_version_string,
     .type = "string",
     .meaning = "the release of the host's kernel; of a local host"},
    {.name = "OSMajorVersion",
     .get = get_os_major_version,
     .type = "integer",
     .meaning = "the first number of OSVersionString"},
    {.name = "OSMinorVersion",
     .get = get_os_minor_version,
     .type = "integer",
     .meaning = "the second number of OSVersionString"},
    {.name = "UTCTime",
     .get = get_utc_time,
     .type = "integer",
     .unit = "seconds since 1970",
     .meaning = "the host's time; of a local host"},
    {.name = NULL},
};

static int to_string(lua_State *L)
{
    const struct host_info_object *info = class_check_argument(L, &host_info_class, 1);
    const struct application *application = info->application;
    lua_pushfstring(L, "VMHostInfo (%s)",
                    application_is_open(application) ? application->host->uri : "closed");
    return 1;
}

static int equal(lua_State *L)
{
    const struct host_info_object *a = class_test_object(L, &host_info_class, 1);
    const struct host_info_object *b = class_test_object(L, &host_info_class, 2);
    lua_pushboolean(L, a != NULL && b != NULL && a->application == b->application);
    return 1;
}

static const luaL_Reg metamethods[] = {
    {"__tostring", to_string},
    {"__eq", equal},
    {NULL, NULL},
};

const struct class host_info_class = {
    .name = "VMHostInfo",
    .meaning = "the host that the machines are on",
    .written = "objVS.HostInfo",
    .neighbours = {"VMVirtualServer"},
    .members = members,
    .check = check,
    .metamethods = metamethods,
};
