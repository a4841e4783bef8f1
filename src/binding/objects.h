/*
 * objects: the Lua objects of the Virtual Server model, and how they reference
 * one another.
 *
 * The application owns the host and its accounting. Every other object holds
 * the one it came from in a user value, and so the application; it answers
 * VM_E_APP_SHUTTING_DOWN once that is closed.
 */
#ifndef VMACCOUNTANT_BINDING_OBJECTS_H
#define VMACCOUNTANT_BINDING_OBJECTS_H

#include "accounting/accounting.h"
#include "binding/class.h"
#include "host/host.h"
#include "libvirt_host/driver.h"

#include <lua.h>

extern const struct class application_class;           /* VMVirtualServer */
extern const struct class host_info_class;             /* VMHostInfo */
extern const struct class machine_collection_class;    /* VMVirtualMachineCollection */
extern const struct class machine_class;               /* VMVirtualMachine */
extern const struct class accountant_class;            /* VMAccountant */
extern const struct class virtual_pc_accountant_class; /* with the members that Virtual PC has */
extern const struct class adapter_collection_class;    /* VMNetworkAdapterCollection */
extern const struct class adapter_class;               /* VMNetworkAdapter */
extern const struct class network_class;               /* VMVirtualNetwork */
extern const struct class task_class;                  /* VMTask */

/* The options in CreateObject's last argument. */
struct application_options {
    bool decimal_as_string;
    bool zero_when_not_running;
    bool is_virtual_pc;
    int64_t max_age; /* nanoseconds */
    int timeout;     /* seconds */
    enum counters counters;
};

enum { DEFAULT_TIMEOUT = 30 };

/* What an application owns in C, in a resource of its own. Close ends its work
 * but leaves the memory to the resource: a finalizer may call Close inside any
 * call that allocates, and that call still uses the host and the accounting until
 * it returns or raises. */
struct application_hold {
    struct host *host;
    struct accounting *accounting;
    bool is_open;
};

/* host and accounting are valid in a call that has found the application open,
 * until that call is over. User values: 1 the machine objects by UUID, held
 * weakly, so that one machine is one object; 2 the event handlers by their
 * names, or nil; 3 the resource with the hold. */
struct application {
    struct host *host;
    struct accounting *accounting;
    struct application_hold *hold;
    struct application_options options;
};

/* The user values of a machine. */
enum {
    MACHINE_APPLICATION = 1,
    MACHINE_KNOWN_NAME, /* the name when it was last asked for */
    MACHINE_ACCOUNTANT, /* made at its first use */
    MACHINE_USER_VALUES = MACHINE_ACCOUNTANT
};

struct machine_object {
    struct application *application;
    struct machine_uuid uuid;
};

/* The user value in which an accountant, an adapter or a task holds its machine. */
enum { PART_MACHINE = 1 };

struct accountant_object {
    struct machine_object *machine;
};

struct adapter_object {
    struct machine_object *machine;
    struct device_key key;
    bool counted;
};

/* objects.c */

/* Whether it has its host and is not closed. [-0, +0, -] */
bool application_is_open(const struct application *application);

/* Raises VM_E_APP_SHUTTING_DOWN when the application is closed, and
 * DISP_E_EXCEPTION in the child of a fork. */
void application_check_open(lua_State *L, const struct call *call,
                            const struct application *application);

/* Gives a pending complaint about a shared baseline to Lua's warning system.
 * [-0, +0, e] */
void application_warn(lua_State *L, const struct application *application);

/* Pushes a byte count as the application's options want it: an integer up to
 * 2^63-1, else a decimal string. [-0, +1, m] */
void application_push_decimal(lua_State *L, const struct application *application,
                              struct decimal value);

/* Pushes the name that the machine object at the index was last known by, and
 * returns it. It stays on the stack to stay valid: a finalizer may give the
 * object another name at any allocation. [-0, +1, -] */
const char *machine_known_name(lua_State *L, int index);

/* The same for an accountant, an adapter or a task. [-0, +2, -] */
const char *machine_name_of_part(lua_State *L, int index);

/* options.c */

/* Raises an argument error where the ProgID at the index is unknown; else true
 * when it is Virtual PC's. */
bool application_check_progid(lua_State *L, int index);

/* Reads the options table at the index, which may be none or nil; raises an
 * argument error that names what is wrong. */
void application_check_options(lua_State *L, int index, struct application_options *options);

/* application.c */

/* Pushes an application without a host: it is closed until its owner gives it
 * one with application_open. [-0, +1, m] */
struct application *application_new(lua_State *L);

/* Gives the application its host, which it owns from here on even when the
 * function raises. [-0, +0, e] */
void application_open(lua_State *L, struct application *application, struct host *host,
                      const struct application_options *options);

/* event_handlers.c: methods of the application, as in class.h. */
int application_connect(lua_State *L, const struct call *call);
int application_wait_for_events(lua_State *L, const struct call *call);

/* counter_sources.c: a property of the application, as in class.h. */
int application_get_accounting(lua_State *L, const struct call *call);

/* Pushes the machine's object, the same one while anything references it. The
 * application is at the index; the name becomes the object's text. [-0, +1, m] */
void machine_push(lua_State *L, int application_index, const struct machine_uuid *uuid,
                  const char *name);

/* Pushes a collection of the array of objects at the top of the stack, which
 * it takes; owner is the object that it came from. [-1, +1, m] */
void collection_push(lua_State *L, const struct class *class, int owner_index,
                     struct application *application);

/* The method of a machine that begins the change, and returns its task. [-0, +1, e] */
int task_begin(lua_State *L, const struct call *call, enum machine_change change);

/* host_info.c: a property of the application, as in class.h. */
int application_get_host_info(lua_State *L, const struct call *call);

/* accountant.c, adapter.c: properties of a machine, as in class.h. */
int machine_get_accountant(lua_State *L, const struct call *call);
int machine_get_network_adapters(lua_State *L, const struct call *call);

#endif
