#include "binding/objects.h"

#include "binding/error.h"

bool application_is_open(const struct application *application)
{
    return application->hold != NULL && application->hold->is_open;
}

void application_check_open(lua_State *L, const struct call *call,
                            const struct application *application)
{
    if (!application_is_open(application))
        error_raise(L, call->member->name, NULL, HRESULT_VM_E_APP_SHUTTING_DOWN,
                    "the application object has been closed");
    if (host_is_lost_by_fork(application->host))
        error_raise(L, call->member->name, NULL, HRESULT_DISP_E_EXCEPTION,
                    "this process is a fork of the one that created the application object; "
                    "libvirt cannot be used here: use it in the parent, or in a new program");
}

void application_warn(lua_State *L, const struct application *application)
{
    struct machine_uuid uuid;
    const char *complaint;
    char text[UUID_TEXT_SIZE];

    while (accounting_take_complaint(application->accounting, &uuid, &complaint)) {
        machine_uuid_format(&uuid, text);
        lua_warning(L, "vmaccountant: the shared baseline of machine ", 1);
        lua_warning(L, text, 1);
        lua_warning(L, " is ignored: ", 1);
        lua_warning(L, complaint, 0);
    }
}

void application_push_decimal(lua_State *L, const struct application *application,
                              struct decimal value)
{
    char text[DECIMAL_TEXT_SIZE];

    if (!application->options.decimal_as_string && decimal_fits_int64(value)) {
        lua_pushinteger(L, (lua_Integer)value.low);
        return;
    }
    size_t length = decimal_format(value, text);
    lua_pushlstring(L, text, length);
}

const char *machine_known_name(lua_State *L, int index)
{
    lua_getiuservalue(L, index, MACHINE_KNOWN_NAME);
    return lua_tostring(L, -1);
}

const char *machine_name_of_part(lua_State *L, int index)
{
    lua_getiuservalue(L, index, PART_MACHINE);
    return machine_known_name(L, -1);
}
