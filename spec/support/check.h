/*
 * check: counts what holds and prints what does not.
 *
 *     CHECK(1 + 1 == 2);
 *     return check_report();
 */
#ifndef VMACCOUNTANT_SPEC_CHECK_H
#define VMACCOUNTANT_SPEC_CHECK_H

#include <stdbool.h>
#include <stdio.h>

static unsigned long check_count;
static unsigned long check_failures;

static inline bool check_that(bool holds, const char *expression, const char *file, int line)
{
    check_count++;
    if (!holds) {
        check_failures++;
        printf("%s:%d: does not hold: %s\n", file, line, expression);
    }
    return holds;
}

#define CHECK(expression) check_that((expression), #expression, __FILE__, __LINE__)

/* The exit status of main. */
static inline int check_report(void)
{
    printf("%lu checks, %lu failed\n", check_count, check_failures);
    return check_failures == 0 ? 0 : 1;
}

#endif
