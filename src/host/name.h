/*
 * name: comparison of machines' names, which are the same in any letter case.
 */
#ifndef VMACCOUNTANT_HOST_NAME_H
#define VMACCOUNTANT_HOST_NAME_H

#include <stdbool.h>

/* Orders by name without regard to letter case, then by bytes. */
int machine_name_compare(const char *a, const char *b);

/* Whether two UTF-8 names are the same but for letter case. */
bool machine_name_equal(const char *a, const char *b);

#endif
