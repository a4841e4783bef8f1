/* Links with src/core/decimal.c. */
#include "core/decimal.h"

#include "../support/check.h"

#include <string.h>

static const struct decimal LARGEST = {.low = UINT64_MAX, .high = UINT32_MAX};

/* The values at which a carry, a sign or a conversion can go wrong. */
static const struct {
    struct decimal value;
    const char *text;
    bool fits_int64;
} boundaries[] = {
    {{0, 0}, "0", true},
    {{1, 0}, "1", true},
    {{9, 0}, "9", true},
    {{10, 0}, "10", true},
    {{UINT64_C(1) << 31, 0}, "2147483648", true},
    {{UINT32_MAX, 0}, "4294967295", true},
    {{UINT64_C(1) << 32, 0}, "4294967296", true},
    {{(UINT64_C(1) << 32) + 1, 0}, "4294967297", true},
    {{(UINT64_C(1) << 53) + 1, 0}, "9007199254740993", true},
    {{INT64_MAX, 0}, "9223372036854775807", true},
    {{UINT64_C(1) << 63, 0}, "9223372036854775808", false},
    {{UINT64_MAX, 0}, "18446744073709551615", false},
    {{0, 1}, "18446744073709551616", false},
    {{1, 1}, "18446744073709551617", false},
    {{0, UINT32_C(1) << 31}, "39614081257132168796771975168", false},
    {{UINT64_MAX - 1, UINT32_MAX}, "79228162514264337593543950334", false},
    {{UINT64_MAX, UINT32_MAX}, "79228162514264337593543950335", false},
};

enum { BOUNDARIES = sizeof boundaries / sizeof boundaries[0] };

static bool is_equal(struct decimal a, struct decimal b)
{
    return a.low == b.low && a.high == b.high;
}

static bool parses_to(const char *text, struct decimal expected)
{
    struct decimal value = {42, 42};
    return decimal_parse(text, strlen(text), &value) == DECIMAL_PARSED && is_equal(value, expected);
}

/* The result for a text that is not a decimal; the value must stay as it was. */
static enum decimal_parse_result refusal_of(const char *text, size_t length)
{
    const struct decimal before = {42, 42};
    struct decimal value = before;
    enum decimal_parse_result result = decimal_parse(text, length, &value);
    CHECK(is_equal(value, before));
    return result;
}

static void every_boundary_is_written_in_plain_digits(void)
{
    for (size_t i = 0; i < BOUNDARIES; i++) {
        char text[DECIMAL_TEXT_SIZE];
        size_t length = decimal_format(boundaries[i].value, text);
        CHECK(strcmp(text, boundaries[i].text) == 0);
        CHECK(length == strlen(boundaries[i].text));
    }
}

static void every_boundary_is_read_back(void)
{
    for (size_t i = 0; i < BOUNDARIES; i++)
        CHECK(parses_to(boundaries[i].text, boundaries[i].value));
}

static void leading_zeros_do_not_count(void)
{
    CHECK(parses_to("000", DECIMAL_ZERO));
    CHECK(parses_to("007", decimal_from_uint64(7)));
    CHECK(parses_to("0000000000000000000000000000000000079228162514264337593543950335", LARGEST));
}

