/* Links with src/ without its bindings. The wall clock is one that the test sets. */
#include "base/clock.h"

#include "../support/check.h"
#include "../support/wall_clock.h"

#include <string.h>

static void the_wall_clock_is_the_only_one_that_jumps(void)
{
    int64_t now = clock_now(), boot = clock_since_boot(), wall = clock_unix();

    wall_clock_set(-3600);
    CHECK(clock_now() >= now && clock_now() - now < 60 * CLOCK_SECOND);
    CHECK(clock_since_boot() >= boot && clock_since_boot() - boot < 60 * CLOCK_SECOND);
    CHECK(clock_unix() < wall - 3000 * CLOCK_SECOND);
    wall_clock_set(0);
}

static void the_host_has_been_up_for_no_less_than_it_was_awake(void)
{
    int64_t now = clock_now();
    CHECK(clock_since_boot() >= now);
}

static void a_wait_ends_at_its_deadline(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition;
    int64_t begun = clock_now(), deadline = clock_deadline(200 * CLOCK_MILLISECOND);

    clock_condition_init(&condition);
    pthread_mutex_lock(&mutex);
    wall_clock_set(-3600);
    while (clock_wait_until(&condition, &mutex, deadline))
        ;
    pthread_mutex_unlock(&mutex);
    CHECK(clock_now() >= deadline);
    CHECK(clock_now() - begun < 20 * CLOCK_SECOND);
    wall_clock_set(0);
    pthread_cond_destroy(&condition);
}

static void a_deadline_that_has_passed_is_not_waited_for(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition;

    clock_condition_init(&condition);
    pthread_mutex_lock(&mutex);
    CHECK(!clock_wait_until(&condition, &mutex, clock_now()));
    CHECK(!clock_wait_until(&condition, &mutex, 0));
    pthread_mutex_unlock(&mutex);
    pthread_cond_destroy(&condition);
}

struct meeting {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool is_met;
};

static void *meet(void *argument)
{
    struct meeting *meeting = argument;
    pthread_mutex_lock(&meeting->mutex);
    meeting->is_met = true;
    pthread_cond_broadcast(&meeting->condition);
    pthread_mutex_unlock(&meeting->mutex);
    return NULL;
}

static void a_wait_ends_when_it_is_woken(void)
{
    struct meeting meeting = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    pthread_t other;
    bool is_early = true;

    clock_condition_init(&meeting.condition);
    pthread_mutex_lock(&meeting.mutex);
    if (pthread_create(&other, NULL, meet, &meeting) != 0)
        abort();
    int64_t deadline = clock_deadline(60 * CLOCK_SECOND);
    while (!meeting.is_met && is_early)
        is_early = clock_wait_until(&meeting.condition, &meeting.mutex, deadline);
    pthread_mutex_unlock(&meeting.mutex);
    pthread_join(other, NULL);
    CHECK(is_early && meeting.is_met);
    pthread_cond_destroy(&meeting.condition);
}

static void sleep_takes_its_time(void)
{
    int64_t begun = clock_now();
    clock_sleep(20 * CLOCK_MILLISECOND);
    CHECK(clock_now() - begun >= 20 * CLOCK_MILLISECOND);
}

static void a_boot_has_a_name(void)
{
    char one[BOOT_ID_SIZE], other[BOOT_ID_SIZE];
    CHECK(clock_boot_id(one) && clock_boot_id(other));
    CHECK(strlen(one) == BOOT_ID_SIZE - 1 && strcmp(one, other) == 0);
}

int main(void)
{
    wall_clock_begin();
    the_wall_clock_is_the_only_one_that_jumps();
    the_host_has_been_up_for_no_less_than_it_was_awake();
    a_wait_ends_at_its_deadline();
    a_deadline_that_has_passed_is_not_waited_for();
    a_wait_ends_when_it_is_woken();
    sleep_takes_its_time();
    a_boot_has_a_name();
    wall_clock_end();
    return check_report();
}
