#include "binding/description.h"

#include "binding/class_members.h"
#include "binding/left_out.h"

static void set_text(lua_State *L, const char *field, const char *text)
{
    lua_pushstring(L, text); /* nil for NULL */
    lua_setfield(L, -2, field);
}

static void push_member(lua_State *L, const struct member *member)
{
    lua_createtable(L, 0, 7);
    set_text(L, "name", member->name);
    set_text(L, "kind", member->get != NULL ? "property" : "method");
    set_text(L, "type", member->type);
    set_text(L, "parameters", member->parameters);
    set_text(L, "unit", member->unit);
    set_text(L, "meaning", member->meaning);
    lua_pushboolean(L, member->set != NULL);
    lua_setfield(L, -2, "writable");
}

void description_push_class(lua_State *L, const struct class *class)
{
    const struct member *member = NULL;
    lua_Integer i = 0;

    lua_createtable(L, 0, 4);
    set_text(L, "name", class->name);
    set_text(L, "meaning", class->meaning);
    set_text(L, "written", class->written);
    lua_newtable(L);
    while ((member = class_next_member(class, member)) != NULL) {
        push_member(L, member);
        lua_rawseti(L, -2, ++i);
    }
    lua_setfield(L, -2, "members");
}

void description_push(lua_State *L, const struct class *const *classes)
{
    lua_Integer count = 0;

    lua_newtable(L);
    for (; *classes != NULL; classes++) {
        if ((*classes)->larger != NULL)
            continue; /* the larger one has all its members */
        description_push_class(L, *classes);
        lua_rawseti(L, -2, ++count);
    }
}

void description_push_left_out(lua_State *L)
{
    lua_Integer i = 0;

    lua_newtable(L);
    for (const struct left_out *member = left_out_members; member->name != NULL; member++) {
        lua_createtable(L, 0, 3);
        set_text(L, "class", member->class_name);
        set_text(L, "name", member->name);
        set_text(L, "way", member->way);
        lua_rawseti(L, -2, ++i);
    }
}
