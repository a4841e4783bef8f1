/*
 * decimal: an unsigned whole number of 96 bits, the range of a VT_DECIMAL
 * without a scale, in which Virtual Server documents its byte counts.
 *
 * Pure arithmetic: no allocation, no I/O. A result that does not fit is
 * reported, never wrapped, and leaves the destination as it was.
 */
#ifndef VMACCOUNTANT_CORE_DECIMAL_H
#define VMACCOUNTANT_CORE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decimal {
    uint64_t low;
    uint32_t high;
};

/* 79228162514264337593543950335 has 29 digits; one more for the final NUL. */
enum { DECIMAL_TEXT_SIZE = 30 };

enum decimal_parse_result { DECIMAL_PARSED, DECIMAL_MALFORMED, DECIMAL_TOO_LARGE };

extern const struct decimal DECIMAL_ZERO;

struct decimal decimal_from_uint64(uint64_t value);

/* *sum = a + b; false when the sum is above 2^96-1. */
bool decimal_add(struct decimal a, struct decimal b, struct decimal *sum);

/* *difference = a - b; false when b is the larger one. */
bool decimal_subtract(struct decimal a, struct decimal b, struct decimal *difference);

/* Below, equal to or above zero as a is below, equal to or above b. */
int decimal_compare(struct decimal a, struct decimal b);

/* True when the value is at most 2^63-1, and so fits a Lua integer. */
bool decimal_fits_int64(struct decimal value);

/* Reads plain decimal digits: no sign, point, exponent or white space. */
enum decimal_parse_result decimal_parse(const char *text, size_t length, struct decimal *value);

/* Writes the digits and a final NUL; returns the number of digits. */
size_t decimal_format(struct decimal value, char text[DECIMAL_TEXT_SIZE]);

#endif