static void two_to_the_96_is_too_large_to_read(void)
{
    static const char *const texts[] = {
        "79228162514264337593543950336",
        "79228162514264337593543950345",
        "99999999999999999999999999999",
        "100000000000000000000000000000",
        "340282366920938463463374607431768211456",                         /* 2^128 */
        "6277101735386680763835789423207666416102355444464034512896",      /* 2^192 */
        "79228162514264337593543950336000000000000000000000000000000000",  /* wraps to 0 */
        "115792089237316195423570985008687907853269984665640564039457584", /* no end in sight */
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CHECK(refusal_of(texts[i], strlen(texts[i])) == DECIMAL_TOO_LARGE);
}

static void anything_but_digits_is_malformed(void)
{
    static const char *const texts[] = {
        "",    " ",   "+1",  "-1",  "-0",       "1.0", "1e3", "0x10", " 1",   "1 ",   "1\n", "1,0",
        "1_0", "ten", "inf", "nan", "\xd9\xa1", "/",   ":",   "1/",   "1:23", "\x80", "12a"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CHECK(refusal_of(texts[i], strlen(texts[i])) == DECIMAL_MALFORMED);
    CHECK(refusal_of("1\0002", 3) == DECIMAL_MALFORMED);
    /* What is malformed is not called too large, however long it is. */
    CHECK(refusal_of("79228162514264337593543950336x", 30) == DECIMAL_MALFORMED);
}

static void only_the_given_length_is_read(void)
{
    struct decimal value;
    CHECK(decimal_parse("123456", 3, &value) == DECIMAL_PARSED);
    CHECK(is_equal(value, decimal_from_uint64(123)));
}

static void the_order_is_that_of_the_numbers(void)
{
    for (size_t i = 0; i < BOUNDARIES; i++) {
        for (size_t j = 0; j < BOUNDARIES; j++) {
            int order = decimal_compare(boundaries[i].value, boundaries[j].value);
            CHECK(i < j ? order < 0 : i > j ? order > 0 : order == 0);
        }
    }
}

static void exactly_the_values_up_to_2_63_minus_1_fit_a_lua_integer(void)
{
    for (size_t i = 0; i < BOUNDARIES; i++)
        CHECK(decimal_fits_int64(boundaries[i].value) == boundaries[i].fits_int64);
    CHECK(!decimal_fits_int64((struct decimal){.low = 5, .high = 1}));
}

static void a_sum_carries_into_the_high_word(void)
{
    struct decimal sum;
    CHECK(decimal_add(decimal_from_uint64(UINT64_MAX), decimal_from_uint64(1), &sum));
    CHECK(is_equal(sum, (struct decimal){.low = 0, .high = 1}));
    CHECK(decimal_add(decimal_from_uint64(UINT64_MAX), decimal_from_uint64(UINT64_MAX), &sum));
    CHECK(is_equal(sum, (struct decimal){.low = UINT64_MAX - 1, .high = 1}));
}

static void a_difference_borrows_from_the_high_word(void)
{
    struct decimal difference;
    CHECK(decimal_subtract((struct decimal){0, 1}, decimal_from_uint64(1), &difference));
    CHECK(is_equal(difference, decimal_from_uint64(UINT64_MAX)));
    CHECK(decimal_subtract((struct decimal){0, UINT32_MAX}, (struct decimal){1, UINT32_MAX - 1},
                           &difference));
    CHECK(is_equal(difference, decimal_from_uint64(UINT64_MAX)));
}

static void adding_and_subtracting_undo_each_other(void)
{
    for (size_t i = 0; i < BOUNDARIES; i++) {
        for (size_t j = 0; j < BOUNDARIES; j++) {
            struct decimal a = boundaries[i].value, b = boundaries[j].value, sum, back, other;
            if (!decimal_add(a, b, &sum))
                continue;
            CHECK(decimal_compare(sum, a) >= 0 && decimal_compare(sum, b) >= 0);
            CHECK(decimal_subtract(sum, b, &back) && is_equal(back, a));
            CHECK(decimal_subtract(sum, a, &other) && is_equal(other, b));
        }
    }
}

static void a_sum_above_2_96_minus_1_is_refused_and_changes_nothing(void)
{
    struct decimal sum = {42, 42};
    CHECK(!decimal_add(LARGEST, decimal_from_uint64(1), &sum));
    CHECK(!decimal_add(decimal_from_uint64(1), LARGEST, &sum));
    CHECK(!decimal_add(LARGEST, LARGEST, &sum));
    CHECK(!decimal_add((struct decimal){0, UINT32_C(1) << 31},
                       (struct decimal){0, UINT32_C(1) << 31}, &sum));
    CHECK(is_equal(sum, (struct decimal){42, 42}));
    CHECK(decimal_add(LARGEST, DECIMAL_ZERO, &sum) && is_equal(sum, LARGEST));
}

static void a_difference_below_zero_is_refused_and_changes_nothing(void)
{
    struct decimal difference = {42, 42};
    CHECK(!decimal_subtract(DECIMAL_ZERO, decimal_from_uint64(1), &difference));
    CHECK(!decimal_subtract(decimal_from_uint64(UINT64_MAX), (struct decimal){0, 1}, &difference));
    CHECK(!decimal_subtract((struct decimal){5, 1}, (struct decimal){6, 1}, &difference));
    CHECK(is_equal(difference, (struct decimal){42, 42}));
    CHECK(decimal_subtract(LARGEST, LARGEST, &difference) && is_equal(difference, DECIMAL_ZERO));
}

static void a_result_may_replace_its_operand(void)
{
    struct decimal value = decimal_from_uint64(UINT64_MAX);
    CHECK(decimal_add(value, value, &value));
    CHECK(is_equal(value, (struct decimal){.low = UINT64_MAX - 1, .high = 1}));
    CHECK(decimal_subtract(value, decimal_from_uint64(UINT64_MAX), &value));
    CHECK(is_equal(value, decimal_from_uint64(UINT64_MAX)));
}

int main(void)
{
    every_boundary_is_written_in_plain_digits();
    every_boundary_is_read_back();
    leading_zeros_do_not_count();
    two_to_the_96_is_too_large_to_read();
    anything_but_digits_is_malformed();
    only_the_given_length_is_read();
    the_order_is_that_of_the_numbers();
    exactly_the_values_up_to_2_63_minus_1_fit_a_lua_integer();
    a_sum_carries_into_the_high_word();
    a_difference_borrows_from_the_high_word();
    adding_and_subtracting_undo_each_other();
    a_sum_above_2_96_minus_1_is_refused_and_changes_nothing();
    a_difference_below_zero_is_refused_and_changes_nothing();
    a_result_may_replace_its_operand();
    return check_report();
}
