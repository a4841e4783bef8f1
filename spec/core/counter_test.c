/* Links with src/core/{counter,decimal}.c. */
#include "core/counter.h"

#include "../support/check.h"

static const struct decimal LARGEST = {.low = UINT64_MAX, .high = UINT32_MAX};

/* At which a counter of 31, 32, 53, 63, 64 or 96 bits would go wrong. */
static const struct decimal boundaries[] = {
    {0, 0},
    {1, 0},
    {UINT64_C(1) << 31, 0},
    {UINT32_MAX, 0},
    {UINT64_C(1) << 32, 0},
    {(UINT64_C(1) << 32) + 1, 0},
    {(UINT64_C(1) << 53) + 1, 0},
    {INT64_MAX, 0},
    {UINT64_C(1) << 63, 0},
    {UINT64_MAX, 0},
    {0, 1},
    {UINT64_MAX, UINT32_MAX},
};

enum { BOUNDARIES = sizeof boundaries / sizeof boundaries[0] };

static enum verdict observe(struct counter *counter, uint64_t value)
{
    return counter_observe(counter, decimal_from_uint64(value));
}

static bool counts(const struct counter *counter, struct decimal expected)
{
    struct decimal value;
    return counter_value(counter, &value) && decimal_compare(value, expected) == 0;
}

static bool counts_number(const struct counter *counter, uint64_t expected)
{
    return counts(counter, decimal_from_uint64(expected));
}

static void a_new_counter_counts_zero(void)
{
    struct counter counter = {0};
    CHECK(counts_number(&counter, 0));
}

static void the_first_observation_counts_from_zero(void)
{
    for (size_t i = 0; i < BOUNDARIES; i++) {
        struct counter counter = {0};
        CHECK(counter_observe(&counter, boundaries[i]) == VERDICT_FIRST);
        CHECK(counts(&counter, boundaries[i]));
    }
}

static void a_value_at_or_above_the_last_one_is_an_advance(void)
{
    for (size_t i = 0; i < BOUNDARIES; i++) {
        for (size_t j = i; j < BOUNDARIES; j++) {
            struct counter counter = {0};
            counter_observe(&counter, boundaries[i]);
            CHECK(counter_observe(&counter, boundaries[j]) == VERDICT_ADVANCED);
            CHECK(counts(&counter, boundaries[j]));
        }
    }
}

static void a_value_below_the_last_one_is_added_to_it(void)
{
    for (size_t i = 0; i < BOUNDARIES; i++) {
        for (size_t j = 0; j < i; j++) {
            struct counter counter = {0};
            struct decimal sum;
            bool fits = decimal_add(boundaries[i], boundaries[j], &sum);
            counter_observe(&counter, boundaries[i]);
            CHECK(counter_observe(&counter, boundaries[j]) == VERDICT_FELL);
            CHECK(fits ? counts(&counter, sum) : !counter_value(&counter, &sum));
        }
    }
}

static void a_counter_survives_many_falls(void)
{
    struct counter counter = {0};
    observe(&counter, 1000);
    for (int i = 0; i < 100; i++) {
        CHECK(observe(&counter, 3) == VERDICT_FELL);
        CHECK(observe(&counter, 10) == VERDICT_ADVANCED);
    }
    CHECK(counts_number(&counter, 1000 + 100 * 10));
}

static void a_32_bit_value_that_falls_is_not_taken_for_one_that_wrapped(void)
{
    struct counter counter = {0};
    observe(&counter, UINT32_MAX);
    CHECK(observe(&counter, 1) == VERDICT_FELL);
    CHECK(counts_number(&counter, (uint64_t)UINT32_MAX + 1));
}

static void rebasing_starts_the_count_at_zero(void)
{
    for (size_t i = 0; i < BOUNDARIES; i++) {
        struct counter counter = {0};
        counter_observe(&counter, boundaries[i]);
        counter_rebase(&counter);
        CHECK(counts_number(&counter, 0));
        CHECK(counter_observe(&counter, boundaries[i]) == VERDICT_ADVANCED);
        CHECK(counts_number(&counter, 0));
    }
}

static void a_rebased_counter_counts_what_comes_after(void)
{
    struct counter counter = {0};
    observe(&counter, 5000);
    counter_rebase(&counter);
    observe(&counter, 5700);
    CHECK(counts_number(&counter, 700));
}

static void rebasing_drops_what_earlier_devices_counted(void)
{
    struct counter counter = {0};
    observe(&counter, 5000);
    observe(&counter, 30);
    CHECK(counts_number(&counter, 5030));
    counter_rebase(&counter);
    CHECK(counts_number(&counter, 0));
    observe(&counter, 31);
    CHECK(counts_number(&counter, 1));
}

static void a_fall_below_the_baseline_counts_the_new_device_from_zero(void)
{
    struct counter counter = {0};
    observe(&counter, 5000);
    counter_rebase(&counter);
    observe(&counter, 5100);
    CHECK(observe(&counter, 40) == VERDICT_FELL);
    CHECK(counts_number(&counter, 140));
}

static void a_fall_that_stays_above_the_baseline_counts_the_new_device_from_zero(void)
{
    struct counter counter = {0};
    observe(&counter, 100);
    counter_rebase(&counter);
    observe(&counter, 900);
    CHECK(observe(&counter, 500) == VERDICT_FELL);
    CHECK(counts_number(&counter, 800 + 500));
}

static void a_count_above_2_96_minus_1_is_an_overflow_until_the_next_rebase(void)
{
    struct counter counter = {0};
    struct decimal value = {42, 42};

    counter_observe(&counter, LARGEST);
    CHECK(counts(&counter, LARGEST));
    observe(&counter, 0);
    CHECK(counts(&counter, LARGEST));
    observe(&counter, 1);
    CHECK(!counter_value(&counter, &value));
    observe(&counter, 0); /* another fall must not bring a wrapped sum back */
    CHECK(!counter_value(&counter, &value));
    observe(&counter, 7);
    CHECK(!counter_value(&counter, &value));
    CHECK(value.low == 42 && value.high == 42);

    counter_rebase(&counter);
    observe(&counter, 8);
    CHECK(counts_number(&counter, 1));
}

int main(void)
{
    a_new_counter_counts_zero();
    the_first_observation_counts_from_zero();
    a_value_at_or_above_the_last_one_is_an_advance();
    a_value_below_the_last_one_is_added_to_it();
    a_counter_survives_many_falls();
    a_32_bit_value_that_falls_is_not_taken_for_one_that_wrapped();
    rebasing_starts_the_count_at_zero();
    a_rebased_counter_counts_what_comes_after();
    rebasing_drops_what_earlier_devices_counted();
    a_fall_below_the_baseline_counts_the_new_device_from_zero();
    a_fall_that_stays_above_the_baseline_counts_the_new_device_from_zero();
    a_count_above_2_96_minus_1_is_an_overflow_until_the_next_rebase();
    return check_report();
}
