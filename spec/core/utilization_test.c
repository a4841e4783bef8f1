/* Links with src/core/. */
#include "core/utilization.h"

#include "../support/check.h"

#define SECOND INT64_C(1000000000)

/* Lets so many milliseconds pass, in which so many were used. */
static void pass(struct utilization *utilization, int64_t *now, uint64_t *used, int milliseconds,
                 unsigned used_milliseconds, unsigned processors)
{
    *now += milliseconds * (SECOND / 1000);
    *used += used_milliseconds * UINT64_C(1000000);
    utilization_observe(utilization, *now, *used, processors);
}

static void the_first_look_tells_nothing(void)
{
    struct utilization utilization = {0};
    utilization_observe(&utilization, 5 * SECOND, 123456789, 1);
    CHECK(utilization.is_started && !utilization.is_known);
    CHECK(utilization.history[UTILIZATION_SECONDS - 1] == 0);
}

static void a_second_gives_one_percent_of_the_history(void)
{
    struct utilization utilization = {0};
    int64_t now = 100 * SECOND;
    uint64_t used = 7;

    utilization_observe(&utilization, now, used, 1);
    for (unsigned second = 1; second <= 70; second++) {
        pass(&utilization, &now, &used, 1000, second * 10, 1);
        CHECK(utilization.is_known && utilization.latest == second);
    }
    for (unsigned i = 0; i < UTILIZATION_SECONDS; i++)
        CHECK(utilization.history[i] == 11 + i);
}

static void looks_that_come_a_little_early_or_late_still_give_one_each(void)
{
    struct utilization utilization = {0};
    int64_t now = 0;
    uint64_t used = 0;

    utilization_observe(&utilization, now, used, 1);
    pass(&utilization, &now, &used, 950, 475, 1);
    pass(&utilization, &now, &used, 1100, 550, 1);
    pass(&utilization, &now, &used, 950, 475, 1);
    for (unsigned i = 0; i < 3; i++)
        CHECK(utilization.history[UTILIZATION_SECONDS - 1 - i] == 50);
    CHECK(utilization.history[UTILIZATION_SECONDS - 4] == 0);
}

static void a_short_first_interval_is_replaced_by_the_whole_second(void)
{
    struct utilization utilization = {0};
    int64_t now = 0;
    uint64_t used = 0;

    utilization_observe(&utilization, now, used, 1);
    pass(&utilization, &now, &used, 250, 250, 1);
    CHECK(utilization.is_known && utilization.latest == 100);
    CHECK(utilization.history[UTILIZATION_SECONDS - 1] == 100);
    pass(&utilization, &now, &used, 200, 0, 1); /* too short, and no longer the first */
    CHECK(utilization.latest == 100);
    CHECK(utilization.history[UTILIZATION_SECONDS - 1] == 100);
    CHECK(utilization.history[UTILIZATION_SECONDS - 2] == 0);
    pass(&utilization, &now, &used, 550, 0, 1);
    CHECK(utilization.latest == 25);
    CHECK(utilization.history[UTILIZATION_SECONDS - 1] == 25);
    CHECK(utilization.history[UTILIZATION_SECONDS - 2] == 0);
    pass(&utilization, &now, &used, 1000, 500, 1);
    CHECK(utilization.history[UTILIZATION_SECONDS - 1] == 50);
    CHECK(utilization.history[UTILIZATION_SECONDS - 2] == 25);
    CHECK(utilization.history[UTILIZATION_SECONDS - 3] == 0);
}

static void a_gap_has_its_average(void)
{
    struct utilization utilization = {0};
    int64_t now = 0;
    uint64_t used = 0;

    utilization_observe(&utilization, now, used, 2);
    pass(&utilization, &now, &used, 4000, 4000, 2);
    for (unsigned i = 0; i < UTILIZATION_SECONDS; i++)
        CHECK(utilization.history[i] == (i < UTILIZATION_SECONDS - 4 ? 0 : 50));
    pass(&utilization, &now, &used, 1000 * 1000, 500 * 1000, 2);
    for (unsigned i = 0; i < UTILIZATION_SECONDS; i++)
        CHECK(utilization.history[i] == 25);
}

static void it_is_never_above_100_and_rounds_to_the_nearest(void)
{
    struct utilization utilization = {0};
    int64_t now = 0;
    uint64_t used = 0;

    utilization_observe(&utilization, now, used, 1);
    pass(&utilization, &now, &used, 1000, 5000, 1);
    CHECK(utilization.latest == 100);
    pass(&utilization, &now, &used, 1000, 995, 1);
    CHECK(utilization.latest == 100);
    pass(&utilization, &now, &used, 1000, 994, 1);
    CHECK(utilization.latest == 99);
    pass(&utilization, &now, &used, 1000, 4, 1);
    CHECK(utilization.latest == 0);
}

static void time_that_falls_starts_anew(void)
{
    struct utilization utilization = {0};
    utilization_observe(&utilization, 0, 9 * SECOND, 1);
    utilization_observe(&utilization, SECOND, SECOND, 1);
    CHECK(!utilization.is_known);
    utilization_observe(&utilization, 2 * SECOND, SECOND + SECOND / 2, 1);
    CHECK(utilization.latest == 50);
    utilization_observe(&utilization, 2 * SECOND, 2 * SECOND, 1); /* no time has passed */
    CHECK(utilization.latest == 50);
}

int main(void)
{
    the_first_look_tells_nothing();
    a_second_gives_one_percent_of_the_history();
    looks_that_come_a_little_early_or_late_still_give_one_each();
    a_short_first_interval_is_replaced_by_the_whole_second();
    a_gap_has_its_average();
    it_is_never_above_100_and_rounds_to_the_nearest();
    time_that_falls_starts_anew();
    return check_report();
}
