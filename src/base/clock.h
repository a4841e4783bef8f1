/*
 * clock: monotonic time, for all deadlines and waits. Wall time is only for
 * showing to people.
 *
 * Times are nanoseconds. A deadline is a time of clock_now().
 */
#ifndef VMACCOUNTANT_BASE_CLOCK_H
#define VMACCOUNTANT_BASE_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define CLOCK_SECOND      INT64_C(1000000000)
#define CLOCK_MILLISECOND INT64_C(1000000)

enum { BOOT_ID_SIZE = 37 }; /* a UUID as text */

/* CLOCK_MONOTONIC: stops while the host is suspended, and so is for waits. */
int64_t clock_now(void);

/* CLOCK_BOOTTIME: the time since the host was booted, while suspended too. The
 * same in all processes of the host. */
int64_t clock_since_boot(void);

/* The wall clock, since 1970. It jumps when it is set. */
int64_t clock_unix(void);

/* Which boot of which host clock_since_boot() counts from. False where it
 * cannot be known: the text is then empty. */
bool clock_boot_id(char id[BOOT_ID_SIZE]);

static inline int64_t clock_deadline(int64_t nanoseconds_from_now)
{
    return clock_now() + nanoseconds_from_now;
}

/* A condition variable that clock_wait_until() can wait for. */
void clock_condition_init(pthread_cond_t *condition);

/* As pthread_cond_wait(), until the deadline. False when that has passed. */
bool clock_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline);

/* Sleeps, or less when a signal comes. */
void clock_sleep(int64_t nanoseconds);

#endif
