/*
 * hint: what a script's author meant by an unknown name.
 *
 * Meaning comes before spelling: first the words that other tools have for a
 * member, then the members of the objects that are reached from this one, and
 * only then the distance between spellings.
 */
#ifndef VMACCOUNTANT_BINDING_HINT_H
#define VMACCOUNTANT_BINDING_HINT_H

#include "binding/class.h"

#include <stddef.h>

/* The hint for an unknown member of the class, as the end of a sentence
 * with its punctuation before it, such as "; did you mean TurnOff?"; "" for
 * none. The class's neighbours are given, with NULL after the last one. May push. */
const char *hint_for_member(lua_State *L, const struct class *class,
                            const struct class *const *neighbours, const char *name);

/* How many letters must be changed, added or removed to make the one name of
 * the other, without regard to ASCII letter case. */
size_t hint_distance(const char *a, const char *b);

#endif
