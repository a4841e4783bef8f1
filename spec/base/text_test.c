/* What is well-formed UTF-8, and what does not depend on the locale. */
#include "base/text.h"

#include "../support/check.h"

#include <string.h>

static bool is_valid(const char *text)
{
    return text_is_valid(text, strlen(text));
}

static void utf8_is_what_rfc_3629_says(void)
{
    static const char *const valid[] = {
        "",
        "plain",
        "\x7f",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf", /* U+D7FF */
        "\xee\x80\x80", /* U+E000 */
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf", /* U+10FFFF */
    };
    static const char *const invalid[] = {
        "\x80",             /* begins with what follows */
        "\xc0\x80",         /* U+0000 in two bytes */
        "\xc1\xb7",         /* w in two */
        "\xe0\x81\xb7",     /* in three */
        "\xf0\x80\x81\xb7", /* in four */
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80", /* a surrogate */
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80", /* U+110000 */
        "\xf5\x80\x80\x80",
        "\xff",
        "\xc3", /* cut off */
        "\xe2\x82",
        "\xf0\x9f\x98",
        "\xc3(",
        "fine, then \xfe",
    };

    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++)
        if (!CHECK(is_valid(valid[i])))
            printf("valid[%zu]\n", i);
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        if (!CHECK(!is_valid(invalid[i])))
            printf("invalid[%zu]\n", i);
    CHECK(!text_is_valid("a\0b", 3));
    CHECK(!text_is_valid("", 1));
    CHECK(text_character_length("", 0) == 0);
}

static void names_are_the_same_in_any_case_of_ascii(void)
{
    CHECK(text_same_name("VirtualMachines", "VIRTUALMACHINES"));
    CHECK(text_same_name("", ""));
    CHECK(!text_same_name("Name", "Names"));
    CHECK(!text_same_name("Names", "Name"));
    CHECK(!text_same_name("[", "{"));
    CHECK(!text_same_name("\xc3\x84", "\xc3\xa4"));
}

static void numbers_have_a_point(void)
{
    char text[NUMBER_TEXT_SIZE];

    CHECK(strcmp(text_of_number(12.5, text), "12.5") == 0);
    CHECK(strcmp(text_of_number(100, text), "100") == 0);
}

int main(void)
{
    utf8_is_what_rfc_3629_says();
    names_are_the_same_in_any_case_of_ascii();
    numbers_have_a_point();
    return check_report();
}
