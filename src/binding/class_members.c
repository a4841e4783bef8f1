#include "binding/class_members.h"

#include "base/text.h"

const struct member *class_member_named(const struct class *class, const char *name)
{
    for (const struct member *member = class->members; member->name != NULL; member++)
        if (text_same_name(member->name, name))
            return member;
    return class->base != NULL ? class_member_named(class->base, name) : NULL;
}

static bool has_member(const struct class *class, const struct member *wanted)
{
    for (const struct member *member = class->members; member->name != NULL; member++)
        if (member == wanted)
            return true;
    return class->base != NULL && has_member(class->base, wanted);
}

const struct member *class_next_member(const struct class *class, const struct member *member)
{
    if (class->base != NULL && (member == NULL || has_member(class->base, member))) {
        const struct member *inherited = class_next_member(class->base, member);
        return inherited != NULL ? inherited : class->members;
    }
    const struct member *next = member == NULL ? class->members : member + 1;
    return next->name != NULL ? next : NULL;
}
