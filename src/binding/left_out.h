/*
 * left_out: what Virtual Server's objects had and this module does not.
 *
 * Who ports a script is told so by name, with the libvirt way to it, where
 * "no such member" would make him look for a slip of the pen.
 */
#ifndef VMACCOUNTANT_BINDING_LEFT_OUT_H
#define VMACCOUNTANT_BINDING_LEFT_OUT_H

struct left_out {
    const char *class_name;
    const char *name; /* as Virtual Server documents it */
    const char *way;  /* what to use instead */
};

/* The member of that name in any letter case; NULL when Virtual Server had
 * none, or this module has it. */
const struct left_out *left_out_find(const char *class_name, const char *name);

/* All of them; the last one has no name. */
extern const struct left_out left_out_members[];

#endif
