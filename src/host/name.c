#include "host/name.h"

#include "base/text.h"

#include <locale.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <wctype.h>

static locale_t utf8_locale;

static void make_utf8_locale(void)
{
    utf8_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* The next character, in lower case; a byte that is not part of well-formed
 * UTF-8 stands for itself, above all characters. */
static uint32_t next_folded(const unsigned char **text)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    enum { LONGEST_CHARACTER = 4 };
    const unsigned char *s = *text;

    if (s[0] < 0x80) {
        *text += s[0] != '\0';
        return (unsigned char)text_lower((char)s[0]);
    }
    const char *bytes = (const char *)s;
    size_t length = text_character_length(bytes, strnlen(bytes, LONGEST_CHARACTER));
    if (length == 0) {
        *text += 1;
        return 0x110000u + s[0];
    }
    uint32_t character = s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++)
        character = character << 6 | (s[i] & 0x3fu);
    *text += length;
    pthread_once(&once, make_utf8_locale);
    return utf8_locale == (locale_t)0 ? character : (uint32_t)towlower_l(character, utf8_locale);
}

static int compare_folded(const char *a, const char *b)
{
    const unsigned char *left = (const unsigned char *)a;
    const unsigned char *right = (const unsigned char *)b;

    for (;;) {
        uint32_t x = next_folded(&left);
        uint32_t y = next_folded(&right);
        if (x != y)
            return x < y ? -1 : 1;
        if (x == 0)
            return 0;
    }
}

bool machine_name_equal(const char *a, const char *b)
{
    return compare_folded(a, b) == 0;
}

int machine_name_compare(const char *a, const char *b)
{
    int folded = compare_folded(a, b);
    return folded != 0 ? folded : strcmp(a, b);
}
