/*
 * class_members: a class's members, its own and those of its bases.
 */
#ifndef VMACCOUNTANT_BINDING_CLASS_MEMBERS_H
#define VMACCOUNTANT_BINDING_CLASS_MEMBERS_H

#include "binding/class.h"

/* The member of that name in any letter case; NULL when there is none. */
const struct member *class_member_named(const struct class *class, const char *name);

/* The class's member that follows, those of its base first; the first one after
 * NULL, and NULL after the last. */
const struct member *class_next_member(const struct class *class, const struct member *member);

#endif
