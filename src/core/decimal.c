#include "core/decimal.h"

const struct decimal DECIMAL_ZERO = {0, 0};

struct decimal decimal_from_uint64(uint64_t value)
{
    return (struct decimal){.low = value, .high = 0};
}

bool decimal_add(struct decimal a, struct decimal b, struct decimal *sum)
{
    uint64_t low = a.low + b.low;
    uint64_t high = (uint64_t)a.high + b.high + (low < a.low);
    if (high > UINT32_MAX)
        return false;
    *sum = (struct decimal){.low = low, .high = (uint32_t)high};
    return true;
}

bool decimal_subtract(struct decimal a, struct decimal b, struct decimal *difference)
{
    if (decimal_compare(a, b) < 0)
        return false;
    uint32_t borrow = a.low < b.low;
    *difference = (struct decimal){.low = a.low - b.low, .high = a.high - b.high - borrow};
    return true;
}

int decimal_compare(struct decimal a, struct decimal b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    if (a.low != b.low)
        return a.low < b.low ? -1 : 1;
    return 0;
}

bool decimal_fits_int64(struct decimal value)
{
    return value.high == 0 && value.low <= INT64_MAX;
}

/* The 96 bits as three 32-bit digits, most significant first: long division
 * and multiplication by ten then stay within 64 bits. */
struct thirds {
    uint64_t digit[3];
};

static struct thirds split(struct decimal value)
{
    return (struct thirds){{value.high, value.low >> 32, value.low & UINT32_MAX}};
}

static struct decimal join(const struct thirds *parts)
{
    return (struct decimal){.low = parts->digit[1] << 32 | parts->digit[2],
                            .high = (uint32_t)parts->digit[0]};
}

enum decimal_parse_result decimal_parse(const char *text, size_t length, struct decimal *value)
{
    struct thirds parts = {{0, 0, 0}};
    bool too_large = false;

    if (length == 0)
        return DECIMAL_MALFORMED;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return DECIMAL_MALFORMED;
        uint64_t carry = (uint64_t)(text[i] - '0');
        for (int part = 2; part >= 0; part--) {
            uint64_t product = parts.digit[part] * 10 + carry;
            parts.digit[part] = product & UINT32_MAX;
            carry = product >> 32;
        }
        too_large = too_large || carry != 0;
    }
    if (too_large)
        return DECIMAL_TOO_LARGE;
    *value = join(&parts);
    return DECIMAL_PARSED;
}

size_t decimal_format(struct decimal value, char text[DECIMAL_TEXT_SIZE])
{
    struct thirds parts = split(value);
    char reversed[DECIMAL_TEXT_SIZE];
    size_t length = 0;

    do {
        uint64_t remainder = 0;
        for (int part = 0; part < 3; part++) {
            uint64_t dividend = remainder << 32 | parts.digit[part];
            parts.digit[part] = dividend / 10;
            remainder = dividend % 10;
        }
        reversed[length++] = (char)('0' + remainder);
    } while (parts.digit[0] != 0 || parts.digit[1] != 0 || parts.digit[2] != 0);

    for (size_t i = 0; i < length; i++)
        text[i] = reversed[length - 1 - i];
    text[length] = '\0';
    return length;
}
