#include "reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *program = "reader";

void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", program, what);
    exit(EXIT_FAILURE);
}

struct reader reader_new(int argc, char *argv[])
{
    program = argv[0];
    if (argc < 5)
        fail("usage: METRIC CALLS BATCH PAUSE_MS [WHAT]");
    long pause_ms = atol(argv[4]);
    return (struct reader){
        .program = argv[0],
        .metric = argv[1],
        .calls = atol(argv[2]),
        .batch = atol(argv[3]),
        .pause = {.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000},
        .what = argc > 5 ? argv[5] : NULL,
    };
}

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000000000 + time.tv_nsec;
}

void figures_add(struct figures *figures, const char *machine, unsigned long long bytes)
{
    if (figures->next == figures->count) {
        figures->entries =
            realloc(figures->entries, (figures->count + 1) * sizeof *figures->entries);
        if (figures->entries == NULL)
            fail("out of memory");
        figures->entries[figures->count++] = (struct figure){.machine = strdup(machine)};
    }
    struct figure *figure = &figures->entries[figures->next++];
    if (strcmp(figure->machine, machine) != 0)
        fail("two reads gave different machines");
    figure->bytes += bytes;
}

static void compare(const struct figures *figures)
{
    for (size_t i = 0; i < figures->count; i++)
        if (figures->entries[i].bytes != figures->entries[i].first)
            fail("two calls gave different figures");
}

void reader_run(const struct reader *reader, read_function *read, void *context)
{
    struct figures figures = {0};

    for (long call = -1; call < reader->calls; call++) { /* the first one warms up */
        for (size_t i = 0; i < figures.count; i++)
            figures.entries[i].bytes = 0;
        nanosleep(&reader->pause, NULL);
        long long start = now();
        for (long i = 0; i < reader->batch; i++) {
            figures.next = 0;
            read(context, &figures);
            if (figures.next != figures.count)
                fail("two reads gave different machines");
        }
        long long end = now();
        if (call >= 0)
            printf("time %.1f\n", (double)(end - start) / (double)reader->batch);
        for (size_t i = 0; call < 0 && i < figures.count; i++)
            figures.entries[i].first = figures.entries[i].bytes;
        compare(&figures);
    }
    for (size_t i = 0; i < figures.count; i++) {
        printf("figure %llu %s\n", figures.entries[i].first / (unsigned long long)reader->batch,
               figures.entries[i].machine);
        free(figures.entries[i].machine);
    }
    free(figures.entries);
}
