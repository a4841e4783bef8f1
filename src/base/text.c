#include "base/text.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

char text_lower(char c)
{
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char smalls[] = "abcdefghijklmnopqrstuvwxyz";
    const char *found = c >= 'A' && c <= 'Z' ? strchr(capitals, c) : NULL;

    if (found == NULL)
        return c;
    return smalls[found - capitals];
}

bool text_same_name(const char *a, const char *b)
{
    while (*a != '\0' && text_lower(*a) == text_lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

size_t text_character_length(const char *text, size_t available)
{
    const unsigned char *bytes = (const unsigned char *)text;
    if (available == 0)
        return 0;

    unsigned char first = bytes[0];
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || length > available)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    bool is_overlong = (first == 0xe0 && bytes[1] < 0xa0) || (first == 0xf0 && bytes[1] < 0x90);
    bool is_surrogate = first == 0xed && bytes[1] > 0x9f;
    bool is_beyond = first == 0xf4 && bytes[1] > 0x8f;
    return is_overlong || is_surrogate || is_beyond ? 0 : length;
}

bool text_is_valid(const char *text, size_t length)
{
    for (size_t i = 0, step; i < length; i += step) {
        step = text_character_length(text + i, length - i);
        if (step == 0 || text[i] == '\0')
            return false;
    }
    return true;
}

static locale_t c_locale;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
}

const char *text_of_number(double number, char text[NUMBER_TEXT_SIZE])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_c_locale);
    /* For this thread only; without memory for it the program's locale stays. */
    locale_t before = c_locale != (locale_t)0 ? uselocale(c_locale) : (locale_t)0;
    snprintf(text, NUMBER_TEXT_SIZE, "%.6g", number);
    if (before != (locale_t)0)
        uselocale(before);
    return text;
}
