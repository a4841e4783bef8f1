/*
 * wall_clock: the wall clock of a test in C, which the test sets.
 *
 *     wall_clock_begin();
 *     wall_clock_set(-3600); an hour back from the true time
 *     wall_clock_end();
 */
#ifndef VMACCOUNTANT_SPEC_WALL_CLOCK_H
#define VMACCOUNTANT_SPEC_WALL_CLOCK_H

#include "wall_clock.c"

static char wall_clock_path[] = "/tmp/wall_clock.XXXXXX";

/* To the true time and so many seconds. */
static void wall_clock_set(long seconds)
{
    FILE *file = fopen(wall_clock_path, "we");
    if (file == NULL)
        abort();
    fprintf(file, "%ld\n", seconds);
    fclose(file);
}

static void wall_clock_begin(void)
{
    int descriptor = mkstemp(wall_clock_path);
    if (descriptor < 0)
        abort();
    close(descriptor);
    setenv("WALL_CLOCK", wall_clock_path, 1);
}

static void wall_clock_end(void)
{
    unlink(wall_clock_path);
}

#endif
