#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

static struct timespec timespec_of(int64_t nanoseconds)
{
    return (struct timespec){.tv_sec = (time_t)(nanoseconds / CLOCK_SECOND),
                             .tv_nsec = (long)(nanoseconds % CLOCK_SECOND)};
}

int64_t clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_since_boot(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

int64_t clock_unix(void)
{
    return read_clock(CLOCK_REALTIME);
}

bool clock_boot_id(char id[BOOT_ID_SIZE])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    bool ok =
        file != NULL && fgets(id, BOOT_ID_SIZE, file) != NULL && strlen(id) == BOOT_ID_SIZE - 1;
    if (file != NULL)
        fclose(file);
    if (!ok)
        id[0] = '\0';
    return ok;
}

void clock_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool clock_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline)
{
    const struct timespec until = timespec_of(deadline);
    return pthread_cond_timedwait(condition, mutex, &until) == 0;
}

void clock_sleep(int64_t nanoseconds)
{
    const struct timespec duration = timespec_of(nanoseconds);
    nanosleep(&duration, NULL);
}
