/*
 * left_out: the members of Virtual Server's objects that this module does not have.
 *
 * Someone porting a script gets the name and libvirt's alternative, where "no such
 * member" would suggest a typing error.
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
