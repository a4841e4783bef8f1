/*
 * reader: what the benchmark's readers in C have in common.
 *
 *     READER METRIC CALLS BATCH PAUSE_MS [WHAT]
 *
 * Each call reads BATCH times. Every reader of the benchmark, in whichever
 * language, prints a line `time NANOSECONDS` for each call, which is the mean
 * of its batch, and a line `figure BYTES MACHINE` for each machine; and fails
 * when two calls, as sums of their batches, do not give the same figures.
 */
#ifndef BENCH_READER_H
#define BENCH_READER_H

#include <stddef.h>
#include <time.h>

struct figure {
    char *machine;
    unsigned long long bytes; /* the sum of this batch */
    unsigned long long first; /* that of the first one */
};

struct figures {
    size_t count;
    size_t next; /* the one that is added to next: reads come in one order */
    struct figure *entries;
};

struct reader {
    const char *program;
    const char *metric;
    long calls;
    long batch;
    struct timespec pause;
    const char *what;
};

/* Reads once, and reports each figure by figures_add. */
typedef void read_function(void *context, struct figures *figures);

struct reader reader_new(int argc, char *argv[]);
void reader_run(const struct reader *reader, read_function *read, void *context);
void figures_add(struct figures *figures, const char *machine, unsigned long long bytes);
_Noreturn void fail(const char *what);

#endif
